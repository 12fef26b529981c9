"""A decision table made ready."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidegate.decisions.dmn.hit_policy import aggregated, chosen, ranked
from tidegate.decisions.dmn.kinds import Kind
from tidegate.decisions.dmn.logic import Logic
from tidegate.decisions.dmn.row_index import Cell, RowIndex
from tidegate.decisions.dmn.run import MatchedRow, MissedRow, Run, Scope, Site, Step
from tidegate.expressions.feel.expression import UnaryTests
from tidegate.expressions.feel.extent import shown
from tidegate.expressions.feel.given import Given
from tidegate.expressions.feel.plain import plain

MOST_MISSED = 100
LEAST_INDEXED = 64
"""Tables of fewer rows are read from the top."""
INDEXED_AFTER = 30_000
"""How many rows of a table are tested before an index of them is made: about as many as take the same time."""


@dataclass(frozen=True, slots=True)
class Column:
    """An input column: what it looks at, and which values it and its type allow.

    Models that run elsewhere declare columns of another type than they look at, so values are taken as they are.
    """

    site: Site
    label: str
    logic: Logic
    kind: Kind
    allowed: UnaryTests | None
    allowed_text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An output column: its name, its type, the values it allows and their order, and its default."""

    site: Site
    name: str
    kind: Kind
    allowed: UnaryTests | None
    allowed_text: str
    priorities: tuple[Any, ...]
    default: Logic | None


@dataclass(frozen=True, slots=True)
class Row:
    """A rule: its tests by the place of their column, those only that can fail, and its outputs."""

    matched: MatchedRow
    site: Site
    tests: tuple[tuple[int, UnaryTests], ...]
    outputs: tuple[Logic, ...]


class TableLogic:
    """A decision table. `hidden` are names in scope, which may hide built-in functions in its cells.

    Its rows are read from the top, and found by an index once it is large and asked often; the answers are the same.
    """

    def __init__(
        self,
        site: Site,
        policy: str,
        aggregation: str,
        columns: Sequence[Column],
        answers: Sequence[Answer],
        rows: Sequence[Row],
        hidden: Collection[str] = (),
    ) -> None:
        self.site, self.policy, self.aggregation = site, policy, aggregation
        self.columns, self.answers, self.rows = tuple(columns), tuple(answers), tuple(rows)
        self._names = tuple(answer.name for answer in answers)
        self._priorities = {answer.name: answer.priorities for answer in answers if answer.priorities}
        self._hidden = hidden
        self._tested = 0
        self._index: tuple[RowIndex, list[Row]] | None = None

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """The outputs of the rows that match, as the hit policy has it."""
        step = Step("table", self.site.place, self.site.line)
        run.steps.append(step)
        values: list[Any] = []
        untaken: dict[int, tuple[Any, str]] = {}
        for place, column in enumerate(self.columns):
            value = column.logic.evaluate(scope, run)
            step.inputs[column.label] = value
            why = "" if value is None else self._untaken(column, value, scope, run)
            if why:
                run.not_taken(column.site, why)
                untaken[place] = (value, why)
            values.append(None if why else value)
        step.value = self._answer(values, untaken, scope, run, step)
        return step.value

    def _untaken(self, column: Column, value: Any, scope: Scope, run: Run) -> str:
        """Why a column sees null in the place of a value: its type or its input values do not allow it."""
        why = "" if column.kind.check is None else column.kind.check.wrong(value)
        if why or _allows(column.allowed, value, scope, run):
            return why
        return f"{shown(value)} is none of its input values: {column.allowed_text}"

    def _answer(
        self, values: list[Any], untaken: dict[int, tuple[Any, str]], scope: Scope, run: Run, step: Step
    ) -> Any:
        rows = self._matching(values, scope, run)
        step.matched = tuple(row.matched for row in rows)
        if run.explain or not rows:
            step.missed = self._missed(values, untaken, scope, run)
        if not rows:
            return self._default(scope, run)
        made = []
        for row in rows:
            output = self._outputs(row, scope, run)
            if output is None:
                return None
            made.append(output)
        if self.policy == "COLLECT" and self.aggregation:
            outer = run.enter(self.site)
            value = aggregated(self.aggregation, self._names, made, run.given)
            run.leave(outer)
            return self._shaped(value)
        ranks = ranked(made, self._priorities) if self.policy in ("PRIORITY", "OUTPUT ORDER") else ()
        numbers = [row.matched.number for row in rows]
        found = chosen(self.policy, made, numbers, ranks, lambda why: run.nothing(self.site, why))
        return [self._shaped(one) for one in found] if isinstance(found, list) else self._shaped(found)

    def _matching(self, values: list[Any], scope: Scope, run: Run) -> list[Row]:
        """The rows all of whose tests hold; for FIRST the first of them."""
        found = []
        quiet = run.quiet
        left: Sequence[Row] = self.rows
        if self._index is None and len(self.rows) >= LEAST_INDEXED:
            self._tested += len(self.rows)
            if self._tested > INDEXED_AFTER:
                self._index = self._indexed()
        if self._index is not None and (numbers := self._index[0].rows(values)) is not None:
            rest = self._index[1]
            left = [rest[number] for number in numbers]
        for row in left:
            for place, test in row.tests:
                if test.holds(values[place], scope, quiet) is not True:
                    break
            else:
                found.append(row)
                if self.policy == "FIRST":
                    break
        return found

    def _indexed(self) -> tuple[RowIndex, list[Row]]:
        """The index of the rows, and the rows with those tests alone that it does not answer."""
        known: dict[int, Cell] = {}
        cells = []
        for row in self.rows:
            for _, test in row.tests:
                if id(test) not in known:
                    takes_null = test.holds(None, {}, Given()) is True
                    known[id(test)] = Cell(0, plain(test.root, self._hidden), takes_null)
            cells.append([known[id(test)]._replace(column=place) for place, test in row.tests])
        index = RowIndex(cells, len(self.columns))
        rest = [
            replace(row, tests=tuple(one for one in row.tests if one[0] not in asked))
            for row, asked in zip(self.rows, index.asked, strict=True)
        ]
        return index, rest

    def _missed(
        self, values: list[Any], untaken: dict[int, tuple[Any, str]], scope: Scope, run: Run
    ) -> tuple[MissedRow, ...]:
        """What spoke against the rows that did not match, the first of them."""
        found = []
        for row in self.rows:
            for place, test in row.tests:
                if test.holds(values[place], scope, run.quiet) is not True:
                    text = row.matched.tests[place]
                    seen, why = untaken.get(place, (values[place], ""))
                    found.append(MissedRow(row.matched.number, self.columns[place].label, text, seen, why))
                    break
            if len(found) == MOST_MISSED:
                break
        return tuple(found)

    def _outputs(self, row: Row, scope: Scope, run: Run) -> dict[str, Any] | None:
        """A row's outputs; nothing, with the reason noted, if one is not of the type or the values of its column."""
        made = {}
        for answer, logic in zip(self.answers, row.outputs, strict=True):
            site = row.site.part(f'output "{answer.name}"') if answer.name else row.site
            written = logic.evaluate(scope, run)
            value = run.coerced(written, answer.kind, site)
            if value is None and written is not None:
                return None
            if value is not None and not _allows(answer.allowed, value, scope, run):
                run.nothing(site, f"{shown(value)} is none of its output values: {answer.allowed_text}.")
                return None
            made[answer.name] = value
        return made

    def _default(self, scope: Scope, run: Run) -> Any:
        """What is answered when no row matches: the defaults, where there are any."""
        if all(answer.default is None for answer in self.answers):
            if self.policy == "COLLECT" and self.aggregation in ("", "COUNT"):
                return self._shaped(aggregated("COUNT", self._names, [], run.given)) if self.aggregation else []
            return run.nothing(self.site, f"none of its {len(self.rows)} rows matched, and it has no default.")
        return self._shaped(
            {
                answer.name: None if answer.default is None else answer.default.evaluate(scope, run)
                for answer in self.answers
            }
        )

    def _shaped(self, output: dict[str, Any] | None) -> Any:
        """One output as its value, several as a context of their names."""
        if output is None or len(self.answers) != 1:
            return output
        return output[self.answers[0].name]


def _allows(allowed: UnaryTests | None, value: Any, scope: Scope, run: Run) -> bool:
    """Whether a value is one of those allowed; of a list each element."""
    if allowed is None or allowed.holds(value, scope, run.quiet) is True:
        return True
    return isinstance(value, list) and all(allowed.holds(one, scope, run.quiet) is True for one in value)

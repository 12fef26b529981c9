"""Decision tables into what is evaluated: each cell parsed once, clauses checked, priorities in order."""

from typing import TYPE_CHECKING, Any

from tidegate.decisions.dmn import boxed as b
from tidegate.decisions.dmn.hit_policy import AGGREGATIONS, POLICIES
from tidegate.decisions.dmn.kinds import Each, Kind, Passes
from tidegate.decisions.dmn.logic import Logic, Nothing
from tidegate.decisions.dmn.run import MatchedRow, Site
from tidegate.decisions.dmn.table import Answer, Column, Row, TableLogic
from tidegate.expressions.feel.expression import UnaryTests, parse
from tidegate.expressions.feel.given import Given
from tidegate.expressions.feel.refusals import FeelError, FeelLimitError

if TYPE_CHECKING:
    from tidegate.decisions.dmn.prepare import Names, Preparer

ANYTHING = ("", "-")
"""What a cell says that never fails."""


def prepare_table(preparer: "Preparer", table: b.Table, names: "Names", site: Site, kind: Kind) -> Logic:
    """A decision table, its cells parsed. `kind` is that of the variable its answer goes to."""
    return _TableReader(preparer, table, names, site, kind).read()


class _TableReader:
    def __init__(self, preparer: "Preparer", table: b.Table, names: "Names", site: Site, kind: Kind) -> None:
        self.preparer, self.table, self.names, self.kind = preparer, table, names, kind
        self.findings = preparer.findings
        self.site = Site(site.file, table.line, site.place)
        self._tests: dict[tuple[str, str], UnaryTests | None] = {}
        self._unreadable: Site | None = None

    def read(self) -> Logic:
        table = self.table
        if table.hit_policy not in POLICIES:
            return self._refused(
                f'there is no hit policy "{table.hit_policy}".', f"Write one of {', '.join(POLICIES)}."
            )
        if table.aggregation and table.aggregation not in AGGREGATIONS:
            return self._refused(
                f'there is no aggregation "{table.aggregation}".', f"Write one of {', '.join(AGGREGATIONS)}."
            )
        if not table.outputs:
            return self._refused("the table has no output column.")
        self._look_through()
        columns = [self._column(number, one) for number, one in enumerate(table.inputs, 1)]
        answers = [self._answer(number, one) for number, one in enumerate(table.outputs, 1)]
        rows = [self._row(number, rule) for number, rule in enumerate(table.rules, 1)]
        if self._unreadable is not None:
            return Nothing(self._unreadable, "the test in this cell cannot be read.")
        if table.hit_policy in ("PRIORITY", "OUTPUT ORDER") and not any(one.priorities for one in answers):
            self.findings.warning(
                self.site.line,
                self.site.place,
                f"{table.hit_policy} needs output values, in order of priority, and there are none.",
            )
        return TableLogic(self.site, table.hit_policy, table.aggregation, columns, answers, rows, self.names.known)

    def _refused(self, wrong: str, do: str = "") -> Logic:
        self.findings.error(self.site.line, self.site.place, wrong, do)
        return Nothing(self.site, wrong)

    def _look_through(self) -> None:
        """Note what is likely not meant."""
        table, line, place = self.table, self.site.line, self.site.place
        if table.aggregation and table.hit_policy != "COLLECT":
            self.findings.warning(line, place, f"an aggregation has no meaning with {table.hit_policy}.")
        if table.aggregation and len(table.outputs) > 1:
            self.findings.warning(
                line, place, "the standard defines no aggregation of several outputs.", "Each is aggregated by itself."
            )
        if not table.rules:
            self.findings.warning(line, place, "the table has no rows.")

    def _column(self, number: int, clause: b.Input) -> Column:
        label = clause.label or clause.expression.text.strip() or f"input {number}"
        at = self.site.part(f'input "{label}"', clause.line)
        logic = self.preparer.feel(clause.expression, self.names, Site(at.file, clause.expression.line, at.place))
        kind = self.preparer.types.of(clause.type_ref, clause.line, at.place)
        allowed = None if clause.values is None else self.preparer.tests(clause.values, self.names, at)
        return Column(at, label, logic, kind, allowed, _flat(clause.values))

    def _answer(self, number: int, clause: b.Output) -> Answer:
        many = len(self.table.outputs) > 1
        name = clause.name or (clause.label or f"output {number}" if many else "")
        at = self.site.part(f'output "{name or self.table.name or number}"', clause.line)
        if many and not clause.name:
            self.findings.error(clause.line, at.place, "one of several outputs must have a name.")
        kind = self.preparer.types.of(clause.type_ref, clause.line, at.place)
        allowed = None if clause.values is None else self.preparer.tests(clause.values, self.names, at)
        default = None if clause.default is None else self.preparer.feel(clause.default, self.names, at)
        return Answer(at, name, kind, allowed, _flat(clause.values), self._priorities(clause, kind, at), default)

    def _priorities(self, clause: b.Output, kind: Kind, at: Site) -> tuple[Any, ...]:
        """The output values in their order, where they are ordered; without any, those that the type allows."""
        if self.table.hit_policy not in ("PRIORITY", "OUTPUT ORDER"):
            return ()
        values = clause.values
        if values is None:
            check = kind.check if clause.type_ref or len(self.table.outputs) > 1 else self.kind.check
            check = check.check if isinstance(check, Each) else check
            if not isinstance(check, Passes):
                return ()
            values = b.Text(check.text, clause.line)
        try:
            found = parse(f"[{values.text}]", {}, {}).evaluate({}, Given())
        except (FeelError, FeelLimitError):
            self.findings.error(values.line, at.place, "its output values are no list of values, so have no order.")
            return ()
        return tuple(found) if isinstance(found, list) else ()

    def _row(self, number: int, rule: b.Rule) -> Row:
        at = self.site.part(f"row {number}", rule.line)
        inputs, outputs = len(self.table.inputs), len(self.table.outputs)
        if (len(rule.tests), len(rule.outputs)) != (inputs, outputs):
            seen = f"{len(rule.tests)} input and {len(rule.outputs)} output cells"
            self.findings.error(
                rule.line, at.place, f"it has {seen} where the table has {inputs} and {outputs} columns."
            )
        tests = []
        for place, cell in enumerate(rule.tests[:inputs]):
            if cell.text.strip() not in ANYTHING:
                test = self._test(cell, at, place)
                if test is not None:
                    tests.append((place, test))
        made = [
            self.preparer.feel(cell, self.names, self._cell(cell, at, place)) for place, cell in enumerate(rule.outputs)
        ]
        made += [Nothing(at, "the cell is missing.")] * (outputs - len(made))
        written = tuple(" ".join(cell.text.split()) for cell in rule.tests)
        matched = MatchedRow(number, rule.id, rule.annotations, written)
        return Row(matched, at, tuple(tests), tuple(made[:outputs]))

    def _cell(self, cell: b.Text, row: Site, place: int) -> Site:
        name = self.table.outputs[place].name if place < len(self.table.outputs) else ""
        return Site(row.file, cell.line, f'{row.place}, output "{name}"' if name else row.place)

    def _test(self, cell: b.Text, row: Site, place: int) -> UnaryTests | None:
        """A cell's tests; the same text is parsed once a table. A table with a cell that cannot be read is nothing."""
        key = (cell.text, cell.language)
        if key not in self._tests:
            clause = self.table.inputs[place]
            at = Site(row.file, cell.line, f'{row.place}, input "{clause.label or clause.expression.text.strip()}"')
            self._tests[key] = self.preparer.tests(cell, self.names, at)
            if self._tests[key] is None:
                self._unreadable = self._unreadable or at
        return self._tests[key]


def _flat(text: b.Text | None) -> str:
    return "" if text is None else " ".join(text.text.split())

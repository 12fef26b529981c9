"""The decider: runs a plan over rows. No clock, no files, no threads: cells in, outcomes out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tidegate.decisions.drl.asked import AskedPackage
from tidegate.decisions.drl.plan import DrlAnswer, DrlRunner
from tidegate.decisions.feel_texts import FeelText
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.limits import LimitBook
from tidegate.decisions.lists import ListBook, ListChange
from tidegate.decisions.plan import AT, LEARN, OVERDUE, READ, ListPlan, Plan
from tidegate.decisions.scorecards.trace import ScoringCard
from tidegate.decisions.settle import gather, settling
from tidegate.decisions.snooze import Snooze, SnoozeBook, told
from tidegate.decisions.state import state_digest
from tidegate.decisions.steps import AskedModel, ByRow, decided_rows, steps_of
from tidegate.decisions.tables.trace import IndexedTable
from tidegate.decisions.wording import Wording
from tidegate.errors import SnapshotError
from tidegate.events.times import microseconds_of
from tidegate.events.types import Kind, Type
from tidegate.expressions.kernel import step_of
from tidegate.expressions.words import word
from tidegate.features.plan import MISSING
from tidegate.features.windows import Windows
from tidegate.kernels.chain import Chain
from tidegate.models.scoring import BoundModel, CellKind, ScoringModel
from tidegate.models.signature import require_answer, require_types


class Decider:
    """Runs one plan. Rows are put into `cells` (columns x rows) by an encoder; `decide` then does everything else.

    Args:
        plan: what to do.
        models: by reference; a reference that is not there is answered by its `otherwise`.
        capacity: the most rows in a batch.
        runners: of packages of rules, by their `read`; one that is not there is answered by its `otherwise`.
    """

    def __init__(
        self,
        plan: Plan,
        models: Mapping[str, ScoringModel] | None = None,
        capacity: int = 1024,
        runners: Mapping[str, DrlRunner] | None = None,
    ) -> None:
        self.plan, self.capacity = plan, capacity
        self.bindings = _bound(plan, models or {})
        self.cells = np.full((plan.columns, capacity), MISSING, dtype=np.int64)
        self.floats = self.cells.view(np.float64)
        # The same memory once more: Python takes one number out of an array in three times as long as out of these.
        self.flat, self.flat_floats = self.cells.data.cast("B").cast("q"), self.cells.data.cast("B").cast("d")
        for column, value in plan.constants:
            (self.floats if isinstance(value, float) else self.cells)[column] = value
        self._default_floats()
        self.kinds = np.zeros(capacity, dtype=np.int64)
        self.flags = np.full(capacity, READ | LEARN, dtype=np.int64)
        self.settled = np.zeros((3, capacity), dtype=np.int64)
        self._outcomes: np.ndarray = self.settled[0]
        self.windows = Windows(plan.streams, lateness=plan.lateness)
        self.book = ListBook(plan.lateness)
        self.snoozes = SnoozeBook(plan.lateness)
        self.limits = LimitBook(plan.caps, plan.lateness)
        self.silenced: dict[int, dict[str, str]] = {}
        self._keys = key_columns(plan)
        self._whole = {f.type.entity: f.type.whole for f in plan.kinds[0].fields if f.type.entity} if plan.kinds else {}
        self.words = Wording(plan.reach)
        """The texts that windows and packages of rules can give back, by their cells: one object for good."""
        self._capped = np.zeros(3, np.bool_)
        self._capped[[cap.outcome for cap in plan.caps]] = True
        self.remembered = np.array(plan.remembered, dtype=np.int64)
        self._past = np.empty((capacity, len(self.remembered)), dtype=np.int64)
        self._whens = np.array([rule.when for rule in plan.rules], dtype=np.int64)
        self._when_of = {rule.name: rule.when for rule in plan.rules}
        self.tables = [IndexedTable(table) for table in plan.tables]
        self.packages = [AskedPackage(package, (runners or {}).get(package.read)) for package in plan.packages]
        self.said = dict(plan.words) | _texts(self.bindings)
        """The texts of the flow and of its models by their cells."""
        self.scorecards = [ScoringCard(card) for card in plan.scorecards]
        self.limited: dict[int, int] = {}
        self.unanswered: dict[int, set[int]] = {}
        """By the column of a model's score, the rows that it had no answer for."""
        self._by_row: list[ByRow] = []
        self._chain()

    def _chain(self) -> None:
        """Make the chains of steps that the plan comes to."""
        plan, cells = self.plan, self.cells
        before = [step_of(plan.before, cells)] if len(plan.before.code) else []
        windows = self.windows.step(cells, self.kinds, self.flags)
        asked = [one for segment in plan.segments for one in segment.models]
        models = {one.out: AskedModel(one, self.bindings.get(one.out), cells, self.unanswered) for one in asked}
        after = steps_of(plan, cells, models, self.tables, self.scorecards, self.packages, self._answer_by_row)
        if plan.rules:  # without them nothing is ever settled otherwise
            severities = np.array([rule.outcome for rule in plan.rules], dtype=np.int64)
            after.append(settling(cells, self._whens, severities, self.settled))
        to_windows, many = [*before, windows], self.capacity
        self._before, self._to_windows = Chain(before, many), Chain(to_windows, many)
        self._after, self._all = Chain(after, many), Chain([*to_windows, *after], many)

    def _answer_by_row(self, packages: Sequence[AskedPackage], texts: Sequence[FeelText]) -> ByRow:
        made = ByRow(packages, texts, (self.cells, self.kinds, self.flags), self.words, self.said)
        self._by_row.append(made)
        return made

    def _default_floats(self) -> None:
        """Fields that are floats start as missing floats: rows of other kinds never write them."""
        for kind in self.plan.kinds:
            for field in kind.fields:
                if field.type.is_float:
                    self.floats[field.column] = np.nan

    def run(self, n: int) -> np.ndarray:
        """Decide and learn the first `n` rows, in order. Gives the outcomes; `settled` and `cells` hold the rest."""
        self._look_up(n)
        self.unanswered.clear()
        self._all.run(n)
        return self._conclude(n, None)

    def recall(self, n: int) -> None:
        """Everything up to the windows: the past as of each of the first `n` rows, which are then learned."""
        self._look_up(n)
        self._to_windows.run(n)

    def conclude(self, n: int) -> np.ndarray:
        """Everything after the windows: programs, models, tables, scorecards, packages, rules, snoozes, limits."""
        self.unanswered.clear()
        self._after.run(n)
        return self._conclude(n, None)

    def again(
        self, n: int, silenced: Mapping[int, dict[str, str]] | None = None, answers: Sequence[DrlAnswer] = ()
    ) -> np.ndarray:
        """Decide rows whose remembered columns are there already, without windows or lists: to make decisions again.

        `silenced` has, by row, the rules that were silenced then; `answers` are what packages of rules said.
        """
        recorded = iter(answers)
        for one in self._by_row:
            one.recorded = recorded
        try:
            self._before.run(n)
            self.unanswered.clear()
            self._after.run(n)
        finally:
            for one in self._by_row:
                one.recorded = iter(())
        return self._conclude(n, silenced or {})

    def infer(self, n: int) -> np.ndarray:
        """Decide rows whose remembered columns are there already, as they would be now: snoozes and limits apply."""
        self._before.run(n)
        return self.conclude(n)

    def relearn(self, answered: Sequence[int | None]) -> None:
        """Learn rows that were decided before, and count towards limits what was answered then.

        It is not decided again: by now the flow or its models may be others, and what callers were told stays told.

        Args:
            answered: the outcome that each row was given; None for those that were only learned.
        """
        self.recall(len(answered))
        if self.limits:
            for row, outcome in enumerate(answered):
                if outcome is not None and self.kinds[row] == 0 and self.flags[row] & LEARN:
                    self.limits.count(outcome, int(self.cells[AT, row]))

    def _conclude(self, n: int, silenced: Mapping[int, dict[str, str]] | None) -> np.ndarray:
        """What follows the rules: snoozes, or the rules that were silenced then, and limits."""
        if silenced is not None:
            self.silenced = dict(silenced)
        elif self.snoozes or self.silenced:
            self.silenced = self._find_silenced(n)
        for row, rules in self.silenced.items():
            self._settle_without(row, rules)
        self.limited.clear()
        if self.limits:
            self._cap(n)
        return self._outcomes

    def _find_silenced(self, n: int) -> dict[int, dict[str, str]]:
        """By row, the rules that would have fired and are silent for one of the event's entities, and why."""
        found: dict[int, dict[str, str]] = {}
        decided = decided_rows(self.kinds, self.flags, n)
        for rule, entity, keys in self.snoozes.each():
            when = self._when_of.get(rule)
            for column in self._keys.get(entity, ()) if when is not None else ():
                fires = decided & (self.cells[when, :n] == 1)
                for row in np.flatnonzero(fires & np.isin(self.cells[column, :n], keys)).tolist():
                    words = self.snoozes.words(rule, entity, int(self.cells[column, row]), int(self.cells[AT, row]))
                    if words:
                        found.setdefault(row, {}).setdefault(rule, words)
        return found

    def past(self, n: int) -> bytes:
        """The remembered cells of the first `n` rows, one row after another."""
        gather(self.cells, self.remembered, self._past, n)
        return self._past[:n].tobytes()

    def held(self, n: int) -> np.ndarray:
        """The rules' conditions of the first `n` rows, one row each; those that were silenced do not hold."""
        held: np.ndarray = self.cells[self._whens, :n]
        for row, rules in self.silenced.items():
            for place, rule in enumerate(self.plan.rules):
                if rule.name in rules:
                    held[place, row] = 0
        return held

    def _settle_without(self, row: int, rules: Mapping[str, str]) -> None:
        """The outcome of a row without some of the rules that fired."""
        left = [r for r in self.plan.rules if self.cells[r.when, row] == 1 and r.name not in rules]
        self.settled[0, row] = max((rule.outcome for rule in left), default=0)
        self.settled[1, row] = len(left)

    def _look_up(self, n: int) -> None:
        """Answer the checks against entity lists."""
        for check in self.plan.lists:
            self._check_list(check, n)

    def _check_list(self, check: ListPlan, n: int) -> None:
        listed = self.book.listed
        at, keys, out = self.cells[AT], self.cells[check.key], self.cells[check.out]
        if n == 1:
            out[0] = MISSING if keys[0] == MISSING else int(listed(check.name, int(keys[0]), int(at[0])))
            return
        # Few keys ever stand on a list, so most rows are answered at once.
        out[:n] = np.where(keys[:n] == MISSING, MISSING, 0)
        ever = self.book.keys(check.name)
        for i in np.flatnonzero(np.isin(keys[:n], ever)).tolist() if len(ever) else ():
            out[i] = int(listed(check.name, int(keys[i]), int(at[i])))

    def _cap(self, n: int) -> None:
        """Hold the flow to its limits, in order of arrival."""
        outcomes = self.settled[0]
        # A row can only be limited, or count towards a limit, if its outcome is one that is limited.
        concerned = self._capped[outcomes[:n]] | (self.flags[:n] & OVERDUE != 0)
        for i in np.flatnonzero(concerned).tolist():
            if not self.flags[i] & READ or self.kinds[i] != 0:
                continue
            final, at = self.plan.deadline_answer, int(self.cells[AT, i])
            if not self.flags[i] & OVERDUE:
                final, by = self.limits.apply(int(outcomes[i]), at)
                if by >= 0:
                    outcomes[i], self.limited[i] = final, by
            if self.flags[i] & LEARN:
                self.limits.count(final, at)  # what was answered in the end

    def counted(self, n: int) -> list[tuple[int, int]]:
        """What the first `n` rows, once decided, left behind for limits: outcomes and their times."""
        found = []
        for i in np.flatnonzero((self.kinds[:n] == 0) & (self.flags[:n] & (READ | LEARN) == READ | LEARN)).tolist():
            outcome = self.plan.deadline_answer if self.flags[i] & OVERDUE else int(self.settled[0, i])
            if self._capped[outcome]:
                found.append((outcome, int(self.cells[AT, i])))
        return found

    def obey(self, event: Instruction) -> None:
        """Put an instruction into effect; one that this flow has no use for, as an earlier version had, has none."""
        at = microseconds_of(event.at)
        if isinstance(event, ListChange):
            of = next((check for check in self.plan.lists if check.name == event.list), None)
            if of is not None:
                until = None if event.until is None else microseconds_of(event.until)
                self.book.change(event.list, int(event.key) if of.whole else word(event.key), at, event.listed, until)
        elif isinstance(event, Snooze) and event.entity in self._keys:
            until = microseconds_of(event.until)
            key = int(event.key) if self._whole[event.entity] else word(event.key)
            self.snoozes.put(event.rule, event.entity, key, at, until, told(event, until))

    def snapshot(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The state: arrays, and a header of plain values."""
        header = {
            "digest": state_digest(self.plan).hex(),
            "lists": self.book.dump(),
            "caps": self.limits.dump(),
            "words": list(self.words.items()),
            "snoozes": self.snoozes.dump(),
        }
        return {f"windows.{name}": array for name, array in self.windows.snapshot().items()}, header

    def restore(self, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            SnapshotError: it is of a flow that knows other things of the past.
        """
        if header.get("digest") not in (state_digest(self.plan).hex(), self.plan.digest):  # the latter: of old versions
            raise SnapshotError(
                "The snapshot is of another flow.", seen=str(header.get("digest")), do="Replay the events instead."
            )
        self.windows.restore(
            {name.removeprefix("windows."): a for name, a in arrays.items() if name.startswith("windows.")}
        )
        self.book.load(header["lists"])
        self.snoozes.load(header.get("snoozes", []))
        self.limits.load(header["caps"])
        self.words.forget()
        self.words.update((int(cell), text) for cell, text in header["words"])


def key_columns(plan: Plan) -> dict[str, list[int]]:
    """The columns of the decided event's keys, by the name of the entity."""
    found: dict[str, list[int]] = {}
    for field in plan.kinds[0].fields if plan.kinds else ():
        if field.type.kind is Kind.KEY and field.type.entity:
            found.setdefault(field.type.entity, []).append(field.column)
    return found


def _cell_kind(kind: Type) -> CellKind:
    if kind.is_float:
        return "float"
    return "text" if kind.is_word else "int"


def _bound(plan: Plan, models: Mapping[str, ScoringModel]) -> dict[int, BoundModel]:
    """The models that are there, tied to the columns of their features.

    Raises:
        ModelError: a model reads other features than the flow gives it.
    """
    bound = {}
    for segment in plan.segments:
        for one in segment.models:
            model = models.get(one.reference)
            if model is not None:
                model.require(one.names, one.reference)
                require_types(model.inputs, one.types, one.reference)
                require_answer(model.texts, one.default, one.reference)
                kinds = [_cell_kind(kind) for kind in one.types]
                bound[one.out] = model.bind(one.inputs, kinds, one.out, hash_of=word, names=one.names)
    return bound


def _texts(bindings: Mapping[int, BoundModel]) -> dict[int, str]:
    """The texts that models may answer with, by their cells."""
    return {word(text): text for one in bindings.values() for text in one.model.texts or ()}

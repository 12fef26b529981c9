"""What is found in a table without running it: gaps, overlaps, conflicts, rows never reached, inputs that never matter.

All of it is exact over the regions that the cells tell apart: a gap that is told is one, and where nothing is told and
nothing undecided, there is none. Each question has a budget; past it what is not known is said.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tidegate.decisions.tables.cells import Cell
from tidegate.decisions.tables.coverage import MOST_BOXES, common, gaps, matters, parts, reached
from tidegate.decisions.tables.grid import MOST_BYTES, Box, Budget, Grid, UndecidedError, bits, plain
from tidegate.decisions.tables.meeting import Meeting, Rows
from tidegate.decisions.tables.plan import ranks
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.table import Row, Table
from tidegate.decisions.tables.telling import box_in_words, corner, example

EFFORT = 3_000_000
"""How much each question may cost, in edges of cells; some seconds."""
MOST_TOLD = 20
"""The most findings of a kind that are told one by one."""
MOST_PAIRS = 400_000_000
"""The most pairs of rows, or of runs of their cells, that are compared at the usual effort; some seconds."""


@dataclass(frozen=True)
class Finding:
    """Something found in a table.

    Args:
        kind: gap, conflict, overlap, unreachable or idle (an input that never matters).
        severity: error, warning or note.
        said: in words.
        rows: the names of the rows it is about.
        example: a value for each input that shows it; of an idle input there is none.
        where: of a gap, the cells of a row that would close it.
    """

    kind: str
    severity: str
    said: str
    rows: tuple[str, ...] = ()
    example: dict[str, str] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)


@dataclass
class Found:
    """All that was found: `findings`, of each kind the first few; how `many` there are of each; what is `undecided`."""

    findings: list[Finding] = field(default_factory=list)
    many: dict[str, int] = field(default_factory=dict)
    undecided: list[str] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Note a finding."""
        self.many[finding.kind] = self.many.get(finding.kind, 0) + 1
        if self.many[finding.kind] <= MOST_TOLD:
            self.findings.append(finding)

    def worst(self) -> str:
        """The gravest severity, or nothing."""
        there = {finding.severity for finding in self.findings}
        return next((severity for severity in ("error", "warning", "note") if severity in there), "")


def check(
    table: Table,
    domains: Mapping[str, Cell] | None = None,
    missing: Iterable[str] = (),
    effort: int = EFFORT,
    tell_missing: bool = True,
) -> Found:
    """Look for everything that can be found in a table.

    Args:
        table: which table.
        domains: for an input, the values that can come, where more is known than the table says.
        missing: the inputs that can be missing.
        effort: how much each question may cost.
        tell_missing: whether gaps where an input is missing are told, too.
    """
    whole = Grid(table, domains, frozenset(missing))
    return _Check(table, whole, effort, whole if tell_missing else Grid(table, domains)).all()


def says_missing(table: Table) -> list[str]:
    """The inputs that can be missing, as far as the table itself tells: those of which a cell says `missing`."""
    cells = [row.cells for row in table.rows]
    return [
        column.name
        for place, column in enumerate(table.inputs)
        if any(row[place].missing and not row[place].any for row in cells)
    ]


class _Check:
    def __init__(self, table: Table, grid: Grid, effort: int, told: Grid | None = None) -> None:
        self.table, self.grid, self.effort, self.found = table, grid, effort, Found()
        self.told = told or grid
        """The grid whose gaps are told: without the missing values if these are not asked for."""
        self.rank = np.argsort(np.array(ranks(table), np.int64))
        known: dict[Hashable, int] = {}
        self.gaps: tuple[list[Box], bool] = ([], False)
        """The gaps, and whether these are all."""
        self._all_met = False
        """Whether every row was compared with all that it meets."""
        self.gives = np.array([known.setdefault(row.outputs, len(known)) for row in table.rows], np.int64)

    def all(self) -> Found:
        """Every question, the gravest first."""
        for finding in self._rows():
            self.found.add(finding)
        self._gaps()
        self._idle()
        return self.found

    def _name(self, row: int) -> str:
        return self.table.rows[row].name

    def _rows(self) -> list[Finding]:
        """Compare rows with those that they meet. What is found of pairs is noted, of single rows given."""
        meeting, most = Meeting(self.grid), MOST_PAIRS * self.effort // EFFORT
        budget, reaching, next_row = Budget(self.effort), True, 0
        alone: list[Finding] = []
        for row, others in meeting.each(most):
            next_row = row + 1
            if others is None:
                alone.append(self._empty(row))
                continue
            self._pairs(row, others[np.searchsorted(others, row) :])
            if not reaching:
                continue
            try:
                hidden = self._unreachable(row, others, budget)
            except UndecidedError:
                reaching = False
                self.found.undecided.append(
                    f"rows from {self._name(row)} on: whether they are reached takes more than {self._limit()}"
                )
                continue
            if hidden is not None:
                alone.append(hidden)
        self._all_met = next_row == self.grid.rows
        if not self._all_met:
            shared = "" if meeting.place is None else f" that may share {self.table.inputs[meeting.place].name}"
            self.found.undecided.append(
                f"rows from {self._name(next_row)} on: whether they overlap others or are reached; "
                f"of {meeting.pairs:,} pairs of rows{shared} only {most:,} are compared"
            )
        return alone

    def _limit(self) -> str:
        return f"{self.effort:,} steps, or {MOST_BYTES >> 20} MB"

    def _pairs(self, row: int, others: Rows) -> None:
        """Note the pairs of a row with later ones that it meets."""
        policy = self.table.policy
        clash = policy is Policy.UNIQUE
        if policy is Policy.ANY:
            differ = self.gives[others] != self.gives[row]
            self._tell("conflict", row, others[differ])
            others = others[~differ]
        self._tell("conflict" if clash else "overlap", row, others)

    def _tell(self, kind: str, row: int, others: Rows) -> None:
        room = max(0, MOST_TOLD - self.found.many.get(kind, 0))
        for other in others[:room].tolist():
            self.found.add(self._pair(kind, row, other))
        if len(others) > room:
            self.found.many[kind] = self.found.many.get(kind, 0) + len(others) - room

    def _pair(self, kind: str, one: int, other: int) -> Finding:
        rows = self.table.rows[one], self.table.rows[other]
        agree = rows[0].outputs == rows[1].outputs
        said = f"rows {rows[0].name} and {rows[1].name} match the same input"
        if kind == "conflict" and self.table.policy is Policy.UNIQUE:
            said += ", and only one may" + ("; they agree, so `any` would do" if agree else "")
        elif kind == "conflict":
            said += " and do not agree"
        elif agree:
            said += "; they agree"
        severity = "error" if kind == "conflict" else "note"
        shown = example(self.grid, common(self.grid, (one, other)))
        return Finding(kind, severity, said, (rows[0].name, rows[1].name), shown)

    def _empty(self, row: int) -> Finding:
        """That nothing which a row asks for can come."""
        place = self.grid.empty(row) or 0
        cell = self.table.rows[row].cells[place].text
        said = f"row {self._name(row)} can never match: {self.table.inputs[place].name} is never {cell}"
        return Finding("unreachable", "error", said, (self._name(row),))

    def _unreachable(self, row: int, others: Rows, budget: Budget) -> Finding | None:
        """That a row can never decide, if it cannot.

        Raises:
            UndecidedError: the budget is spent.
        """
        policy = self.table.policy
        if policy not in (Policy.UNIQUE, Policy.FIRST, Policy.PRIORITY):
            return None
        before = others if policy is Policy.UNIQUE else others[self.rank[others] < self.rank[row]]
        if not len(before):
            return None
        if len(before) * len(self.grid.order) > budget.left:
            raise UndecidedError
        near = self.grid.near([row, *before.tolist()])
        return self._hidden(row, before) if reached(near, 0, near.all & ~1, budget) is None else None

    def _hidden(self, row: int, before: Rows) -> Finding:
        names = [self._name(other) for other in before.tolist()]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        rows = f"row{'s' if len(names) > 1 else ''} {', '.join(names[:5])}{more}"
        several = len(names) > 1
        if self.table.policy is Policy.UNIQUE:
            why = "match too" if several else "matches too"
        else:
            why = "come first" if several else "comes first"
        said = f"row {self._name(row)} can never decide: wherever it matches, {rows} {why}"
        point = {place: plain(runs[row]) for place, runs in enumerate(self.grid.runs)}
        return Finding("unreachable", "error", said, (self._name(row), *names[:5]), example(self.grid, point))

    def _gaps(self) -> None:
        boxes, whole = self.gaps = gaps(self.told, Budget(self.effort))
        default = self.table.default is not None
        severity = "note" if default or self.table.policy.is_list or self.table.policy.is_sum else "warning"
        for box in boxes:
            where = box_in_words(self.told, box)
            said = "no row matches " + (", ".join(f"{n} {t}" for n, t in where.items()) or "anything")
            said += "; the default row decides" if default else ""
            self.found.add(Finding("gap", severity, said, (), example(self.told, corner(box)), where))
        if len(boxes) >= MOST_BOXES and not whole:
            self.found.undecided.append(f"gaps: there are {len(boxes)} and more; only so many are looked for")
        elif not whole:
            self.found.undecided.append(
                f"gaps: those told are gaps; whether there are more is not decided within {self._limit()}"
            )
        elif not boxes and default:
            said = "the default row can never decide: the other rows leave nothing"
            lacking = " but missing values" if self._can_miss() else ""
            self.found.add(Finding("unreachable", "note", said + lacking, ("default",)))

    def _can_miss(self) -> bool:
        return any(runs[0][0] != 0 for runs in self.told.domains if runs)

    def _idle(self) -> None:
        for place, column in enumerate(self.table.inputs):
            if self.grid.full[place] == self.grid.all:
                said = f"{column.name} never matters: every row holds for all that it can be"
            else:
                try:
                    if self._matters(place):
                        continue
                except UndecidedError:
                    self.found.undecided.append(
                        f"{column.name}: whether it ever matters is not decided within {self._limit()}"
                    )
                    continue
                said = f"{column.name} never matters: whatever it is, the result is the same"
            self.found.add(Finding("idle", "warning", said))

    def _matters(self, place: int) -> bool:
        """Whether an input ever matters. Where all rows give the same, it is between them and the gaps that it may.

        Raises:
            UndecidedError: the budget is spent.
        """
        if self._give_the_same():
            boxes, whole = self.gaps if self.told is self.grid else gaps(self.grid, Budget(self.effort))
            if self._result(0) == self._result(1):
                return False
            if parts(self.grid, place, boxes):
                return True
            if whole:
                return False
        return matters(self.grid, place, self._result, Budget(self.effort)) is not None

    def _give_the_same(self) -> bool:
        """Whether the result is the same wherever a row matches, as far as that shows in the rows."""
        policy = self.table.policy
        if policy is Policy.COUNT or policy.is_list or policy is Policy.SUM:
            return False  # it is of how many match
        if policy is Policy.UNIQUE and (not self._all_met or "conflict" in self.found.many):
            return False
        return len({row.outputs[0] if policy.is_sum else _gives(row) for row in self.table.rows}) == 1

    def _result(self, mask: int) -> Hashable:
        """What a set of matching rows gives: outputs and words."""
        policy, rows, default = self.table.policy, self.table.rows, self.table.default
        if policy is Policy.COUNT:
            return mask.bit_count()
        if not mask:
            if default is None:
                return None
            return default.outputs[0] if policy.is_sum else (_gives(default),) if policy.is_list else _gives(default)
        found = sorted(bits(mask), key=self.rank.__getitem__)
        if policy.is_list:
            return tuple(_gives(rows[row]) for row in found)
        if policy.is_sum:
            together: dict[Policy, Callable[[list[float]], float]] = {
                Policy.SUM: sum, Policy.LEAST: min, Policy.GREATEST: max,
            }  # fmt: skip
            return together[policy]([rows[row].outputs[0] for row in found])
        clash = len(found) > 1 and policy is Policy.UNIQUE
        clash = clash or (policy is Policy.ANY and len({rows[row].outputs for row in found}) > 1)
        return "no answer" if clash else _gives(rows[found[0]])


def _gives(row: Row) -> Hashable:
    return row.outputs, row.because


__all__ = ["EFFORT", "MOST_TOLD", "Finding", "Found", "check", "says_missing"]

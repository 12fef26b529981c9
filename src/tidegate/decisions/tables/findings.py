"""What is found in a table without running it: gaps, overlaps, conflicts, rows never reached, inputs that never matter.

All of it is exact over the regions that the cells tell apart: a gap that is told is one, and where nothing is told and
nothing undecided, there is none. Each question has a budget; past it what is not known is said.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from tidegate.decisions.tables.cells import Cell
from tidegate.decisions.tables.coverage import common, gaps, matters, meeting, reached
from tidegate.decisions.tables.grid import Budget, Grid, UndecidedError, bits
from tidegate.decisions.tables.plan import ranks
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.table import Row, Table
from tidegate.decisions.tables.telling import box_in_words, corner, example

EFFORT = 3_000_000
"""How much each question may cost, in edges of cells; some seconds."""
MOST_TOLD = 20
"""The most findings of a kind that are told one by one."""
MOST_ROWS = 20_000
"""The most rows whose pairs are compared."""


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
) -> Found:
    """Look for everything that can be found in a table.

    Args:
        table: which table.
        domains: for an input, the values that can come, where more is known than the table says.
        missing: the inputs whose absence is looked at too.
        effort: how much each question may cost.
    """
    return _Check(table, Grid(table, domains, frozenset(missing)), effort).all()


class _Check:
    def __init__(self, table: Table, grid: Grid, effort: int) -> None:
        self.table, self.grid, self.effort, self.found = table, grid, effort, Found()
        self.rank = {row: place for place, row in enumerate(ranks(table))}
        self.met: dict[int, int] | None = None

    def all(self) -> Found:
        """Every question, the gravest first."""
        if self.grid.rows <= MOST_ROWS:
            self.met = dict(meeting(self.grid))
            self._pairs(self.met)
        else:
            self.found.undecided.append(f"overlaps: more than {MOST_ROWS:,} rows are not compared with each other")
        self._unreachable()
        self._gaps()
        self._idle()
        return self.found

    def _name(self, row: int) -> str:
        return self.table.rows[row].name

    def _pairs(self, met: Mapping[int, int]) -> None:
        policy = self.table.policy
        for one, others in met.items():
            for other in bits(others >> (one + 1)):
                self._pair(one, one + 1 + other, policy)

    def _pair(self, one: int, other: int, policy: Policy) -> None:
        rows = self.table.rows[one], self.table.rows[other]
        agree = rows[0].outputs == rows[1].outputs
        names = f"rows {rows[0].name} and {rows[1].name}"
        if policy is Policy.UNIQUE or (policy is Policy.ANY and not agree):
            kind, severity = "conflict", "error"
            said = (
                f"{names} match the same input"
                + (", and only one may" if policy is Policy.UNIQUE else " and do not agree")
                + ("" if policy is Policy.ANY or not agree else "; they agree, so `any` would do")
            )
        else:
            kind, severity = "overlap", "note"
            said = f"{names} match the same input" + ("; they agree" if agree else "")
        if self.found.many.get(kind, 0) >= MOST_TOLD:
            self.found.many[kind] += 1
            return
        shown = example(self.grid, common(self.grid, (one, other)))
        self.found.add(Finding(kind, severity, said, (rows[0].name, rows[1].name), shown))

    def _unreachable(self) -> None:
        budget = Budget(self.effort)
        for row in range(self.grid.rows):
            place = self.grid.empty(row)
            if place is not None:
                column = self.table.inputs[place].name
                cell = self.table.rows[row].cells[place].text
                said = f"row {self._name(row)} can never match: {column} is never {cell}"
                self.found.add(Finding("unreachable", "error", said, (self._name(row),)))
                continue
            before = self._before(row)
            if not before:
                continue
            try:
                point = reached(self.grid, row, before, budget)
            except UndecidedError:
                self.found.undecided.append(
                    f"rows from {self._name(row)} on: whether they are reached takes more than {self.effort:,} steps"
                )
                return
            if point is None:
                self.found.add(self._hidden(row, before))

    def _before(self, row: int) -> int:
        """The rows that keep a row from deciding where they match too."""
        policy = self.table.policy
        if policy not in (Policy.UNIQUE, Policy.FIRST, Policy.PRIORITY):
            return 0
        others = self.grid.all if self.met is None else self.met[row]
        others &= ~(1 << row)
        if policy is Policy.UNIQUE:
            return others
        return sum(1 << other for other in bits(others) if self.rank[other] < self.rank[row])

    def _hidden(self, row: int, before: int) -> Finding:
        names = [self._name(other) for other in bits(before)]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        rows = f"row{'s' if len(names) > 1 else ''} {', '.join(names[:5])}{more}"
        several = len(names) > 1
        if self.table.policy is Policy.UNIQUE:
            why = "match too" if several else "matches too"
        else:
            why = "come first" if several else "comes first"
        said = f"row {self._name(row)} can never decide: wherever it matches, {rows} {why}"
        point = {place: runs[row][0][0] for place, runs in enumerate(self.grid.runs)}
        return Finding("unreachable", "error", said, (self._name(row), *names[:5]), example(self.grid, point))

    def _gaps(self) -> None:
        boxes, whole = gaps(self.grid, Budget(self.effort))
        default = self.table.default is not None
        severity = "note" if default or self.table.policy.is_list or self.table.policy.is_sum else "warning"
        for box in boxes:
            where = box_in_words(self.grid, box)
            said = "no row matches " + (", ".join(f"{n} {t}" for n, t in where.items()) or "anything")
            said += "; the default row decides" if default else ""
            self.found.add(Finding("gap", severity, said, (), example(self.grid, corner(box)), where))
        if not whole:
            self.found.undecided.append(
                f"gaps: those told are gaps; whether there are more is not decided within {self.effort:,} steps"
            )
        elif not boxes and default:
            said = "the default row can never decide: the other rows leave nothing"
            lacking = " but missing values" if self._can_miss() else ""
            self.found.add(Finding("unreachable", "note", said + lacking, ("default",)))

    def _can_miss(self) -> bool:
        return any(runs[0][0] != 0 for runs in self.grid.domains if runs)

    def _idle(self) -> None:
        for place, column in enumerate(self.table.inputs):
            if self.grid.full[place] == self.grid.all:
                said = f"{column.name} never matters: every row holds for all that it can be"
            else:
                try:
                    if matters(self.grid, place, self._result, Budget(self.effort)) is not None:
                        continue
                except UndecidedError:
                    self.found.undecided.append(
                        f"{column.name}: whether it ever matters is not decided within {self.effort:,} steps"
                    )
                    continue
                said = f"{column.name} never matters: whatever it is, the result is the same"
            self.found.add(Finding("idle", "warning", said))

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


__all__ = ["EFFORT", "MOST_TOLD", "Finding", "Found", "check"]

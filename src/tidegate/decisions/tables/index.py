"""The index of a table: for any value of an input, the rows whose cell holds for it, as bits.

Per input the regions of its values stand in order (see `regions`). From one to the next a few rows begin or cease to
hold: these *toggles* are kept, and every so often a *checkpoint*, the whole set of rows as bits. A value is looked up
by halving, its set of rows is the checkpoint before it and the toggles since, and the sets of all inputs are
intersected 64 rows at a time. Checkpoints are the farther apart the more rows there are, so that memory stays a few
hundred bytes for each range of a cell.

All of it lies in one array of words that the kernel (see `kernel`) reads; nothing is compiled for a table.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from tidegate.decisions.tables.line import HIGH, LOW
from tidegate.decisions.tables.plan import NAN, TablePlan
from tidegate.decisions.tables.policy import Policy
from tidegate.expressions.words import MISSING

POLICIES = {policy.value: number for number, policy in enumerate(Policy)}
"""Hit policies as the kernel knows them."""

(
    INPUTS, ROWS, WORDS, POLICY, OUTPUTS, ROW, HITS, OUTCOME, DEFAULT, ORDER, SAME, SEVERITIES, VALUES, OUT, INPUT,
    FLOAT, SUMS, SCALE,
) = (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)  # fmt: skip
HEAD = 20
"""Words of the head. OUTCOME takes three; ORDER to INPUT and SUMS are where a section begins, FLOAT: sums are of
floats, SCALE: the float, as bits, that SUMS are divided by; 0 for none."""
I_COLUMN, I_FLOAT, I_STARTS, I_COUNT, I_POINT, I_UNTIL, I_BITS, I_FROM, I_TOGGLES = range(9)
I_WORDS = 9
"""Words of an input: its column, and where its sections begin."""


@dataclass(frozen=True)
class _Column:
    """The sections of one input."""

    column: int
    floating: bool
    starts: np.ndarray
    point: np.ndarray
    until: np.ndarray
    bits: np.ndarray
    since: np.ndarray
    toggles: np.ndarray


def lay(plan: TablePlan) -> np.ndarray:
    """The index of a table, as the words that the kernel reads."""
    rows = len(plan.rank)
    words = max(1, (rows + 63) // 64)
    columns = _columns(plan, rows, words)
    values = plan.values if plan.default else np.hstack([plan.values, _nothing(plan)])
    severities = plan.severities if plan.default else np.append(plan.severities, -1)
    head = np.zeros(HEAD, np.int64)
    head[[INPUTS, ROWS, WORDS, POLICY]] = len(columns), rows, words, POLICIES[plan.policy]
    head[[OUTPUTS, ROW, HITS, DEFAULT]] = len(plan.outputs), plan.row, plan.hits, plan.default
    head[OUTCOME : OUTCOME + 3] = plan.outcomes
    head[FLOAT] = bool(plan.outputs) and plan.outputs[0].type.is_float
    out = np.array([[o.column, o.type.is_float] for o in plan.outputs], np.int64)
    head[SCALE] = np.float64(plan.scale).view(np.int64)
    sections = {ORDER: plan.rank, SAME: _same(plan), SEVERITIES: severities, VALUES: values, OUT: out}
    sections[SUMS] = _scaled(values[0], plan.scale) if plan.scale else np.zeros(0, np.int64)
    parts, at = [head], HEAD
    for name, section in sections.items():
        head[name] = at
        parts.append(np.ascontiguousarray(section, np.int64).ravel())
        at += parts[-1].size
    head[INPUT] = at
    heads = np.zeros((len(columns), I_WORDS), np.int64)
    parts.append(heads.reshape(-1))
    at += heads.size
    for number, column in enumerate(columns):
        heads[number, [I_COLUMN, I_FLOAT, I_COUNT]] = column.column, column.floating, len(column.starts)
        pieces = (
            (I_STARTS, column.starts), (I_POINT, column.point), (I_UNTIL, column.until),
            (I_BITS, column.bits), (I_FROM, column.since), (I_TOGGLES, column.toggles),
        )  # fmt: skip
        for name, section in pieces:
            heads[number, name] = at
            parts.append(np.ascontiguousarray(section, np.int64).ravel())
            at += section.size
    parts[len(sections) + 1] = heads.reshape(-1)
    return np.concatenate(parts)


def _nothing(plan: TablePlan) -> np.ndarray:
    """What the outputs are when no row decides: missing."""
    return np.array([[NAN if output.type.is_float else MISSING] for output in plan.outputs], np.int64)


def _scaled(values: np.ndarray, scale: int) -> np.ndarray:
    """Floats, as bits, times a power of ten that makes each of them whole; 0 where one is missing."""
    given = [Decimal(repr(one)) * scale if one == one else Decimal() for one in values.view(np.float64).tolist()]
    return np.array([int(one) for one in given], np.int64)


def _same(plan: TablePlan) -> np.ndarray:
    """A number for each row that is the same for rows of the same outputs."""
    rows = plan.values.T[: len(plan.rank)]
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _columns(plan: TablePlan, rows: int, words: int) -> list[_Column]:
    """Every input that some cell asks about; the one with the fewest rows per value first."""
    place = np.empty(rows, np.int64)
    place[plan.rank] = np.arange(rows)
    ends = np.append(0, np.cumsum(plan.counts.reshape(-1)))
    found = []
    for number, given in enumerate(plan.inputs):
        asks = plan.missing[number]
        if (asks == 2).all():
            continue
        counts = plan.counts[number]
        ranges = plan.ranges[ends[number * rows] : ends[(number + 1) * rows]]
        of = np.repeat(np.arange(rows), counts)
        keep = asks[of] != 2
        toggled = _Toggled(ranges[keep], of[keep], asks)
        column = toggled.column(given.column, given.type.is_float, place, words)
        held = float(np.bitwise_count(column.bits.view(np.uint64)).mean()) if column.bits.size else 0.0
        found.append((held, number, column))
    return [column for _, _, column in sorted(found, key=lambda one: one[:2])]


class _Toggled:
    """One input's regions, and which rows begin and cease to hold at each."""

    def __init__(self, ranges: np.ndarray, of: np.ndarray, asks: np.ndarray) -> None:
        low, high = ranges[:, 0], ranges[:, 1]
        edges = np.unique(np.concatenate([[LOW], low, high[high < HIGH] + 1]))
        self.starts = np.append(MISSING, edges).astype(np.int64)
        begins = np.searchsorted(self.starts, low, "right") - 1
        ends = np.searchsorted(self.starts, high, "right")
        none = np.flatnonzero(asks == 1)
        first, second = np.zeros(len(none), np.int64), np.ones(len(none), np.int64)
        self.always = asks == 2
        self.at = np.concatenate([begins, ends, first, second])
        self.row = np.concatenate([of, of, none, none])
        self.on = np.concatenate([np.ones_like(begins), np.zeros_like(ends), second, first])
        order = np.lexsort((self.on, self.at))  # what ceases comes before what begins
        self.at, self.row, self.on = self.at[order], self.row[order], self.on[order]

    def column(self, column: int, floating: bool, place: np.ndarray, words: int) -> _Column:
        """The sections of the index, checkpoints included."""
        often = max(8, words // 4)
        until = np.searchsorted(self.at, np.arange(len(self.starts)), "right")
        active = np.zeros(words * 64, np.uint8)
        active[place[self.always]] = 1
        positions, done = place[self.row], 0
        points: list[int] = []
        since: list[int] = []
        bits: list[np.ndarray] = []
        for end in until.tolist():
            if not since or end - since[-1] > often:
                active[positions[done:end]] = self.on[done:end]
                done = end
                since.append(end)
                bits.append(np.packbits(active, bitorder="little").view(np.int64))
            points.append(len(since) - 1)
        return _Column(
            column=column,
            floating=floating,
            starts=self.starts,
            point=np.array(points, np.int64),
            until=until.astype(np.int64),
            bits=np.concatenate(bits),
            since=np.array(since, np.int64),
            toggles=positions * 2 + self.on,
        )

"""The rows of a large decision table by index: which of them can match, without testing each.

Cells that say plainly which values pass, of one type a column, are kept as ranges of the places between all values that
the column's cells name. These go into the index that tables of flows have (`tidegate.decisions.tables`), so that a
value is looked up once a column however many rows there are. Whatever else a row tests is tested on the rows that are
left.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tidegate.decisions.tables.columns import InputPlan, OutputPlan
from tidegate.decisions.tables.index import lay
from tidegate.decisions.tables.plan import TablePlan
from tidegate.decisions.tables.policy import Policy
from tidegate.events.types import INT
from tidegate.expressions.feel.plain import Plain, key_of
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.words import MISSING

Runs = list[tuple[int, int]]


class Cell(NamedTuple):
    """A cell of a row: the place of its column, what it says plainly, if it does, and whether null passes it."""

    column: int
    plain: Plain | None
    takes_null: bool


class _Column:
    """A column whose cells are plain: its values in order, between and at which the places lie.

    The value number `n`, from 0, is place `2n + 1`; what lies before it is place `2n`.
    """

    def __init__(self, number: int, kind: type, cells: Sequence[Plain]) -> None:
        self.number, self.kind = number, kind
        ends = {key_of(end) for one in cells for each in one.ranges for end in (each.low, each.high) if end is not None}
        self.keys = sorted(ends)

    def place(self, value: Any) -> int:
        """The place of a value of the column's type."""
        key = key_of(value)
        at = bisect_left(self.keys, key)
        return 2 * at + (at < len(self.keys) and self.keys[at] == key)

    def runs(self, cell: Plain) -> Runs:
        """The places of the values that pass a cell, as closed runs that do not touch, ascending."""
        last = 2 * len(self.keys)
        held: Runs = []
        for first, end in sorted(run for each in cell.ranges for run in self._run(each, last)):
            if held and first <= held[-1][1] + 1:
                held[-1] = held[-1][0], max(held[-1][1], end)
            elif first <= end:
                held.append((first, end))
        return _others(held, last) if cell.negated else held

    def _run(self, one: Range, last: int) -> Runs:
        if one.unary == "!=":
            at = self.place(one.low)
            return [(0, at - 1), (at + 1, last)]
        first = 0 if one.low is None else self.place(one.low) + (not one.low_included)
        return [(first, last if one.high is None else self.place(one.high) - (not one.high_included))]


def _others(held: Runs, last: int) -> Runs:
    """The places that lie in none of the runs."""
    edges = [-1, *(edge for run in held for edge in run), last + 1]
    return [(a + 1, b - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if a + 1 <= b - 1]


class RowIndex:
    """The index of a table's rows.

    Args:
        rows: the cells of each row that can fail.
        columns: how many input columns there are.
    """

    def __init__(self, rows: Sequence[Sequence[Cell]], columns: int) -> None:
        self.columns = _plain_columns(rows, columns)
        kinds = {one.number: at for at, one in enumerate(self.columns)}
        many = len(rows)
        runs: list[list[Runs]] = [[[] for _ in rows] for _ in self.columns]
        missing = np.full((len(self.columns), many), 2, np.int64)
        self.asked: list[frozenset[int]] = []
        for number, row in enumerate(rows):
            asked = set()
            for cell in row:
                at = kinds.get(cell.column)
                if at is None or cell.plain is None or cell.plain.type is not self.columns[at].kind:
                    continue
                runs[at][number] = self.columns[at].runs(cell.plain)
                missing[at, number] = cell.takes_null
                asked.add(cell.column)
            self.asked.append(frozenset(asked))
        self._words = max(1, (many + 63) // 64)
        self._index = _laid(runs, missing, many)

    def rows(self, values: Sequence[Any]) -> list[int] | None:
        """The numbers of the rows, from 0 and ascending, all of whose plain cells hold for these values of the columns.

        `asked` says which columns of a row these are. None where a value is not of its column's type, so that its cells
        must be evaluated.
        """
        from tidegate.decisions.tables.kernel import hits

        cells = np.empty((max(1, len(self.columns)), 1), np.int64)
        for at, column in enumerate(self.columns):
            value = values[column.number]
            if value is None:
                cells[at, 0] = MISSING
            elif type(value) is column.kind:
                cells[at, 0] = column.place(value)
            else:
                return None
        # Room of its own for every question, because a model may be asked by several threads.
        found = np.empty(len(self.asked), np.int64)
        many = hits(self._index, cells, np.empty(2 * self._words, np.int64), 0, found)
        numbers: list[int] = found[:many].tolist()
        return numbers


def _plain_columns(rows: Sequence[Sequence[Cell]], columns: int) -> list[_Column]:
    """The columns that have plain cells, each for the type that most of them are of."""
    cells: list[dict[type, list[Plain]]] = [{} for _ in range(columns)]
    for row in rows:
        for cell in row:
            if cell.plain is not None:
                cells[cell.column].setdefault(cell.plain.type, []).append(cell.plain)
    return [_Column(at, *max(of.items(), key=lambda one: len(one[1]))) for at, of in enumerate(cells) if of]


def _laid(runs: list[list[Runs]], missing: np.ndarray, rows: int) -> np.ndarray:
    """The index as tables of flows lay it out: whole numbers in, every row that matches out, in order."""
    flat = [run for column in runs for cell in column for run in cell]
    plan = TablePlan(
        name="", digest="", policy=Policy.RULE_ORDER.value,
        inputs=tuple(InputPlan("", at, INT) for at in range(len(runs))), outputs=(OutputPlan("", -1, INT),),
        row=-1, hits=-1, outcomes=(-1, -1, -1), default=False,
        counts=np.array([[len(cell) for cell in column] for column in runs], np.int64).reshape(len(runs), rows),
        ranges=np.array(flat, np.int64).reshape(len(flat), 2), missing=missing,
        values=np.zeros((1, rows), np.int64), severities=np.full(rows, -1, np.int64),
        rank=np.arange(rows), names=(), because=(), texts=(),
    )  # fmt: skip
    return lay(plan)

"""Which rows of a table meet: whose boxes have a point in common.

Rows are compared only with those that may share one input with them, the input of which the fewest do; how many pairs
that are is known before any is looked at, and is the measure of the work. Memory grows with the rows, not with their
pairs.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tidegate.decisions.tables.grid import Grid, Runs

Rows = NDArray[np.int64]


class _Column:
    """One input of all rows: the runs of each row, one row after the other, and where each row begins and ends.

    Runs are kept by their length, those up to twice as long as others together, in order of where they begin: the runs
    of a length that meet another one then begin within a known stretch.
    """

    def __init__(self, place: int, cells: list[Runs], there: NDArray[np.bool_]) -> None:
        self.place = place
        self.counts = np.array([len(runs) if here else 0 for runs, here in zip(cells, there, strict=True)], np.int64)
        self.starts = np.cumsum(self.counts) - self.counts
        kept = [run for runs, here in zip(cells, there, strict=True) if here for run in runs]
        flat = np.array(kept, np.int64).reshape(-1, 2)
        self.lows, self.highs = flat[:, 0].copy(), flat[:, 1].copy()
        self.first, self.last = np.zeros(len(cells), np.int64), np.full(len(cells), -1, np.int64)
        some = self.counts > 0
        self.first[some] = self.lows[self.starts[some]]
        self.last[some] = self.highs[self.starts[some] + self.counts[some] - 1]
        self.broken = bool((self.counts > 1).any())
        self.pairs = 0
        self._lengths = list(self._by_length(np.repeat(np.arange(len(cells)), self.counts)))

    def _by_length(self, rows: Rows) -> Iterator[tuple[Rows, Rows, Rows, Rows]]:
        """For each length: whose the runs are, where they end, and for every run which of them it may meet."""
        lengths = np.frexp((self.highs - self.lows + 1).astype(np.float64))[1]
        for length in np.unique(lengths).tolist():
            mine = np.flatnonzero(lengths == length)
            mine = mine[np.argsort(self.lows[mine], kind="stable")]
            lows = self.lows[mine]
            begins = np.searchsorted(lows, self.lows - (1 << length), "left")
            ends = np.searchsorted(lows, self.highs, "right")
            self.pairs += int((ends - begins).sum())
            yield rows[mine], self.highs[mine], begins, ends

    def candidates(self, row: int) -> Rows:
        """The rows that share a region with a row, itself among them."""
        found = []
        first = int(self.starts[row])
        for run in range(first, first + int(self.counts[row])):
            for rows, highs, begins, ends in self._lengths:
                begin, end = begins[run], ends[run]
                if end > begin:
                    found.append(rows[begin:end][highs[begin:end] >= self.lows[run]])
        return np.unique(np.concatenate(found)) if self.broken else np.concatenate(found)

    def looks(self, row: int) -> int:
        """How many runs are looked at to find these."""
        mine = slice(int(self.starts[row]), int(self.starts[row] + self.counts[row]))
        return sum(int((ends[mine] - begins[mine]).sum()) for _, _, begins, ends in self._lengths)

    def sharing(self, row: int, rows: Rows) -> Rows:
        """Those of some rows that share a region with a row."""
        rows = rows[(self.first[rows] <= self.last[row]) & (self.last[rows] >= self.first[row])]
        return self.exactly(row, rows) if self.broken and len(rows) else rows

    def exactly(self, row: int, rows: Rows) -> Rows:
        """Those of some rows, whose stretches meet a row's, that share a region with it though both have holes."""
        counts = self.counts[rows]
        if self.counts[row] == 1 and (counts == 1).all():
            return rows
        begins = np.cumsum(counts) - counts
        at = np.repeat(self.starts[rows] - begins, counts) + np.arange(int(counts.sum()))
        mine = slice(self.starts[row], self.starts[row] + self.counts[row])
        lows, highs = self.lows[mine], self.highs[mine]
        next_one = np.minimum(np.searchsorted(highs, self.lows[at], "left"), len(highs) - 1)
        shares = (lows[next_one] <= self.highs[at]) & (highs[next_one] >= self.lows[at])
        return rows[np.logical_or.reduceat(shares, begins)]


class Meeting:
    """The rows of a grid, and which of them meet.

    Args:
        grid: the grid.

    Attributes:
        pairs: how many ordered pairs of rows, or of their runs, are looked at, each with itself among them.
        place: the input that these pairs share, or None where every input is asked by no row.
    """

    def __init__(self, grid: Grid) -> None:
        self.rows = grid.rows
        self._there = np.array([grid.empty(row) is None for row in range(grid.rows)], np.bool_)
        asked = [place for place in range(len(grid.runs)) if grid.full[place] != grid.all]
        columns = [_Column(place, grid.runs[place], self._there) for place in asked]
        self._columns = sorted(columns, key=lambda one: one.pairs)
        self.place = self._columns[0].place if self._columns else None
        self.pairs = self._columns[0].pairs if self._columns else int(self._there.sum()) ** 2

    def each(self, most: int) -> Iterator[tuple[int, Rows | None]]:
        """Each row with those that it meets, itself left out; with None where nothing that it asks for can come.

        It ends early, before a row with which more than `most` pairs would have been looked at.
        """
        every, seen = np.flatnonzero(self._there), 0
        for row in range(self.rows):
            if not self._there[row]:
                yield row, None
                continue
            seen += self._columns[0].looks(row) if self._columns else len(every)
            if seen > most:
                return
            rows = self._columns[0].candidates(row) if self._columns else every
            for column in self._columns[1:]:
                if len(rows) < 2:
                    break
                rows = column.sharing(row, rows)
            yield row, np.sort(rows[rows != row])


__all__ = ["Meeting", "Rows"]

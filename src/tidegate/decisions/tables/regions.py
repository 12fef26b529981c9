"""Regions: the stretches of an input's values that no cell of the table tells apart."""

from bisect import bisect_right
from collections.abc import Iterable

from tidegate.decisions.tables.cells import Cell
from tidegate.decisions.tables.line import HIGH, LOW
from tidegate.expressions.words import MISSING


class Regions:
    """The regions of one column, in order: region 0 is the missing value, region `k` the points from `starts[k]` on.

    Args:
        cells: the column's cells.
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        edges = {LOW}
        for cell in cells:
            for low, high in cell.ranges:
                edges.add(low)
                if high < HIGH:
                    edges.add(high + 1)
        self.starts: list[int] = [MISSING, *sorted(edges)]

    def __len__(self) -> int:
        return len(self.starts)

    def of(self, point: int) -> int:
        """The region of a point."""
        return bisect_right(self.starts, point) - 1

    def runs(self, cell: Cell) -> list[tuple[int, int]]:
        """The regions that a cell holds for, as closed runs, ascending."""
        runs = [(self.of(low), self.of(high)) for low, high in cell.ranges]
        if not cell.missing:
            return runs
        return [(0, runs[0][1]), *runs[1:]] if runs and runs[0][0] == 1 else [(0, 0), *runs]

    def stretch(self, region: int) -> tuple[int, int]:
        """The first and the last point of a region."""
        end = self.starts[region + 1] - 1 if region + 1 < len(self.starts) else HIGH
        return self.starts[region], end

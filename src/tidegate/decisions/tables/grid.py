"""A table as boxes in a grid of regions: what the questions about all of its inputs at once are answered on.

A cell is a set of regions of its input, a row a box, and an input a point of the grid. The grid is never enumerated: it
is cut, one input after another, into the stretches that the rows still in question do not tell apart, and what was
answered for a set of rows is not asked again. So the work grows with how the rows are entangled and not with the size
of the grid; where it would grow too large it stops, and says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from tidegate.decisions.tables.cells import Cell
from tidegate.decisions.tables.regions import Regions
from tidegate.decisions.tables.table import Table

Runs = tuple[tuple[int, int], ...]
Box = tuple[Runs, ...]
"""For each input the regions of it, as closed runs."""


class UndecidedError(Exception):
    """The work that a question may cost is spent."""


MOST_BYTES = 512 * 1024 * 1024
"""How much the sets of rows that a question keeps may take."""


class Budget:
    """How much a question may cost: one for each edge of a cell that is passed, and the memory of sets of rows.

    Args:
        steps: how many edges.
        room: how many bytes.
    """

    def __init__(self, steps: int, room: int = MOST_BYTES) -> None:
        self.steps = self.left = steps
        self.room = room

    def spend(self, steps: int, room: int = 0) -> None:
        """Count work done, and bytes kept.

        Raises:
            UndecidedError: there is nothing left.
        """
        self.left -= steps
        self.room -= room
        if self.left < 0 or self.room < 0:
            raise UndecidedError


def bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set, ascending."""
    text = bin(mask)[:1:-1]
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


class Grid:
    """The boxes of a table's rows.

    Args:
        table: which table.
        domains: for an input, the values that can come, where more is known than the table says.
        missing: the inputs that can be missing; that is a region of its own, beside those of the values.
    """

    def __init__(
        self, table: Table, domains: Mapping[str, Cell] | None = None, missing: frozenset[str] = frozenset()
    ) -> None:
        self.table = table
        self.rows = len(table.rows)
        self.all = (1 << self.rows) - 1
        self.regions: list[Regions] = []
        self.domains: list[Runs] = []
        self.runs: list[list[Runs]] = []
        self.full: list[int] = []
        for place, column in enumerate(table.inputs):
            domain = (domains or {}).get(column.name) or column.domain or Cell((column.line.ends,), False, "")
            cells = [row.cells[place] for row in table.rows]
            regions = Regions([*cells, domain])
            can_come = regions.runs(Cell(domain.ranges, column.name in missing, ""))
            mine = [_cut(regions.runs(cell), can_come) for cell in cells]
            self.regions.append(regions)
            self.domains.append(tuple(can_come))
            self.runs.append(mine)
            self.full.append(_mask([runs == tuple(can_come) for runs in mine]))
        # Inputs with few regions first: what they share is then asked once.
        self.order = sorted(range(len(table.inputs)), key=lambda place: len(self.regions[place]))

    def near(self, rows: Sequence[int]) -> "Grid":
        """The grid with these rows alone."""
        made = Grid.__new__(Grid)
        made.table, made.regions, made.domains, made.order = self.table, self.regions, self.domains, self.order
        made.rows, made.all = len(rows), (1 << len(rows)) - 1
        made.runs = [[runs[row] for row in rows] for runs in self.runs]
        made.full = [
            _mask([runs == domain for runs in mine]) for mine, domain in zip(made.runs, self.domains, strict=True)
        ]
        return made

    def empty(self, row: int) -> int | None:
        """The input of which nothing that a row asks for can come, if there is one."""
        return next((place for place, runs in enumerate(self.runs) if not runs[row]), None)

    def split(self, place: int, mask: int, within: Runs, budget: Budget) -> dict[int, list[tuple[int, int]]]:
        """The stretches of an input by which of the rows in `mask` hold for them."""
        changes: dict[int, int] = {}
        size = self.rows // 8
        budget.spend(1 + size // 32)

        def change(edge: int, who: int) -> None:
            if edge in changes:
                changes[edge] ^= who
            else:
                budget.spend(1, size)
                changes[edge] = who

        for row in bits(mask & ~self.full[place]):
            one = 1 << row
            for low, high in self.runs[place][row]:
                change(low, one)
                change(high + 1, one)
        inside = 1 << self.rows
        for low, high in within:
            change(low, inside)
            change(high + 1, inside)
        found: dict[int, list[tuple[int, int]]] = {}
        active, edges = mask & self.full[place], sorted(changes)
        for low, after in pairwise(edges):
            active ^= changes[low]
            if active & inside:
                if active ^ inside not in found:
                    budget.spend(0, size)
                stretches = found.setdefault(active ^ inside, [])
                if stretches and stretches[-1][1] == low - 1:
                    stretches[-1] = (stretches[-1][0], after - 1)
                else:
                    stretches.append((low, after - 1))
        budget.room += size * len(changes)
        return found


def _mask(held: list[bool]) -> int:
    """The places at which it holds, as bits."""
    return int.from_bytes(np.packbits(np.array(held, np.bool_), bitorder="little").tobytes(), "little")


def _cut(runs: list[tuple[int, int]], within: list[tuple[int, int]]) -> Runs:
    """What two lists of runs have in common."""
    found, k = [], 0
    for low, high in runs:
        while k < len(within) and within[k][1] < low:
            k += 1
        at = k
        while at < len(within) and within[at][0] <= high:
            found.append((max(low, within[at][0]), min(high, within[at][1])))
            at += 1
    return tuple(found)


def plain(runs: Sequence[tuple[int, int]]) -> int:
    """A region for an example: the first value; a missing one where there is no other."""
    (first, last), *more = runs
    return max(first, 1) if last else more[0][0] if more else 0


def joined(runs: list[tuple[int, int]]) -> Runs:
    """Runs in order, those that touch made one."""
    made: list[tuple[int, int]] = []
    for low, high in sorted(runs):
        if made and low <= made[-1][1] + 1:
            made[-1] = (made[-1][0], max(high, made[-1][1]))
        else:
            made.append((low, high))
    return tuple(made)


__all__ = ["MOST_BYTES", "Box", "Budget", "Grid", "Runs", "UndecidedError", "bits", "joined", "plain"]

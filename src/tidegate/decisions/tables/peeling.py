"""Whether rows cover a table's inputs, by peeling: where rows overlap so that sets of them are never met twice.

From a box that is in question the row that holds for most of it is taken away, and what is left is peeled off in slabs,
one for each face of the row inside the box; each slab is then a box in question, of fewer rows. A box that a row holds
for wholly is covered, one that no row meets is a gap. So the work grows with how many rows meet where it is looked, and
not with how many sets of them there are.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tidegate.decisions.tables.grid import Box, Budget, Grid, UndecidedError, bits

Ints = NDArray[np.int64]
MOST_PARTS = 20_000
"""The most boxes that rows, whose cells may have several runs, are taken apart into."""


def peeled(
    grid: Grid, budget: Budget, most: int, *, within: Box | None = None, mask: int | None = None
) -> tuple[list[Box], bool]:
    """Boxes that no row covers, which do not meet, at most so many; and whether these are all.

    Where the budget is spent those given are gaps all the same.

    Args:
        within: what is in question; left out, all that can come.
        mask: the rows that count; left out, all.
    """
    found: list[Box] = []
    parts = _parts(grid, grid.all if mask is None else mask)
    if parts is None:
        return found, False
    low, high = parts
    waiting = [(*_ends(box), np.arange(len(low))) for box in product(*(within or grid.domains))]
    try:
        while waiting:
            start, end, rows = waiting.pop()
            budget.spend(1 + len(rows) // 4)
            rows = rows[((low[rows] <= end) & (high[rows] >= start)).all(axis=1)]
            if not len(rows):
                found.append(tuple(((int(a), int(b)),) for a, b in zip(start, end, strict=True)))
                if len(found) == most:
                    return found, False
                continue
            waiting += _slabs(start, end, rows, np.maximum(low[rows], start), np.minimum(high[rows], end))
    except UndecidedError:
        return found, False
    return found, True


def _slabs(start: Ints, end: Ints, rows: Ints, low: Ints, high: Ints) -> Iterator[tuple[Ints, Ints, Ints]]:
    """What of a box is left without the row that holds for most of it, in slabs; nothing if it holds for all."""
    share = (high - low + 1) / (end - start + 1)
    most = int(np.log(share).sum(axis=1).argmax())
    others = np.delete(rows, most)
    start, end = start.copy(), end.copy()
    for place in np.argsort(share[most], kind="stable").tolist():  # the largest slabs first
        if low[most, place] > start[place]:
            slab = end.copy()
            slab[place] = low[most, place] - 1
            yield start.copy(), slab, others
            start[place] = low[most, place]
        if high[most, place] < end[place]:
            slab = start.copy()
            slab[place] = high[most, place] + 1
            yield slab, end.copy(), others
            end[place] = high[most, place]


def _ends(box: tuple[tuple[int, int], ...]) -> tuple[Ints, Ints]:
    return np.array([low for low, _ in box], np.int64), np.array([high for _, high in box], np.int64)


def _parts(grid: Grid, mask: int) -> tuple[Ints, Ints] | None:
    """The rows as boxes of one run in each input: their lower and upper ends; None if they are too many."""
    boxes: list[tuple[tuple[int, int], ...]] = []
    for row in bits(mask):
        runs = [of[row] for of in grid.runs]
        if len(boxes) + int(np.prod([float(len(one)) for one in runs])) > MOST_PARTS:
            return None
        boxes += product(*runs)
    shape = (len(boxes), len(grid.runs), 2)
    ends = np.array(boxes, np.int64).reshape(shape)
    return ends[:, :, 0].copy(), ends[:, :, 1].copy()


__all__ = ["peeled"]

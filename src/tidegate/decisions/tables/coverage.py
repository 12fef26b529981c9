"""Questions about a grid: which points no row covers, whether a row is reached, what never matters."""

from collections.abc import Callable, Hashable

from tidegate.decisions.tables.grid import Box, Budget, Grid, Runs, UndecidedError, bits, joined, plain
from tidegate.decisions.tables.peeling import peeled

MOST_BOXES = 200
"""The most gaps that are kept apart."""
Point = dict[int, int]
"""An example: a region for each input, by its place."""


def gaps(grid: Grid, budget: Budget) -> tuple[list[Box], bool]:
    """The boxes that no row covers, which do not meet, and whether these are all.

    Where the budget is spent, or there are more than are kept, those given are gaps all the same. That there are none
    is mostly soon known by peeling; else the inputs are cut one after another, which makes few and large boxes of what
    is left, and where that takes too much, what peeling leaves is given.
    """
    if peeled(grid, Budget(budget.steps), 1) == ([], True):
        return [], True
    found: list[Box] = []
    known: dict[tuple[int, int], list[Box]] = {}
    whole = True
    rest = _rests(grid, grid.full)

    def uncovered(depth: int, mask: int) -> list[Box]:
        nonlocal whole
        if mask & rest[depth]:
            return []
        if not mask:
            return [tuple(grid.domains[place] for place in grid.order[depth:])]
        if (depth, mask) in known:
            return known[depth, mask]
        place = grid.order[depth]
        tails: dict[Box, list[tuple[int, int]]] = {}
        for rows, stretches in grid.split(place, mask, grid.domains[place], budget).items():
            for tail in uncovered(depth + 1, rows):
                tails.setdefault(tail, []).extend(stretches)
            if depth == 0:
                found[:] = [(joined(runs), *tail) for tail, runs in tails.items()]
        boxes = [(joined(runs), *tail) for tail, runs in tails.items()]
        if len(boxes) > MOST_BOXES:
            whole, boxes = False, boxes[:MOST_BOXES]
        known[depth, mask] = boxes
        return boxes

    try:
        found = uncovered(0, grid.all)
    except UndecidedError:
        boxes, whole = peeled(grid, Budget(budget.steps), MOST_BOXES)
        if whole or len(boxes) > len(found):
            return boxes, whole
    return [_in_place(grid, box) for box in found], whole


def _in_place(grid: Grid, box: Box) -> Box:
    """A box with its inputs in the table's order."""
    of = dict(zip(grid.order, box, strict=True))
    return tuple(of[place] for place in range(len(grid.order)))


def _rests(grid: Grid, full: list[int]) -> list[int]:
    """For each depth, the rows that hold for everything in all inputs from there on."""
    rests = [grid.all]
    for place in reversed(grid.order):
        rests.append(rests[-1] & full[place])
    return rests[::-1]


def reached(grid: Grid, row: int, others: int, budget: Budget) -> Point | None:
    """A point of a row's box that none of the other rows covers, or None if they cover it all.

    Raises:
        UndecidedError: the budget is spent.
    """
    budget.spend(others.bit_count() * len(grid.order))
    own: Box = tuple(runs[row] for runs in grid.runs)
    part = Budget(budget.left // 4)
    left, whole = peeled(grid, part, 1, within=own, mask=others)
    budget.spend(part.steps - max(0, part.left))
    if left or whole:
        return {place: runs[0][0] for place, runs in enumerate(left[0])} if left else None
    full = [
        sum(1 << other for other in bits(others) if _holds(grid.runs[place][other], grid.runs[place][row]))
        for place in range(len(grid.order))
    ]
    rest = _rests(grid, full)
    closed: set[tuple[int, int]] = set()

    def escape(depth: int, mask: int) -> Point | None:
        if mask & rest[depth] or (depth, mask) in closed:
            return None
        if not mask:
            return {place: grid.runs[place][row][0][0] for place in grid.order[depth:]}
        place = grid.order[depth]
        for rows, stretches in grid.split(place, mask, grid.runs[place][row], budget).items():
            point = escape(depth + 1, rows)
            if point is not None:
                return point | {place: stretches[0][0]}
        closed.add((depth, mask))
        return None

    return escape(0, others)


def _holds(outer: Runs, inner: Runs) -> bool:
    """Whether every region of `inner` is one of `outer`."""
    return all(any(low <= a and b <= high for low, high in outer) for a, b in inner)


def parts(grid: Grid, place: int, gaps: list[Box]) -> bool:
    """Whether an input decides between a row and a gap: some row is met where a gap is left by that input alone."""
    runs, every = grid.runs, range(grid.rows)
    for box in gaps:
        beside = [other for other in grid.order if other != place]
        if any(runs[place][row] and all(_meet(runs[other][row], box[other]) for other in beside) for row in every):
            return True
    return False


def _meet(one: Runs, other: Runs) -> bool:
    """Whether two lists of runs have a region in common."""
    return any(a <= high and low <= b for a, b in one for low, high in other)


def matters(grid: Grid, place: int, result: Callable[[int], Hashable], budget: Budget) -> tuple[Point, int, int] | None:
    """A point, and two regions of an input that give it different results; None if no point is like that.

    Args:
        place: which input.
        result: what a set of matching rows gives.

    Raises:
        UndecidedError: the budget is spent.
    """
    order = [other for other in grid.order if other != place]
    asks = ~grid.full[place]
    closed: set[tuple[int, int]] = set()

    def differs(depth: int, mask: int) -> tuple[Point, int, int] | None:
        if not mask & asks or (depth, mask) in closed:
            return None
        closed.add((depth, mask))
        if depth == len(order):
            seen: dict[Hashable, int] = {}
            for rows, stretches in grid.split(place, mask, grid.domains[place], budget).items():
                seen.setdefault(result(rows), stretches[0][0])
                if len(seen) == 2:
                    one, other = seen.values()
                    return {}, one, other
            return None
        at = order[depth]
        for rows, stretches in grid.split(at, mask, grid.domains[at], budget).items():
            found = differs(depth + 1, rows)
            if found is not None:
                return found[0] | {at: stretches[0][0]}, found[1], found[2]
        return None

    return differs(0, grid.all)


def common(grid: Grid, rows: tuple[int, int]) -> Point:
    """A point of the boxes of two rows that meet."""
    point = {}
    for place, runs in enumerate(grid.runs):
        shared = [(max(a, c), min(b, d)) for a, b in runs[rows[0]] for c, d in runs[rows[1]]]
        point[place] = plain([(low, high) for low, high in shared if low <= high])
    return point


__all__ = ["MOST_BOXES", "Point", "common", "gaps", "matters", "parts", "reached"]

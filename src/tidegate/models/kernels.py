"""The fixed kernels that walk a forest (see `layout`): one row or many, from a matrix or from a batch's cells.

The answer is LightGBM's to the bit: the same comparisons, the trees summed in the same order, the same expression for
the link. XGBoost computes with floats of 32 bits. They are floats of 64 bits here that are rounded after each step: the
sum of two, rounded twice, is the sum rounded once, as 53 bits are at least twice 24 and two more (Figueroa 1995).
`fastmath` would break that and is never used.
"""

import math

import numpy as np
from numba import njit

from tidegate.kernels.chain import STEP, grid_at, row_at
from tidegate.kernels.compiled import compiled
from tidegate.models.layout import (
    BLOCK_COUNT,
    BLOCK_WORDS,
    BLOCKS,
    DIVISOR,
    FEATURE_COUNT,
    GROUP,
    GROUP_COUNT,
    KINDS,
    LARGEST,
    LINK,
    LOOKS,
    NAN_LEFT,
    NAN_RIGHT,
    NODES,
    NONE,
    ROOTS,
    SIGMOID,
    SINGLE,
    SLOT_COUNT,
    START,
    ZERO_LEFT,
    ZERO_RIGHT,
)  # fmt: skip

__all__ = ["fill_slots", "link", "log_single", "predict_matrix", "read_cells", "score_cells", "score_step", "walk"]

MISSING = -(2**63)
BLOCK = 16  # rows that share a pass over a group of trees, so that the group is read from memory once for all of them
ZERO = float(np.float32(1e-35))  # LightGBM's kZeroThreshold: values as close to zero as this are zero
INPUT_INT, INPUT_FLOAT, INPUT_TEXT = 0, 1, 2
LARGEST_SIGMOID = 88.7  # XGBoost: exp of more is no float of 32 bits
INPUT_WORDS = 4  # column, kind, first entry of its dictionary, entries


@njit(inline="always")
def _rounded(x):  # type: ignore[no-untyped-def]
    """The nearest float of 32 bits."""
    return np.float64(np.float32(x))


@compiled("void(int64[::1], float64[::1], float64[::1])")
def fill_slots(forest, values, slots):  # type: ignore[no-untyped-def]
    """A row's feature values to its slots (see `layout`)."""
    looks, single = forest[LOOKS], forest[SINGLE]
    slots[0] = math.nan
    for s in range(forest[KINDS + NONE], forest[KINDS + ZERO_LEFT]):
        x = values[forest[looks + s]]
        slots[s] = 0.0 if abs(x) <= ZERO or x != x else min(x, LARGEST)
    for kind in (ZERO_LEFT, ZERO_RIGHT):
        away = math.inf if kind == ZERO_RIGHT else -math.inf
        for s in range(forest[KINDS + kind], forest[KINDS + kind + 1]):
            x = values[forest[looks + s]]
            slots[s] = away if abs(x) <= ZERO or x != x else min(x, LARGEST)
    for kind in (NAN_LEFT, NAN_RIGHT):
        away = math.inf if kind == NAN_RIGHT else -math.inf
        for s in range(forest[KINDS + kind], forest[KINDS + kind + 1]):
            x = values[forest[looks + s]]
            if single:
                x = _rounded(x)
            slots[s] = away if x != x else (0.0 if abs(x) <= ZERO and not single else min(x, LARGEST))
    for block in range(forest[BLOCK_COUNT]):
        at = forest[BLOCKS] + BLOCK_WORDS * block
        x, others = values[forest[at]], forest[at + 4]
        if single:
            x = _rounded(x)
        # False for NaN. LightGBM cuts the fraction off, so -0.5 is category 0; to XGBoost it is none.
        code = np.int64(x) if x > -1.0 and x < others and (x >= 0.0 or not single) else others
        if x != x:
            code = others + 1
        row = forest[at + 3] + code * forest[at + 5]
        mine = slots[forest[at + 1] : forest[at + 1] + forest[at + 2]]
        for s in range(len(mine)):
            mine[s] = (forest[row + (s >> 6)] >> (s & 63)) & 1


@njit(inline="always")
def _step(nodes, numbers, slots, first, at):  # type: ignore[no-untyped-def]
    """The next node: the left child, or the one behind it. Unsigned, because Numba spends time on negative indices."""
    packed = nodes[at + np.uint64(1)]
    above = np.uint64(slots[first + (packed >> np.uint64(32))] > numbers[at])
    return (packed & np.uint64(0xFFFFFFFF)) + (above << np.uint64(1))


@compiled("float64(int64[::1], float64)")
def link(forest, raw):  # type: ignore[no-untyped-def]
    """The sum of the leaves to the answer."""
    floats = forest.view(np.float64)
    kind = forest[LINK]
    if forest[SINGLE]:
        if kind == 1:  # XGBoost's Sigmoid
            return _rounded(1.0 / _rounded(_rounded(math.exp(-max(raw, -LARGEST_SIGMOID))) + 1.0))
        if kind == 2:
            return _rounded(math.exp(raw))
        if kind == 4:
            return 1.0 if raw > 0.0 else 0.0
        return raw
    total = raw / floats[DIVISOR]
    if kind == 1:
        return 1.0 / (1.0 + math.exp(-floats[SIGMOID] * total))
    if kind == 2:
        return math.exp(total)
    if kind == 3:
        return math.copysign(1.0, total) * total * total if total != 0.0 else 0.0
    return total


@compiled("float32(float32)")
def log_single(x):  # type: ignore[no-untyped-def]
    """The machine's own logarithm of floats of 32 bits, as XGBoost calls it: now and then not the nearest float."""
    return math.log(x)


@compiled("void(int64[::1], float64[::1], float64[::1], int64)")
def walk(forest, slots, sums, n):  # type: ignore[no-untyped-def]
    """Add every tree's leaf to each of n rows whose slots lie one after another; each sum is in the trees' order."""
    width, groups, single = np.uint64(forest[SLOT_COUNT]), forest[GROUP_COUNT], forest[SINGLE]
    roots = forest[forest[ROOTS] :].view(np.uint64)
    nodes = forest[forest[NODES] :].view(np.uint64)
    numbers = nodes.view(np.float64)
    for group in range(groups):
        g = np.uint64(group * (GROUP + 1))
        steps = roots[g + np.uint64(8)]
        for row in range(n):
            i = np.uint64(row)
            first = i * width
            a, b, c, d = roots[g], roots[g + np.uint64(1)], roots[g + np.uint64(2)], roots[g + np.uint64(3)]
            e, f = roots[g + np.uint64(4)], roots[g + np.uint64(5)]
            u, v = roots[g + np.uint64(6)], roots[g + np.uint64(7)]
            for _ in range(steps):
                a = _step(nodes, numbers, slots, first, a)
                b = _step(nodes, numbers, slots, first, b)
                c = _step(nodes, numbers, slots, first, c)
                d = _step(nodes, numbers, slots, first, d)
                e = _step(nodes, numbers, slots, first, e)
                f = _step(nodes, numbers, slots, first, f)
                u = _step(nodes, numbers, slots, first, u)
                v = _step(nodes, numbers, slots, first, v)
            if single:
                total = _rounded(sums[i] + numbers[a])
                total = _rounded(total + numbers[b])
                total = _rounded(total + numbers[c])
                total = _rounded(total + numbers[d])
                total = _rounded(total + numbers[e])
                total = _rounded(total + numbers[f])
                total = _rounded(total + numbers[u])
                sums[i] = _rounded(total + numbers[v])
                continue
            total = sums[i] + numbers[a]
            total = total + numbers[b]
            total = total + numbers[c]
            total = total + numbers[d]
            total = total + numbers[e]
            total = total + numbers[f]
            total = total + numbers[u]
            sums[i] = total + numbers[v]


@compiled("void(int64[::1], float64[:, ::1], float64[::1], boolean)")
def predict_matrix(forest, matrix, out, raw):  # type: ignore[no-untyped-def]
    """The answer for each row of a matrix, or with `raw` the sum of its leaves."""
    n, width = len(matrix), forest[SLOT_COUNT]
    slots = np.empty(min(n, BLOCK) * width)
    for start in range(0, n, BLOCK):
        rows = min(BLOCK, n - start)
        for i in range(rows):
            fill_slots(forest, matrix[start + i], slots[i * width : (i + 1) * width])
        out[start : start + rows] = forest.view(np.float64)[START]
        walk(forest, slots, out[start : start + rows], rows)
        if not raw:
            for i in range(start, start + rows):
                out[i] = link(forest, out[i])


@compiled("void(int64[::1], int64[:, ::1], int64, float64[::1])")
def read_cells(inputs, cells, row, values):  # type: ignore[no-untyped-def]
    """The feature values of one row of a batch, as the forest was trained on them; missing is NaN.

    `inputs` holds INPUT_WORDS per feature and then the dictionaries: sorted hashes followed by their codes.
    """
    floats = cells.view(np.float64)
    for k in range(len(values)):
        at = k * INPUT_WORDS
        column, kind = inputs[at], inputs[at + 1]
        if kind == INPUT_FLOAT:
            values[k] = floats[column, row]
            continue
        cell = cells[column, row]
        if cell == MISSING:
            values[k] = math.nan
        elif kind == INPUT_INT:
            values[k] = np.float64(cell)
        else:
            first, length = inputs[at + 2], inputs[at + 3]
            low, high = first, first + length
            while low < high:
                middle = (low + high) >> 1
                if inputs[middle] < cell:
                    low = middle + 1
                else:
                    high = middle
            found = low < first + length and inputs[low] == cell
            values[k] = np.float64(inputs[low + length]) if found else math.nan


@compiled("void(int64[::1], int64[::1], int64[:, ::1], int64, int64, int64)")
def score_cells(forest, inputs, cells, start, stop, out):  # type: ignore[no-untyped-def]
    """Score rows start..stop of a batch into the float column `out` of its cells."""
    width = forest[SLOT_COUNT]
    values = np.empty(forest[FEATURE_COUNT])
    slots = np.empty(max(min(stop - start, BLOCK), 0) * width)
    scores = cells.view(np.float64)[out]
    for first in range(start, stop, BLOCK):
        rows = min(BLOCK, stop - first)
        for i in range(rows):
            read_cells(inputs, cells, first + i, values)
            fill_slots(forest, values, slots[i * width : (i + 1) * width])
        scores[first : first + rows] = forest.view(np.float64)[START]
        walk(forest, slots, scores[first : first + rows], rows)
        for i in range(first, first + rows):
            scores[i] = link(forest, scores[i])


@compiled(STEP)
def score_step(table: int, n: int) -> int:
    """`score_cells` of the first rows as a step, which stops where a score is missing.

    The table holds the forest, the inputs, the cells and the column of the score.
    """
    given = row_at(table, 8)
    cells = grid_at(given[4], given[5], given[6])
    score_cells(row_at(given[0], given[1]), row_at(given[2], given[3]), cells, 0, n, given[7])
    scores, missing = cells.view(np.float64)[given[7]], 0
    for i in range(n):
        missing |= scores[i] != scores[i]
    return missing

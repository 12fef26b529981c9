"""The fixed kernels that walk a forest (see `layout`): one row or many, from a matrix or from a batch's cells.

The answer is LightGBM's to the bit: the same comparisons, the trees summed in the same order, the same expression for the
link. `fastmath` would break that and is never used.
"""

import math

import numpy as np
from numba import njit

from tidegate.models.layout import (
    CATEGORICAL, CATEGORY_WORD, DIVISOR, FEATURE_COUNT, GROUP, GROUP_COUNT, LINK, NAN_RIGHT, NODES, NUMERIC_NAN,
    NUMERIC_ZERO, ROOTS, SETS, SIGMOID, SLOT_COUNT, SLOTS, SPLIT,
)  # fmt: skip

__all__ = ["fill_slots", "link", "predict_matrix", "read_cells", "score_cells"]

MISSING = -(2**63)
BLOCK = 16  # rows that share a pass over a group of trees, so that the group is read from memory once for all of them
ZERO = float(np.float32(1e-35))  # LightGBM's kZeroThreshold: values as close to zero as this are zero
INPUT_INT, INPUT_FLOAT, INPUT_TEXT = 0, 1, 2
INPUT_WORDS = 4  # column, kind, first entry of its dictionary, entries


@njit("void(int64[::1], float64[::1], float64[::1], int64[::1])", cache=True, nogil=True)
def fill_slots(forest, values, slots, bits):  # type: ignore[no-untyped-def]
    """A row's feature values to its slots; `bits` is the memory of `slots`."""
    base, sets = forest[SLOTS], forest[SETS]
    for s in range(forest[SLOT_COUNT]):
        at = base + 4 * s
        kind = forest[at]
        x = values[forest[at + 1]]
        if kind <= NUMERIC_NAN:
            zero = abs(x) <= ZERO
            if kind == NUMERIC_NAN:
                slots[s] = 0.0 if zero else x
            elif kind == NUMERIC_ZERO:
                slots[s] = math.nan if zero else x
            else:
                slots[s] = 0.0 if zero or math.isnan(x) else x
        else:
            code = np.int64(-1)
            if x > -1.0 and x < 2147483648.0:  # false for NaN; LightGBM cuts the fraction off, so -0.5 is category 0
                code = np.int64(x)
            word = code >> 6
            bit = np.int64(0)
            if kind == CATEGORY_WORD:
                if code >= 0 and word == forest[at + 2]:
                    bit = np.int64(1) << (code & 63)
            elif code >= 0 and word < forest[at + 3]:
                bit = (forest[sets + forest[at + 2] + word] >> (code & 63)) & 1
            bits[s] = bit


@njit(inline="always")  # type: ignore[untyped-decorator]
def _step(nodes, thresholds, slots, bits, first, node):  # type: ignore[no-untyped-def]
    """The next node: the left child, or the one after it."""
    at = 2 * node
    packed = nodes[at + 1]
    slot = first + ((packed >> 32) & 0xFFFFFF)
    x = slots[slot]
    above = np.int64(x > thresholds[at]) | (np.int64(x != x) & (packed >> NAN_RIGHT))
    outside = np.int64((bits[slot] & nodes[at]) == 0)
    categorical = (packed >> CATEGORICAL) & 1
    return (packed & 0xFFFFFFFF) + ((above ^ ((above ^ outside) & -categorical)) & (packed >> SPLIT) & 1)


@njit("float64(int64[::1], float64)", cache=True, nogil=True)
def link(forest, raw):  # type: ignore[no-untyped-def]
    """The sum of the leaves to the answer."""
    floats = forest.view(np.float64)
    total = raw / floats[DIVISOR]
    kind = forest[LINK]
    if kind == 1:
        return 1.0 / (1.0 + math.exp(-floats[SIGMOID] * total))
    if kind == 2:
        return math.exp(total)
    if kind == 3:
        return math.copysign(1.0, total) * total * total if total != 0.0 else 0.0
    return total


@njit("void(int64[::1], float64[::1], int64[::1], float64[::1], int64)", cache=True, nogil=True)
def _walk(forest, slots, bits, sums, n):  # type: ignore[no-untyped-def]
    """Add every tree's leaf to each of n rows whose slots lie one after another; each sum is in the trees' order."""
    width, groups = forest[SLOT_COUNT], forest[GROUP_COUNT]
    nodes = forest[forest[NODES] :]
    values = nodes.view(np.float64)
    for g in range(groups):
        at = forest[ROOTS] + g * (GROUP + 1)
        steps = forest[at + GROUP]
        for i in range(n):
            first = i * width
            a, b, c, d = forest[at], forest[at + 1], forest[at + 2], forest[at + 3]
            e, f, u, v = forest[at + 4], forest[at + 5], forest[at + 6], forest[at + 7]
            for _ in range(steps):
                a = _step(nodes, values, slots, bits, first, a)
                b = _step(nodes, values, slots, bits, first, b)
                c = _step(nodes, values, slots, bits, first, c)
                d = _step(nodes, values, slots, bits, first, d)
                e = _step(nodes, values, slots, bits, first, e)
                f = _step(nodes, values, slots, bits, first, f)
                u = _step(nodes, values, slots, bits, first, u)
                v = _step(nodes, values, slots, bits, first, v)
            total = sums[i] + values[2 * a]
            total = total + values[2 * b]
            total = total + values[2 * c]
            total = total + values[2 * d]
            total = total + values[2 * e]
            total = total + values[2 * f]
            total = total + values[2 * u]
            sums[i] = total + values[2 * v]


@njit("void(int64[::1], float64[:, ::1], float64[::1], boolean)", cache=True, nogil=True)
def predict_matrix(forest, matrix, out, raw):  # type: ignore[no-untyped-def]
    """The answer for each row of a matrix, or with `raw` the sum of its leaves."""
    n, width = len(matrix), forest[SLOT_COUNT]
    slots = np.empty(min(n, BLOCK) * width)
    bits = slots.view(np.int64)
    for start in range(0, n, BLOCK):
        rows = min(BLOCK, n - start)
        for i in range(rows):
            fill_slots(forest, matrix[start + i], slots[i * width : (i + 1) * width], bits[i * width : (i + 1) * width])
        out[start : start + rows] = 0.0
        _walk(forest, slots, bits, out[start : start + rows], rows)
        if not raw:
            for i in range(start, start + rows):
                out[i] = link(forest, out[i])


@njit("void(int64[::1], int64[:, ::1], int64, float64[::1])", cache=True, nogil=True)
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


@njit("void(int64[::1], int64[::1], int64[:, ::1], int64, int64, int64)", cache=True, nogil=True)
def score_cells(forest, inputs, cells, start, stop, out):  # type: ignore[no-untyped-def]
    """Score rows start..stop of a batch into the float column `out` of its cells."""
    width = forest[SLOT_COUNT]
    values = np.empty(forest[FEATURE_COUNT])
    slots = np.empty(max(min(stop - start, BLOCK), 0) * width)
    bits = slots.view(np.int64)
    scores = cells.view(np.float64)[out]
    for first in range(start, stop, BLOCK):
        rows = min(BLOCK, stop - first)
        for i in range(rows):
            read_cells(inputs, cells, first + i, values)
            fill_slots(forest, values, slots[i * width : (i + 1) * width], bits[i * width : (i + 1) * width])
        scores[first : first + rows] = 0.0
        _walk(forest, slots, bits, scores[first : first + rows], rows)
        for i in range(first, first + rows):
            scores[i] = link(forest, scores[i])

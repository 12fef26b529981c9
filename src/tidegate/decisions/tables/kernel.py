"""The fixed kernels that answer tables: sets of rows intersected 64 at a time, then what the hit policy makes of it."""

import math

import numba as nb
import numpy as np

from tidegate.decisions.tables.index import (
    DEFAULT,
    FLOAT,
    HITS,
    I_BITS,
    I_COLUMN,
    I_COUNT,
    I_FLOAT,
    I_FROM,
    I_POINT,
    I_STARTS,
    I_TOGGLES,
    I_UNTIL,
    I_WORDS,
    INPUT,
    INPUTS,
    ORDER,
    OUT,
    OUTCOME,
    OUTPUTS,
    POLICIES,
    POLICY,
    ROW,
    ROWS,
    SAME,
    SCALE,
    SEVERITIES,
    SUMS,
    VALUES,
    WORDS,
)  # fmt: skip
from tidegate.decisions.tables.plan import NAN
from tidegate.kernels.compiled import compiled

__all__ = ["answer", "hits"]

_M = -(2**63)
_HIGH = 2**63 - 1
_NAN = NAN
_BIG = 2**62
_UNIQUE, _ANY, _FIRST, _PRIORITY = (POLICIES[sign] for sign in "UAFP")
_SUM, _LEAST, _GREATEST, _COUNT = (POLICIES["C" + sign] for sign in "+<>#")
_jit = nb.njit(nogil=True, error_model="numpy")


@nb.njit(inline="always")
def _lowest(bits):  # type: ignore[no-untyped-def]
    """The place of the lowest bit that is set."""
    at = 0
    low = bits & (~bits + np.uint64(1))
    if low & np.uint64(0xFFFFFFFF00000000):
        at += 32
    if low & np.uint64(0xFFFF0000FFFF0000):
        at += 16
    if low & np.uint64(0xFF00FF00FF00FF00):
        at += 8
    if low & np.uint64(0xF0F0F0F0F0F0F0F0):
        at += 4
    if low & np.uint64(0xCCCCCCCCCCCCCCCC):
        at += 2
    if low & np.uint64(0xAAAAAAAAAAAAAAAA):
        at += 1
    return at


@_jit
def _narrow(index, at, x, sets, old, new, low, high, fresh):  # type: ignore[no-untyped-def]
    """The rows of `sets[old]` whose cell in the input at `at` holds for the point `x`, into `sets[new]`."""
    starts, left = index[at + I_STARTS], 0
    right = index[at + I_COUNT]
    while right - left > 1:
        middle = (left + right) >> 1
        if index[starts + middle] <= x:
            left = middle
        else:
            right = middle
    point = index[index[at + I_POINT] + left]
    # As slices, because Numba spends time on indices that might be negative, and then does not take four at a time.
    bits = index[index[at + I_BITS] + point * index[WORDS] :][low:high]
    into, of = sets[new:][low:high], sets[old:][low:high]
    if fresh:
        for w in range(len(into)):
            into[w] = bits[w]
            of[w] = -1
    else:
        for w in range(len(into)):
            into[w] = of[w] & bits[w]
    toggles = index[index[at + I_TOGGLES] :]
    first, size = np.uint64(low), np.uint64(high - low)
    for k in range(index[index[at + I_FROM] + point], index[index[at + I_UNTIL] + left]):
        toggle = np.uint64(toggles[k])
        word = (toggle >> np.uint64(7)) - first  # below zero is far above
        if word < size:
            bit = np.int64(np.uint64(1) << ((toggle >> np.uint64(1)) & np.uint64(63)))
            begins = -np.int64(toggle & np.uint64(1))
            into[word] = (into[word] & ~bit) | (of[word] & bit & begins)


@_jit
def _match(index, cells, i, sets):  # type: ignore[no-untyped-def]
    """The rows that match row `i` of the cells: the words from `low` to `high` of the set that begins at the first."""
    words = index[WORDS]
    floats = cells.view(np.float64)
    old, new, low, high = 0, words, 0, words
    for c in range(index[INPUTS]):
        at = index[INPUT] + c * I_WORDS
        column = index[at + I_COLUMN]
        x = cells[column, i]
        if index[at + I_FLOAT]:
            if math.isnan(floats[column, i]):
                x = np.int64(_M)
            elif floats[column, i] == 0.0:
                x = np.int64(0)
            elif x < 0:
                x = x ^ np.int64(_HIGH)
        _narrow(index, at, x, sets, old, new, low, high, c == 0)
        while low < high and sets[new + low] == 0:
            low += 1
        while low < high and sets[new + high - 1] == 0:
            high -= 1
        old, new = new, old
        if low == high:
            break
    if index[INPUTS] == 0:
        left = index[ROWS]
        for w in range(words):
            sets[w] = np.int64(-1) if left >= 64 else (np.int64(1) << left) - 1
            left -= 64
    return old, low, high


@_jit
def _put(index, cells, i, row, hit):  # type: ignore[no-untyped-def]
    """The outputs of row number `row`; with -1 all of them are missing."""
    rows = index[ROWS] + 1
    for o in range(index[OUTPUTS]):
        column = index[index[OUT] + 2 * o]
        if column >= 0:
            if row >= 0:
                cells[column, i] = index[index[VALUES] + o * rows + row]
            else:
                cells[column, i] = _NAN if index[index[OUT] + 2 * o + 1] else _M
    severity = index[index[SEVERITIES] + row] if row >= 0 else -1
    for outcome in range(3):
        if index[OUTCOME + outcome] >= 0:
            cells[index[OUTCOME + outcome], i] = np.int64(severity == outcome) if row >= 0 or not hit else _M


@_jit
def _together(index, cells, i, sets, old, low, high, policy):  # type: ignore[no-untyped-def]
    """The value that the rows that match make together, and how many there are."""
    column, whole = index[index[OUT]], index[FLOAT] == 0
    values, order = index[VALUES], index[ORDER]
    numbers = index.view(np.float64)
    floats = cells.view(np.float64)
    many, total, real, beyond = 0, 0, 0.0, False
    sums, scale = index[SUMS], numbers[SCALE]
    for w in range(low, high):
        bits = np.uint64(sets[old + w])
        while bits:
            row = index[order + w * 64 + _lowest(bits)]
            bits &= bits - np.uint64(1)
            many += 1
            x, y = index[values + row], numbers[values + row]
            if policy == _SUM:
                total, real = total + (index[sums + row] if scale > 0.0 else x), real + y
                if not -_BIG < total < _BIG:
                    total, beyond = 0, True
                continue
            lower = x < total if whole else y < real
            higher = x > total if whole else y > real
            if many == 1 or (policy == _LEAST and lower) or (policy == _GREATEST and higher):
                total, real = x, y
    if policy == _COUNT:
        cells[column, i] = many
    elif many == 0:
        _put(index, cells, i, index[ROWS] if index[DEFAULT] else -1, False)
    elif whole:
        cells[column, i] = _M if beyond else total
    elif not math.isfinite(real):
        floats[column, i] = math.nan
    else:  # of decimals the sum is whole, and one division rounds it once, to the float nearest to what it is
        floats[column, i] = total / scale if policy == _SUM and scale > 0.0 else real
    return many


@_jit
def _count(index, cells, i, sets, old, low, high):  # type: ignore[no-untyped-def]
    """How many rows match, each by itself; every outcome that one of them carries is told."""
    many, order = 0, index[ORDER]
    for outcome in range(3):
        if index[OUTCOME + outcome] >= 0:
            cells[index[OUTCOME + outcome], i] = 0
    for w in range(low, high):
        bits = np.uint64(sets[old + w])
        while bits:
            row = index[order + w * 64 + _lowest(bits)]
            bits &= bits - np.uint64(1)
            many += 1
            severity = index[index[SEVERITIES] + row]
            if severity >= 0:
                cells[index[OUTCOME + severity], i] = 1
    return many


@_jit
def _decisive(index, sets, old, low, high, policy):  # type: ignore[no-untyped-def]
    """The row that decides, or -1, and how many matched as far as it matters."""
    order, same = index[ORDER], index[SAME]
    found, many = -1, 0
    for w in range(low, high):
        bits = np.uint64(sets[old + w])
        while bits:
            row = index[order + w * 64 + _lowest(bits)]
            bits &= bits - np.uint64(1)
            many += 1
            if many == 1:
                found = row
            if policy in (_FIRST, _PRIORITY):
                return found, many
            if many > 1 and (policy == _UNIQUE or index[same + row] != index[same + found]):
                return -1, many
    return found, many


@compiled("void(i8[::1], i8[:,::1], i8[::1], i8, i8)", error_model="numpy")
def answer(index, cells, sets, first, n):  # type: ignore[no-untyped-def]
    """Answer the rows `first` to `n` of a batch: the outputs into their columns, and which row decided.

    `sets` is room for two sets of rows.
    """
    policy = index[POLICY]
    for i in range(first, n):
        old, low, high = _match(index, cells, i, sets)
        if policy <= _PRIORITY:
            row, many = _decisive(index, sets, old, low, high, policy)
            if many == 0 and index[DEFAULT]:
                _put(index, cells, i, index[ROWS], False)
                cells[index[ROW], i] = 0
            else:
                _put(index, cells, i, row, many > 0)
                cells[index[ROW], i] = row + 1 if row >= 0 else _M
        elif policy >= _SUM and policy <= _COUNT:
            many = _together(index, cells, i, sets, old, low, high, policy)
            cells[index[ROW], i] = 0 if many == 0 and index[DEFAULT] and policy != _COUNT else _M
        else:
            many = _count(index, cells, i, sets, old, low, high)
            cells[index[ROW], i] = 0 if many == 0 and index[DEFAULT] else _M
            if many == 0:
                _put(index, cells, i, index[ROWS] if index[DEFAULT] else -1, False)
        cells[index[HITS], i] = many


@compiled("i8(i8[::1], i8[:,::1], i8[::1], i8, i8[::1])", error_model="numpy")
def hits(index, cells, sets, i, found):  # type: ignore[no-untyped-def]
    """The numbers of all rows that match, in the order of the hit policy, as far as `found` has room; and how many."""
    old, low, high = _match(index, cells, i, sets)
    many = 0
    for w in range(low, high):
        bits = np.uint64(sets[old + w])
        while bits:
            if many < len(found):
                found[many] = index[index[ORDER] + w * 64 + _lowest(bits)]
            many += 1
            bits &= bits - np.uint64(1)
    return many

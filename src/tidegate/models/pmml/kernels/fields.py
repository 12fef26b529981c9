"""Operations that turn values into values: validity and treatment of fields, tables, targets, ranks."""

import math

import numpy as np

from tidegate.models.pmml import operations as o
from tidegate.models.pmml.kernels.compiled import STEP, fixed, inlined
from tidegate.models.pmml.kernels.values import invalid

__all__ = ["among", "fields", "within"]


@inlined
def among(numbers, start, count, x):  # type: ignore[no-untyped-def]
    """Whether x is one of `count` ascending numbers."""
    low, high = start, start + count
    while low < high:
        middle = (low + high) >> 1
        if numbers[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low < start + count and numbers[low] == x


@inlined
def within(low, high, closure, x):  # type: ignore[no-untyped-def]
    """Whether x is in an interval; `closure` has bit 1 for a closed left end and bit 0 for a closed right end."""
    left = x >= low if closure & 2 else x > low
    right = x <= high if closure & 1 else x < high
    return left and right


@inlined
def _valid(code, numbers, at, x):  # type: ignore[no-untyped-def]
    start = code[at + 18]
    if among(numbers, start + code[at + 14], code[at + 15], x):
        return False
    if code[at + 4] and x != np.floor(x):
        return False
    values, intervals = code[at + 16], code[at + 17]
    if values == 0 and intervals == 0:
        return True
    start += code[at + 14] + code[at + 15]
    if among(numbers, start, values, x):
        return True
    start += values
    for k in range(intervals):
        if within(numbers[start + 3 * k], numbers[start + 3 * k + 1], np.int64(numbers[start + 3 * k + 2]), x):
            return True
    return False


@fixed(STEP)
def _field(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """FIELD: to, from, whole, if invalid, #fault, #value, if missing, #value, #fault, outliers, #low, #high, counts of
    missing, invalid and valid values and of intervals, #lists."""
    to, source = code[at + 2], code[at + 3]
    bits = registers.view(np.int64)
    for i in range(rows):
        x = registers[source, i]
        wrong = x != x and invalid(bits, source, i)
        if x == x and among(numbers, code[at + 18], code[at + 14], x):
            x = math.nan
        elif x == x:
            wrong = not _valid(code, numbers, at, x)
        fault = False
        if wrong:
            treatment = code[at + 5]
            if treatment == 0:
                x, fault = numbers[code[at + 6]], True
            elif treatment == 2:
                x = math.nan
            elif treatment == 3:
                x = numbers[code[at + 7]]
            elif x != x:  # as it is, but it is no value at all
                x, fault = numbers[code[at + 6]], True
        if x == x and code[at + 11]:
            low, high = numbers[code[at + 12]], numbers[code[at + 13]]
            if code[at + 11] == 1:
                if x < low or x > high:
                    x = math.nan
            elif x < low:
                x = low
            elif x > high:
                x = high
        if x != x and not fault:
            treatment = code[at + 8]
            x = math.nan if treatment == 0 else numbers[code[at + 9]] if treatment == 1 else numbers[code[at + 10]]
        registers[to, i] = x


@fixed(STEP)
def _norm(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """NORM: to, from, outliers, points, #orig, #norm: piecewise linear."""
    to, source, outliers, points, orig, norm = (
        code[at + 2],
        code[at + 3],
        code[at + 4],
        code[at + 5],
        code[at + 6],
        code[at + 7],
    )
    last = orig + points - 1
    for i in range(rows):
        x = registers[source, i]
        if x == x and (x < numbers[orig] or x > numbers[last]) and outliers:
            x = math.nan if outliers == 1 else numbers[orig] if x < numbers[orig] else numbers[last]
        if x != x:
            registers[to, i] = x
            continue
        k = 0
        while k < points - 2 and x > numbers[orig + k + 1]:
            k += 1
        a, b = numbers[orig + k], numbers[orig + k + 1]
        c, d = numbers[norm + k], numbers[norm + k + 1]
        registers[to, i] = c + (x - a) / (b - a) * (d - c)


@fixed(STEP)
def _table(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """DISCRETIZE: to, from, #default, bins, #bins. LOOKUP: to, #default, columns, rows, #rows, registers…"""
    to = code[at + 2]
    bits = registers.view(np.int64)
    for i in range(rows):
        if code[at] == o.DISCRETIZE:
            x = registers[code[at + 3], i]
            if x != x:
                registers[to, i] = x
                continue
            registers[to, i] = numbers[code[at + 4]]
            for k in range(code[at + 5]):
                place = code[at + 6] + 4 * k
                if within(numbers[place], numbers[place + 1], np.int64(numbers[place + 2]), x):
                    registers[to, i] = numbers[place + 3]
                    break
            continue
        columns, start = code[at + 4], code[at + 6]
        absent = -1
        for k in range(columns):
            register = code[at + 7 + k]
            if registers[register, i] != registers[register, i] and (absent < 0 or invalid(bits, register, i)):
                absent = register
        if absent >= 0:
            registers[to, i] = registers[absent, i]
            continue
        low, high = 0, code[at + 5]
        while low < high:
            middle = (low + high) >> 1
            below = False
            for k in range(columns):
                key, x = numbers[start + middle * (columns + 1) + k], registers[code[at + 7 + k], i]
                if key != x:
                    below = key < x
                    break
            if below:
                low = middle + 1
            else:
                high = middle
        found = low < code[at + 5]
        for k in range(columns):
            found = found and numbers[start + low * (columns + 1) + k] == registers[code[at + 7 + k], i]
        registers[to, i] = numbers[start + low * (columns + 1) + columns] if found else numbers[code[at + 3]]


@fixed(STEP)
def _answer(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """GATHER: to, how many, from, #table, stride. TARGET: to, from, #low, #high, #factor, #constant, cast, #default.
    RANKED: to value, to weight, rank, ascending, labels, #labels, registers… ARGMAX: to, labels, #labels, registers…"""
    kind, to = code[at], code[at + 2]
    bits = registers.view(np.int64)
    for i in range(rows):
        if kind == o.GATHER:
            source = code[at + 4]
            x = registers[source, i]
            for k in range(code[at + 3]):
                if x != x:
                    registers[to + k, i] = registers[source, i]
                else:
                    registers[to + k, i] = numbers[code[at + 5] + np.int64(x) * code[at + 6] + k]
        elif kind == o.TARGET:
            x = registers[code[at + 3], i]
            if x != x:
                registers[to, i] = x if invalid(bits, code[at + 3], i) else numbers[code[at + 9]]
                continue
            x = min(max(x, numbers[code[at + 4]]), numbers[code[at + 5]])
            x = x * numbers[code[at + 6]] + numbers[code[at + 7]]
            if code[at + 8] == 1:
                x = np.floor(x + 0.5)
            elif code[at + 8] == 2:
                x = np.ceil(x)
            elif code[at + 8] == 3:
                x = np.floor(x)
            registers[to, i] = x
        elif kind == o.ARGMAX:
            best, winner = -math.inf, -1
            registers[to, i] = math.nan
            for k in range(code[at + 3]):
                register = code[at + 5 + k]
                x = registers[register, i]
                if x > best or (x == x and winner < 0):
                    best, winner = x, k
                elif x != x and winner < 0 and invalid(bits, register, i):
                    registers[to, i] = x
            if winner >= 0:
                registers[to, i] = numbers[code[at + 4] + winner]
        else:
            rank, upwards, count = code[at + 4], code[at + 5], code[at + 6]
            registers[to, i] = math.nan
            registers[code[at + 3], i] = math.nan
            for k in range(count):
                x, better = registers[code[at + 8 + k], i], 0
                for j in range(count):
                    y = registers[code[at + 8 + j], i]
                    better += (y < x if upwards else y > x) or (y == x and j < k)
                if x == x and better == rank - 1:
                    registers[to, i] = numbers[code[at + 7] + k]
                    registers[code[at + 3], i] = x


@fixed(STEP)
def fields(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """This family's operations."""
    kind = code[at]
    if kind == o.FIELD:
        _field(code, numbers, registers, at, rows)
    elif kind == o.NORM:
        _norm(code, numbers, registers, at, rows)
    elif kind == o.DISCRETIZE or kind == o.LOOKUP:
        _table(code, numbers, registers, at, rows)
    else:
        _answer(code, numbers, registers, at, rows)

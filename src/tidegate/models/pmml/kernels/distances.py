"""Support vectors, clusters and nearest neighbours."""

import math

import numpy as np

from tidegate.models.pmml import operations as o
from tidegate.models.pmml.kernels.compiled import STEP, fixed
from tidegate.models.pmml.kernels.values import invalid

__all__ = ["distances"]

FIELD = 7  # words of a field: register, comparison, #weight, #scale, #table, side of the table, #weight when missing


@fixed(STEP)
def _kernels(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """KERNELS: to first, kind, #gamma, #coef0, #degree, vectors, fields, #vectors, registers…: one per vector.

    Kinds: 0 linear, 1 polynomial, 2 radial basis, 3 sigmoid.
    """
    to, kind, vectors, width, first = code[at + 2], code[at + 3], code[at + 7], code[at + 8], code[at + 9]
    gamma, coef0, degree = numbers[code[at + 4]], numbers[code[at + 5]], numbers[code[at + 6]]
    row = np.empty(width)
    for i in range(rows):
        lost = -1
        for k in range(width):
            row[k] = registers[code[at + 10 + k], i]
            if row[k] != row[k]:
                lost = code[at + 10 + k]
        for v in range(vectors):
            total, place = 0.0, first + v * width
            if lost >= 0:
                registers[to + v, i] = registers[lost, i]
                continue
            for k in range(width):
                if kind == 2:
                    total += (row[k] - numbers[place + k]) * (row[k] - numbers[place + k])
                else:
                    total += row[k] * numbers[place + k]
            if kind == 1:
                total = math.pow(gamma * total + coef0, degree)
            elif kind == 2:
                total = math.exp(-gamma * total)
            elif kind == 3:
                total = math.tanh(gamma * total + coef0)
            registers[to + v, i] = total


@fixed("float64(int64, float64, float64, float64, float64[::1], int64, int64)")
def _compared(kind, x, y, scale, numbers, table, side):  # type: ignore[no-untyped-def]
    """How two values of a field compare: 0 absDiff, 1 gaussSim, 2 delta, 3 equal, 4 table."""
    if kind == 0:
        return abs(x - y)
    if kind == 1:
        return math.exp(-math.log(2.0) * (x - y) * (x - y) / (scale * scale))
    if kind == 2:
        return 0.0 if x == y else 1.0
    if kind == 3:
        return 1.0 if x == y else 0.0
    return numbers[table + np.int64(x) * side + np.int64(y)]


@fixed("float64(int64[::1], float64[::1], float64[:, ::1], int64, int64, int64)")
def _distance(code, numbers, registers, at, n, row):  # type: ignore[no-untyped-def]
    """The measure between a row and the n-th of those it is compared with; NaN if all that counts is missing."""
    measure, fields, parameters = code[at + 8], code[at + 7], code[at + 10]
    center = code[at + 11] + n * fields
    p = numbers[parameters]
    total, present, whole = 0.0, 0.0, 0.0
    a11, a10, a01, a00 = 0.0, 0.0, 0.0, 0.0
    for k in range(fields):
        place = at + 12 + FIELD * k
        x, y = registers[code[place], row], numbers[center + k]
        q, weight = numbers[code[place + 6]], numbers[code[place + 2]]
        whole += q
        if x != x:
            continue
        present += q
        if measure >= 5:
            a11 += 1.0 if x == 1.0 and y == 1.0 else 0.0
            a10 += 1.0 if x == 1.0 and y != 1.0 else 0.0
            a01 += 1.0 if x != 1.0 and y == 1.0 else 0.0
            a00 += 1.0 if x != 1.0 and y != 1.0 else 0.0
            continue
        c = _compared(code[place + 1], x, y, numbers[code[place + 3]], numbers, code[place + 4], code[place + 5])
        if measure <= 1:
            total += weight * c * c
        elif measure == 2:
            total += weight * c
        elif measure == 3:
            total = max(total, weight * c)
        else:
            total += weight * math.pow(c, p)
    if present == 0.0:
        return math.nan
    if measure < 5 and measure != 3:
        total *= whole / present
    if measure == 3:
        return total * (whole / present)
    if measure == 0:
        return math.sqrt(total)
    if measure == 4:
        return math.pow(total, 1.0 / p)
    if measure < 5:
        return total
    if measure == 5:
        above, below = a11 + a00, a11 + a10 + a01 + a00
    elif measure == 6:
        above, below = a11, a11 + a10 + a01
    elif measure == 7:
        above, below = a11 + a00, a11 + 2.0 * (a10 + a01) + a00
    else:
        above = numbers[parameters] * a00 + numbers[parameters + 1] * a01
        above += numbers[parameters + 2] * a10 + numbers[parameters + 3] * a11
        below = numbers[parameters + 4] * a00 + numbers[parameters + 5] * a01
        below += numbers[parameters + 6] * a10 + numbers[parameters + 7] * a11
    return above / below if below != 0.0 else math.nan


@fixed(STEP)
def _distances(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """DISTANCES: to nearest, k, to their measures, to all measures or -1, candidates, fields, measure, largest,
    #parameters, #candidates, then the fields (see FIELD): the k nearest by place, or most similar if `largest`.

    Measures: 0 euclidean, 1 squaredEuclidean, 2 cityBlock, 3 chebychev, 4 minkowski, 5 simpleMatching, 6 jaccard,
    7 tanimoto, 8 binarySimilarity. Equals keep their order.
    """
    to, k, to_measures, everything, many = code[at + 2], code[at + 3], code[at + 4], code[at + 5], code[at + 6]
    fields, largest = code[at + 7], code[at + 9]
    bits = registers.view(np.int64)
    for i in range(rows):
        lost = -1
        for f in range(fields):
            register = code[at + 12 + FIELD * f]
            if registers[register, i] != registers[register, i] and invalid(bits, register, i):
                lost = register
        found = 0
        for n in range(many):
            d = math.nan if lost >= 0 else _distance(code, numbers, registers, at, n, i)
            if everything >= 0:
                registers[everything + n, i] = d if lost < 0 else registers[lost, i]
            if d != d:
                continue
            key = -d if largest else d
            place = found
            while place > 0:
                before = registers[to_measures + place - 1, i]
                if (-before if largest else before) <= key:
                    break
                place -= 1
            if place >= k:
                continue
            for j in range(min(found, k - 1), place, -1):
                registers[to + j, i] = registers[to + j - 1, i]
                registers[to_measures + j, i] = registers[to_measures + j - 1, i]
            registers[to + place, i], registers[to_measures + place, i] = n, d
            found = min(found + 1, k)
        for j in range(found, k):
            registers[to + j, i] = registers[to_measures + j, i] = registers[lost, i] if lost >= 0 else math.nan


@fixed(STEP)
def _neighbours(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """NEIGHBOURS: to first, how, k, neighbours first, measures first, #targets, #threshold, labels, #labels.

    How: 0 average, 1 median, 2 weighted average; 3 majority, 4 weighted majority, which give a share per label.
    """
    to, how, k, nearest, measures = code[at + 2], code[at + 3], code[at + 4], code[at + 5], code[at + 6]
    targets, threshold, labels = code[at + 7], numbers[code[at + 8]], code[at + 9]
    there = np.empty(k)
    for i in range(rows):
        width = max(labels, 1)
        if registers[nearest, i] != registers[nearest, i]:
            for c in range(width):
                registers[to + c, i] = registers[nearest, i]
            continue
        for c in range(width):
            registers[to + c, i] = 0.0
        total, known, alike = 0.0, 0, False
        for j in range(k):  # a row that is an instance, and no threshold: that instance alone counts
            alike |= (how == 2 or how == 4) and registers[measures + j, i] + threshold == 0.0
        for j in range(k):
            n = registers[nearest + j, i]
            if n != n:
                continue
            y = numbers[targets + np.int64(n)]
            distance, weight = registers[measures + j, i] + threshold, 1.0
            if alike:
                weight = 1.0 if distance == 0.0 else 0.0
            elif how == 2 or how == 4:
                weight = 1.0 / distance
            there[known] = y
            known += 1
            total += weight
            if how >= 3:
                for c in range(labels):
                    registers[to + c, i] += weight if numbers[code[at + 10] + c] == y else 0.0
            else:
                registers[to, i] += weight * y
        for c in range(width):
            registers[to + c, i] /= total
        if how == 1:
            registers[to, i] = np.median(there[:known])


@fixed(STEP)
def distances(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """This family's operations. MACHINES: to first, kernels first, machines, then per machine
    `#constant, vectors, (vector, #coefficient)…`."""
    kind = code[at]
    if kind == o.KERNELS:
        _kernels(code, numbers, registers, at, rows)
    elif kind == o.DISTANCES:
        _distances(code, numbers, registers, at, rows)
    elif kind == o.NEIGHBOURS:
        _neighbours(code, numbers, registers, at, rows)
    elif kind == o.MACHINES:
        place = at + 5
        for machine in range(code[at + 4]):
            vectors = code[place + 1]
            for i in range(rows):
                total = 0.0
                for k in range(vectors):
                    weight = numbers[code[place + 3 + 2 * k]]
                    total += weight * registers[code[at + 3] + code[place + 2 + 2 * k], i]
                lost = vectors > 0 and registers[code[at + 3], i] != registers[code[at + 3], i]
                total += numbers[code[place]]
                registers[code[at + 2] + machine, i] = registers[code[at + 3], i] if lost else total
            place += 2 + 2 * vectors

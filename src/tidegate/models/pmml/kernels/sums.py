"""Sums of terms and what is made of them: regressions, neural layers, naive Bayes, hazards."""

import math

import numpy as np

from tidegate.models.pmml import operations as o
from tidegate.models.pmml.kernels.compiled import STEP, fixed
from tidegate.models.pmml.kernels.values import invalid

__all__ = ["sums"]


@fixed("float64(int64[::1], float64[::1], float64[:, ::1], int64, int64)")
def _factor(code, numbers, registers, at, row):  # type: ignore[no-untyped-def]
    """A factor of a term: 0 a power, 1 whether the value is the one named, 2 a number by the value."""
    kind, x, number = code[at], registers[code[at + 1], row], code[at + 2]
    if x != x:
        return math.nan
    if kind == 0:
        return x if numbers[number] == 1.0 else math.pow(x, numbers[number])
    if kind == 1:
        return 1.0 if x == numbers[number] else 0.0
    for k in range(code[at + 3]):
        if numbers[number + 2 * k] == x:
            return numbers[number + 2 * k + 1]
    return 0.0


@fixed(STEP)
def _linear(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """LINEAR: to, #intercept, terms, then per term `#coefficient, absent, factors, (kind, register, #number, count)…`.

    Where a factor is missing the sum is, or with `absent` the term is left out.
    """
    to = code[at + 2]
    bits = registers.view(np.int64)
    for i in range(rows):
        total, lost = 0.0, -1
        place = at + 5
        for _ in range(code[at + 4]):
            value, factors = numbers[code[place]], code[place + 2]
            for k in range(factors):
                f = _factor(code, numbers, registers, place + 3 + 4 * k, i)
                if f != f:
                    register = code[place + 4 + 4 * k]
                    x = registers[register, i]
                    wrong = x == x or invalid(bits, register, i)
                    if wrong or not code[place + 1]:
                        lost = register
                    value = 0.0
                    break
                value *= f
            total += value
            place += 3 + 4 * factors
        total += numbers[code[at + 3]]  # last, as those that fit such models do
        if lost >= 0:
            x = registers[lost, i]
            total = x if x != x else math.nan
        registers[to, i] = total


@fixed("float64(int64, float64, float64)")
def _inverse(kind, x, c):  # type: ignore[no-untyped-def]
    """The inverse of a link function; see `regression.LINKS`."""
    if kind == 1:
        return 1.0 / (1.0 + math.exp(-x))
    if kind == 2:
        return 0.5 * math.erfc(-x / math.sqrt(2.0))
    if kind == 3:
        return 1.0 - math.exp(-math.exp(x))
    if kind == 4:
        return math.exp(x)
    if kind == 5:
        return math.exp(-math.exp(-x))
    if kind == 6:
        return 0.5 + math.atan(x) / math.pi
    if kind == 7:
        return 1.0 - math.exp(x)
    if kind == 8:
        return 1.0 / (c * (math.exp(-x) - 1.0))
    if kind == 9:
        return 1.0 / (1.0 + math.exp(-x)) if c == 0.0 else 1.0 / (1.0 + math.pow(1.0 + c * x, -1.0 / c))
    if kind == 10:
        return math.exp(x) if c == 0.0 else math.pow(x, 1.0 / c)
    if kind == 11:
        return 1.0 / x
    return x


@fixed("void(int64, float64[:, ::1], int64, int64, int64)")
def _share(kind, registers, first, count, row):  # type: ignore[no-untyped-def]
    """Softmax (1) or simplemax (2) in place; all missing if one is."""
    lost, highest, total = -1, -math.inf, 0.0
    for k in range(first, first + count):
        x = registers[k, row]
        if x != x:
            lost = k
        highest = max(highest, x)
    for k in range(first, first + count):
        if lost >= 0:
            registers[k, row] = registers[lost, row]
        else:
            registers[k, row] = math.exp(registers[k, row] - highest) if kind == 1 else registers[k, row]
            total += registers[k, row]
    if lost < 0:
        for k in range(first, first + count):
            registers[k, row] = registers[k, row] / total if total != 0.0 else math.nan


@fixed("float64(int64, float64, float64)")
def _activated(kind, z, threshold):  # type: ignore[no-untyped-def]
    """An activation function; see `neural.ACTIVATIONS`."""
    if kind == 0:
        return 1.0 if z > threshold else 0.0
    if kind == 1:
        return 1.0 / (1.0 + math.exp(-z))
    if kind == 2:
        return math.tanh(z)
    if kind == 4:
        return math.exp(z)
    if kind == 5:
        return 1.0 / z
    if kind == 6:
        return z * z
    if kind == 7:
        return math.exp(-z * z)
    if kind == 8:
        return math.sin(z)
    if kind == 9:
        return math.cos(z)
    if kind == 10:
        return z / (1.0 + abs(z))
    if kind == 11:
        return 2.0 * math.atan(z) / math.pi
    if kind == 12:
        return max(0.0, z)
    return z


@fixed(STEP)
def _layer(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """LAYER: to first, neurons, activation, #threshold, normalization, then per neuron
    `#bias, #width, #altitude, inputs, (register, #weight)…`."""
    to, neurons, kind, threshold = code[at + 2], code[at + 3], code[at + 4], numbers[code[at + 5]]
    for i in range(rows):
        place = at + 7
        for neuron in range(neurons):
            bias, width, altitude = numbers[code[place]], numbers[code[place + 1]], numbers[code[place + 2]]
            inputs, lost = code[place + 3], -1
            z = 0.0 if kind == 13 else bias
            for k in range(inputs):
                register = code[place + 4 + 2 * k]
                x, w = registers[register, i], numbers[code[place + 5 + 2 * k]]
                if x != x:
                    lost = register
                z += (w - x) * (w - x) if kind == 13 else w * x
            if lost >= 0:
                registers[to + neuron, i] = registers[lost, i]
            elif kind == 13:
                registers[to + neuron, i] = math.exp(inputs * math.log(altitude) - z / (2.0 * width * width))
            else:
                registers[to + neuron, i] = _activated(kind, z, threshold)
            place += 4 + 2 * inputs
        if code[at + 6]:
            _share(code[at + 6], registers, to, neurons, i)


@fixed("float64(float64[::1], int64, float64, float64)")
def _density(numbers, at, x, threshold):  # type: ignore[no-untyped-def]
    """The logarithm of a density: 0 Gaussian (mean, variance), 1 Poisson (mean), 2 uniform (lower, upper)."""
    kind, a, b = numbers[at], numbers[at + 1], numbers[at + 2]
    if kind == 0.0:
        density = math.exp(-((x - a) ** 2) / (2.0 * b)) / math.sqrt(2.0 * math.pi * b)
    elif kind == 1.0:
        density = math.exp(x * math.log(a) - a - math.lgamma(x + 1.0)) if x >= 0.0 else 0.0
    else:
        density = 1.0 / (b - a) if a <= x <= b else 0.0
    return math.log(max(density, threshold))


@fixed(STEP)
def _bayes(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """BAYES: to first, classes, #threshold, #log priors, inputs, then per input
    `continuous, register, values, #values, #table`. Inputs that are missing, or of a value never seen, say nothing."""
    to, classes, threshold, inputs = code[at + 2], code[at + 3], numbers[code[at + 4]], code[at + 6]
    bits = registers.view(np.int64)
    for i in range(rows):
        wrong = -1
        for c in range(classes):
            registers[to + c, i] = numbers[code[at + 5] + c]
        for k in range(inputs):
            place = at + 7 + 5 * k
            register, table = code[place + 1], code[place + 4]
            x = registers[register, i]
            if x != x:
                if invalid(bits, register, i):
                    wrong = register
                continue
            if code[place]:
                for c in range(classes):
                    registers[to + c, i] += _density(numbers, table + 3 * c, x, threshold)
                continue
            for v in range(code[place + 2]):
                if numbers[code[place + 3] + v] == x:
                    for c in range(classes):
                        registers[to + c, i] += numbers[table + v * classes + c]
                    break
        if wrong >= 0:
            for c in range(classes):
                registers[to + c, i] = registers[wrong, i]
        else:
            _share(1, registers, to, classes, i)


@fixed(STEP)
def _hazard(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """HAZARD: to, risk, time, stratum or -1, strata, #strata, #fault: the cumulative hazard at the time.

    A stratum is `value, latest time, first cell, cells`; a cell `time, cumulative hazard`.
    """
    to, risk, time, stratum = code[at + 2], code[at + 3], code[at + 4], code[at + 5]
    for i in range(rows):
        r, t = registers[risk, i], registers[time, i]
        s = registers[stratum, i] if stratum >= 0 else 0.0
        if r != r or t != t or s != s:
            registers[to, i] = r if r != r else t if t != t else s
            continue
        registers[to, i] = numbers[code[at + 8]]
        for k in range(code[at + 6]):
            place = code[at + 7] + 4 * k
            if stratum >= 0 and numbers[place] != s:
                continue
            first, count = np.int64(numbers[place + 2]), np.int64(numbers[place + 3])
            if t > numbers[place + 1]:
                break
            hazard = 0.0
            for c in range(count):
                cell = code[at + 7] + first + 2 * c
                if numbers[cell] <= t:
                    hazard = numbers[cell + 1]
            registers[to, i] = hazard * math.exp(r)
            break


@fixed(STEP)
def sums(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """This family's operations. NORMALIZE: first, how many, kind. LINK: to, from, kind, #parameter, #factor."""
    kind = code[at]
    if kind == o.LINEAR:
        _linear(code, numbers, registers, at, rows)
    elif kind == o.NORMALIZE:
        for i in range(rows):
            _share(code[at + 4], registers, code[at + 2], code[at + 3], i)
    elif kind == o.LINK:
        for i in range(rows):
            x = registers[code[at + 3], i]
            if x == x:
                x = _inverse(code[at + 4], x, numbers[code[at + 5]]) * numbers[code[at + 6]]
            registers[code[at + 2], i] = x
    elif kind == o.LAYER:
        _layer(code, numbers, registers, at, rows)
    elif kind == o.BAYES:
        _bayes(code, numbers, registers, at, rows)
    elif kind == o.HAZARD:
        _hazard(code, numbers, registers, at, rows)

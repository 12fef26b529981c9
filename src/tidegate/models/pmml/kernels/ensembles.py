"""Many models made one: averages, medians, sums and votes."""

import math

import numpy as np

from tidegate.models.kernels import fill_slots, walk
from tidegate.models.layout import SLOT_COUNT
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.kernels.compiled import STEP, fixed
from tidegate.models.pmml.kernels.values import invalid
from tidegate.models.ranked import add_leaves

__all__ = ["ensembles"]

AVERAGE, WEIGHTED_AVERAGE, MEDIAN, WEIGHTED_MEDIAN, MAX, SUM, WEIGHTED_SUM, MAJORITY, WEIGHTED_MAJORITY, SUM_SINGLE = (
    range(10)
)


@fixed("float64(int64, float64[::1], float64[::1], int64)")
def _made_one(how, values, weights, count):  # type: ignore[no-untyped-def]
    """One number of many; NaN of none."""
    if count == 0:
        return math.nan
    if how == MEDIAN:
        return np.median(values[:count])
    if how == WEIGHTED_MEDIAN:
        order = np.argsort(values[:count])
        half, reached = 0.5 * np.sum(weights[:count]), 0.0
        for k in range(count):
            reached += weights[order[k]]
            if reached >= half:
                return values[order[k]]
        return values[order[count - 1]]
    if how == MAX:
        return np.max(values[:count])
    if how == SUM_SINGLE:
        single = np.float32(0.0)
        for k in range(count):
            single = single + np.float32(values[k])
        return np.float64(single)
    weighted = how in (WEIGHTED_AVERAGE, WEIGHTED_SUM)
    total, weight = 0.0, 0.0
    for k in range(count):
        total += weights[k] * values[k] if weighted else values[k]
        weight += weights[k] if weighted else 1.0
    return total / weight if how in (AVERAGE, WEIGHTED_AVERAGE) else total


@fixed("void(int64[::1], float64[:, ::1], int64, int64)")
def _of_highest(code, registers, at, row):  # type: ignore[no-untyped-def]
    """Shares by label in place of the largest ones: the mean of those models whose share of the winner is the largest.

    PMML 4.4, Multiple Models: the shares of the other categories are those that go with the winner's.
    """
    to, models, labels = code[at + 2], code[at + 6], code[at + 7]
    winner = 0
    for pick in range(1, labels):
        if registers[to + pick, row] > registers[to + winner, row]:
            winner = pick
    highest, taken = registers[to + winner, row], 0
    for m in range(models):
        place = at + 9 + m * (3 + labels)
        condition, answer, source = code[place], code[place + 2], code[place + 3 + winner]
        if condition >= 0 and registers[condition, row] != 1.0:
            continue
        if registers[answer, row] != registers[answer, row] or source < 0 or registers[source, row] != highest:
            continue
        for pick in range(labels):
            own = code[place + 3 + pick]
            share = registers[own, row] if own >= 0 else 0.0
            registers[to + pick, row] = share + (registers[to + pick, row] if taken else 0.0)
        taken += 1


@fixed(STEP)
def _combine(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """COMBINE and VOTE: to first, how, if one is missing, #most that may be, models, labels, #labels,
    then per model `condition or -1, #weight, answer, registers by label…`.

    If one is missing: 0 go on (a sum of it is missing; so is a vote if the missing are the most, or too many), 1 skip
    it, unless too many are, 2 the answer is missing. Each counts by its weight if the method weighs.
    With no labels the answers are made one; with labels what the models say of each is, or their votes are counted.
    """
    to, how, treatment, most = code[at + 2], code[at + 3], code[at + 4], numbers[code[at + 5]]
    models, labels = code[at + 6], code[at + 7]
    bits = registers.view(np.int64)
    values, weights = np.empty(models), np.empty(models)
    weighs = how in (WEIGHTED_AVERAGE, WEIGHTED_MEDIAN, WEIGHTED_SUM, WEIGHTED_MAJORITY)
    for i in range(rows):
        active, absent, most_votes, wrong = 0.0, 0.0, 0.0, -1
        known = 0
        width = max(labels, 1)
        voted = how in (MAJORITY, WEIGHTED_MAJORITY)
        for pick in range(width):
            known, active, absent = 0, 0.0, 0.0
            for m in range(models):
                place = at + 9 + m * (3 + labels)
                condition, weight = code[place], numbers[code[place + 1]]
                if condition >= 0 and registers[condition, i] != 1.0:
                    if registers[condition, i] != registers[condition, i] and invalid(bits, condition, i):
                        wrong = condition
                    continue
                answer = code[place + 2]
                active += weight if weighs else 1.0
                if registers[answer, i] != registers[answer, i]:
                    absent += weight if weighs else 1.0
                    if invalid(bits, answer, i):
                        wrong = answer
                    continue
                weights[known] = weight
                if voted:
                    same = registers[answer, i] == numbers[code[at + 8] + pick]
                    values[known] = (weight if how == WEIGHTED_MAJORITY else 1.0) if same else 0.0
                elif labels:
                    source = code[place + 3 + pick]
                    values[known] = registers[source, i] if source >= 0 else 0.0
                else:
                    values[known] = registers[answer, i]
                known += 1
            registers[to + pick, i] = _made_one(SUM if voted else how, values, weights, known)
            if voted and registers[to + pick, i] > most_votes:
                most_votes = registers[to + pick, i]
        if how == MAX and labels and wrong < 0:
            _of_highest(code, registers, at, i)
        lost = absent > 0.0 and (
            treatment == 2 or (treatment == 0 and (not voted or absent > most_votes)) or absent > most * active
        )
        total = 0.0
        for pick in range(width):
            if wrong >= 0:
                registers[to + pick, i] = registers[wrong, i]
            elif lost or known == 0:
                registers[to + pick, i] = math.nan
            total += registers[to + pick, i]
        if labels and total == total and total != 0.0 and how != SUM and how != WEIGHTED_SUM:
            for pick in range(width):
                registers[to + pick, i] /= total


@fixed(STEP)
def _forest(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """FOREST: to, #divisor, #forest, its words, #ranks, their words, features, registers…

    A forest as `tidegate.models.layout` has it, and as `tidegate.models.ranked` has it, no words if it has not.
    """
    to, features = code[at + 2], code[at + 8]
    words = numbers.view(np.int64)
    forest = words[code[at + 4] : code[at + 4] + code[at + 5]]
    bits = registers.view(np.int64)
    width = forest[SLOT_COUNT]
    values, slots, sums = np.empty(features), np.empty(rows * width), np.zeros(rows)
    for i in range(rows):
        for k in range(features):
            values[k] = registers[code[at + 9 + k], i]
        fill_slots(forest, values, slots[i * width : (i + 1) * width])
    if code[at + 7]:
        add_leaves(words[code[at + 6] : code[at + 6] + code[at + 7]], width, slots, sums, rows)
    else:
        walk(forest, slots, sums, rows)
    for i in range(rows):
        registers[to, i] = sums[i] / numbers[code[at + 3]]
        for k in range(features):
            register = code[at + 9 + k]
            if registers[register, i] != registers[register, i] and invalid(bits, register, i):
                registers[to, i] = registers[register, i]


@fixed(STEP)
def ensembles(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """This family's operations."""
    kind = code[at]
    if kind == o.COMBINE or kind == o.VOTE:
        _combine(code, numbers, registers, at, rows)
    elif kind == o.FOREST:
        _forest(code, numbers, registers, at, rows)

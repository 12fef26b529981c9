"""Predicates, trees, rules and scorecards.

A predicate is false (0), true (1), unknown (2, a value is missing) or invalid (4 + the register at fault).
"""

import math

import numpy as np

from tidegate.models.pmml import operations as o
from tidegate.models.pmml.kernels.compiled import STEP, fixed
from tidegate.models.pmml.kernels.fields import among
from tidegate.models.pmml.kernels.values import invalid

__all__ = ["trees"]


@fixed("int64(int64, int64, int64, int64, float64[::1], float64[:, ::1], int64)")
def _simple(kind, register, value, count, numbers, registers, row):  # type: ignore[no-untyped-def]
    if kind <= o.P_TRUE:
        return kind
    x = registers[register, row]
    missing = x != x
    if missing:
        if invalid(registers.view(np.int64), register, row):
            return o.INVALID + register
        if kind == o.P_MISSING:
            return 1
        if kind == o.P_NOT_MISSING:
            return 0
        return o.UNKNOWN
    held = False
    if kind == o.P_LESS_EQUAL:
        held = x <= numbers[value]
    elif kind == o.P_GREATER:
        held = x > numbers[value]
    elif kind == o.P_LESS:
        held = x < numbers[value]
    elif kind == o.P_GREATER_EQUAL:
        held = x >= numbers[value]
    elif kind == o.P_EQUAL:
        held = x == numbers[value]
    elif kind == o.P_NOT_EQUAL:
        held = x != numbers[value]
    elif kind == o.P_IN:
        held = among(numbers, value, count, x)
    elif kind == o.P_NOT_IN:
        held = not among(numbers, value, count, x)
    elif kind == o.P_NOT_MISSING:
        held = True
    return 1 if held else 0


@fixed("int64(int64, int64[::1], int64, int64)")
def _joined(kind, stack, first, count):  # type: ignore[no-untyped-def]
    """What `and`, `or`, `xor` and `surrogate` make of the last `count` truths on the stack."""
    unknown, wrong, holds, fails = 0, 0, 0, 0
    for k in range(first, first + count):
        if kind == o.P_SURROGATE and stack[k] != o.UNKNOWN:
            return stack[k]
        if stack[k] >= o.INVALID:
            wrong = stack[k]
        elif stack[k] == o.UNKNOWN:
            unknown += 1
        elif stack[k] == 1:
            holds += 1
        else:
            fails += 1
    if kind == o.P_AND and fails:
        return 0
    if kind == o.P_OR and holds:
        return 1
    if wrong:
        return wrong
    if unknown or kind == o.P_SURROGATE:
        return o.UNKNOWN
    if kind == o.P_XOR:
        return holds & 1
    return 1 if kind == o.P_AND else 0


@fixed("int64(int64[::1], float64[::1], float64[:, ::1], int64, int64[::1], int64)")
def _program(code, numbers, registers, at, stack, row):  # type: ignore[no-untyped-def]
    """A predicate in postfix."""
    top = 0
    for item in range(code[at]):
        place = at + 1 + o.ITEM * item
        kind = code[place]
        if kind >= o.P_AND:
            top -= code[place + 3]
            stack[top] = _joined(kind, stack, top, code[place + 3])
        else:
            stack[top] = _simple(kind, code[place + 1], code[place + 2], code[place + 3], numbers, registers, row)
        top += 1
    return stack[0]


@fixed("int64(int64[::1], float64[::1], float64[:, ::1], int64, int64, int64[::1], int64)")
def _item(code, numbers, registers, at, place, stack, row):  # type: ignore[no-untyped-def]
    """A predicate of one item, which may stand for a program in the same operation."""
    kind = code[place]
    if kind == o.P_PROGRAM:
        return _program(code, numbers, registers, at + code[place + 2], stack, row)
    return _simple(kind, code[place + 1], code[place + 2], code[place + 3], numbers, registers, row)


@fixed(STEP)
def _tree(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """TREE: to node, to penalties (or -1), if unknown, if no child, depth of stack, then the nodes.

    If unknown: 0 as false, 1 the last prediction, 2 none, 3 the default child. If no child: 0 none, 1 the last.
    """
    to, penalties, strategy, last = code[at + 2], code[at + 3], code[at + 4], code[at + 5]
    stack = np.empty(code[at + 6], np.int64)
    nodes = at + 7
    for i in range(rows):
        missed = 0
        truth = _item(code, numbers, registers, at, nodes, stack, i)
        registers[to, i] = math.nan
        if truth >= o.INVALID:
            registers[to, i] = registers[truth - o.INVALID, i]
        node = np.int64(0) if truth == 1 else np.int64(-1)
        while node >= 0:
            place = nodes + node * o.NODE
            first, children = code[place + 4], code[place + 5]
            if children == 0:
                registers[to, i] = node
                break
            following = np.int64(-1)
            ended = False
            for child in range(first, first + children):
                truth = _item(code, numbers, registers, at, nodes + child * o.NODE, stack, i)
                if truth == 1:
                    following = np.int64(child)
                    break
                if truth >= o.INVALID:
                    registers[to, i] = registers[truth - o.INVALID, i]
                    ended = True
                    break
                if truth == o.UNKNOWN and strategy:
                    if strategy == 1:
                        registers[to, i] = node
                    if strategy == 3:
                        following = code[place + 6]
                        missed += 1
                    ended = bool(following < 0)
                    break
            if following < 0 and not ended and last:
                registers[to, i] = node
            node = following
        if penalties >= 0:
            registers[penalties, i] = missed


@fixed(STEP)
def _spread(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """SPREAD: to, width, weighing, if no child, depth of stack, #counts, #values, how many nodes, then the nodes.

    A row goes down every child that is not false once one is unknown. Weighing 1 shares a node's weight among these
    by their counts; weighing 0 gives each the whole.
    """
    to, width, weighing, last = code[at + 2], code[at + 3], code[at + 4], code[at + 5]
    stack = np.empty(code[at + 6], np.int64)
    counts, values, many = code[at + 7], code[at + 8], code[at + 9]
    nodes = at + 10
    todo, weights = np.empty(many, np.int64), np.empty(many)
    truths = np.empty(many, np.int64)
    for i in range(rows):
        registers[to : to + width, i] = 0.0
        truth = _item(code, numbers, registers, at, nodes, stack, i)
        wrong = truth - o.INVALID if truth >= o.INVALID else -1
        reached, top = 0, 0
        if truth == 1:
            todo[0], weights[0], top = 0, 1.0, 1
        while top and wrong < 0:
            top -= 1
            node, weight = todo[top], weights[top]
            place = nodes + node * o.NODE
            first, children = code[place + 4], code[place + 5]
            taken, unknown, total = 0, False, 0.0
            for child in range(first, first + children):
                truth = _item(code, numbers, registers, at, nodes + child * o.NODE, stack, i)
                if truth >= o.INVALID:
                    wrong = truth - o.INVALID
                    break
                truths[child] = truth
                if truth == 1 and not unknown:
                    truths[first:child] = 0
                    taken, total = 1, numbers[counts + child]
                    truths[child + 1 : first + children] = 0
                    break
                if truth != 0:
                    unknown |= truth == o.UNKNOWN
                    taken, total = taken + 1, total + numbers[counts + child]
            if wrong >= 0:
                break
            if taken == 0:
                if children == 0 or last:
                    reached += 1
                    for k in range(width):
                        registers[to + k, i] += weight * numbers[values + node * width + k]
                continue
            for child in range(first, first + children):
                if truths[child]:
                    todo[top] = child
                    weights[top] = weight * (numbers[counts + child] / total if weighing else 1.0)
                    top += 1
        if wrong >= 0 or reached == 0:
            for k in range(width):
                registers[to + k, i] = registers[wrong, i] if wrong >= 0 else math.nan


@fixed(STEP)
def _rules(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """RULES: to score, to confidence, to rule, criterion, depth of stack, rules, #default, scores, #table, to
    confidences or -1, then items.

    The table has a row per rule: place of its score, confidence, weight; the default's is a score and a confidence,
    and then come the scores. Criterion: 0 first hit, 1 sum of weights, 2 largest weight. The confidence of each score
    is what the criterion finds among the rules of that score alone.
    """
    to, sure, which, criterion = code[at + 2], code[at + 3], code[at + 4], code[at + 5]
    stack = np.empty(code[at + 6], np.int64)
    many, default, scores, table = code[at + 7], code[at + 8], code[at + 9], code[at + 10]
    each = code[at + 11]
    sums, first, chosen = np.empty(scores), np.empty(scores, np.int64), np.empty(scores, np.int64)
    for i in range(rows):
        sums[:], first[:], chosen[:] = 0.0, -1, -1
        fired, best, heaviest, wrong = 0, -1, -math.inf, -1
        for rule in range(many):
            truth = _item(code, numbers, registers, at, at + 12 + rule * o.ITEM, stack, i)
            if truth >= o.INVALID:
                wrong = truth - o.INVALID
                break
            if truth != 1:
                continue
            fired += 1
            score, weight = np.int64(numbers[table + 3 * rule]), numbers[table + 3 * rule + 2]
            sums[score] += weight
            if first[score] < 0:
                first[score] = rule
            if chosen[score] < 0 or (criterion == 2 and weight > numbers[table + 3 * chosen[score] + 2]):
                chosen[score] = rule
            if criterion == 0:
                best = rule if best < 0 else best
                if each < 0:
                    break
            elif weight > heaviest:
                best, heaviest = rule, weight
        if wrong >= 0:
            registers[to, i] = registers[sure, i] = registers[which, i] = registers[wrong, i]
            for k in range(scores if each >= 0 else 0):
                registers[each + k, i] = registers[wrong, i]
            continue
        for k in range(scores if each >= 0 else 0):
            if chosen[k] >= 0:
                registers[each + k, i] = sums[k] / fired if criterion == 1 else numbers[table + 3 * chosen[k] + 1]
            elif best < 0 and numbers[default + 2 + k] == numbers[default]:
                registers[each + k, i] = numbers[default + 1]
            else:
                registers[each + k, i] = 0.0
        if best < 0:
            registers[to, i], registers[sure, i] = numbers[default], numbers[default + 1]
            registers[which, i] = math.nan
            continue
        if criterion == 1:
            winner = 0
            for k in range(scores):
                if first[k] >= 0 and (first[winner] < 0 or sums[k] > sums[winner]):
                    winner = k
            best = first[winner]
            registers[sure, i] = sums[winner] / fired
        else:
            registers[sure, i] = numbers[table + 3 * best + 1]
        registers[to, i] = numbers[default + 2 + np.int64(numbers[table + 3 * best])]
        registers[which, i] = best


@fixed(STEP)
def _scorecard(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """SCORECARD: to score, to partials, #initial, sign, reasons, to codes, to points, #names, depth of stack,
    characteristics, attributes, then per characteristic `first attribute, #baseline, #fault`, then the attributes:
    item, register or -1, #partial, reason.

    Sign 1 ranks by points above the baseline, -1 by points below, 0 not at all. Reasons are ranked by the points of
    all characteristics that give them, if above zero or zero, equals in the order in which they were met.
    """
    to, partials, sign, reasons = code[at + 2], code[at + 3], code[at + 5], code[at + 6]
    codes, points, names = code[at + 7], code[at + 8], code[at + 9]
    stack = np.empty(code[at + 10], np.int64)
    many = code[at + 11]
    heads, attributes = at + 13, at + 13 + 3 * many
    sums, met = np.empty(reasons), np.empty(reasons, np.int64)
    for i in range(rows):
        score = numbers[code[at + 4]]
        sums[:], met[:] = 0.0, 0
        registers[partials : partials + many, i] = math.nan
        order, wrong = 0, -1
        for c in range(many):
            first = code[heads + 3 * c]
            end = code[heads + 3 * c + 3] if c + 1 < many else code[at + 12]
            chosen = -1
            for attribute in range(first, end):
                truth = _item(code, numbers, registers, at, attributes + 7 * attribute, stack, i)
                if truth >= o.INVALID:
                    wrong = truth - o.INVALID
                    break
                if truth == 1:
                    chosen = attributes + 7 * attribute
                    break
            partial = math.nan
            if chosen >= 0:
                partial = numbers[code[chosen + 5]]
                if code[chosen + 4] >= 0:
                    partial = registers[code[chosen + 4], i]
                    if partial != partial:
                        wrong = code[chosen + 4]
            registers[partials + c, i] = partial
            if wrong >= 0:
                break
            if chosen < 0:
                wrong = -2
                registers[to, i] = numbers[code[heads + 3 * c + 2]]
                break
            score += partial
            if sign:
                reason = code[chosen + 6]
                sums[reason] += sign * (partial - numbers[code[heads + 3 * c + 1]])
                if met[reason] == 0:
                    order += 1
                    met[reason] = order
        if wrong != -1:
            if wrong >= 0:
                registers[to, i] = registers[wrong, i]
            for k in range(reasons):
                registers[codes + k, i] = registers[points + k, i] = registers[to, i]
            continue
        registers[to, i] = score
        for k in range(reasons):
            registers[codes + k, i] = registers[points + k, i] = math.nan
        for k in range(reasons):
            if met[k] == 0 or sums[k] < 0.0:  # points on the good side are no reason
                continue
            place = 0
            for j in range(reasons):
                place += met[j] != 0 and (sums[j] > sums[k] or (sums[j] == sums[k] and met[j] < met[k]))
            registers[codes + place, i], registers[points + place, i] = numbers[names + k], sums[k]


@fixed(STEP)
def trees(code, numbers, registers, at, rows):  # type: ignore[no-untyped-def]
    """This family's operations. PREDICATE: to, depth of stack, item, then its program."""
    kind = code[at]
    if kind == o.TREE:
        _tree(code, numbers, registers, at, rows)
    elif kind == o.SPREAD:
        _spread(code, numbers, registers, at, rows)
    elif kind == o.RULES:
        _rules(code, numbers, registers, at, rows)
    elif kind == o.SCORECARD:
        _scorecard(code, numbers, registers, at, rows)
    elif kind == o.PREDICATE:
        stack = np.empty(code[at + 3], np.int64)
        for i in range(rows):
            truth = _item(code, numbers, registers, at, at + 4, stack, i)
            if truth >= o.INVALID:
                registers[code[at + 2], i] = registers[truth - o.INVALID, i]
            else:
                registers[code[at + 2], i] = truth if truth < o.UNKNOWN else math.nan

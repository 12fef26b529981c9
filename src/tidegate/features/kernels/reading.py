"""What the windows of an entity say, as cells of the row that asks."""

import math

from tidegate.features.kernels import words as w
from tidegate.features.kernels.distinct import UNLINKED, find_before, occurrences
from tidegate.features.kernels.extremes import numbered, ranked
from tidegate.features.kernels.machine import as_real, as_word, helper, put, real, wide_real, word
from tidegate.features.kernels.records import copy_words, counts, present, record, stack_area
from tidegate.features.kernels.sums import (
    NAN,
    average_again,
    deviation,
    deviation_again,
    empty_sum,
    fold,
    fold_value,
    stale,
)

MISSING = w.MISSING
_LARGEST = 0x7FFFFFFFFFFFFFFF


@helper
def nothing(is_float: int) -> int:
    """The missing cell."""
    return w.NAN if is_float else MISSING


@helper
def read_sum(program: int, slot: int, window: int, head: int, end: int, current: int) -> int:
    """Count, total, mean, share or standard deviation."""
    total = program + word(window, w.W_SUM)
    kind, field = word(total, w.A_KIND), word(total, w.A_VALUE)
    place = slot + 8 * word(total, w.A_SLOT)
    if stale(kind, place):
        empty_sum(kind, place)
        fold(program, slot, total, head, end, 1)
    if current != 0:
        spare = word(program, w.P_SPARE)
        copy_words(place, spare, 7 if kind == w.REAL_SQUARES else 5 if kind != w.TALLY else 1)
        fold_value(kind, spare, word(current, field), 1)
        place = spare
    n, op = word(place, 0), word(window, w.W_OP)
    if op == w.OP_COUNT:
        return n
    whole = kind == w.WHOLE or kind == w.WHOLE_SQUARES
    overflown = not whole and kind != w.TALLY and not abs(real(place, 1)) < math.inf
    if op == w.OP_TOTAL:
        if not whole:
            return as_word(average_again(program, slot, total, head, end, current, 1)) if overflown else word(place, 1)
        low, high = word(place, 1), word(place, 2)
        if high == low >> 63:
            return low
        return _LARGEST if high >= 0 else -_LARGEST
    if n == 0:
        return as_word(NAN)
    if overflown:
        mean = average_again(program, slot, total, head, end, current, n)
    else:
        mean = (wide_real(place + 8) if whole else real(place, 1)) / n
    if op == w.OP_MEAN:
        return as_word(mean)
    found = -1.0 if overflown else deviation(kind, place)
    if found == -1.0:
        found = deviation_again(program, slot, total, head, end, current, mean)
    return as_word(found)


@helper
def read_extreme(program: int, slot: int, window: int, current: int) -> int:
    """The smallest or largest value."""
    stack, is_float = program + word(window, w.W_STACK), word(window, w.W_FLOAT)
    field, place = word(window, w.W_VALUE), word(slot, word(window, w.W_PLACE))
    if place < word(slot, word(stack, w.X_BOTTOM) + 1):
        area = stack_area(program, slot, word(stack, w.X_AREA))
        value = word(record(program, slot, numbered(slot, area, place)), field)
        if current == 0:
            return value
        flip = word(stack, w.X_FLIP)
        if ranked(value, is_float, flip) > ranked(word(current, field), is_float, flip):
            return value
    return word(current, field) if current != 0 else nothing(is_float)


@helper
def read_mode(program: int, slot: int, window: int, head: int, end: int, current: int) -> int:
    """The most frequent value; of equally frequent ones the one seen last."""
    group, field = program + word(window, w.W_GROUP), word(window, w.W_VALUE)
    links, best, value = word(group, w.G_LINK), 0, nothing(word(window, w.W_FLOAT))
    number = end - 1
    while number >= head:
        link = word(record(program, slot, number), links)
        if link != UNLINKED and ((link >> 32) == 0 or number + (link >> 32) >= end):
            many = occurrences(program, slot, links, number, head)
            if many > best:
                best, value = many, word(record(program, slot, number), field)
        number -= 1
    if current != 0:
        number = find_before(program, slot, group, word(current, field), end)
        many = occurrences(program, slot, links, number, head) if number >= head else 0
        if many + 1 >= best:
            value = word(current, field)
    return value


@helper
def read_seen(program: int, slot: int, window: int, probe: int, past: int, end: int, current: int) -> int:
    """Whether the probed value is in the window."""
    if word(window, w.W_FLOAT):
        probe = as_word(as_real(probe) + 0.0)
    if not present(probe, word(window, w.W_FLOAT)):
        return MISSING
    if current != 0 and word(current, word(window, w.W_VALUE)) == probe:
        return 1
    number = find_before(program, slot, program + word(window, w.W_GROUP), probe, end)
    return 1 if number >= 0 and word(record(program, slot, number), 0) > past else 0


@helper
def read_first(program: int, slot: int, window: int, at: int, head: int, end: int, current: int) -> int:
    """The first value of the window, or the time since the first event."""
    field, is_float, where = word(window, w.W_VALUE), word(window, w.W_FLOAT), word(window, w.W_WHERE)
    since = word(window, w.W_OP) == w.OP_SINCE_FIRST
    for number in range(head, end):
        rec = record(program, slot, number)
        if counts(program, rec, field, is_float, where):
            return at - word(rec, 0) if since else word(rec, field)
    if current != 0:
        return 0 if since else word(current, field)
    return MISSING if since else nothing(is_float)


@helper
def read_back(program: int, slot: int, window: int, at: int, past: int, end: int, current: int) -> int:
    """The n-th value from the end, or the time since the last event."""
    field, is_float, where = word(window, w.W_VALUE), word(window, w.W_FLOAT), word(window, w.W_WHERE)
    since, left = word(window, w.W_OP) == w.OP_SINCE_LAST, word(window, w.W_N)
    if current != 0:
        left -= 1
        if left == 0:
            return 0 if since else word(current, field)
    number, oldest = end - 1, word(slot, w.S_OLDEST)
    while number >= oldest:
        rec = record(program, slot, number)
        if word(rec, 0) <= past:
            break
        if counts(program, rec, field, is_float, where):
            left -= 1
            if left == 0:
                return at - word(rec, 0) if since else word(rec, field)
        number -= 1
    return MISSING if since else nothing(is_float)


@helper
def read_windows(
    program: int, slot: int, cells: int, stride: int, row: int, window: int, windows: int, staged: int
) -> None:
    """Write what each window says into the row. `staged` is the row as a record if it is this entity's, or 0."""
    at = word(cells, row)
    for _ in range(windows):
        op = word(window, w.W_OP)
        head, end = word(slot, word(window, w.W_HEAD)), word(slot, word(window, w.W_END))
        field, is_float = word(window, w.W_VALUE), word(window, w.W_FLOAT)
        current = 0
        counted = staged != 0 and word(window, w.W_CURRENT) != 0
        if counted and counts(program, staged, field, is_float, word(window, w.W_WHERE)):
            current = staged
        if op == w.OP_EVENTS:
            found = end - head + (current != 0)
        elif op <= w.OP_STD:
            found = read_sum(program, slot, window, head, end, current)
        elif op == w.OP_EXTREME:
            found = read_extreme(program, slot, window, current)
        elif op == w.OP_DISTINCT:
            found = word(slot, word(window, w.W_PLACE))
            if current != 0:
                group = program + word(window, w.W_GROUP)
                number = find_before(program, slot, group, word(current, field), end)
                if number < head or number < 0:
                    found += 1
        elif op == w.OP_MODE:
            found = read_mode(program, slot, window, head, end, current)
        elif op == w.OP_FIRST or op == w.OP_SINCE_FIRST:
            found = read_first(program, slot, window, at, head, end, current)
        else:
            past = at - word(window, w.W_DELAY) - word(window, w.W_LAST)
            if op == w.OP_SEEN:
                probe = word(cells + word(window, w.W_PROBE) * stride, row)
                found = read_seen(program, slot, window, probe, past, end, current)
            else:
                found = read_back(program, slot, window, at, past, end, current)
        put(cells + word(window, w.W_OUT) * stride, row, found)
        window += 8 * w.W_WORDS

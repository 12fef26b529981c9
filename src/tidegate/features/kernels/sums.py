"""Running sums that lose nothing.

Whole numbers: 128-bit sums of values and of squares, exact for windows of up to 2**21 events of size up to 2**53.
Floats: sums in double-double (Knuth's two-sum; the square split exactly by a fused multiply-add), about 106 bits, with
the largest magnitude the sum has had. When a sum has shrunk far below that, or is not finite, what was lost in between
may show: the window is summed afresh.
"""

import math

from tidegate.features.kernels import words as w
from tidegate.features.kernels.machine import (
    as_real,
    fma,
    helper,
    put,
    put_real,
    real,
    wide_add,
    wide_add_square,
    wide_real,
    wide_spread,
    wide_sub_square,
    word,
)
from tidegate.features.kernels.records import counts, record

_SHRUNK = 2.0**-40
_SHRUNK_SQUARES = 2.0**-16  # nearer, because a deviation cancels once more
_DOWN = 2.0**-64  # so many floats of any size add up within their range
NAN = math.nan


@helper
def add_pair(place: int, high: float, low: float) -> None:
    """Add high + low to the double-double at the address; the third word keeps the largest magnitude."""
    was, rest = real(place, 0), real(place, 1)
    total = was + high
    part = total - was
    error = (was - (total - part)) + (high - part) + (rest + low)
    if not abs(total) < math.inf:
        error = 0.0  # infinity less infinity says nothing
    sharp = total + error
    put_real(place, 0, sharp)
    put_real(place, 1, error - (sharp - total))
    put_real(place, 2, max(real(place, 2), abs(sharp), abs(high)))


@helper
def fold_value(kind: int, place: int, value: int, sign: int) -> None:
    """Add (sign 1) a value to a running sum, or take it away (-1)."""
    put(place, 0, word(place, 0) + sign)
    if kind == w.WHOLE or kind == w.WHOLE_SQUARES:
        wide_add(place + 8, value * sign)
        if kind == w.WHOLE_SQUARES:
            if sign > 0:
                wide_add_square(place + 24, value)
            else:
                wide_sub_square(place + 24, value)
    elif kind == w.REAL or kind == w.REAL_SQUARES:
        x = as_real(value)
        add_pair(place + 8, x * sign, 0.0)
        if kind == w.REAL_SQUARES:
            square = x * x
            add_pair(place + 32, square * sign, fma(x, x, -square) * sign)


@helper
def fold(program: int, slot: int, total: int, low: int, high: int, sign: int) -> None:
    """Add the records [low, high) to a running sum, or take them away."""
    kind, field, is_float = word(total, w.A_KIND), word(total, w.A_VALUE), word(total, w.A_FLOAT)
    where, place = word(total, w.A_WHERE), slot + 8 * word(total, w.A_SLOT)
    for number in range(low, high):
        rec = record(program, slot, number)
        if counts(program, rec, field, is_float, where):
            fold_value(kind, place, word(rec, field), sign)


@helper
def empty_sum(kind: int, place: int) -> None:
    """Set a running sum to nothing."""
    many = 1
    if kind == w.WHOLE:
        many = 3
    elif kind == w.WHOLE_SQUARES:
        many = 5
    elif kind == w.REAL:
        many = 4
    elif kind == w.REAL_SQUARES:
        many = 7
    for i in range(many):
        put(place, i, 0)


@helper
def stale(kind: int, place: int) -> bool:
    """Whether a float sum has shrunk so far, or overflowed, that it has to be made anew."""
    if kind != w.REAL and kind != w.REAL_SQUARES:
        return False
    if not (abs(real(place, 1)) >= real(place, 3) * _SHRUNK and real(place, 3) < math.inf):
        return True
    return kind == w.REAL_SQUARES and not (
        real(place, 4) >= real(place, 6) * _SHRUNK_SQUARES and real(place, 6) < math.inf
    )


@helper
def deviation(kind: int, place: int) -> float:
    """Sample standard deviation from the sums; -1 when floats cancel and the values have to be looked at again.

    For any m near the mean and r = S - n m: sum((v - m)^2) = Q - m (S + r) and n * sum((v - mean)^2) = n * that - r^2.
    """
    n = word(place, 0)
    if n < 2:
        return NAN
    if kind == w.WHOLE_SQUARES:
        middle = int(nearest(wide_real(place + 8) / n))
        return math.sqrt(wide_spread(place + 8, n, middle) / n / (n - 1))
    total, squares = real(place, 1), real(place, 4)
    mean = total / n
    # Squares less n mean^2, each product split exactly.
    rest = fma(-mean, float(n), total) + real(place, 2)
    product = mean * total
    about = (squares - product) + (real(place, 5) - fma(mean, total, -product) - mean * real(place, 2))
    about -= mean * rest
    if not (about > squares * 1e-12 and squares > 1e-200 and squares < 1e300):
        return -1.0
    return math.sqrt((about - rest * rest / n) / (n - 1))


@helper
def average_again(program: int, slot: int, total: int, low: int, high: int, current: int, n: int) -> float:
    """The sum over n of the floats in [low, high) and, if its address is not 0, the current record.

    It is for sums that have overflowed on the way, is added up scaled down, and missing only if it is too large itself.
    """
    field, where, spare = word(total, w.A_VALUE), word(total, w.A_WHERE), word(program, w.P_SPARE)
    empty_sum(w.REAL, spare)
    for number in range(low, high + 1):
        rec = record(program, slot, number) if number < high else current
        if rec != 0 and counts(program, rec, field, 1, where):
            add_pair(spare + 8, real(rec, field) * _DOWN, 0.0)
    return finite(real(spare, 1) / n / _DOWN)


@helper
def finite(x: float) -> float:
    """A float, missing if it is not finite."""
    return x if abs(x) < math.inf else NAN


@helper
def nearest(x: float) -> float:
    """The nearest whole number as a float."""
    return math.floor(x + 0.5)


@helper
def deviation_again(program: int, slot: int, total: int, low: int, high: int, current: int, mean: float) -> float:
    """Sample standard deviation of the floats in [low, high) and, if its address is not 0, the current record.

    Two passes, corrected for the rounding of the mean (Chan, Golub and LeVeque 1983), scaled against overflow.
    """
    field, where = word(total, w.A_VALUE), word(total, w.A_WHERE)
    largest, many = 0.0, 0
    for number in range(low, high + 1):
        rec = record(program, slot, number) if number < high else current
        if rec != 0 and counts(program, rec, field, 1, where):
            largest = max(largest, abs(real(rec, field) / 2 - mean / 2))
    if largest == 0.0 or not largest < math.inf:
        return largest * 0.0
    squares, rest = 0.0, 0.0
    for number in range(low, high + 1):
        rec = record(program, slot, number) if number < high else current
        if rec != 0 and counts(program, rec, field, 1, where):
            part = (real(rec, field) / 2 - mean / 2) / largest
            squares += part * part
            rest += part
            many += 1
    return finite(math.sqrt(max(squares - rest * rest / many, 0.0) / (many - 1)) * largest * 2)

"""When values are equal, which comes first, and what lies in a range (DMN 1.5, 10.3.2.13.1 and 10.3.2.13.2)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tidegate.expressions.feel.durations import SECOND, DaysTime, YearsMonths
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.temporal import Date, DateTime, Time

Spend = Callable[[int], None]


def _free(steps: int) -> None:
    """Nobody counts."""


def equal(one: Any, other: Any, spend: Spend = _free) -> bool | None:
    """Whether two values are equal; None where they are of two kinds, which FEEL does not compare.

    Null is equal to null alone. A list of one element is compared with a value that is no list as that element. Times
    are equal if hour, minute, second and offset are (table 53): the fraction of the second does not count. It does in
    `order`, so of two equal times one may still come first.
    """
    if one is None or other is None:
        return one is other
    if isinstance(one, list) is not isinstance(other, list):
        one, other = _single(one), _single(other)
    if one.__class__ is not other.__class__:
        return None
    if isinstance(one, (Time, DateTime)):
        clocks = _clocks(one, other)
        return None if clocks is None else clocks[0] // SECOND == clocks[1] // SECOND
    if isinstance(one, list):
        spend(len(one) + 1)
        return len(one) == len(other) and all(equal(a, b, spend) is True for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        spend(len(one) + 1)
        return one.keys() == other.keys() and all(equal(value, other[key], spend) is True for key, value in one.items())
    if isinstance(one, Range):
        return _same_range(one, other, spend)
    return bool(one == other)


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _same_range(one: Range, other: Range, spend: Spend) -> bool:
    return (
        (one.unary, one.low_included, one.high_included) == (other.unary, other.low_included, other.high_included)
        and equal(one.low, other.low, spend) is True
        and equal(one.high, other.high, spend) is True
    )


def _clocks(one: Any, other: Any) -> tuple[int, int] | None:
    """Where two times, or two dates and times, stand on one line, in nanoseconds; None where nothing says how.

    One without an offset is taken at the other's. Offsets are whole seconds, so the fractions stay as they are.
    """
    if isinstance(one, DateTime):
        if one.time.is_local is other.time.is_local:
            return one.instant, other.instant
        return one.local, other.local
    if one.zone is not None and one.zone == other.zone:
        return one.nanoseconds, other.nanoseconds
    offsets = one.known_offset, other.known_offset
    if any(offset is None and not each.is_local for offset, each in zip(offsets, (one, other), strict=True)):
        return None
    shared = next((offset for offset in offsets if offset is not None), 0)
    a, b = [shared if offset is None else offset for offset in offsets]
    return one.nanoseconds - a * SECOND, other.nanoseconds - b * SECOND


def _sign(one: Any, other: Any) -> int:
    return -1 if one < other else int(one > other)


def order(one: Any, other: Any) -> int | None:
    """-1, 0 or 1 as the first comes before, with or after the second; None where they have no order.

    Numbers, strings (by code point), dates, times, dates and times, and the two kinds of duration have one, each within
    its own kind. Times are ordered to the nanosecond: what they are worth is seconds with a fraction (10.3.2.3.5).
    """
    if one.__class__ is not other.__class__:
        return None
    if isinstance(one, (Decimal, str)):
        return _sign(one, other)
    if isinstance(one, Date):
        return _sign((one.year, one.month, one.day), (other.year, other.month, other.day))
    if isinstance(one, (Time, DateTime)):
        clocks = _clocks(one, other)
        return None if clocks is None else _sign(*clocks)
    if isinstance(one, YearsMonths):
        return _sign(one.months, other.months)
    if isinstance(one, DaysTime):
        return _sign(one.nanoseconds, other.nanoseconds)
    return None


def less(one: Any, other: Any) -> bool | None:
    """Whether the first comes before the second; None where they have no order."""
    found = order(one, other)
    return None if found is None else found < 0


def within(value: Any, range: Range) -> bool | None:
    """Whether a value lies in a range; None where it cannot be compared with its ends, or the range has none."""
    if range.unary in ("=", "!="):
        same = equal(value, range.low)
        return same if range.unary == "=" or same is None else not same
    if range.low is None and range.high is None:
        return None
    low = True if range.low is None else _side(order(range.low, value), range.low_included)
    high = True if range.high is None else _side(order(value, range.high), range.high_included)
    if low is None or high is None:
        return False if low is False or high is False else None
    return low and high


def _side(found: int | None, included: bool) -> bool | None:
    return None if found is None else found < 0 or (included and found == 0)

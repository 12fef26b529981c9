"""What stands behind a dot on a value that is no context: the year of a date, the start of a range (table 65)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tidegate.expressions.feel.durations import SECOND, DaysTime, YearsMonths
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.temporal import Date, DateTime, Time


def _offset(seconds: int | None) -> DaysTime | None:
    return None if seconds is None else DaysTime(seconds * SECOND)


def _years(value: YearsMonths) -> Decimal:
    return Decimal(value.sign * (abs(value.months) // 12))


def _months(value: YearsMonths) -> Decimal:
    return Decimal(value.sign * (abs(value.months) % 12))


def _part(index: int) -> Callable[[DaysTime], Decimal]:
    return lambda value: Decimal(value.parts()[index] * value.sign)


_DATE: dict[str, Callable[[Any], Any]] = {
    "year": lambda value: Decimal(value.year),
    "month": lambda value: Decimal(value.month),
    "day": lambda value: Decimal(value.day),
    "weekday": lambda value: Decimal(value.weekday),
}
_TIME: dict[str, Callable[[Any], Any]] = {
    "hour": lambda value: Decimal(value.hour),
    "minute": lambda value: Decimal(value.minute),
    "second": lambda value: value.seconds,
    "time offset": lambda value: _offset(value.known_offset),
    "timezone": lambda value: value.zone,
}
PROPERTIES: dict[type, dict[str, Callable[[Any], Any]]] = {
    Date: _DATE,
    Time: _TIME,
    DateTime: {name: lambda value, read=read: read(value.date) for name, read in _DATE.items()}
    | {name: lambda value, read=read: read(value.time) for name, read in _TIME.items()}
    | {"time offset": lambda value: _offset(value.offset)},
    YearsMonths: {"years": _years, "months": _months},
    DaysTime: {name: _part(index) for index, name in enumerate(("days", "hours", "minutes", "seconds"))},
    Range: {
        "start": lambda value: value.low,
        "end": lambda value: value.high,
        "start included": lambda value: value.low_included,
        "end included": lambda value: value.high_included,
    },
}
"""For each type, its properties and how each is read."""

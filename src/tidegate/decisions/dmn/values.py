"""Values of Python and of JSON as FEEL's, by the type that is asked for, and back."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tidegate.expressions.feel import temporal, types
from tidegate.expressions.feel.durations import DaysTime, YearsMonths, parse_duration
from tidegate.expressions.feel.extent import too_large
from tidegate.expressions.feel.functions import Function
from tidegate.expressions.feel.literals import literal_of
from tidegate.expressions.feel.numbers import number, written
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.refusals import FeelLimitError
from tidegate.expressions.feel.scanner import half_of_pair
from tidegate.expressions.feel.temporal import Date, DateTime, Time
from tidegate.expressions.feel.types import ListType, Type

_READERS = {
    types.DATE: temporal.parse_date,
    types.TIME: temporal.parse_time,
    types.DATE_TIME: temporal.parse_date_time,
    types.YEARS_MONTHS: parse_duration,
    types.DAYS_TIME: parse_duration,
}
_FEEL = (Date, Time, DateTime, YearsMonths, DaysTime, Range, Function)
MOST_DEEP = 64
SMALLER = "Does a list hold the same list again and again? Let the decision answer with what is asked for alone."
"""What to do about a value that is too large to be written out."""


class NoValue(ValueError):  # noqa: N818 - a refusal in words, for its catcher
    """A value of Python that FEEL has no kind for."""


def to_feel(value: Any, kind: Type = types.ANY, depth: int = 0) -> Any:
    """A value of Python or JSON as FEEL's.

    Numbers become decimals of 34 digits, by the digits they are written with; dates, times and durations of `datetime`
    become FEEL's. A text becomes a date, time or duration where that is the type asked for.

    Raises:
        NoValue: FEEL has no such value, it is nested too deep, or a text holds half of a surrogate pair.
    """
    if value is None or isinstance(value, (bool, *_FEEL)):
        return value
    if isinstance(value, str):
        _refuse_half(value)
        read = _READERS.get(kind)
        made = read(value) if read else value
        return value if made is None else made  # what is no date stays a text, and is told as of the wrong type
    if isinstance(value, int | float | Decimal):
        found = number(value)
        if found is None:
            raise NoValue(f"FEEL has no number {value}")
        return found
    if depth > MOST_DEEP:
        raise NoValue(f"it is nested more than {MOST_DEEP} deep")
    if isinstance(value, Mapping):
        entries = getattr(kind, "entries", {})
        for key in value:
            _refuse_half(str(key))
        return {str(key): to_feel(one, entries.get(key, types.ANY), depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        item = kind.item if isinstance(kind, ListType) else types.ANY
        return [to_feel(one, item, depth + 1) for one in value]
    return _moment(value)


def _refuse_half(text: str) -> None:
    if half_of_pair(text):
        seen = text.encode("utf-8", "backslashreplace").decode()
        raise NoValue(f'"{seen[:60]}" holds half of a surrogate pair, which no text has')


def _moment(value: Any) -> Any:
    """A date, time or duration of `datetime`."""
    if isinstance(value, dt.datetime):
        return temporal.parse_date_time(_zoned(value.isoformat(), value.tzinfo))
    if isinstance(value, dt.date):
        return temporal.parse_date(value.isoformat())
    if isinstance(value, dt.time):
        return temporal.parse_time(_zoned(value.isoformat(), value.tzinfo))
    if isinstance(value, dt.timedelta):
        return DaysTime(((value.days * 86400 + value.seconds) * 1_000_000 + value.microseconds) * 1000)
    raise NoValue(f"FEEL has no value for a {type(value).__name__}")


def _zoned(text: str, zone: dt.tzinfo | None) -> str:
    """The text of a moment, with its zone's name where it has one."""
    key = getattr(zone, "key", None)
    if key is None:
        return text
    clock = text[:-6] if text[-6] in "+-" else text
    return f"{clock}@{key}"


def to_plain(value: Any) -> Any:
    """A FEEL value as Python's own kinds, as JSON has them: numbers as decimals, dates and durations as texts.

    Raises:
        FeelLimitError: it is too large, as a value may be whose lists hold one list many times.
    """
    why = too_large(value)
    if why:
        raise FeelLimitError("A value is too large to be written out.", seen=why, do=SMALLER)
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if value is None or isinstance(value, bool | str | Decimal):
        return value
    if isinstance(value, Date | Time | DateTime | YearsMonths | DaysTime):
        return str(value)
    return literal_of(value)


def to_json(value: Any) -> str:
    """A FEEL value as JSON; numbers keep all their digits. Refused as by `to_plain`."""
    return _json(to_plain(value))


def _json(value: Any) -> str:
    import json

    if isinstance(value, Decimal):
        return written(value)
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_json(one)}" for key, one in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)

"""Functions that make one type of another, and `is` (DMN 1.5, 10.3.4.1 and 10.3.4.6)."""

import re
from decimal import Decimal
from typing import Any

from tidegate.expressions.feel import nodes, numbers, temporal
from tidegate.expressions.feel.arithmetic import negated
from tidegate.expressions.feel.durations import SECOND, DaysTime, parse_duration
from tidegate.expressions.feel.given import Run
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.literals import literal_of, text_of
from tidegate.expressions.feel.names import Known
from tidegate.expressions.feel.parser import Parser
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.refusals import FeelError
from tidegate.expressions.feel.temporal import WIDEST_OFFSET, Date, DateTime, Time
from tidegate.expressions.feel.values import order

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


@builtin("string(from: any)")
def string(run: Run, value: Any) -> Any:
    """A value as text; null stays null."""
    if value is None:
        return run.why("null has no text")
    return text_of(value, run.budget.sized)


@builtin("number(from: string, grouping separator?: string, decimal separator?: string)")
def number(run: Run, text: str, grouping: str | None, decimal: str | None) -> Any:
    """The number that a text is, once the grouping separators are taken away and the decimal separator is a point."""
    if grouping not in (None, " ", ",", "."):
        return run.why("numbers are grouped by a space, a comma or a point, not by {}", grouping)
    if decimal not in (None, ",", "."):
        return run.why("the decimal separator is a point or a comma, not {}", decimal)
    if grouping is not None and grouping == decimal:
        return run.why("numbers are not grouped by their decimal separator")
    plain = text.replace(grouping, "") if grouping else text
    if decimal == ",":
        plain = plain.replace(",", ".")
    found = numbers.number(plain) if _NUMBER.fullmatch(plain) else None
    return found if found is not None else run.why("{} is no number", text)


@builtin("number(from: number)")
def number_itself(run: Run, value: Decimal) -> Any:
    """The number."""
    return value


@builtin("date(from: string)")
def date(run: Run, text: str) -> Any:
    """The date of a text."""
    return temporal.parse_date(text) or run.why("{} is no date: 2026-11-28 is one", text)


@builtin("date(from: date | date and time)")
def date_of(run: Run, value: Date | DateTime) -> Any:
    """The date of a date and time."""
    return value.date if isinstance(value, DateTime) else value


@builtin("date(year: number, month: number, day: number)")
def date_of_parts(run: Run, year: Decimal, month: Decimal, day: Decimal) -> Any:
    """The date of a year, a month and a day."""
    parts = [numbers.whole(each) for each in (year, month, day)]
    whole = [each for each in parts if each is not None]
    found = temporal.make_date(*whole) if len(whole) == 3 else None
    return found or run.why("there is no day {} of the month {} of the year {}", day, month, year)


@builtin("date and time(from: string)")
def date_and_time(run: Run, text: str) -> Any:
    """The date and time of a text."""
    return temporal.parse_date_time(text) or run.why("{} is no date and time: 2026-11-28T10:30:00Z is one", text)


@builtin("date and time(from: date and time)")
def date_and_time_itself(run: Run, value: DateTime) -> Any:
    """The date and time; a date's is its midnight in UTC."""
    return value


@builtin("date and time(date: date | date and time, time: time)")
def date_and_time_of(run: Run, day: Date | DateTime, time: Time) -> Any:
    """The time on that day."""
    return DateTime(day.date if isinstance(day, DateTime) else day, time)


@builtin("time(from: string)")
def time(run: Run, text: str) -> Any:
    """The time of a text."""
    return temporal.parse_time(text) or run.why("{} is no time: 10:30:00 is one", text)


@builtin("time(from: time | date and time | date)")
def time_of(run: Run, value: Time | DateTime | Date) -> Any:
    """The time of a date and time; a date's is its midnight in UTC."""
    if isinstance(value, Date):
        return Time(0, 0, 0, offset=0)
    return value.time if isinstance(value, DateTime) else value


@builtin("time(hour: number, minute: number, second: number, offset?: days and time duration)")
def time_of_parts(run: Run, hour: Decimal, minute: Decimal, second: Decimal, offset: DaysTime | None) -> Any:
    """The time of an hour, a minute and a second, which may have a fraction."""
    hours, minutes = numbers.whole(hour), numbers.whole(minute)
    if hours not in range(24) or minutes not in range(60) or not 0 <= second < 60:
        return run.why("there is no time of {}, {} and {}", hour, minute, second)
    seconds, fraction = divmod(second, 1)
    east = None if offset is None else offset.nanoseconds // SECOND
    if east is not None and abs(east) > WIDEST_OFFSET:
        return run.why("{} is too far from UTC", offset)
    return Time(hours or 0, minutes or 0, int(seconds), int(fraction.scaleb(9)), east)


@builtin("duration(from: string)")
def duration(run: Run, text: str) -> Any:
    """The duration of a text."""
    return parse_duration(text) or run.why("{} is no duration: P1Y2M and P1DT2H3M4S are", text)


@builtin("is(value1: any, value2: any)")
def same(run: Run, one: Any, other: Any) -> Any:
    """Whether two values are one and the same: of one type, and where they say where they are, they say the same."""
    return _identical(run, one, other)


def _identical(run: Run, one: Any, other: Any) -> bool:
    run.spend(1)
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(_identical(run, a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_identical(run, one[key], other[key]) for key in one)
    return bool(one == other)


@builtin("range(from: string)")
def range_of(run: Run, text: str) -> Any:
    """The range of a text such as `[1..5)`; its ends are literals, the second no smaller than the first."""
    try:
        root = Parser(text, {}, Known(dict.fromkeys(_LITERAL_FUNCTIONS)), {}).whole()
    except FeelError:
        return run.why("{} is no range: [1..5) is one", text)
    if not isinstance(root, nodes.Interval):
        return run.why("{} is no range: [1..5) is one", text)
    low, high = _literal(root.low), _literal(root.high)
    found = order(low, high)
    if found is None or found > 0:
        return run.why("{} is no range: its ends are literals of one type, in order", text)
    return Range(low, high, root.low_included, root.high_included)


_LITERAL_FUNCTIONS = {
    "date": temporal.parse_date,
    "time": temporal.parse_time,
    "date and time": temporal.parse_date_time,
    "duration": parse_duration,
}


def _literal(node: nodes.Node) -> Any:
    """The value of a literal, or None where the node is none."""
    if isinstance(node, nodes.Constant):
        return node.value
    if isinstance(node, nodes.Negation):
        return negated(_literal(node.operand))
    if isinstance(node, nodes.Invocation) and isinstance(node.function, nodes.Name) and len(node.arguments) == 1:
        text = node.arguments[0]
        if isinstance(text, nodes.Constant) and isinstance(text.value, str):
            return _LITERAL_FUNCTIONS[node.function.name](text.value) if node.function.known else None
    return None


__all__ = ["literal_of"]

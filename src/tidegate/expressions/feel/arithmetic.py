"""Arithmetic of FEEL's values: numbers, strings, durations, and dates and times (DMN 1.5, tables 55 to 60)."""

from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

from tidegate.expressions.feel import durations, numbers, temporal
from tidegate.expressions.feel.durations import DAY, DaysTime, YearsMonths
from tidegate.expressions.feel.numbers import CONTEXT, Failure
from tidegate.expressions.feel.temporal import Date, DateTime, Time

Operation = Callable[[Any, Any], Any]


def _nanoseconds(value: Date | DateTime | Time) -> tuple[int, bool]:
    """Where a value stands on its line, and whether it says where it is; a date is its midnight in UTC."""
    if isinstance(value, Date):
        return value.days * DAY, True
    if isinstance(value, Time):
        return value.nanoseconds - (value.known_offset or 0) * durations.SECOND, not value.is_local
    return value.instant, not value.time.is_local


def _apart(one: Any, other: Any) -> DaysTime | None:
    """The time between two; None where one says where it is and the other does not."""
    if isinstance(one, Time) and one.zone is not None and one.zone == other.zone:
        return DaysTime(one.nanoseconds - other.nanoseconds)
    (a, a_placed), (b, b_placed) = _nanoseconds(one), _nanoseconds(other)
    if a_placed is not b_placed and not (isinstance(one, Date) and isinstance(other, Date)):
        return None
    return DaysTime(a - b)


def _later(value: Any, duration: DaysTime | YearsMonths) -> Any:
    if isinstance(duration, YearsMonths):
        if isinstance(value, Date):
            return temporal.months_after(value, duration.months)
        date = temporal.months_after(value.date, duration.months)
        return None if date is None else DateTime(date, value.time)
    if isinstance(value, Date):
        return temporal.date_after((value.days * DAY + duration.nanoseconds) // DAY)
    if isinstance(value, Time):
        return temporal.time_after(value.nanoseconds + duration.nanoseconds, value)
    return temporal.moved(value, duration.nanoseconds)


def _minus(duration: Any) -> Any:
    return YearsMonths(-duration.months) if isinstance(duration, YearsMonths) else DaysTime(-duration.nanoseconds)


def _count(duration: Any) -> Decimal:
    """How many months, or nanoseconds, a duration has."""
    return Decimal(duration.months if isinstance(duration, YearsMonths) else duration.nanoseconds)


def _scaled(duration: Any, by: Callable[[Decimal], Decimal]) -> Any:
    """A duration of as many months, or nanoseconds, as `by` makes of its own."""
    with localcontext(CONTEXT):
        found = by(_count(duration))
    return durations.years_months(found) if isinstance(duration, YearsMonths) else durations.days_time(found)


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, YearsMonths):
        return durations.years_months(Decimal(one.months + other.months))
    total = one.nanoseconds + other.nanoseconds
    return DaysTime(total) if abs(total) < durations.LONGEST * durations.SECOND else None


_POINTS = (Date, DateTime)
_ADD: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): CONTEXT.add,
    (str, str): lambda a, b: a + b,
    (YearsMonths, YearsMonths): _sum,
    (DaysTime, DaysTime): _sum,
    (Time, DaysTime): _later,
    (DaysTime, Time): lambda a, b: _later(b, a),
} | {(point, each): _later for point in _POINTS for each in (DaysTime, YearsMonths)} | {
    (each, point): lambda a, b: _later(b, a) for point in _POINTS for each in (DaysTime, YearsMonths)
}  # fmt: skip
_SUBTRACT: dict[tuple[type, type], Operation] = {
    (Decimal, Decimal): CONTEXT.subtract,
    (YearsMonths, YearsMonths): lambda a, b: _sum(a, _minus(b)),
    (DaysTime, DaysTime): lambda a, b: _sum(a, _minus(b)),
    (Time, Time): _apart,
    (Time, DaysTime): lambda a, b: _later(a, _minus(b)),
} | {(one, other): _apart for one in _POINTS for other in _POINTS} | {
    (point, each): lambda a, b: _later(a, _minus(b)) for point in _POINTS for each in (DaysTime, YearsMonths)
}  # fmt: skip
_MULTIPLY: dict[tuple[type, type], Operation] = {(Decimal, Decimal): CONTEXT.multiply} | {
    pair: operation
    for each in (DaysTime, YearsMonths)
    for pair, operation in {
        (each, Decimal): lambda a, b: _scaled(a, lambda count: count * b),
        (Decimal, each): lambda a, b: _scaled(b, lambda count: count * a),
    }.items()
}
_DIVIDE: dict[tuple[type, type], Operation] = {(Decimal, Decimal): CONTEXT.divide} | {
    pair: operation
    for each in (DaysTime, YearsMonths)
    for pair, operation in {
        (each, Decimal): lambda a, b: _scaled(a, lambda count: count / b),
        (each, each): lambda a, b: CONTEXT.divide(_count(a), _count(b)),
    }.items()
}
OPERATIONS: dict[str, dict[tuple[type, type], Operation]] = {
    "+": _ADD,
    "-": _SUBTRACT,
    "*": _MULTIPLY,
    "/": _DIVIDE,
    "**": {(Decimal, Decimal): numbers.power},
}
"""For each operator, what it does with a pair of types; None, or `Failure` raised, where there is no result."""


def calculated(operator: str, one: Any, other: Any) -> tuple[Any, str]:
    """The result, and why there is none; braces in the reason are for the operands."""
    operation = OPERATIONS[operator].get((type(one), type(other)))
    if operation is None:
        return None, f"'{operator}' does not take {{}} and {{}}"
    try:
        found = operation(one, other)
    except Failure:
        zero = operator == "/" and other == 0
        return None, "{} is divided by zero" if zero else f"'{operator}' of {{}} and {{}} is no number"
    if found is None:
        local = isinstance(one, (*_POINTS, Time)) and isinstance(other, (*_POINTS, Time))
        why = "one of them says where it is and the other does not" if local else "the result is past what there is"
        return None, f"'{operator}' of {{}} and {{}}: {why}"
    return found, ""


def negated(value: Any) -> Any:
    """Minus a number or duration; None for anything else."""
    if isinstance(value, Decimal):
        return CONTEXT.minus(value)
    return _minus(value) if isinstance(value, (YearsMonths, DaysTime)) else None

"""Functions of dates and times (DMN 1.5, 10.3.4.6 and 10.3.4.10)."""

from decimal import Decimal
from typing import Any

from tidegate.expressions.feel import calendar
from tidegate.expressions.feel.durations import YearsMonths
from tidegate.expressions.feel.given import Run
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.temporal import Date, DateTime

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _date(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@builtin("now()")
def now(run: Run) -> Any:
    """The time that the caller gave."""
    return run.given.now or run.why("no time was given that is now")


@builtin("today()")
def today(run: Run) -> Any:
    """The day of the time that the caller gave."""
    return run.given.now.date if run.given.now else run.why("no time was given that is now")


@builtin("day of year(date: date | date and time)")
def day_of_year(run: Run, date: Date | DateTime) -> Any:
    """1 to 366."""
    day = _date(date)
    return Decimal(day.days - calendar.days_of(day.year, 1, 1) + 1)


@builtin("day of week(date: date | date and time)")
def day_of_week(run: Run, date: Date | DateTime) -> Any:
    """Monday to Sunday, in English."""
    return _WEEKDAYS[_date(date).weekday - 1]


@builtin("month of year(date: date | date and time)")
def month_of_year(run: Run, date: Date | DateTime) -> Any:
    """January to December, in English."""
    return _MONTHS[_date(date).month - 1]


@builtin("week of year(date: date | date and time)")
def week_of_year(run: Run, date: Date | DateTime) -> Any:
    """1 to 53: the first week is the one with the year's first Thursday (ISO 8601)."""
    day = _date(date)
    thursday = day.days + 4 - day.weekday
    year = calendar.date_of(thursday)[0]
    return Decimal((thursday - calendar.days_of(year, 1, 1)) // 7 + 1)


@builtin("years and months duration(from: date | date and time, to: date | date and time)")
def years_and_months_duration(run: Run, start: Date | DateTime, end: Date | DateTime) -> Any:
    """The whole months from one day to another; negative where the second comes first."""
    one, other = _date(start), _date(end)
    months = (other.year - one.year) * 12 + other.month - one.month
    if months > 0 and other.day < one.day:
        months -= 1
    elif months < 0 and other.day > one.day:
        months += 1
    return YearsMonths(months)

"""Both durations of FEEL: years and months, and days and time (DMN 1.5, 10.3.2.3.7 and 10.3.2.3.8)."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
LONGEST = 2**63
"""How many months, or seconds, a duration stays under."""

_MONTHS = re.compile(r"(-?)P(?:([0-9]+)Y)?(?:([0-9]+)M)?", re.ASCII)
_TIME = re.compile(
    r"(-?)P(?:([0-9]+)D)?(?:(T)(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:\.([0-9]*))?S)?)?", re.ASCII
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class YearsMonths:
    """A duration of whole months; negative goes back."""

    months: int

    @property
    def sign(self) -> int:
        """-1 for a duration that goes back, otherwise 1."""
        return -1 if self.months < 0 else 1

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{'-' if self.months < 0 else ''}P{text}"


@dataclass(frozen=True, slots=True)
class DaysTime:
    """A duration of whole nanoseconds, counted in days of 24 hours; negative goes back."""

    nanoseconds: int

    @property
    def sign(self) -> int:
        """-1 for a duration that goes back, otherwise 1."""
        return -1 if self.nanoseconds < 0 else 1

    @property
    def seconds(self) -> Decimal:
        """The whole duration as a number of seconds."""
        return Decimal(self.nanoseconds).scaleb(-9)

    def parts(self) -> tuple[int, int, int, Decimal]:
        """Days, hours, minutes and seconds without the sign."""
        days, rest = divmod(abs(self.nanoseconds), DAY)
        hours, rest = divmod(rest, HOUR)
        minutes, rest = divmod(rest, MINUTE)
        return days, hours, minutes, trimmed(Decimal(rest).scaleb(-9))

    def __str__(self) -> str:
        days, hours, minutes, seconds = self.parts()
        time = (
            (f"{hours}H" if hours else "")
            + (f"{minutes}M" if minutes else "")
            + (f"{seconds:f}S" if seconds or not (days or hours or minutes) else "")
        )
        return f"{'-' if self.nanoseconds < 0 else ''}P{f'{days}D' if days else ''}{f'T{time}' if time else ''}"


def trimmed(value: Decimal) -> Decimal:
    """The same number without zeros at the end of its fraction."""
    if value == value.to_integral_value():
        return value.quantize(Decimal(1))
    return value.normalize()


def parse_duration(text: str) -> YearsMonths | DaysTime | None:
    """The duration of a text such as P1Y2M or P1DT2H3.5S (XML Schema Part 2); None where it is none or too long."""
    if len(text) > 100:
        return None
    if found := _MONTHS.fullmatch(text):
        sign, years, months = found.groups()
        if years is None and months is None:
            return None
        count = int(years or 0) * 12 + int(months or 0)
        return YearsMonths(-count if sign else count) if count < LONGEST else None
    if not (found := _TIME.fullmatch(text)):
        return None
    sign, days, time, hours, minutes, seconds, fraction = found.groups()
    if (days is None and time is None) or (time and hours is None and minutes is None and seconds is None):
        return None
    total = int(days or 0) * DAY + int(hours or 0) * HOUR + int(minutes or 0) * MINUTE + int(seconds or 0) * SECOND
    total += int((fraction or "")[:9].ljust(9, "0"))
    return DaysTime(-total if sign else total) if total < LONGEST * SECOND else None


def days_time(nanoseconds: Decimal) -> DaysTime | None:
    """A duration of so many nanoseconds, rounded to whole ones, ties to even; None where it is too long."""
    if not abs(nanoseconds) < LONGEST * SECOND:
        return None
    return DaysTime(int(nanoseconds.to_integral_value(ROUND_HALF_EVEN)))


def years_months(months: Decimal) -> YearsMonths | None:
    """A duration of so many months, a part of a month dropped; None where it is too long."""
    return YearsMonths(int(months)) if abs(months) < LONGEST else None

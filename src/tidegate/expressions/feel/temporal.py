"""Dates, times, and dates and times of FEEL (DMN 1.5, 10.3.2.3.4 to 10.3.2.3.6)."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from tidegate.expressions.feel import calendar
from tidegate.expressions.feel.durations import DAY, HOUR, MINUTE, SECOND, trimmed

_DATE = re.compile(r"(-?(?:[0-9]{4}|[1-9][0-9]{4,8}))-([0-9]{2})-([0-9]{2})", re.ASCII)
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:(Z|z)|([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?|@(.+))?",
    re.ASCII | re.DOTALL,
)
WIDEST_OFFSET = 18 * 3600
"""Offsets from UTC lie within 18 hours on both sides."""


@dataclass(frozen=True, slots=True)
class Date:
    """A day of the proleptic Gregorian calendar; years to 999,999,999 on both sides, the year 0 before the year 1."""

    year: int
    month: int
    day: int

    @property
    def days(self) -> int:
        """The days since 1970-01-01."""
        return calendar.days_of(self.year, self.month, self.day)

    @property
    def weekday(self) -> int:
        """Monday 1 to Sunday 7."""
        return calendar.weekday_of(self.days)

    def __str__(self) -> str:
        return f"{'-' if self.year < 0 else ''}{abs(self.year):04}-{self.month:02}-{self.day:02}"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day. `offset` is seconds from UTC and `zone` an IANA name; at most one of them is there."""

    hour: int
    minute: int
    second: int
    nanosecond: int = 0
    offset: int | None = None
    zone: str | None = None

    @property
    def nanoseconds(self) -> int:
        """The nanoseconds since midnight."""
        return self.hour * HOUR + self.minute * MINUTE + self.second * SECOND + self.nanosecond

    @property
    def known_offset(self) -> int | None:
        """The offset in seconds where it is the same on every day."""
        return self.offset if self.zone is None else calendar.fixed_offset(self.zone)

    @property
    def is_local(self) -> bool:
        """Whether it says nothing of where it is."""
        return self.offset is None and self.zone is None

    @property
    def seconds(self) -> Decimal:
        """The seconds of the minute, with their fraction."""
        return trimmed(Decimal(self.second * SECOND + self.nanosecond).scaleb(-9))

    def __str__(self) -> str:
        fraction = f".{self.nanosecond:09}".rstrip("0") if self.nanosecond else ""
        place = f"@{self.zone}" if self.zone else "" if self.offset is None else offset_text(self.offset)
        return f"{self.hour:02}:{self.minute:02}:{self.second:02}{fraction}{place}"


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date and a time of it."""

    date: Date
    time: Time

    @property
    def local(self) -> int:
        """The nanoseconds since 1970-01-01T00:00:00 on the clock that it was read from."""
        return self.date.days * DAY + self.time.nanoseconds

    @property
    def offset(self) -> int | None:
        """The seconds from UTC at this moment, or None where it says nothing of where it is."""
        if self.time.zone is not None:
            return calendar.local_offset(self.time.zone, self.date.days, self.time.nanoseconds // SECOND)
        return self.time.offset

    @property
    def instant(self) -> int:
        """The nanoseconds since 1970-01-01T00:00:00 UTC; a local one is taken as it stands."""
        return self.local - (self.offset or 0) * SECOND

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"


def offset_text(seconds: int) -> str:
    """An offset as ISO 8601 writes it: Z, +01:00, -03:30."""
    if seconds == 0:
        return "Z"
    minutes, rest = divmod(abs(seconds), 60)
    end = f":{rest:02}" if rest else ""
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}{end}"


def date_after(days: int) -> Date | None:
    """The date so many days after 1970-01-01; None past the years that FEEL has."""
    if abs(days) > 400_000_000_000:
        return None
    year, month, day = calendar.date_of(days)
    return Date(year, month, day) if abs(year) <= calendar.LAST_YEAR else None


def time_after(nanoseconds: int, like: Time) -> Time:
    """The time of day so many nanoseconds after midnight, around the clock, where `like` is."""
    rest = nanoseconds % DAY
    return replace(
        like, hour=rest // HOUR, minute=rest // MINUTE % 60, second=rest // SECOND % 60, nanosecond=rest % SECOND
    )


def date_time_after(local: int, like: Time) -> DateTime | None:
    """The date and time that a local clock shows, where `like` is; None past the years that FEEL has."""
    date = date_after(local // DAY)
    return None if date is None else DateTime(date, time_after(local, like))


def moved(value: DateTime, nanoseconds: int) -> DateTime | None:
    """The date and time so much later. In a zone it is time that passes, not what the clock shows.

    Where the clock shows this time twice and it is the second, which the name of a zone does not tell, it has the
    offset instead.
    """
    if value.time.zone is None:
        return date_time_after(value.local + nanoseconds, value.time)
    instant = value.instant + nanoseconds
    offset = calendar.universal_offset(value.time.zone, instant // DAY, instant % DAY // SECOND)
    found = date_time_after(instant + offset * SECOND, value.time)
    if found is None or found.offset == offset:
        return found
    return replace(found, time=replace(found.time, zone=None, offset=offset))


def months_after(date: Date, months: int) -> Date | None:
    """The date so many months later; a day that the month does not have becomes its last."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    if abs(year) > calendar.LAST_YEAR:
        return None
    return Date(year, month + 1, min(date.day, calendar.days_in_month(year, month + 1)))


def make_date(year: int, month: int, day: int) -> Date | None:
    """The date of these parts, or None where there is no such day."""
    return Date(year, month, day) if calendar.is_date(year, month, day) else None


def parse_date(text: str) -> Date | None:
    """The date of a text such as 2026-11-28 (XML Schema Part 2), or None where it is none."""
    found = _DATE.fullmatch(text)
    return make_date(*(int(part) for part in found.groups())) if found else None


def parse_time(text: str) -> Time | None:
    """The time of a text such as 10:30:00, 10:30:00.5+01:00 or 10:30:00@Europe/Paris, or None where it is none."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    hour, minute, second, fraction, utc, sign, offset_hours, offset_minutes, offset_seconds, zone = found.groups()
    if (hour, minute, second) == ("24", "00", "00") and not int(fraction or 0):
        hour = "00"  # the end of a day is the start of the next (XML Schema Part 2, 3.3.7)
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    offset = 0 if utc else None
    if sign:
        if int(offset_minutes) > 59 or int(offset_seconds or 0) > 59:
            return None
        offset = int(offset_hours) * 3600 + int(offset_minutes) * 60 + int(offset_seconds or 0)
        if offset > WIDEST_OFFSET:
            return None
        offset = -offset if sign == "-" else offset
    if zone is not None and calendar.zone(zone) is None:
        return None
    nanosecond = int((fraction or "")[:9].ljust(9, "0"))
    return Time(int(hour), int(minute), int(second), nanosecond, offset, zone)


def parse_date_time(text: str) -> DateTime | None:
    """The date and time of a text such as 2026-11-28T10:30:00Z; a date alone is its midnight; None where it is none."""
    day, mark, rest = text.partition("T")
    date = parse_date(day)
    time = parse_time(rest) if mark else Time(0, 0, 0)
    if date is not None and rest.startswith("24"):
        date = date_after(date.days + 1)
    return None if date is None or time is None else DateTime(date, time)

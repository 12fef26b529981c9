"""The proleptic Gregorian calendar for any year, and the offsets of IANA zones for any day.

Days to and from dates by `days_from_civil` and `civil_from_days` (Howard Hinnant, chrono-compatible low-level date
algorithms). Python's own dates end at the year 9999 and start at 1; FEEL's go to 999,999,999 on both sides.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LAST_YEAR = 999_999_999
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    """Whether the year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """How many days the month has."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def is_date(year: int, month: int, day: int) -> bool:
    """Whether there is such a day within the years that FEEL has."""
    return -LAST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)


def days_of(year: int, month: int, day: int) -> int:
    """The days from 1970-01-01 to this date."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day, so many days after 1970-01-01."""
    days += 719_468
    era = days // 146_097
    doe = days - era * 146_097
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    shifted = (5 * doy + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return yoe + era * 400 + (month <= 2), month, doy - (153 * shifted + 2) // 5 + 1


def weekday_of(days: int) -> int:
    """Monday 1 to Sunday 7 (ISO 8601)."""
    return (days + 3) % 7 + 1


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The IANA zone of this name, or None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


@lru_cache(maxsize=1024)
def fixed_offset(name: str) -> int | None:
    """The offset, in seconds, of a zone that never had another; None for a zone whose clocks have been changed."""
    found = zone(name)
    if found is None:
        return None
    always = found.utcoffset(None)
    return None if always is None else always // timedelta(seconds=1)


def local_offset(name: str, days: int, seconds: int) -> int:
    """The offset, in seconds, of the zone at a local time: days since 1970-01-01 and seconds of the day.

    Where clocks went back and a time came twice, it is the first; where they went forward and it did not come, the
    offset before. Years past 9998 have the rules of the same year of the last 400 that Python can count, years before 2
    those of the year 1.
    """
    return _offset(name, days, seconds, local=True)


def universal_offset(name: str, days: int, seconds: int) -> int:
    """The offset, in seconds, of the zone at a time in UTC."""
    return _offset(name, days, seconds, local=False)


def _offset(name: str, days: int, seconds: int, *, local: bool) -> int:
    found = zone(name)
    if found is None:
        return 0
    year, month, day = date_of(days)
    if year > 9998:
        year = 9200 + year % 400
    elif year < 2:
        year = 2 if not is_leap(year) else 4
    at = datetime(year, month, day, tzinfo=found if local else UTC) + timedelta(seconds=seconds)
    offset = at.astimezone(found).utcoffset()
    return 0 if offset is None else offset // timedelta(seconds=1)

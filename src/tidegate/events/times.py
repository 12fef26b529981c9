"""Times as they are computed with: whole microseconds since 1970, in UTC."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds_of(at: datetime) -> int:
    """A time as microseconds since 1970 UTC."""
    return (at - EPOCH) // MICROSECOND


def time_of(us: int) -> datetime:
    """Microseconds since 1970 UTC as a time in UTC.

    Raises:
        OverflowError: it is of no year from 1 to 9999.
    """
    return EPOCH + timedelta(microseconds=us)


def rfc3339(us: int) -> str:
    """Microseconds since 1970 UTC as text: `2026-01-01T12:00:00Z`. Raises as `time_of` does."""
    return time_of(us).isoformat().replace("+00:00", "Z")

"""The latest time that an event may have, where there is a clock to hold it to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tidegate.events.event import Event

FUTURE = "future"
"""The code of a refusal of an event that lies too far ahead of a clock."""


def wall_clock() -> datetime:
    """The time by this machine's clock."""
    return datetime.now(UTC)


def in_future(at: datetime) -> str:
    """Why a message is a dead letter whose event lies too far ahead of the clock of who reads it."""
    return f"Its time, {at}, lies in the future: a clock is wrong."


class Horizon:
    """How far ahead of a clock an event's time may be.

    Args:
        ahead: after the clock's time.
        now: the clock.
    """

    def __init__(self, ahead: timedelta, now: Callable[[], datetime] = wall_clock) -> None:
        self.ahead, self._now = ahead, now
        self._latest = datetime.min.replace(tzinfo=UTC)

    @property
    def clock(self) -> str:
        """What the clock said when it was read last, as `2026-01-01T12:00:00Z`."""
        return (self._latest - self.ahead).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def surely_within(self, event: Event) -> bool:
        """Whether an event lies not too far in the future by what the clock said last; it is not read again."""
        return event.at <= self._latest

    def beyond(self, event: Event) -> bool:
        """Whether an event lies too far in the future. The clock is read only when what it said last does not do."""
        if event.at <= self._latest:
            return False
        self._latest = self._now() + self.ahead
        return event.at > self._latest

"""How long is waited before what failed is tried again."""

from collections.abc import Callable
from time import monotonic

FIRST, LONGEST = 0.5, 10.0
"""Seconds of the first pause, and of the longest."""
_WELL = 60.0
"""Seconds without a failure after which the next one is a first one again."""


class Pauses:
    """Pauses in seconds: each twice as long as the one before, until all was well for a while.

    Args:
        now: gives the time in seconds.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._last, self._until = 0.0, now()

    def next(self) -> float:
        """How long to wait now that something failed."""
        now = self._now()
        again = self._last and now - self._until < _WELL
        self._last = min(2 * self._last, LONGEST) if again else FIRST
        self._until = now + self._last
        return self._last

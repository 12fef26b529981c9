"""When the events that wait are a turn: as late as costs no time, as a turn costs as much as some ten of its events."""

import asyncio
from collections.abc import Callable, Sized
from time import perf_counter

from tidegate.runtimes.serve.limits import Limits


class Gathering:
    """Begins a turn once those who are likely to share it are there.

    Args:
        waiting: the events that wait.
        limits: of the server.
        turn: decides what waits, if it `may` by now.
    """

    def __init__(self, waiting: Sized, limits: Limits, turn: Callable[[], None]) -> None:
        self._waiting, self._limits, self._turn = waiting, limits, turn
        self._loop = asyncio.get_running_loop()
        self._called = False
        self._timer: asyncio.TimerHandle | None = None
        self._appended = 0.0  # when the last turn was
        self._expected = 0  # so many wait for the next turn if all who were answered last ask again

    def call(self) -> None:
        """Begin a turn soon."""
        if not self._called:
            self._called = True
            self._loop.call_soon(self._come_together, 0)

    def _come_together(self, there: int) -> None:
        """Let those who were answered last share the turn with those who waited meanwhile.

        Or the two would take turns for good, each of half the size. No time is waited for it: as long as the loop finds
        new events when it looks at its connections, it looks once more. `there` waited when it looked last.
        """
        now = len(self._waiting)
        if there < now < self._expected:
            self._loop.call_soon(self._come_together, now)
            return
        self._called = False
        self._turn()

    def may(self, syncing: int) -> bool:
        """Whether what waits shall be decided now, while so many batches are on their way to the disk; else later.

        Those who are answered ask again, so while a batch is on its way all share the next turn. A disk that takes
        longer is worked beside.
        """
        if syncing >= self._limits.syncs:
            return False
        if not syncing or len(self._waiting) >= self._limits.turn:
            return True
        left = self._appended + self._limits.gather - perf_counter()
        if left > 0 and self._timer is None:
            self._timer = self._loop.call_later(left, self._gathered)
        return left <= 0

    def _gathered(self) -> None:
        self._timer = None
        self._turn()

    def appended(self) -> None:
        """Note that a turn is on its way to the disk."""
        self._appended = perf_counter()

    def answered(self, many: int) -> None:
        """Note that so many got their answers, and go on with those who wait."""
        self._expected = min(many + len(self._waiting), self._limits.turn)
        if self._waiting:
            self.call()

    def close(self) -> None:
        """Begin no turn later on."""
        if self._timer is not None:
            self._timer.cancel()

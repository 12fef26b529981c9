"""Syncs of the disk: a quick one is waited for where it is asked for, a slow one by a thread that tells the loop."""

import asyncio
from collections.abc import Callable
from math import inf
from queue import SimpleQueue
from threading import Thread
from time import perf_counter

Done = Callable[[BaseException | None], None]

_WEIGHT = 1 / 8
"""Of the last sync, in how long one takes of late."""


class Syncing:
    """Runs a sync for each that is asked for, some at the same time.

    To hand a sync to a thread and back costs more of the processor than the sync itself, since both need the
    interpreter's lock. Where nobody waits and the disk was quick of late, the loop has nothing to do before the sync is
    over, so it waits by itself. A disk that stands still for long keeps it from everything else once, not twice.

    An executor's future, its lock and its two hand-overs to the loop cost as much as the sync itself. Each thread has a
    queue of its own: of those that wait at one queue a second is woken for whatever is put there, only to find that the
    first has it.

    Args:
        sync: puts on the disk what was appended before it is called, in any thread.
        most: how many run at the same time.
        quick: a disk whose syncs take no longer than this of late, in seconds, is waited for on the loop.
    """

    def __init__(self, sync: Callable[[], None], most: int, quick: float) -> None:
        self._sync, self._loop, self._quick = sync, asyncio.get_running_loop(), quick
        self._lately = inf  # how long a sync takes, as far as is known; the first is not waited for
        self._threads = [_Waiting(self, number) for number in range(most)]
        self._idle = list(self._threads)

    def ask(self, done: Done, *, idle: bool) -> None:
        """Sync what was appended until now; then `done` is called on the loop, with the error if it failed.

        Args:
            done: called later on, or before this returns where the loop waits by itself: a round of the loop in between
                would find nothing to do. So asking comes last.
            idle: whether the loop has nothing to do meanwhile.
        """
        if idle and self._lately <= self._quick and len(self._idle) == len(self._threads):
            done(self._synced())
            return
        thread = self._idle.pop() if self._idle else min(self._threads, key=lambda thread: thread.asked.qsize())
        thread.asked.put(done)

    def run(self, thread: "_Waiting", done: Done) -> None:
        """One sync, in a thread."""
        self._loop.call_soon_threadsafe(self._ran, thread, done, self._synced())

    def _synced(self) -> BaseException | None:
        """Sync, whatever comes of it."""
        began, failed = perf_counter(), None
        try:
            self._sync()
        except BaseException as error:
            failed = error
        took = perf_counter() - began
        self._lately = took if self._lately == inf else self._lately + _WEIGHT * (took - self._lately)
        return failed

    def _ran(self, thread: "_Waiting", done: Done, failed: BaseException | None) -> None:
        if thread.asked.empty() and thread not in self._idle:
            self._idle.append(thread)
        done(failed)

    def close(self) -> None:
        """End the threads, once they have done what was asked."""
        for thread in self._threads:
            thread.asked.put(None)
        for thread in self._threads:
            thread.join()


class _Waiting(Thread):
    """A thread that waits for one sync after the other."""

    def __init__(self, syncing: Syncing, number: int) -> None:
        super().__init__(name=f"tidegate-sync-{number}", daemon=True)
        self._syncing = syncing
        self.asked: SimpleQueue[Done | None] = SimpleQueue()
        self.start()

    def run(self) -> None:
        """Sync whenever it is asked for."""
        while (done := self.asked.get()) is not None:
            self._syncing.run(self, done)

"""Syncs beside the event loop: threads wait for the disk, and the loop is told."""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

Done = Callable[[BaseException | None], None]


class Syncing:
    """Runs a sync for each that is asked for, some at the same time.

    An executor's future, its lock and its two hand-overs to the loop cost as much as the sync itself. Each thread has a
    queue of its own: of those that wait at one queue a second is woken for whatever is put there, only to find that the
    first has it.

    Args:
        sync: puts on the disk what was appended before it is called, in any thread.
        most: how many run at the same time.
    """

    def __init__(self, sync: Callable[[], None], most: int) -> None:
        self._sync, self._loop = sync, asyncio.get_running_loop()
        self._threads = [_Waiting(self, number) for number in range(most)]
        self._idle = list(self._threads)

    def ask(self, done: Done) -> None:
        """Sync what was appended until now; then `done` is called on the loop, with the error if it failed."""
        thread = self._idle.pop() if self._idle else min(self._threads, key=lambda thread: thread.asked.qsize())
        thread.asked.put(done)

    def run(self, thread: "_Waiting", done: Done) -> None:
        """One sync, in a thread."""
        failed: BaseException | None = None
        try:
            self._sync()
        except BaseException as error:
            failed = error
        self._loop.call_soon_threadsafe(self._ran, thread, done, failed)

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

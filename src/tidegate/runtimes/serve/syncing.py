"""Syncs beside the event loop: threads wait for the disk, and the loop is told."""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

Done = Callable[[BaseException | None], None]


class Syncing:
    """Runs a sync for each that is asked for, some at the same time.

    An executor's future, its lock and its two hand-overs to the loop cost as much as the sync itself.

    Args:
        sync: puts on the disk what was appended before it is called, in any thread.
        most: how many run at the same time.
    """

    def __init__(self, sync: Callable[[], None], most: int) -> None:
        self._sync, self._loop = sync, asyncio.get_running_loop()
        self._asked: SimpleQueue[Done | None] = SimpleQueue()
        self._threads = [Thread(target=self._work, name=f"tidegate-sync-{n}", daemon=True) for n in range(most)]
        for thread in self._threads:
            thread.start()

    def ask(self, done: Done) -> None:
        """Sync what was appended until now; then `done` is called on the loop, with the error if it failed."""
        self._asked.put(done)

    def _work(self) -> None:
        while (done := self._asked.get()) is not None:
            failed: BaseException | None = None
            try:
                self._sync()
            except BaseException as error:
                failed = error
            self._loop.call_soon_threadsafe(done, failed)

    def close(self) -> None:
        """End the threads, once they have done what was asked."""
        for _ in self._threads:
            self._asked.put(None)
        for thread in self._threads:
            thread.join()

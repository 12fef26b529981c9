"""A sync is waited for on the loop only where the disk was quick of late and nothing else is to be done."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from time import sleep

import pytest

from tidegate.runtimes.serve.syncing import Syncing

QUICK = 0.05


class Disk:
    """Notes which thread waits for it, and takes as long as it is told to."""

    def __init__(self) -> None:
        self.takes, self.fails = 0.0, False
        self.threads: list[str] = []

    def sync(self) -> None:
        self.threads.append("loop" if threading.current_thread() is threading.main_thread() else "thread")
        sleep(self.takes)
        if self.fails:
            raise OSError("the disk failed")


async def synced(syncing: Syncing, disk: Disk, *, idle: bool = True) -> None:
    """Ask for a sync and wait until it is told: where the loop waited, before `ask` is over; else by the loop."""
    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def done(error: BaseException | None) -> None:
        if error is None:
            told.set_result(None)
        else:
            told.set_exception(error)

    before = len(disk.threads)
    syncing.ask(done, idle=idle)
    assert told.done() == (disk.threads[before:] == ["loop"])
    await told


def run(what: Callable[[Syncing, Disk], Awaitable[None]]) -> list[str]:
    """Who waited for the disk in each sync of `what`."""
    disk = Disk()

    async def inner() -> None:
        syncing = Syncing(disk.sync, 2, QUICK)
        try:
            await what(syncing, disk)
        finally:
            syncing.close()

    asyncio.run(inner())
    return disk.threads


def test_the_loop_waits_for_a_disk_that_was_quick() -> None:
    async def what(syncing: Syncing, disk: Disk) -> None:
        for _ in range(3):
            await synced(syncing, disk)

    assert run(what) == ["thread", "loop", "loop"]  # of the first nothing is known


def test_a_thread_waits_while_others_want_the_loop() -> None:
    async def what(syncing: Syncing, disk: Disk) -> None:
        await synced(syncing, disk)
        await synced(syncing, disk, idle=False)
        disk.takes = QUICK / 5
        await asyncio.gather(synced(syncing, disk, idle=False), synced(syncing, disk))

    assert run(what) == ["thread"] * 4


def test_a_disk_that_stood_still_keeps_the_loop_once_and_not_soon_again() -> None:
    async def what(syncing: Syncing, disk: Disk) -> None:
        await synced(syncing, disk)
        disk.takes = 16 * QUICK  # an eighth of it counts, and 7/8 of that at each sync after it
        await synced(syncing, disk)
        disk.takes = 0.0
        for _ in range(7):
            await synced(syncing, disk)

    assert run(what) == ["thread", "loop", *["thread"] * 6, "loop"]


def test_a_failed_sync_is_told_whoever_waited() -> None:
    async def what(syncing: Syncing, disk: Disk) -> None:
        disk.fails = True
        for _ in range(2):
            with pytest.raises(OSError, match="the disk failed"):
                await synced(syncing, disk)
        disk.fails = False
        await synced(syncing, disk)

    assert run(what) == ["thread", "loop", "loop"]

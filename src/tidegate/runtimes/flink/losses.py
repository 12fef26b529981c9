"""What was decided and can be committed no more: Flink counts such transactions, and goes on without a word."""

from typing import NamedTuple

from tidegate.runtimes.flink.expiry import expired

_SETTLED = 120_000
"""Milliseconds after a job went on until all is committed that was pending then, or never will be."""


class Point(NamedTuple):
    """The number of a checkpoint, and when it was begun, or gone on from, in milliseconds. Zeros: there is none."""

    number: int = 0
    at: int = 0


class Lost(NamedTuple):
    """How many transactions are lost; whether that is sure."""

    many: int
    sure: bool = True


class Losses:
    """Tells transactions that Kafka gave up from those whose commit fails without harm.

    A job that goes on from a checkpoint commits again what was pending in it. Was that committed before, and its id
    taken for another transaction since, Kafka refuses as it does where it gave the transaction up: the checkpoint's age
    tells one from the other. A commit that fails later is never without harm.

    Args:
        timeout: milliseconds that transactions stay open.
        between: milliseconds between checkpoints.
        written: when the checkpoint was written that the job was begun with, in milliseconds; None if that is not
            known, 0 if it was begun with none, or with a savepoint, which leaves nothing pending.
    """

    def __init__(self, timeout: int, between: int, written: int | None = 0) -> None:
        self._timeout, self._between = timeout, between
        self._begun: dict[int, int] = {}
        self._written, self._went_on, self._told = written, 0, 0

    def look(self, failed: int, restored: Point, completed: Point, now: int) -> Lost | None:
        """Those that are lost and were not told before; None if there are none.

        Args:
            failed: how many could not be committed since the job last went on.
            restored: the checkpoint that it went on from last.
            completed: its newest.
            now: the time, in milliseconds of the same clock.
        """
        if restored.at != self._went_on:
            first = self._written if not self._went_on else None
            self._written = self._begun.get(restored.number, first)
            self._went_on, self._told = restored.at, 0
        if completed.number:
            self._begun = {number: at for number, at in self._begun.items() if number > completed.number - 100}
            self._begun[completed.number] = completed.at
        more, self._told = failed - min(failed, self._told), failed
        if not more or not restored.at or now - restored.at >= _SETTLED:
            return Lost(more) if more else None
        if self._written is None:
            return Lost(more, sure=False)
        late = self._written and expired(restored.at - self._written, self._timeout, self._between)
        return Lost(more) if late else None

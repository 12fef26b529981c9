"""Shadow: a challenger that learns from, and decides on, every event that a champion takes, and answers nobody.

It follows the champion's store, in a process of its own with a store of its own: the champion never waits for it, and
cannot be harmed by it. What the champion keeps is kept in order and never changes, so after any interruption the
shadow goes on behind the last event it knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tidegate.connectors.store import Store
from tidegate.decisions.instruction import Instruction
from tidegate.errors import ContractError, StoreError, UnfitError
from tidegate.events.contract import Reader
from tidegate.events.event import Event
from tidegate.evidence.record import READ
from tidegate.evidence.record import Event as StoredEvent
from tidegate.runtimes.engine import Engine, Refused
from tidegate.runtimes.relearning import reread

_MOST_LOST, _STEP = 10_000, 500


@dataclass
class Followed:
    """What became of the champion's events: how many were taken, refused, or of no use to the challenger.

    Of no use are types that it lacks, snoozes of rules that it has no more, changes of lists that it does not read.
    """

    taken: int = 0
    refused: int = 0
    unknown: int = 0


class Shadow:
    """Follows one store.

    Args:
        champion: the store that is followed; something else writes to it.
        engine: the challenger's, with a store of its own.
        store: that store.

    Raises:
        StoreError: the challenger's store follows another one.
    """

    def __init__(self, champion: Store, engine: Engine, store: Store) -> None:
        self.champion, self.engine, self.store = champion, engine, store
        self.followed = Followed()
        self._after = self._last_known()

    def _last_known(self) -> int:
        """The champion's number of the last event that both stores hold; what the shadow refused is met again.

        When power failed, the champion may have lost events that nobody was answered for and the shadow had seen.
        """
        size = self.store.head().size
        for end in range(size, max(0, size - _MOST_LOST), -_STEP):
            for row in reversed(self.store.rows(max(0, end - _STEP), min(end, _STEP))):
                known = self.champion.get(str(row[1]))
                if known is not None:
                    return known.seq
        if size:
            raise StoreError(
                f"The store {self.store.address} does not follow {self.champion.address}.",
                seen=f"none of the last {min(size, _MOST_LOST):,} events is there",
                do="Give each challenger a store of its own, and begin with an empty one.",
            )
        return 0

    @property
    def behind(self) -> int:
        """How many events the champion has taken that the shadow has not looked at."""
        return self.champion.head().size - self._after

    def catch_up(self, *, told: Callable[[int], None] | None = None, stop: Callable[[], bool] = lambda: False) -> int:
        """Take what the champion has taken since; gives how many events that were.

        Args:
            told: told after each batch how many events it had.
            stop: asked before each batch whether to leave it at that.
        """
        began = self._after
        while not stop():
            waiting = self._next()
            if not waiting:
                break
            self._take(waiting)
            self._after = waiting[-1].seq
            if told is not None:
                told(len(waiting))
        return self._after - began

    def _next(self) -> list[StoredEvent]:
        """At most a batch of what was sealed: a later read never shows anything before it."""
        sealed = self.champion.head().size
        found: list[StoredEvent] = []
        for stored in self.champion.replay(self._after):
            if stored.seq > sealed or len(found) == self.engine.batch:
                break
            found.append(stored)
        return found

    def _take(self, waiting: Sequence[StoredEvent]) -> None:
        """In the champion's order; an event that the champion only learned from is only learned from."""
        events: list[tuple[bool, Event]] = []
        for stored in waiting:
            name, _, version = stored.kind.partition("@")
            reader = self.engine.readers.get(name) if stored.body else None  # nothing is left of what was erased
            if reader is None:
                self.followed.unknown += 1
                continue
            event = self._read(reader, stored, int(version or 1))
            if isinstance(event, Instruction) and not self._of_use(event):
                self.followed.unknown += 1
                continue
            events.append((not stored.flags & READ, event))
        for learn_only, run in groupby(events, key=lambda one: one[0]):
            answers = self.engine.process([event for _, event in run], learn_only=learn_only)
            self.followed.taken += len(answers)
            self.followed.refused += sum(isinstance(answer, Refused) for answer in answers)

    def _read(self, reader: Reader[Any], stored: StoredEvent, version: int) -> Event:
        try:
            return reread(reader, stored, version)
        except UnfitError as error:
            raise UnfitError(
                f"{self.engine.definition.name} cannot read what its champion takes: record {stored.seq}, the "
                f"{stored.kind} {stored.id!r}, does not keep its contract.",
                seen=error.seen,
                do="Give what is new in the challenger's event a default; or give the event a new version there, and "
                "register how older ones become it with @upgrades.",
            ) from error

    def _of_use(self, instruction: Instruction) -> bool:
        """Whether the challenger has what this speaks of; the champion has, or it would not have taken it."""
        try:
            self.engine.require(instruction)
        except ContractError:
            return False
        return True

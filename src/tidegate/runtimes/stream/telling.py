"""Others are told of a stream's decisions by the instance that decides, and by no other.

Every instance has the same records in a store of its own, so that each could tell all of them; then whoever is told
would hear everything as often as there are instances. The one that decides runs the delivery and notes in the stream's
cluster how far each sink was told; the one that takes over begins there. What was told in the last moments before a
fall may be told twice, under the same id.

Brokers drop such a note a while after it was written last. So the one that tells writes it again now and then, however
quiet the stream is; and those that stand by keep what it says beside their own stores, which is what is left when all
were away for longer. Where neither is there, everything is told again: nobody could say what would be left out.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.kafka.shared import SharedProgress
from tidegate.connectors.search_sqlite import SqliteIndex
from tidegate.connectors.store import Store
from tidegate.connectors.store_address import Address
from tidegate.connectors.told import Told, sinks
from tidegate.errors import TidegateError
from tidegate.runtimes.serve.companion import Companion

_LOG = logging.getLogger("tidegate.stream")
_LOOK = 0.1
"""Seconds between looks at who decides, and at how far sinks were told, which is noted where it has changed."""
_AGAIN = 3600.0
"""Seconds after which it is noted again where it has not: it is kept for a week (`offsets.retention.minutes`), or as
long as a cluster says, which is a day in old ones."""
_LEARN = 60.0
"""Seconds between looks of an instance that stands by at how far the other one has told."""
_AT_ONCE = float("-inf")


class Telling:
    """Runs a delivery while this instance decides.

    Args:
        beside: the process that delivers; one like it is started each time.
        store: whose records are told.
        names: of the sinks that are told.
        shared: what is known of how far sinks were told.
        decides: whether this instance decides now, and its store holds all that was decided before.
        past: how many records that was, when it began to decide.
        now: the seconds of a clock.
    """

    def __init__(
        self,
        beside: Companion,
        store: Address,
        names: Sequence[str],
        shared: SharedProgress,
        decides: Callable[[], bool],
        past: Callable[[], int],
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._like, self._store, self._shared, self._decides, self._past = beside, store, shared, decides, past
        self._names, self._now = [name for name in names if name != SqliteIndex.NAME], now
        self._beside: Companion | None = None
        self._noted: Mapping[str, int] = {}
        self._due = _AT_ONCE
        """When it is noted again, or looked at by one that stands by, although nothing is known to have changed."""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="tidegate-telling")

    @property
    def waits(self) -> bool:
        """Whether another instance is the one that tells."""
        return self._beside is None and not self._decides()

    @property
    def running(self) -> bool:
        """Whether the delivery runs, if it is this instance's to run."""
        return self.waits or (self._beside is not None and self._beside.running)

    def start(self) -> None:
        """Begin to look whether this instance decides."""
        self._thread.start()

    def stop(self) -> None:
        """End the delivery, and note how far it came."""
        self._ending.set()
        self._thread.join()
        self._end()
        self._shared.close()

    def _work(self) -> None:
        while not self._ending.wait(_LOOK):
            try:
                if self._beside is None and self._decides():
                    self._go_on()
                    self._beside = self._like.again()
                    self._beside.start()
                elif self._beside is not None and not self._decides():
                    self._end()
                elif self._beside is not None:
                    self._note()
                elif self._now() >= self._due:
                    self._learn()
            except TidegateError as error:
                _LOG.warning("%s It is tried again; nothing is lost.", error)
            except Exception:  # a fault of ours must not leave alarms untold until the next start
                _LOG.exception("Telling of decisions failed. It is tried again; nothing is lost.")

    def _end(self) -> None:
        beside, self._beside = self._beside, None
        if beside is not None:
            beside.stop()
            try:
                self._note()
            except TidegateError as error:
                _LOG.warning("%s Whoever takes over may tell the last decisions once more.", error)
            self._due = _AT_ONCE

    def _learn(self) -> None:
        """Keep beside the own store how far another instance has told, for when the cluster no longer says so."""
        self._due = self._now() + _LEARN
        before, self._noted = self._noted, self._shared.read()
        self._take(before, self._noted)  # what was noted just now may be of records that are still to come here

    def _go_on(self) -> None:
        """Take from whoever told before how far each sink was told."""
        self._noted = self._shared.read()
        self._take(self._noted)
        self._say_unknown()
        self._due = _AT_ONCE

    def _take(self, *noted: Mapping[str, int]) -> None:
        with AlertsFile.beside(self._store.place) as file, Store.open(self._store, read_only=True) as kept:
            size = kept.head().size
            for name, seq in [each for one in noted for each in one.items()]:
                told = Told(file, name)
                if _reached(told) < seq <= size:
                    (leaf,) = kept.leaves(seq - 1, seq)
                    told.reached(seq, leaf, [])

    def _say_unknown(self) -> None:
        """Say of whom the cluster has no note, and what they are told therefore. None of it can be left out: a sink
        that was never told, and one of which a note was lost, look the same."""
        past, place = self._past(), AlertsFile.place_beside(self._store.place)
        with AlertsFile(place) as file:
            unknown = {name: _reached(Told(file, name)) for name in self._names if name not in self._noted}
        for name, seq in unknown.items():
            if seq >= past:
                continue
            if seq:
                _LOG.warning(
                    "How far %s was told is not noted in the cluster. Seen: record %d of %d, by this instance's own "
                    "notes. It is told on from there: what another instance told it since, it is told once more.",
                    name, seq, past,
                )  # fmt: skip
            elif self._noted:
                _LOG.warning("%s is told for the first time: of all %d records, from the first on.", name, past)
            else:
                _LOG.warning(
                    "How far %s was told is noted neither in the cluster nor in %s. It is told of all %d records, from "
                    "the first on; what it was told before, it is told once more. To go on where another instance "
                    "ended, stop this one, and put the .alerts file of that one's store in the place of %s.",
                    name, place, past, place,
                )  # fmt: skip

    def _note(self) -> None:
        with AlertsFile.beside(self._store.place) as file:
            told = {name: _reached(Told(file, name)) for name in sinks(file) if name != SqliteIndex.NAME}
        due = bool(told) and self._now() >= self._due
        if due or any(seq > self._noted.get(name, 0) for name, seq in told.items()):
            there = self._shared.read()  # which another one may have written that has taken over by now
            noted = there | {name: max(seq, there.get(name, 0)) for name, seq in told.items()}
            self._shared.write(noted)
            self._noted, self._due = noted, self._now() + _AGAIN


def _reached(told: Told) -> int:
    marks = told.marks()
    return marks[0][0] if marks else 0

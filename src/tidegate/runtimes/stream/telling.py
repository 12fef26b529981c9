"""Others are told of a stream's decisions by the instance that decides, and by no other.

Every instance has the same records in a store of its own, so that each could tell all of them; then whoever is told
would hear everything as often as there are instances. The one that decides runs the delivery and notes in the stream's
cluster how far each sink was told; the one that takes over begins there. What was told in the last moments before a
fall may be told twice, under the same id.
"""

import logging
import threading
from collections.abc import Callable

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


class Telling:
    """Runs a delivery while this instance decides.

    Args:
        beside: the process that delivers; one like it is started each time.
        store: whose records are told.
        shared: what is known of how far sinks were told.
        decides: whether this instance decides now, and its store holds all that was decided before.
    """

    def __init__(self, beside: Companion, store: Address, shared: SharedProgress, decides: Callable[[], bool]) -> None:
        self._like, self._store, self._shared, self._decides = beside, store, shared, decides
        self._beside: Companion | None = None
        self._noted: dict[str, int] = {}
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

    def _go_on(self) -> None:
        """Take from whoever told before how far each sink was told."""
        self._noted = self._shared.read()
        with AlertsFile.beside(self._store.place) as file, Store.open(self._store, read_only=True) as kept:
            size = kept.head().size
            for name, seq in self._noted.items():
                told = Told(file, name)
                marks = told.marks()
                if 0 < seq <= size and (not marks or marks[0][0] < seq):
                    (leaf,) = kept.leaves(seq - 1, seq)
                    told.reached(seq, leaf, [])

    def _note(self) -> None:
        with AlertsFile.beside(self._store.place) as file:
            marks = {name: Told(file, name).marks() for name in sinks(file) if name != SqliteIndex.NAME}
        told = {name: found[0][0] for name, found in marks.items() if found}
        if any(seq > self._noted.get(name, 0) for name, seq in told.items()):
            there = self._shared.read()  # which another one may have written that has taken over by now
            self._noted = there | {name: max(seq, there.get(name, 0)) for name, seq in told.items()}
            self._shared.write(self._noted)

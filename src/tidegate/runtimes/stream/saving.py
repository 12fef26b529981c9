"""Snapshots of a stream's state, written while it goes on."""

import logging
import threading
from collections.abc import Callable

from tidegate.connectors.store import Store
from tidegate.errors import TidegateError
from tidegate.evidence.snapshot import Snapshots
from tidegate.runtimes.engine import Engine

_LOG = logging.getLogger("tidegate.stream")


class Saving:
    """Writes snapshots in a thread of their own: only copying the state holds up what is decided.

    Args:
        store: of the stream, whose records are those that were committed.
        engine: whose state it is.
        every: records after which one is written.
    """

    def __init__(self, store: Store, engine: Engine, every: int) -> None:
        self._store, self._engine, self._every = store, engine, every
        self._saved = store.head().size - engine.recovered  # else each start learns again what this one had to
        self._thread: threading.Thread | None = None
        self.written = 0

    def if_due(self) -> None:
        """Begin one if enough was added since the last, and that one is written."""
        if self._store.head().size - self._saved < self._every:
            return
        if self._thread is None or not self._thread.is_alive():
            self._saved = self._store.head().size
            self._thread = threading.Thread(target=self._write, args=(self._engine.hold(),), name="tidegate-snapshot")
            self._thread.start()

    def _write(self, write: Callable[[], None]) -> None:
        try:
            self._store.sync()  # a snapshot is never ahead of what the disk holds
            write()
            self.written += 1
        except (TidegateError, OSError) as error:
            _LOG.error("No snapshot was written, and a restart takes longer: %s", error)

    def forget(self, keep: bool) -> None:
        """Before records are erased: what was saved of them goes; or, if windows `keep` them, is all in one snapshot.

        Raises:
            StoreError, OSError: that one cannot be written.
        """
        if self._thread is not None:
            self._thread.join()
        snapshots = Snapshots.beside(self._store.place)
        last = ""
        if keep:
            self._store.sync()
            self._engine.hold()()
            self._saved = self._store.head().size
            last = str(self._saved)
        else:
            self._saved = 0
        for path in snapshots.files():
            if not last or path.stem.lstrip("0") != last:
                path.unlink()

    def close(self, *, last: bool) -> None:
        """Wait for what is being written; then, if it is so wanted, write one of what was added since."""
        if self._thread is not None:
            self._thread.join()
        if last and self._store.head().size > self._saved:
            self._write(self._engine.hold())

"""Moving a store's write-ahead log into its database, beside the thread that appends."""

import logging
import sqlite3
import threading
from pathlib import Path

from tidegate.connectors.sqlite_files import CHECKPOINT, PAGE, connect

_LOG = logging.getLogger("tidegate.store")
_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"

LATEST = 4 * CHECKPOINT
"""Pages in the log at which a commit moves them after all, because the thread beside it did not come to it."""

LONG = CHECKPOINT * PAGE
"""Bytes in the log, about, at which it is moved."""

_COMMIT = 6 * PAGE
"""What a commit writes beside its rows: the pages that they begin and end in, and those of indexes and hashes."""

_SHORT = CHECKPOINT // 16
_PASSES = 8


class Checkpoints:
    """Moves the log of a store into its database in a thread of its own, once it is long; the last few pages it leaves
    to the one who appends, since only between two commits can all of the log be moved, and the log begin anew.

    A commit that moved all of it would stand still for some 30 ms, most of them waiting for the disk.

    Args:
        path: of the store.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unmoved = 0
        self._asked = self._rest = self._ending = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tidegate-checkpoint", daemon=True)
        self._thread.start()

    def committed(self, connection: sqlite3.Connection, size: int) -> None:
        """Say that a batch was committed.

        Args:
            connection: that committed it, and commits nothing meanwhile.
            size: bytes of its rows.
        """
        self._unmoved += size + _COMMIT
        if self._rest:
            self._rest = self._asked = False
            self._unmoved = 0
            _move(connection)
        elif self._unmoved >= LONG and not self._asked:
            self._asked = True
            self._wake.set()

    def _work(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._ending:
                return
            try:
                connection = connect(self._path, write=True)
                try:
                    for _ in range(_PASSES):
                        if self._ending or _move(connection) <= _SHORT:
                            break
                finally:
                    connection.close()
            except sqlite3.Error as error:
                _LOG.warning("The log of the store %s could not be moved yet: %s", self._path, error)
            self._rest = True

    def close(self) -> None:
        """End the thread, once it has done what it is doing."""
        self._ending = True
        self._wake.set()
        self._thread.join()


def _move(connection: sqlite3.Connection) -> int:
    """Move what can be moved now; how many pages of the log are left. A fault is met again by who appends."""
    try:
        _, pages, moved = connection.execute(_MOVE).fetchone()
    except sqlite3.Error as error:
        _LOG.warning("The log of the store could not be moved into it yet: %s", error)
        return 0
    return int(pages - moved)

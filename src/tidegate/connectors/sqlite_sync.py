"""How what a SQLite store committed comes onto the disk, where commits do not see to it: see `Store.sync_apart`."""

import ctypes
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tidegate.connectors.redo_log import RedoLog, Start, beside
from tidegate.errors import StoreError
from tidegate.evidence.record import Refusal, Row

# Where there is only fsync (macOS), it does the same and a little more.
_data_sync = getattr(os, "fdatasync", os.fsync)

EARLY = 25
"""Batches after which the system is to begin to write SQLite's log out."""
# Linux's (`man 2 sync_file_range`). With this flag it only begins, and takes no error from the syncs that come.
_BEGIN_TO_WRITE = 2
_range_sync = getattr(ctypes.CDLL(None), "sync_file_range", None)
if _range_sync is not None:
    _range_sync.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)

_LOG = logging.getLogger("tidegate.store")


def _write_early(file: int) -> None:
    """Have the system begin to write what it holds of a file, so that a sync that comes has little to wait for."""
    if _range_sync is not None:
        _range_sync(file, 0, 0, _BEGIN_TO_WRITE)  # of no need, so whether it could is not asked


class SqliteSync:
    """Puts commits on the disk, by a sync of SQLite's log, or sooner by the redo log where there is one.

    Args:
        path: of the store.
        move_log: moves what SQLite's log holds into the database; raises StoreError.
    """

    def __init__(self, path: Path, move_log: Callable[[], None]) -> None:
        self._path, self._move_log = path, move_log
        self._unsure = False
        self._logs: dict[int, int] = {}
        self._redo: RedoLog | None = None
        self._given_up: RedoLog | None = None
        self._giving_up = threading.Lock()
        # Commits that the redo log lacks, and how many of them a sync of SQLite's log has put on the disk.
        self._outside = self._safe = 0
        self._unwritten = 0  # batches since SQLite's log was last begun to be written out
        # Lengths of the store: committed, and on the disk.
        self._length = self._durable = 0

    def log_ahead(self, length: int) -> None:
        """From now on write batches to a redo log, if this system can; the store has this length."""
        path = beside(self._path)
        if path.exists():
            _LOG.info("There is no new redo log while %s of an earlier process is still of use.", path)
            return
        self._length = length
        try:
            self._sync_log()  # for what a process wrote that was killed
            self._redo = RedoLog(path, self._path.stat().st_mode & 0o777)
        except OSError as error:
            _LOG.info("There is no redo log (%s at %s): each sync waits for SQLite's log.", error, path)

    def begin(self, start: Start, root: bytes, rows: Sequence[Row], refusals: Sequence[Refusal]) -> None:
        """Begin to put a batch on the disk that is about to be committed. `committed` or `void` has to follow."""
        redo = self._redo
        if redo is None or not (rows or refusals):
            return
        try:
            begun = redo.begin(start, self._durable, root, rows, refusals)
            if not begun and not self._unsure:
                self._sync_log()
                redo.rewind()
                redo.begin(start, self._durable, root, rows, refusals)
        except OSError as error:
            self._give_up(error)

    def committed(self, length: int) -> None:
        """Note that a batch was committed, and how long the store is with it."""
        redo = self._redo
        if redo is None or not redo.settle():
            self._outside += 1
        self._length = length
        self._unwritten += 1
        if redo is not None and self._unwritten >= EARLY:
            self._unwritten = 0
            with suppress(OSError):
                _write_early(self._log())

    def void(self) -> None:
        """Take back what was begun last: it was not committed, or nobody knows."""
        redo = self._redo or self._given_up
        if redo is None:
            return
        self._outside += 1  # in case that it was
        try:
            redo.void()
        except OSError as error:
            self._give_up(error)

    def outside(self) -> None:
        """Note that something was committed of which the redo log knows nothing."""
        self._outside += 1

    def _give_up(self, error: OSError) -> None:
        with self._giving_up:
            if self._redo is not None:
                _LOG.warning("The redo log is not written any more (%s): each sync waits for SQLite's log.", error)
                self._given_up, self._redo = self._redo, None

    def sync(self) -> None:
        """Put everything that was committed before this call on the disk; any thread may ask.

        Raises:
            StoreError: the disk failed. The next call tries again, by another way: see the source.
        """
        redo, length = self._redo, self._length
        if redo is not None and self._outside == self._safe:
            try:
                redo.wait()
                self._durable = max(self._durable, length)
                return
            except OSError as error:
                self._give_up(error)
        try:
            if self._unsure:
                # After a failed sync Linux calls the pages clean, and a second sync would say yes to what was never
                # written. So the log's content is moved into the database, which is written and synced anew.
                self._move_log()
                self._unsure = False
            self._sync_log()
        except OSError as error:
            raise StoreError(
                f"The store {self._path} could not be put on the disk.",
                seen=str(error.strerror),
                do="Look at its disk (room, quota, faults), then send the batch again, as a stream does by itself.",
            ) from error

    def _sync_log(self) -> None:
        outside, length = self._outside, self._length
        try:
            _data_sync(self._log())
        except OSError:
            self._unsure = True
            raise
        self._safe, self._durable = max(self._safe, outside), max(self._durable, length)

    def _log(self) -> int:
        """The calling thread's own descriptor of the log: Linux tells a failed write once to each.

        SQLite's locks are on other files, so opening and closing this one does no harm.
        """
        thread = threading.get_ident()
        if thread not in self._logs:
            log = self._path.with_name(self._path.name + "-wal")
            self._logs[thread] = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
        return self._logs[thread]

    def end_log(self) -> None:
        """Write no redo log any more, and delete it once all that it has is safe without it.

        Raises:
            StoreError: the disk failed; the redo log stays.
        """
        redo = self._redo or self._given_up
        if redo is None:
            return
        self._redo, self._given_up = None, redo
        self.sync()
        redo.remove()
        redo.close()
        self._given_up = None

    def close(self) -> None:
        """Let go of all files; the database is not closed yet."""
        with suppress(StoreError):  # its redo log is looked through at the next start
            self.end_log()
        for log in self._logs.values():
            os.close(log)
        self._logs.clear()

"""Whether a store's file is whole: the database itself, or with what its write-ahead log holds.

A checkpoint copies pages from the log into the database. Where the disk is full, or the process is killed, it may end
within a page; nothing is lost by that, as the log holds the page until a checkpoint succeeds. So a database is cut
short only if it lacks a page that the log lacks too. SQLite does not look: it reads what is missing as zeros, and even
its closing of a connection that may write would fill the gap with zeros for good.

The formats are SQLite's: https://www.sqlite.org/walformat.html (the log, and the index of it that `-shm` begins with).
"""

import os
import sqlite3
import struct
from contextlib import suppress
from pathlib import Path

from tidegate.errors import StoreError

_INDEX = struct.Struct("=8xIBBH II")
"""Of the wal-index header: change counter, initialised, checksum order, page size, last valid frame, pages."""
_LOG_HEADER = 32
_FRAME_HEADER = 24
_TRIES = 3


def check_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that every page of the database is in its file, or in its log.

    Args:
        connection: to this database, to read only (see above), and in no transaction.
        path: the file.

    Raises:
        StoreError: a page is in neither.
        sqlite3.Error: it is no database, or a damaged one.
    """
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    for tried in range(1, _TRIES + 1):
        lacking = _lacking(connection, path, page)
        if lacking is None:
            return
        if tried == _TRIES:  # another process may move pages while we look
            raise StoreError(
                f"The store {path} is damaged or was cut short.",
                seen=f"{path.stat().st_size} bytes; page {lacking} (of {page} bytes) is neither there nor in its log",
                do="Put back a copy of the file, with its -wal and .redo if there are any, then run `tidegate verify`.",
            )


def _lacking(connection: sqlite3.Connection, path: Path, page: int) -> int | None:
    """The number of a page that is nowhere, None when all are there."""
    connection.execute("BEGIN")
    try:
        # Reading makes SQLite look through the log and write its index, if that was not done before.
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        last = _last_frame(path)
        size = path.stat().st_size
        if size % page == 0 and size >= pages * page:
            return None
        logged = _logged(path, page, last) if last else set()
        return next(
            (number for number in range(size // page + 1, pages + 1) if number not in logged), _rest(size, page, pages)
        )
    finally:
        connection.execute("ROLLBACK")


def _rest(size: int, page: int, pages: int) -> int | None:
    """A part of a page beyond the last one, which no checkpoint leaves behind."""
    return pages + 1 if size > pages * page else None


def _last_frame(path: Path) -> int:
    """The last frame of the log that counts, 0 for none."""
    head = _through_sqlite(path.with_name(path.name + "-shm"), _INDEX.size)
    if len(head) < _INDEX.size:
        return 0
    _, _, _, _, last, _ = _INDEX.unpack(head)
    return int(last)


def _through_sqlite(path: Path, size: int) -> bytes:
    """The first bytes of a file that SQLite has open in this process, empty if it has not.

    They are read through its own descriptor: where a process closes another one of the same file, its locks on that
    file are gone (POSIX), and the next process would take the index for an abandoned one and cut it short beneath us.
    """
    try:
        there = path.stat()
    except FileNotFoundError:
        return b""
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # one that was closed meanwhile
            found = os.fstat(int(name))
            if (found.st_dev, found.st_ino) == (there.st_dev, there.st_ino):
                return os.pread(int(name), size, 0)
    return b""


def _logged(path: Path, page: int, last: int) -> set[int]:
    """The numbers of the pages in the log's first `last` frames."""
    found = set()
    log = os.open(path.with_name(path.name + "-wal"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        for frame in range(last):
            head = os.pread(log, 4, _LOG_HEADER + frame * (_FRAME_HEADER + page))
            found.add(int.from_bytes(head, "big"))
    finally:
        os.close(log)
    return found

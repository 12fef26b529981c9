"""The files of a SQLite store: who may open them, and whether they are what they should be."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from tidegate.connectors.sqlite_faults import told
from tidegate.connectors.sqlite_whole import check_whole
from tidegate.connectors.store_revision import check_known, revision
from tidegate.errors import StoreError
from tidegate.evidence.merkle import Range
from tidegate.evidence.record import Refusal
from tidegate.evidence.refusals import seal_refusals
from tidegate.evidence.tables import REVISION, definitions

# Python 3.11 asks bytes, six times a record, whether they would be something else, and makes words of each no:
# a third of what binding costs. So it is told beforehand that bytes are bytes.
sqlite3.register_adapter(bytes, bytes.__bytes__)

APPLICATION = 0x54494445
"""SQLite's application id of a store: `TIDE`."""

PAGE = 8192
"""Bytes a page: rows of some 1 kB are written fastest so, and an index on random ids is not made much slower."""

CACHE_KIB = 32 * 1024

CHECKPOINT = 4000
"""Pages (32 MiB) in the write-ahead log at which a commit also moves them into the database, some 30 ms.

More pages save writing where ids come in no order and make the one wait longer. A thread of its own for it was
measured: a server decided no more events a second, and one answer in a hundred took 3.8 to 5.2 ms where it takes 2.7 to
3.6, as both sync one disk.
"""


class Lock:
    """Keeps a second process, or a second `Store` of this one, from writing the same store.

    An advisory lock on the file `<store>.lock`, which holds the number of the process. It goes with the process,
    however that ends. It is by the store's name: whoever deletes that file lets a second one in, which `held` tells.

    Args:
        store: its path, without symbolic links.

    Raises:
        StoreError: another holds it, or the file cannot be made; or the store has a second name.
    """

    def __init__(self, store: Path) -> None:
        if store.exists() and store.stat().st_nlink > 1:
            # The log, and this lock, lie beside the name that it is opened by: by another name both would be missed.
            raise StoreError(
                f"The store {store} has another name too (a hard link), by which it could be written at the same time.",
                seen=f"{store.stat().st_nlink} names",
                do="Delete the other name, or make the copy with `tidegate store copy`.",
            )
        self.store, self.path = store, store.with_name(store.name + ".lock")
        self._stored: tuple[int, int] | None = None
        self._take(store)
        while self._identity(self.path) != self._own:  # deleted between opening and locking it
            self.release()
            self._take(store)

    def _take(self, store: Path) -> None:
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                f"The store {store} cannot be opened for writing.",
                seen=f"{error.strerror} at {self.path}",
                do="Give this user the right to write the file and an existing folder to put it in.",
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise StoreError(
                    f"The store {store} cannot be locked.", seen=str(error), do="Put it on a file system with locks."
                ) from error
            raise StoreError(
                f"Another process has the store {store} open.",
                seen=f"process {holder or 'unknown'}",
                do="Stop that process, or name another store; it may be read meanwhile (in Python read_only=True).",
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)
        found = os.fstat(self._file)
        self._own = (found.st_dev, found.st_ino)

    def require_place(self) -> None:
        """Make sure that the file of the store's name is the one that was there at the first call.

        Raises:
            StoreError: it was moved, deleted or replaced, so that what is written now would be found by nobody.
        """
        found = self._identity(self.store)
        if self._stored is None:
            self._stored = found
        elif self._stored != found:
            raise StoreError(
                f"The store {self.store} was {'replaced' if found else 'moved or deleted'} while it is written, so "
                "nothing more is written to it.",
                seen="another file by that name" if found else "no file by that name",
                do="Put the file back, or stop this process; start it again once the right store is there.",
            )

    def held(self) -> bool:
        """Whether the file that is locked is still the one of its name: it costs a look at the folder."""
        return self._identity(self.path) == self._own

    @staticmethod
    def holder_runs(store: Path) -> bool:
        """Whether the process that last had a store open to write still runs.

        Asking for the lock itself would be in the way of one that takes it at the same time.
        """
        try:
            os.kill(int(store.with_name(store.name + ".lock").read_text("ascii")), 0)
        except PermissionError:
            return True
        except (OSError, ValueError):
            return False
        return True

    @staticmethod
    def _identity(path: Path) -> tuple[int, int] | None:
        # Never by opening it: SQLite's own locks on a file go when its process closes any descriptor of that file.
        try:
            found = os.stat(path)
        except OSError:
            return None
        return (found.st_dev, found.st_ino)

    def release(self) -> None:
        """Let others in. Doing it twice is no mistake."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection to an existing store, in autocommit, usable from any one thread at a time.

    Raises:
        sqlite3.Error: SQLite cannot open it.
    """
    mode = "mode=rw" if write else "mode=ro"
    if not write and not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists():
        # Beside a store at rest in a folder that cannot be written there is no place for the shared index of readers,
        # and no writer to share it with.
        mode = "immutable=1"
    uri = f"file:{quote(str(path.absolute()))}?{mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if write:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
        else:
            connection.execute("PRAGMA query_only = 1")
    except BaseException:
        connection.close()
        raise
    return connection


def make(path: Path) -> None:
    """Make an empty store. Half a store is never seen: it is made under another name, then moved.

    Raises:
        StoreError: the file cannot be made.
    """
    unfinished = path.with_name(path.name + ".new")
    for ending, what in (("-wal", "write-ahead log"), (".redo", "redo log")):
        log = path.with_name(path.name + ending)
        if log.exists() and log.stat().st_size:
            # SQLite would write the old store's pages over the new one, and we its last records.
            raise StoreError(
                f"The store {path} is gone, but its {what} is still there.",
                seen=f"{log.stat().st_size} bytes in {log}, and no {path.name}",
                do="Put the file back; to begin a new store instead, delete the log.",
            )
    try:
        unfinished.unlink(missing_ok=True)
        connection = sqlite3.connect(unfinished, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size = {PAGE}")
            connection.execute("BEGIN")
            for statement in definitions("sqlite"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute("COMMIT")
        finally:
            connection.close()
        os.replace(unfinished, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except sqlite3.Error as error:
        raise told(error, path) from error
    except OSError as error:
        raise StoreError(
            f"The store {path} cannot be made.",
            seen=str(error.strerror),
            do="Give a folder that can be written.",
        ) from error


def recognise(connection: sqlite3.Connection, path: Path) -> str:
    """The revision of a store's tables; makes sure that it is one, whole, and of a revision that we know.

    Args:
        connection: to read only (see `check_whole`).
        path: the file.

    Raises:
        StoreError: it is another database, was cut short, or a store of another version.
        sqlite3.Error: it is no database, or a damaged one.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables and not application:
        raise StoreError(
            f"{path} is empty: a store that was cut to nothing, or never one.",
            do="Put back a copy of the store; to begin a new one, delete the file.",
        )
    if application != APPLICATION:
        raise StoreError(
            f"{path} is not a store, but another program's SQLite database.",
            seen=f"application id {application:#x}, {tables} tables and indexes",
            do="Give the path of a store, or of a file that does not exist yet.",
        )
    check_whole(connection, path)

    def has_table(name: str) -> bool:
        named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return connection.execute(named, (name,)).fetchone() is not None

    return check_known(revision(has_table, lambda asked: connection.execute(asked).fetchall()), path)


def bring_up(path: Path, at: str, to: str = REVISION) -> None:
    """Bring a store to a newer revision, in one transaction.

    Args:
        path: the file, whose lock the caller has.
        at: the revision that it has.
        to: the revision to bring it to.

    Raises:
        sqlite3.Error: it cannot be written; the store is then as it was.
    """
    if at == to:
        return
    from tidegate.connectors.migrating import upgrade

    connection = connect(path, write=True)
    try:
        upgrade(connection, at=at, to=to)
    finally:
        connection.close()


def add_refusals(connection: sqlite3.Connection, refusals: Sequence[Refusal], tree: Range) -> None:
    """Put refusals and their seals into a transaction; `tree`, the edge of their log, grows by them."""
    if refusals:
        rows, head = seal_refusals(refusals, tree)
        connection.executemany("INSERT INTO refusals (seq, id, digest, reason, at) VALUES (?, ?, ?, ?, ?)", rows)
        edge = b"".join(tree.hashes)
        connection.execute("INSERT INTO refusal_heads VALUES (?, ?, ?, ?)", (head.size, head.root, head.leaves, edge))

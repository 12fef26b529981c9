"""The file of alerts beside a store: the index of its decisions, and how far each sink has been told."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tidegate.actions.sink import UnavailableError
from tidegate.errors import StoreError

_APPLICATION = 0x54494441
"""SQLite's application id of a file of alerts: `TIDA`."""
_VERSION = 1
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE documents (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, us INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX documents_us ON documents (us, seq);
CREATE TABLE fields (field INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE words (field INTEGER, value TEXT, seq INTEGER, PRIMARY KEY (field, value, seq)) WITHOUT ROWID;
CREATE TABLE numbers (field INTEGER, value REAL, seq INTEGER, PRIMARY KEY (field, value, seq)) WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', tokenize = "unicode61 remove_diacritics 0 tokenchars '_'");
CREATE TABLE told (sink TEXT NOT NULL, seq INTEGER NOT NULL, leaf BLOB NOT NULL, PRIMARY KEY (sink, seq));
CREATE TABLE held (
    sink TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (sink, seq)
);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""


class AlertsFile:
    """One SQLite file, for any number of threads and processes. Made if it is not there.

    Args:
        path: the file.

    Raises:
        StoreError: it is something else, of another version, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._open()
        except sqlite3.Error as error:
            raise StoreError(
                f"{path} is no file of alerts, or cannot be opened.",
                seen=str(error),
                do="Give another place, or remove the file: it is made anew from the store.",
            ) from error

    @classmethod
    def beside(cls, store: Path) -> Self:
        """The file of a store: `STORE.alerts`."""
        return cls(cls.place_beside(store))

    @staticmethod
    def place_beside(store: Path) -> Path:
        """Where the file of a store is, whether it is there or not."""
        return store.with_name(store.name + ".alerts")

    def _open(self) -> None:
        run = self._connection.execute
        (application,), (version,) = run("PRAGMA application_id").fetchone(), run("PRAGMA user_version").fetchone()
        if (application, version) != (_APPLICATION, _VERSION):
            if run("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise sqlite3.DatabaseError(f"a database of application {application:#x}, version {version}")
            run("PRAGMA journal_mode = WAL")
            try:
                self._connection.executescript(_TABLES)
            except sqlite3.OperationalError:
                if self._connection.in_transaction:
                    run("ROLLBACK")
                if not run("SELECT count(*) FROM sqlite_master WHERE name = 'held'").fetchone()[0]:
                    raise  # nobody else made them in the meantime
        run("PRAGMA synchronous = NORMAL")
        run("PRAGMA cache_size = -65536")

    def read(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """The rows of a statement.

        Raises:
            StoreError: the file is damaged or gone.
        """
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(
                    f"The file of alerts {self.path} cannot be read.",
                    seen=str(error),
                    do="Remove it: it is made anew from the store.",
                ) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction.

        Raises:
            UnavailableError: the disk is full or failing, or another process holds the file; nothing was changed.
        """
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise UnavailableError(
                    f"The file of alerts {self.path} could not be written.", seen=str(error), do="Look at its disk."
                ) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def scrub(self) -> None:
        """Write the file anew without what was deleted, and its log into it.

        Raises:
            UnavailableError: the disk is full, or another process holds the file.
        """
        with self._lock:
            try:
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise UnavailableError(
                    f"The file of alerts {self.path} could not be written.", seen=str(error), do="Look at its disk."
                ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

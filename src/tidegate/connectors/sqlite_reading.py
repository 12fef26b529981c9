"""How a SQLite store is read: each thread that reads has a connection of its own, so none waits for the writer."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tidegate.connectors.sqlite_faults import told
from tidegate.connectors.sqlite_files import connect
from tidegate.connectors.store import Store
from tidegate.connectors.store_reading import ROWS
from tidegate.errors import StoreError
from tidegate.evidence.record import Row


class SqliteReading(Store):
    """The reading half of a `SqliteStore`."""

    def __init__(self, path: Path) -> None:
        self.path = self.place = path
        self.address = str(path)
        self._closed = False
        self._own = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._opening = threading.Lock()

    def _reader(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if found is None or self._closed:
            with self._opening:
                if self._closed:
                    raise StoreError(f"The store {self.path} is closed.", do="Open it again with Store.open.")
                found = self._own.connection = connect(self.path, write=False)
                self._readers.append(found)
        return found

    def _read(self, statement: str, values: Sequence[object] = (), *, by_key: bool = False) -> list[Any]:
        try:
            return self._reader().execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise told(error, self.path) from error

    def _has_table(self, name: str) -> bool:
        return bool(self._read("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def _holds_text(self, text: str) -> tuple[str, Sequence[object]]:
        like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        places = ("id", "CAST(body AS TEXT)", "CAST(answer AS TEXT)")
        return " OR ".join(f"{place} LIKE ? ESCAPE '\\'" for place in places), [like] * len(places)

    def rows(self, after: int = 0, limit: int = 1000) -> Sequence[Row]:
        """At most `limit` records after number `after`, as they lie in the table; text that is no UTF-8 escaped."""
        try:
            return self._reader().execute(ROWS, (after, limit)).fetchall()
        except sqlite3.OperationalError as error:
            if "UTF-8" not in str(error):
                raise told(error, self.path) from error
        except sqlite3.Error as error:
            raise told(error, self.path) from error
        reader = self._reader()
        reader.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
        try:
            return self._read(ROWS, (after, limit))
        finally:
            reader.text_factory = str

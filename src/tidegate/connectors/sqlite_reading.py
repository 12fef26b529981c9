"""How a SQLite store is read: each thread that reads has a connection of its own, so none waits for the writer."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tidegate.connectors.sqlite_faults import told
from tidegate.connectors.sqlite_files import connect
from tidegate.connectors.store import Store
from tidegate.connectors.store_reading import ROWS
from tidegate.errors import StoreError
from tidegate.evidence.record import Row
from tidegate.evidence.tables import IDS

_MISFILED = (
    "SELECT seq, leads FROM (SELECT r.seq, coalesce((SELECT i.seq FROM records AS i "
    f"INDEXED BY {IDS} WHERE i.id = r.id LIMIT 1), 0) AS leads FROM records AS r NOT INDEXED "
    "WHERE r.seq BETWEEN ? AND ?) WHERE seq <> leads ORDER BY seq LIMIT 1"
)

_LONGEST_PATTERN = 50_000
"""Bytes of a pattern that SQLite takes (SQLITE_MAX_LIKE_PATTERN_LENGTH); longer texts are looked for as they stand."""


class SqliteReading(Store):
    """The reading half of a `SqliteStore`."""

    _BY_NUMBER = "records NOT INDEXED"

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

    def index_fault(self) -> str:
        """What is wrong with the index of ids as a whole; empty if nothing is."""
        found = self._read("SELECT \"unique\", partial FROM pragma_index_list('records') WHERE name = ?", (IDS,))
        if not found:
            return f"The index of ids ({IDS}) is missing."
        keys = self._read("SELECT name, coll FROM pragma_index_xinfo(?) WHERE key", (IDS,))
        return (
            ""
            if (found, keys) == ([(1, 0)], [("id", "BINARY")])
            else f"The index {IDS} is not one of all ids, once each."
        )

    def filed(self, size: int) -> Iterator[Sequence[tuple[int, str]]]:
        """Number and id of the first `size` records as the index of ids has them, in its order, a part at a time."""
        statement = (
            f"SELECT seq, id FROM records INDEXED BY {IDS} WHERE id {{}} ? AND +seq <= ? ORDER BY id LIMIT 10000"
        )
        part = self._read(statement.format(">="), ("", size))
        while part:
            yield part
            part = self._read(statement.format(">"), (part[-1][1], size))

    def misfiled(self, first: int, last: int) -> tuple[int, int] | None:
        """The first record from number `first` to `last` to which the index of ids does not lead, and where it does."""
        rows = self._read(_MISFILED, (first, last))
        return rows[0] if rows else None

    def stray(self, size: int) -> int | None:
        """The number of a record that the index of the first `size` ids names once too often, or that is not there."""
        index = f"FROM records INDEXED BY {IDS}"  # which has the numbers too, so no record is read
        beyond = "(seq < 1 OR seq > coalesce((SELECT max(size) FROM heads), 0))"
        within, strangers = self._read(f"SELECT sum(seq BETWEEN 1 AND ?), sum({beyond}) {index}", (size,))[0]
        if (within or 0) == size and not strangers:
            return None
        twice = f"SELECT min(seq) AS seq {index} GROUP BY +seq HAVING count(*) > 1 OR {beyond} ORDER BY 1 LIMIT 1"
        rows = self._read(twice)
        return int(rows[0][0]) if rows else 1

    def _holds_text(self, text: str) -> tuple[str, Sequence[object]]:
        like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        places = ("id", "CAST(body AS TEXT)", "CAST(answer AS TEXT)")
        if len(like.encode()) > _LONGEST_PATTERN:
            return " OR ".join(f"instr({place}, ?)" for place in places), [text] * len(places)
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

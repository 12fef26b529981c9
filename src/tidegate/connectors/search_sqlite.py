"""The index of decisions without a server: one SQLite file with full text, beside the store and made anew from it."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec

from tidegate.actions.document import Document
from tidegate.actions.query import Query
from tidegate.actions.search import MOST_FACETS, Hits, hits, known_fields, read_after
from tidegate.actions.sink import Gone, Rejected
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_sqlite_terms import condition

_ENCODE, _DECODE = msgspec.json.Encoder().encode, msgspec.json.Decoder(Document).decode
_PART = 500
_Fact = tuple[int, str | float, int]


class SqliteIndex:
    """Decisions to be searched, in the file of alerts.

    Args:
        file: that file.
    """

    most = 2000
    NAME = "search"

    def __init__(self, file: AlertsFile) -> None:
        self.file, self.name = file, self.NAME
        self._fields: dict[str, int] = {}
        self._read_fields()

    def _read_fields(self) -> None:
        self._fields = {name: number for number, name in self.file.read("SELECT field, name FROM fields")}

    def send(self, documents: Sequence[Document]) -> list[Rejected]:
        """Take documents; those that it has are left as they are.

        Raises:
            UnavailableError: the file cannot be written now.
        """
        try:
            with self.file.writing() as connection:
                new = self._new(documents)
                connection.executemany(
                    "INSERT INTO documents VALUES (?, ?, ?, ?)",
                    [(one.seq, one.id, one.us, _ENCODE(one)) for one in new],
                )
                connection.executemany(
                    "INSERT INTO texts (rowid, text) VALUES (?, ?)", [(one.seq, one.text) for one in new]
                )
                for table, facts in (("words", self._words), ("numbers", self._numbers)):
                    rows = [fact for one in new for fact in facts(connection, one)]
                    connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)", rows)
        except BaseException:
            self._read_fields()  # one that was named in what was taken back is not known any more
            raise
        return []

    def _new(self, documents: Sequence[Document]) -> list[Document]:
        """Those that are not there yet."""
        there: set[int] = set()
        for start in range(0, len(documents), _PART):
            part = [one.seq for one in documents[start : start + _PART]]
            marks = ", ".join("?" * len(part))
            there |= {seq for (seq,) in self.file.read(f"SELECT seq FROM documents WHERE seq IN ({marks})", part)}
        return [one for one in documents if one.seq not in there]

    def _field(self, connection: sqlite3.Connection, name: str) -> int:
        if name not in self._fields:
            connection.execute("INSERT OR IGNORE INTO fields (name) VALUES (?)", (name,))
            (number,) = connection.execute("SELECT field FROM fields WHERE name = ?", (name,)).fetchone()
            self._fields[name] = number
        return self._fields[name]

    def _words(self, connection: sqlite3.Connection, one: Document) -> Iterator[_Fact]:
        own = {"id": one.id, "kind": one.kind, "outcome": one.outcome, "level": one.level, "flow": one.flow}
        own["alarm"] = "true" if one.alarm else "false"
        for name, value in chain(own.items(), one.words.items(), (("rule", rule) for rule in one.rule)):
            if value is not None:
                yield self._field(connection, name), value.lower(), one.seq

    def _numbers(self, connection: sqlite3.Connection, one: Document) -> Iterator[_Fact]:
        if one.score is not None:
            yield self._field(connection, "score"), one.score, one.seq
        for name, value in one.numbers.items():
            yield self._field(connection, name), value, one.seq

    def search(self, query: Query, *, limit: int = 20, after: str = "", facets: Sequence[str] = ()) -> Hits:
        """As of `Index`."""
        self._read_fields()
        known_fields(query, facets, self._fields)
        ((newest,),) = self.file.read("SELECT max(us) FROM documents")
        where, values = condition(query, self._fields, newest or 0)
        page: list[object] = []
        if after:
            page = list(read_after(after))
        rows = self.file.read(
            f"SELECT body FROM documents WHERE {where}{' AND (us, seq) < (?, ?)' if page else ''} "
            "ORDER BY us DESC, seq DESC LIMIT ?",
            [*values, *page, limit + 1],
        )
        found = [_DECODE(body) for (body,) in rows]
        ((total,),) = self.file.read(f"SELECT count(*) FROM documents WHERE {where}", values)
        counted = {name: self._facet(name, where, values) for name in facets}
        more = f"{found[limit - 1].us},{found[limit - 1].seq}" if len(found) > limit else ""
        return hits(found[:limit], total, counted, more)

    def _facet(self, name: str, where: str, values: Sequence[object]) -> list[tuple[str | float, int]]:
        found: list[tuple[str | float, int]] = []
        for table in ("words", "numbers"):
            found += self.file.read(
                f"SELECT value, count(*) AS many FROM {table} WHERE field = ? AND seq IN "
                f"(SELECT seq FROM documents WHERE {where}) GROUP BY value ORDER BY many DESC, value LIMIT ?",
                [self._fields.get(name, -1), *values, MOST_FACETS + 1],
            )
        return found

    def forget(self, gone: Sequence[Gone]) -> None:
        """As of `Sink`; what was written is overwritten in the file as well."""
        with self.file.writing() as connection:
            connection.execute("PRAGMA secure_delete = ON")
            for one in gone:
                _delete(connection, "seq = ?", one.seq)
            # The full text keeps what is deleted from it until its parts are merged.
            connection.execute("INSERT INTO texts (texts) VALUES ('optimize')")

    def forget_after(self, seq: int) -> None:
        """Forget every document after this number: the store does not hold it any more."""
        with self.file.writing() as connection:
            _delete(connection, "seq > ?", seq)

    def close(self) -> None:
        """Nothing: the file is its owner's to close."""


def _delete(connection: sqlite3.Connection, which: str, seq: int) -> None:
    for (body,) in connection.execute(f"SELECT body FROM documents WHERE {which}", (seq,)).fetchall():
        one = _DECODE(body)
        connection.execute("INSERT INTO texts (texts, rowid, text) VALUES ('delete', ?, ?)", (one.seq, one.text))
    for table in ("documents", "words", "numbers"):
        connection.execute(f"DELETE FROM {table} WHERE {which}", (seq,))

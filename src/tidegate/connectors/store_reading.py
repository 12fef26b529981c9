"""Everything that is read from a store: any thread may, while one appends."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from tidegate.connectors.sqlite_seen import SeenIds
from tidegate.connectors.store_revision import revision
from tidegate.errors import StoreError
from tidegate.evidence.merkle import EMPTY_ROOT, Range
from tidegate.evidence.proof import require_all_sealed
from tidegate.evidence.record import Event, Found, HeadRow, Listed, Refusal, Row, Stored, TreeHead
from tidegate.evidence.tables import LOWEST_NODE, RECORDS, TABLES, UNSEALED

_COLUMNS = ", ".join(name for name, _, _ in RECORDS)
_CHUNK = 1000
_LEARNED = [[name for name, _, _ in RECORDS].index(name) for name in Event.__struct_fields__]
ROWS = f"SELECT {_COLUMNS} FROM records WHERE seq > ? ORDER BY seq LIMIT ?"
_MOST_IDS = 256
_Rows = list[Any]


class Reading(ABC):
    """The reading half of a store: the same statements on every database, with `?` where a value goes."""

    address: str
    """What it was opened by, without a password: as people are told of it."""
    _BY_NUMBER = "records"
    """The table of records, in a statement that is not to trust the index of ids."""
    _seen: SeenIds | None = None

    @abstractmethod
    def _read(self, statement: str, values: Sequence[object] = (), *, by_key: bool = False) -> _Rows:
        """The rows of a statement, read by the calling thread's own connection or one that it has for this; `by_key`
        says that they are found at once, so that a server which takes long has hung."""

    @abstractmethod
    def _has_table(self, name: str) -> bool:
        """Whether there is a table of this name."""

    @abstractmethod
    def index_fault(self) -> str:
        """What is wrong with the index of ids as a whole (see `evidence.ids`); empty if nothing is."""

    @abstractmethod
    def filed(self, size: int) -> Iterator[Sequence[tuple[int, str]]] | None:
        """Number and id of the first `size` records as the index of ids has them, in order, if that of characters."""

    @abstractmethod
    def misfiled(self, first: int, last: int) -> tuple[int, int] | None:
        """The first record from number `first` to `last` to which the index of ids does not lead, and where it does."""

    @abstractmethod
    def stray(self, size: int) -> int | None:
        """The number of a record that the index of the first `size` ids names once too often, or that is not there."""

    @abstractmethod
    def _holds_text(self, text: str) -> tuple[str, Sequence[object]]:
        """The condition that a record's id, event or answer holds a text, and its values."""

    def find(self, ids: Sequence[str]) -> dict[str, Found]:
        """What is known of those of the ids that the store holds; the others are not in the answer.

        Ids never seen cost no disk access (see `SeenIds`), so this may be asked for every batch.
        """
        asked = ids if self._seen is None else self._seen.maybe(ids)
        found: dict[str, Found] = {}
        for start in range(0, len(asked), _MOST_IDS):
            part = list(asked[start : start + _MOST_IDS])
            # A few lengths of statement only, so that SQLite need not prepare it anew: the last id fills it up.
            part += part[-1:] * ((1 << (len(part) - 1).bit_length()) - len(part))
            marks = ", ".join("?" * len(part))
            statement = f"SELECT id, digest, answer, seq FROM records WHERE id IN ({marks})"
            for name, *rest in self._read(statement, part, by_key=True):
                found[name] = Found(*rest)
        return found

    def get(self, id: str) -> Stored | None:
        """All that is kept under this id, None when the store does not hold it."""
        rows = self._read(f"SELECT {_COLUMNS} FROM records WHERE id = ?", (id,), by_key=True)
        return stored(rows[0]) if rows else None

    def of_kind(self, kind: str) -> Iterator[Stored]:
        """The records of one kind, in order."""
        for row in self._read(f"SELECT {_COLUMNS} FROM records WHERE kind = ? ORDER BY seq", (kind,)):
            yield stored(row)

    def artefacts(self) -> Iterator[tuple[bytes, str, bytes]]:
        """Digest, kind and content of every artefact, as they are kept."""
        for (digest,) in self._read("SELECT digest FROM artefacts ORDER BY digest"):
            yield self._read("SELECT digest, kind, body FROM artefacts WHERE digest = ?", (digest,))[0]

    def list(
        self,
        *,
        outcome: str | None = None,
        level: str | None = None,
        alarm: bool = False,
        since: int | None = None,
        until: int | None = None,
        text: str | None = None,
        limit: int = 100,
        after: int | None = None,
        newest: bool = True,
    ) -> Sequence[Listed]:
        """Decisions, the newest first.

        Args:
            outcome, level: only these.
            alarm: only those that raised one.
            since, until: only events with `since <= at < until`, microseconds since 1970 UTC.
            text: only those whose id, event or answer holds this text; upper and lower case are the same in ASCII.
            limit: at most so many.
            after: the `seq` of the last one of the page before.
            newest: False for the oldest first.
        """
        wanted: list[tuple[str, object]] = []
        if outcome is not None:
            wanted.append(("outcome = ?", outcome))
        if level is not None:
            wanted.append(("level = ?", level))
        if alarm:
            wanted.append(("alarm = ?", 1))
        if since is not None:
            wanted.append(("at >= ?", since))
        if until is not None:
            wanted.append(("at < ?", until))
        if after is not None:
            wanted.append(("seq < ?" if newest else "seq > ?", after))
        values = [value for _, value in wanted]
        where = " AND ".join(["answer IS NOT NULL", *(test for test, _ in wanted)])
        if text is not None:
            holds, given = self._holds_text(text)
            where += f" AND ({holds})"
            values += given
        rows = self._read(
            f"SELECT seq, id, kind, at, outcome, level, score, alarm FROM records WHERE {where} "
            f"ORDER BY seq {'DESC' if newest else 'ASC'} LIMIT ?",
            (*values, limit),
        )
        return [Listed(a, b, c, d, e, f, g, bool(alarm)) for a, b, c, d, e, f, g, alarm in rows]

    def replay(self, after_seq: int = 0) -> Iterator[Event]:
        """Every stored event after `after_seq`, in order: what recovery learns again on top of a snapshot.

        Raises:
            StoreError: a record is not what was sealed, so that nothing may be decided on it.
        """
        while True:
            rows: Sequence[tuple[Any, ...]] = self.rows(after_seq)
            if not rows:
                return
            last: int = rows[-1][0]
            require_all_sealed(rows, self.leaves(after_seq, min(last, self.head().size)))
            for row in rows:
                yield Event(*(row[place] for place in _LEARNED))
            after_seq = last

    def refusals(self, *, limit: int = 100, after: int = 0, newest: bool = False) -> Sequence[tuple[int, Refusal]]:
        """Events that were not taken, in the order of arrival or the newest first, each with its number."""
        rows = self._read(
            "SELECT seq, id, digest, reason, at FROM refusals WHERE seq > ? "
            f"ORDER BY seq {'DESC' if newest else 'ASC'} LIMIT ?",
            (after, limit),
        )
        return [(row[0], Refusal(*row[1:])) for row in rows]

    def refusals_sealed(self) -> bool:
        """Whether refusals are sealed: a store of revision 0001, while it is only read, has none that are."""
        return self.revision() != UNSEALED

    def revision(self) -> str | None:
        """The revision of its tables; None if they do not say."""
        return revision(self._has_table, self._read)

    def lacking(self) -> Sequence[str]:
        """The tables that a store of its version has and this one has not."""
        there = [name for name in TABLES if name != "refusal_heads" or self.refusals_sealed()]
        return [name for name in there if not self._has_table(name)]

    def repeated(self) -> tuple[int, int, str] | None:
        """The first record whose id stands in the log before, that one's number, and the id; read without the index."""
        rows = self._read(
            f"SELECT max(seq), min(seq), min(id) FROM {self._BY_NUMBER} GROUP BY id || '' HAVING count(*) > 1 "
            "ORDER BY max(seq) LIMIT 1"
        )
        return (rows[0][0], rows[0][1], str(rows[0][2])) if rows else None

    def _check_complete(self) -> None:
        """Make sure that what will be written to is all there.

        Raises:
            StoreError: a table or the index of ids is missing.
        """
        lacking = self.lacking()
        wrong = f"It lacks the table {' and the table '.join(lacking)}." if lacking else self.index_fault()
        if wrong:
            raise StoreError(
                f"The store {self.address} is not what a store of its version is, so nothing is written to it.",
                seen=wrong,
                do="Run `tidegate verify` to see what was touched, then put back a copy of the store.",
            )

    def refusal_heads(self, after: int = 0) -> Iterator[HeadRow]:
        """The tree heads of all commits of refusals that end after number `after`, in order."""
        while rows := self._read(
            f"SELECT size, root, leaves FROM refusal_heads WHERE size > ? ORDER BY size LIMIT {_CHUNK}", (after,)
        ):
            for row in rows:
                yield HeadRow(*row)
            after = rows[-1][0]

    def refusal_rows(self, after: int = 0, limit: int = _CHUNK) -> Sequence[Row]:
        """At most `limit` refusals after number `after`, in order, as they lie in the table."""
        return self._read(
            "SELECT seq, id, digest, reason, at FROM refusals WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        )

    def refusals_edge(self) -> Range:
        """What the log of refusals grows from.

        Raises:
            StoreError: it does not fit the last tree head.
        """
        rows = self._read("SELECT size, root, edge FROM refusal_heads ORDER BY size DESC LIMIT 1")
        if not rows:
            return Range()
        size, root, edge = rows[0]
        try:
            found = Range(size, [edge[at : at + 32] for at in range(0, len(edge), 32)])
        except ValueError:
            found = Range()
        if found.root() != root:
            raise StoreError(
                f"The log of refusals of the store {self.address} was changed.",
                seen=f"an edge that does not have the root {root.hex()}",
                do="Run `tidegate verify` to see what was touched, then put back a copy of the store.",
            )
        return found

    def get_artefact(self, digest: bytes) -> tuple[str, bytes]:
        """Kind and content of what was put under this SHA-256.

        Raises:
            StoreError: there is none, or its content is no longer what it was.
        """
        rows = self._read("SELECT kind, body FROM artefacts WHERE digest = ?", (digest,))
        if not rows:
            raise StoreError(
                f"The store {self.address} holds no artefact {digest.hex()}.",
                do="Use the store that the decision is in.",
            )
        kind, body = rows[0][0], _bytes(rows[0][1])
        if sha256(body).digest() != digest:
            raise StoreError(
                f"The artefact {digest.hex()} ({kind}) in the store {self.address} was changed.",
                seen=f"content of digest {sha256(body).hexdigest()}",
                do="Put back a copy of the store.",
            )
        return kind, body

    def artefact_as_kept(self, digest: bytes) -> bytes | None:
        """What lies under this digest, whether or not it is its own; None if nothing does."""
        rows = self._read("SELECT body FROM artefacts WHERE digest = ?", (digest,))
        if not rows:
            return None
        return _bytes(rows[0][0])

    # What the log is checked with (tidegate.evidence.log).

    def head(self) -> TreeHead:
        """The tree head of the last commit."""
        rows = self._read("SELECT size, root FROM heads ORDER BY size DESC LIMIT 1")
        return TreeHead(*rows[0]) if rows else TreeHead(0, EMPTY_ROOT)

    def root_at(self, size: int) -> bytes | None:
        """The root of the log when it had so many records; None if no commit ended there."""
        if size == 0:
            return EMPTY_ROOT
        rows = self._read("SELECT root FROM heads WHERE size = ?", (size,))
        return rows[0][0] if rows else None

    def heads(self, after: int = 0) -> Iterator[HeadRow]:
        """The tree heads of all commits that end after record `after`, in order."""
        while rows := self._read(
            f"SELECT size, root, leaves FROM heads WHERE size > ? ORDER BY size LIMIT {_CHUNK}", (after,)
        ):
            for row in rows:
                yield HeadRow(*row)
            after = rows[-1][0]

    def rows(self, after: int = 0, limit: int = _CHUNK) -> Sequence[Row]:
        """At most `limit` records after number `after`, as they lie in the table; text that is no UTF-8 escaped."""
        return self._read(ROWS, (after, limit))

    def unsealed(self) -> Sequence[tuple[int, str]]:
        """The first record, if any, that lies outside what the last tree head covers: its number and id."""
        return self._read(
            f"SELECT seq, id FROM {self._BY_NUMBER} WHERE seq < 1 OR seq > coalesce((SELECT max(size) FROM heads), 0) "
            "ORDER BY seq LIMIT 1"
        )

    def leaves(self, start: int, end: int) -> Sequence[bytes]:
        """The stored hashes of the leaves `start..end-1` (from 0)."""
        found = b"".join(
            row[0]
            for row in self._read(
                "SELECT leaves FROM heads WHERE size > ? AND size <= "
                "coalesce((SELECT min(size) FROM heads WHERE size >= ?), 0) ORDER BY size",
                (start, end),
            )
        )
        if found:
            first = self._read(
                "SELECT size - length(leaves) / 32 FROM heads WHERE size > ? ORDER BY size LIMIT 1", (start,)
            )
            found = found[(start - first[0][0]) * 32 : (end - first[0][0]) * 32]
        if len(found) != (end - start) * 32:
            raise StoreError(
                f"The log of the store {self.address} lacks leaf hashes.",
                seen=f"{len(found) // 32} of records {start + 1} to {end}",
                do="Run `tidegate verify` to see what was touched, then put back a copy of the store.",
            )
        return [found[at : at + 32] for at in range(0, len(found), 32)]

    def subtree(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree of the log (see `merkle.Subtree`)."""
        if level < LOWEST_NODE:
            span = Range()
            span.extend(self.leaves(index << level, (index + 1) << level))
            return span.root()
        rows = self._read("SELECT hash FROM nodes WHERE level = ? AND place = ?", (level, index))
        if not rows:
            raise StoreError(
                f"The log of the store {self.address} lacks an inner hash.",
                seen=f"none at level {level}, place {index}",
                do="Run `tidegate verify` to see what was touched, then put back a copy of the store.",
            )
        found: bytes = rows[0][0]
        return found


def _bytes(found: object) -> bytes:
    """Content as bytes; SQLite keeps what it is given, so someone who touched it may have left text or a number."""
    return found if isinstance(found, bytes) else str(found).encode()


def stored(row: Row) -> Stored:
    """A row of `records` as a `Stored`."""
    values: list[Any] = list(row)
    values[8] = bool(values[8])  # alarm
    return Stored(*values)

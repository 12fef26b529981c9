"""The store of a team: decisions and their evidence, in PostgreSQL.

    with Store.open("postgresql://tidegate@db.bank/decisions") as store:
        head = store.append(entries)      # committed when this returns, all of it or nothing

A batch is one transaction (group commit): its records by COPY, which costs the least, then its seals and its commit in
one round trip. Who may write, and how a writer notices that it no longer may, is `postgres_session`'s.
"""

import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Self

import psycopg

from tidegate.connectors import sqlite_seen_file as seen_file
from tidegate.connectors.postgres_faults import told
from tidegate.connectors.postgres_patience import LONG, SILENCE, at_most
from tidegate.connectors.postgres_reading import PostgresReading, escaped, reading, translated
from tidegate.connectors.postgres_session import Session
from tidegate.connectors.sqlite_seen import SeenIds
from tidegate.connectors.store_address import Address
from tidegate.errors import StoreError
from tidegate.evidence.merkle import Range, peaks
from tidegate.evidence.record import Entry, Refusal, Row, TreeHead, seal
from tidegate.evidence.refusals import seal_refusals
from tidegate.evidence.tables import LOWEST_NODE, TABLES

WORTH_KEEPING = 50_000
"""So many new ids are worth the writing of the filter (see `seen_file`)."""
_OIDS = {"int": "int8", "key": "int8", "serial": "int8", "text": "text", "real": "float8", "blob": "bytea"}


class PostgresStore(PostgresReading):
    """A store in PostgreSQL. Made by `at`; see `Store`."""

    def __init__(self, address: Address, *, create: bool, read_only: bool) -> None:
        super().__init__(address)
        self._read_only = read_only
        self._writing, self._keeping = threading.Lock(), threading.Lock()
        self._session: Session | None = None
        self._epoch = self._seen_kept = 0
        self._stale = False
        self._tree = self._refused = Range()
        try:
            if read_only:
                self._recognised()
            else:
                self._take_over(create=create)
                self._seen = self._read_seen()
        except psycopg.Error as error:
            self.close()
            raise told(error, self.address) from error
        except BaseException:
            self.close()
            raise

    @classmethod
    def at(cls, address: Address, *, create: bool = True, read_only: bool = False) -> Self:
        """The store at a URL; see `Store.open`."""
        return cls(address, create=create, read_only=read_only)

    def _writer(self) -> Session:
        """The session that writes; a new one where the last was lost, if nobody else wrote since."""
        if self._closed:
            raise StoreError(f"The store {self.address} is closed.", do="Open it again with Store.open.")
        if self._read_only:
            raise StoreError(f"The store {self.address} was opened to read only.", do="Open it without read_only.")
        if self._session is None or self._session.lost:
            self._take_over(create=False)
        if self._session is None:
            raise StoreError(f"The store {self.address} is not held.", do="Open it again with Store.open.")
        return self._session

    def _mine(self) -> Session:
        """The session that writes, for a batch that was decided by what this process knows of the store."""
        session = self._writer()
        if self._stale:
            self._stale = False  # said once: whoever is told makes the state anew
            raise StoreError(
                f"Another process wrote to the store {self.address} while this one had lost it.",
                do="The state is made anew from the store before anything else is decided; send the batch again then.",
            )
        return session

    def _take_over(self, *, create: bool) -> None:
        if self._session is not None:
            self._session.close()
        self._session = None
        session = Session(self._url, self.address, create=create, again=bool(self._epoch))
        reading(session.connection)
        others = bool(self._epoch) and session.before != self._epoch
        self._stale = self._stale or others
        self._session, self._epoch, known = session, session.epoch, self._tree.size
        self._check_complete()
        self._read_trees()
        if others and self._seen is not None:
            self._seen.add(row[0] for row in self._read("SELECT id FROM records WHERE seq > ?", (known,)))

    def take_hold(self) -> None:
        """Be the one that writes, by a new session if the last was lost, so that what is read now stays the newest."""
        if self._read_only:
            return
        with self._writing:
            try:
                self._writer()
            except psycopg.Error as error:
                raise told(error, self.address) from error

    def _read_trees(self) -> None:
        head = self.head()
        self._tree = Range(head.size, [self.subtree(level, index) for level, index in peaks(head.size)])
        self._refused = self.refusals_edge()
        last = self._read("SELECT coalesce(max(seq), 0) FROM records")[0][0]
        if last != head.size or self._tree.root() != head.root:
            raise StoreError(
                f"The records and the log of the store {self.address} do not belong together.",
                seen=f"records up to {last}, a log of {head.size}",
                do="Run `tidegate verify` to see what was touched, then put back a copy of the store.",
            )

    def _read_seen(self) -> SeenIds:
        """Which ids are there: from what was kept of them, and from the records since; or from all of them."""
        size, after = self._tree.size, 0
        kept = seen_file.read(seen_file.beside(self.place), self.root_at)
        if kept is None or size - kept.size > size // 8 or not self._seen_trusted(kept.seen, kept.size):
            seen = SeenIds.room_for(size)
        else:
            seen, after, self._seen_kept = kept.seen, kept.size, kept.size
            seen.grow(size)
        connection = self._writer().connection
        with connection.transaction(), connection.cursor("ids", binary=True) as cursor:
            cursor.itersize = 20_000
            cursor.execute("SELECT id FROM records WHERE seq > %s", (after,))
            seen.add_all(row[0] for row in cursor)
        return seen

    def keep_seen(self) -> None:
        """Keep what is known of the ids beside the place of the store's files."""
        with self._keeping:
            head = TreeHead(self._tree.size, self._tree.root())  # first: ids are remembered before they are committed
            if self._seen is None or head.size - self._seen_kept < WORTH_KEEPING:
                return
            seen_file.write(seen_file.beside(self.place), self._seen, head)
            self._seen_kept = head.size

    def append(self, batch: Sequence[Entry], refusals: Sequence[Refusal] = ()) -> TreeHead:
        """Keep a batch in one transaction, committed and on PostgreSQL's disk when this returns."""
        with self._writing:
            session = None
            try:
                session = self._mine()
                tree, refused = self._tree.copy(), self._refused.copy()
                rows, leaves = seal(batch, tree.size)
                nodes = tree.extend(leaves, LOWEST_NODE)
                head = TreeHead(tree.size, tree.root())
                with at_most(SILENCE, session.connection):
                    session.begin()
                    if rows:
                        _copy(session, "records", rows)
                    if self._seen is not None:
                        # Before the commit, or a reader could see the new head and be denied its ids.
                        self._seen.add([entry.id for entry in batch])
                    with session.connection.pipeline(), session.connection.cursor() as cursor:
                        if rows:
                            cursor.execute("INSERT INTO heads VALUES (%b, %b, %b)", (*_head(head), b"".join(leaves)))
                        if nodes:
                            cursor.executemany("INSERT INTO nodes VALUES (%b, %b, %b)", nodes)
                        if refusals:
                            _add_refusals(cursor, refusals, refused)
                        cursor.execute("COMMIT")
                if cursor.statusmessage != "COMMIT":  # as a transaction that failed answers
                    raise psycopg.OperationalError(f"COMMIT was answered {cursor.statusmessage}")
            except BaseException as error:
                self._undo(session)
                if isinstance(error, psycopg.Error):
                    twice = isinstance(error, psycopg.errors.UniqueViolation)
                    found = self._mend_seen([one.id for one in batch]) if twice else None
                    raise found or told(error, self.address) from error
                raise
            self._tree, self._refused = tree, refused
            return head

    def _undo(self, session: Session | None) -> None:
        """Give up the session of a failed transaction: what was kept is looked at before the next one."""
        if session is not None:
            session.close()  # takes back what was not committed

    def paste(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Put rows into tables as they lay in another store, in one transaction."""
        with self._writing:
            session = None
            try:
                session = self._writer()
                with at_most(LONG, session.connection):
                    session.begin()
                    for table, rows in tables.items():
                        _copy(session, table, rows)
                    session.connection.execute("COMMIT")
            except BaseException as error:
                self._undo(session)
                if isinstance(error, psycopg.Error):
                    raise told(error, self.address) from error
                raise
            self._read_trees()

    def scrub(self) -> None:
        """Free what was emptied."""
        with self._writing:
            try:
                self._writer().connection.execute("VACUUM records")
            except psycopg.Error as error:
                raise told(error, self.address) from error

    def sync_apart(self, *, each: bool = False) -> None:
        """Every append is on the disk when it returns, so there is nothing to put apart."""
        with self._writing:
            self._writer()

    def sync(self) -> None:
        """Everything that was appended is on the disk already."""

    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._writing:
            session = None
            try:
                session = self._writer()
                with at_most(LONG, session.connection):
                    session.begin()
                    with session.connection.cursor() as cursor:
                        cursor.executemany(translated(statement), rows)
                    session.connection.execute("COMMIT")
            except BaseException as error:
                self._undo(session)
                if isinstance(error, psycopg.Error):
                    raise told(error, self.address) from error
                raise

    def put_artefact(self, kind: str, body: bytes) -> bytes:
        """Keep a flow's definition or a model's file by its content, once; gives its SHA-256."""
        digest = sha256(body).digest()
        self._change("INSERT INTO artefacts VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING", [(digest, kind, body)])
        return digest

    def close(self) -> None:
        """Close every connection and let other processes in. Closing twice is no mistake."""
        self.keep_seen()
        with self._writing:
            self._closed = True
            if self._session is not None:
                self._session.close()
                self._session = None
            if self._pool is not None:
                self._pool.close()
                self._pool = None


def _head(head: TreeHead) -> tuple[int, bytes]:
    return head.size, head.root


def _copy(session: Session, table: str, rows: Sequence[Row]) -> None:
    statement = f"COPY {table} FROM STDIN (FORMAT BINARY)".encode()
    with session.connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([_OIDS[kind] for _, kind, _ in TABLES[table]])
        for row in rows:
            copy.write_row([escaped(value) if type(value) is str else value for value in row])


def _add_refusals(cursor: "psycopg.Cursor[tuple[object, ...]]", refusals: Sequence[Refusal], tree: Range) -> None:
    """Put refusals and their seals into a transaction; `tree`, the edge of their log, grows by them."""
    rows, head = seal_refusals(refusals, tree)
    kept = [(seq, escaped(str(id)), digest, escaped(str(reason)), at) for seq, id, digest, reason, at in rows]
    cursor.executemany("INSERT INTO refusals (seq, id, digest, reason, at) VALUES (%b, %b, %b, %b, %b)", kept)
    edge = b"".join(tree.hashes)
    cursor.execute("INSERT INTO refusal_heads VALUES (%b, %b, %b, %b)", (head.size, head.root, head.leaves, edge))

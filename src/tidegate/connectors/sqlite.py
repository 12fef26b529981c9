"""The store of one machine: decisions and their evidence, in one SQLite file.

    with Store.open("decisions.db") as store:
        head = store.append(entries)      # on disk when this returns, all of it or nothing

WAL with synchronous=FULL: a commit is on the disk before `append` returns, and readers never wait for it. One commit
holds a whole batch (group commit), so the cost of the disk's sync is shared. After `sync_apart`, as a server uses it,
it is `sync` that puts what was appended on the disk.
"""

import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self

from tidegate.connectors import redo_log
from tidegate.connectors import sqlite_seen_file as seen_file
from tidegate.connectors.sqlite_faults import told, written_by_another
from tidegate.connectors.sqlite_files import Lock, add_refusals, bring_up, connect, make, recognise
from tidegate.connectors.sqlite_reading import SqliteReading
from tidegate.connectors.sqlite_seen import SeenIds
from tidegate.connectors.sqlite_sync import SqliteSync
from tidegate.errors import StoreError
from tidegate.evidence.merkle import Range, peaks
from tidegate.evidence.record import Entry, Refusal, Row, TreeHead, seal
from tidegate.evidence.tables import LOWEST_NODE, RECORDS, TABLES

WORTH_KEEPING = 50_000
"""So many new ids take some 20 ms to read anew; fewer are not worth the writing of 8 MiB."""
_INSERT = f"INSERT INTO records VALUES ({', '.join('?' * len(RECORDS))})"

_LOG = logging.getLogger("tidegate.store")


class SqliteStore(SqliteReading):
    """A store in a SQLite file. Made by `open`; see `Store`."""

    def __init__(self, path: Path, lock: Lock | None) -> None:
        super().__init__(path)
        self._lock = lock
        self._writing = threading.Lock()
        self._doubtful = False
        self._tree = self._refused = Range()
        self._writer: sqlite3.Connection | None = None
        self._apart = False
        self._disk = SqliteSync(path, self._move_log)
        self._keeping = threading.Lock()
        self._seen_kept = 0
        try:
            at = recognise(self._reader(), path)  # before anything may write: see `check_whole`
            if lock is not None:
                self._check_complete()
                bring_up(path, at)
                self._read_trees()
                self._check_whole()
                self._seen = self._read_seen()
                self._redo()
        except sqlite3.Error as error:
            self.close()
            raise told(error, path) from error
        except BaseException:
            self.close()
            raise

    @classmethod
    def at(cls, path: Path, *, create: bool = True, read_only: bool = False) -> Self:
        """The store in a file; see `Store.open`."""
        if path.is_dir():
            raise StoreError(f"{path} is a folder, not a store.", do="Give the path of a file in it.")
        if path.is_symlink():  # what lies beside it, its lock too, is named after the file and not after a link to it
            path = path.resolve()
        if not path.exists() and (read_only or not create):
            raise StoreError(f"There is no store {path}.", do="Give the path of an existing store.")
        if read_only:
            store = cls(path, None)
            store._tell_of_redo()
            return store
        lock = Lock(path)
        try:
            if not path.exists():
                make(path)
            return cls(path, lock)
        except BaseException:
            lock.release()
            raise

    def _write_connection(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"The store {self.path} is closed.", do="Open it again with Store.open.")
        if self._lock is None:
            raise StoreError(f"The store {self.path} was opened to read only.", do="Open it without read_only.")
        self._lock.require_place()
        if not self._lock.held():
            self._lock_again(self._lock)
        if self._writer is None:
            self._writer = connect(self.path, write=True)
            if self._apart:
                self._writer.execute("PRAGMA synchronous = NORMAL")
        return self._writer

    def _lock_again(self, lost: Lock) -> None:
        """Take a new lock in place of one whose file was deleted.

        Raises:
            StoreError: another process has the store since, or had it and wrote to it.
        """
        gone = f"The file {lost.path}, by which this process held its store, was deleted"
        try:
            self._lock = Lock(self.path)
        except StoreError as error:
            raise StoreError(
                f"{gone}, and another process writes the store since. Nothing more is written by this one.",
                seen=error.seen,
                do="Stop one of the two; if that is the other, this one goes on. What either acknowledged is kept.",
            ) from error
        lost.release()
        _LOG.warning("%s; it was made again.", gone)
        if self._look_again():
            raise written_by_another(self.path)

    def take_hold(self) -> None:
        """Be the one that writes, and know what the store holds by now; see `Store.take_hold`."""
        with self._writing:
            try:
                self._write_connection()
                if self._doubtful:
                    self._look_again()
            except sqlite3.Error as error:
                raise told(error, self.path) from error

    def _look_again(self) -> bool:
        """Read anew what the store holds; gives whether another process wrote to it."""
        known = self._tree
        self._read_trees()
        if self._seen is not None and self._tree.size > known.size:
            rows = self._write_connection().execute("SELECT id FROM records WHERE seq > ?", (known.size,))
            self._seen.add(row[0] for row in rows)
        self._doubtful = False
        return (known.size, known.root()) != (self._tree.size, self._tree.root())

    def written(self) -> TreeHead:
        """The tree head of the last commit of this store object: what its engine's state is as of."""
        return TreeHead(self._tree.size, self._tree.root())

    def _tree_on_disk(self) -> Range:
        size = self.head().size
        return Range(size, [self.subtree(level, index) for level, index in peaks(size)])

    def _read_trees(self) -> None:
        self._tree, self._refused = self._tree_on_disk(), self.refusals_edge()

    def _check_whole(self) -> None:
        (last,) = self._write_connection().execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
        if last != self._tree.size or self._tree.root() != self.head().root:
            raise StoreError(
                f"The records and the log of the store {self.path} do not belong together.",
                seen=f"records up to {last}, a log of {self._tree.size}",
                do="Run `tidegate verify` to see what was touched, then put back a copy of the store.",
            )

    def _redo(self) -> None:
        """Take up what the redo log has beyond the last commit, and do away with it."""
        if redo_log.beside(self.path).exists():
            redo_log.take_up(self.path, lambda: (self._tree, self._refused), self.append)
            try:
                self._move_log()  # no sync: one that failed before may have made clean what was never written
            except StoreError as error:
                _LOG.warning("%s Its redo log is kept until the next start.", error)  # a reader is in the way
                return
            redo_log.remove(redo_log.beside(self.path))

    def _tell_of_redo(self) -> None:
        """Say so if a store that nobody writes lacks what its redo log has."""
        if not redo_log.beside(self.path).exists() or Lock.holder_runs(self.path):
            return
        try:
            lacks = redo_log.longest(self.path) > self.head().size + self.refusals_edge().size
        except StoreError:
            return  # whoever reads on will be told
        if lacks:
            _LOG.warning(
                "Power was lost while %s was written: what came last is in %s only, until the store is next opened to"
                " write (as `tidegate serve` does).", self.path, redo_log.beside(self.path),
            )  # fmt: skip

    def _read_seen(self) -> SeenIds:
        """Which ids are there: from what was kept of them, and from the records since; or from all of them."""
        size = self._tree.size
        kept = seen_file.read(seen_file.beside(self.path), self.root_at)
        execute = self._write_connection().execute
        if kept is None or size - kept.size > size // 8 or not self._seen_trusted(kept.seen, kept.size):
            # An id is read faster from the index of all than with its row.
            seen = SeenIds.room_for(size)
            seen.add_all(row[0] for row in execute("SELECT id FROM records"))
            return seen
        self._seen_kept = kept.size
        kept.seen.grow(size)
        kept.seen.add_all(row[0] for row in execute("SELECT id FROM records WHERE seq > ?", (kept.size,)))
        return kept.seen

    def keep_seen(self) -> None:
        """Keep what is known of the ids beside the store, if they became many more, so that the next start is quick.

        Any thread may ask. It is of use, not of need: where it cannot be written, the next start takes longer.
        """
        with self._keeping:
            head = self.written()  # first: ids are remembered before they are committed
            if self._seen is None or head.size - self._seen_kept < WORTH_KEEPING:
                return
            seen_file.write(seen_file.beside(self.path), self._seen, head)
            self._seen_kept = head.size

    def append(self, batch: Sequence[Entry], refusals: Sequence[Refusal] = ()) -> TreeHead:
        """Keep a batch, records and their seals, in one transaction.

        It is on the disk when this returns, or after `sync_apart` once `sync` was called. If it raises, nothing of the
        batch is visible, and the next call works again once the cause is gone.

        Args:
            batch: entries in the order in which they were decided and learned; none may have an id the store holds.
            refusals: events that were not taken, kept in the same transaction, and sealed in a log of their own.

        Returns:
            The tree head over everything kept so far; `size` is the sequence number of the last entry.

        Raises:
            StoreError: an id is there already; the disk is full or failing.
        """
        with self._writing:
            connection = self._write_connection()
            try:
                if self._doubtful:
                    self._look_again()
                tree, refused = self._tree.copy(), self._refused.copy()
                rows, leaves = seal(batch, tree.size)
                nodes = tree.extend(leaves, LOWEST_NODE)
                head = TreeHead(tree.size, tree.root())
                self._disk.begin((self._tree.size, refused.size), head.root, rows, refusals)
                connection.execute("BEGIN IMMEDIATE")
                if rows:
                    connection.executemany(_INSERT, rows)
                    connection.execute("INSERT INTO heads VALUES (?, ?, ?)", (head.size, head.root, b"".join(leaves)))
                if nodes:
                    connection.executemany("INSERT INTO nodes VALUES (?, ?, ?)", nodes)
                add_refusals(connection, refusals, refused)
                if self._seen is not None:
                    # Before the commit, or a reader could see the new head and be denied its ids.
                    self._seen.add([entry.id for entry in batch])
                connection.execute("COMMIT")
                self._disk.committed(tree.size + refused.size)
            except BaseException as error:
                self._undo(connection)
                self._disk.void()
                if isinstance(error, sqlite3.Error):
                    raise (self._why_twice(error, batch) or told(error, self.path)) from error
                raise
            self._tree, self._refused = tree, refused
            return head

    def _why_twice(self, error: sqlite3.Error, batch: Sequence[Entry]) -> StoreError | None:
        """What to say of a batch with an id or a number that is there already, if it is not the caller's mistake."""
        if not isinstance(error, sqlite3.IntegrityError):
            return None
        if self.head().size != self._tree.size:
            return written_by_another(self.path)
        return self._mend_seen([entry.id for entry in batch])

    def _undo(self, connection: sqlite3.Connection) -> None:
        """Take back what a failed transaction did. What the disk holds is looked at before the next one."""
        self._doubtful = True
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except sqlite3.Error:
                # A connection that cannot even roll back is given up: closing it takes the transaction back.
                connection.close()
                self._writer = None

    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._writing:
            connection = self._write_connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statement, rows)
                connection.execute("COMMIT")
                self._disk.outside()
            except sqlite3.Error as error:
                self._undo(connection)
                raise told(error, self.path) from error

    def paste(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Put rows into tables as they lay in another store, in one transaction."""
        with self._writing:
            connection = self._write_connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
                for table, rows in tables.items():
                    marks = ", ".join("?" * len(TABLES[table]))
                    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
                connection.execute("COMMIT")
                self._disk.outside()
            except sqlite3.Error as error:
                self._undo(connection)
                raise told(error, self.path) from error
            self._doubtful = True

    def scrub(self) -> None:
        """Write the database anew without what was emptied, and its log into it."""
        self._disk.end_log()  # it holds what was emptied
        with self._writing:
            try:
                self._write_connection().execute("VACUUM")
                self._write_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise told(error, self.path) from error

    def sync_apart(self, *, each: bool = False) -> None:
        """From now on `append` leaves it to `sync` to put its batch on the disk.

        What was appended can be read at once, and outlasts the process, but not a loss of power before the next `sync`.
        So many batches can share one sync, and be worked on while it runs; answer for them only after it.

        Args:
            each: a sync will follow each append. Then `append` begins it, and the disk works beside SQLite: the batch
                goes to a redo log as well (`redo_log`), by which a sync is over sooner.

        Raises:
            StoreError: the store is closed, or to be read only.
        """
        with self._writing:
            connection = self._write_connection()
            connection.execute("PRAGMA synchronous = NORMAL")
            if each and not self._apart:
                self._disk.log_ahead(self._tree.size + self._refused.size)
            self._apart = True

    def sync(self) -> None:
        """Put everything that was appended before this call on the disk; any thread may ask.

        Without `sync_apart` it is there already, and this does nothing.

        Raises:
            StoreError: the disk failed. The next call tries again, by another way.
        """
        if self._apart and not self._closed:
            self._disk.sync()

    def _move_log(self) -> None:
        """Move what SQLite's log holds into the database, and sync that."""
        with self._writing:
            try:
                row = self._write_connection().execute("PRAGMA wal_checkpoint(FULL)").fetchone()
            except sqlite3.Error as error:
                raise told(error, self.path) from error
            if row[0] or row[1] != row[2]:
                raise StoreError(f"The log of the store {self.path} could not be moved yet.", seen=str(row))

    def put_artefact(self, kind: str, body: bytes) -> bytes:
        """Keep a flow's definition or a model's file by its content, once.

        Returns:
            Its SHA-256, under which `get_artefact` gives it back.
        """
        digest = sha256(body).digest()
        self._change("INSERT INTO artefacts VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING", [(digest, kind, body)])
        return digest

    def close(self) -> None:
        """Close every connection and let other processes in. Closing twice is no mistake."""
        self.keep_seen()
        self._disk.close()
        with self._writing, self._opening:
            if self._closed:
                return
            self._closed = True
            for reader in self._readers:
                reader.close()
            if self._writer is not None:
                self._writer.close()
            if self._lock is not None:
                self._lock.release()

"""A store: where decisions and their evidence are kept, whatever the database.

    with Store.open("decisions.db") as store:
        head = store.append(entries)      # safe when this returns, all of it or nothing

Runtimes and commands know a store as this, and open it by its address; how a database does it is its own file's.
"""

import logging
import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tidegate.connectors.sqlite_seen import SeenIds
from tidegate.connectors.sqlite_seen_file import beside
from tidegate.connectors.store_address import Address
from tidegate.connectors.store_reading import Reading
from tidegate.errors import StoreError
from tidegate.evidence.record import Entry, Refusal, Row, TreeHead

_LOG = logging.getLogger("tidegate.store")
_TRIED = 256
"""Ids that a filter from a file is tried with: some milliseconds."""


class AwayError(StoreError):
    """What passes by itself, or is mended from outside: the store's server is away, or has no room; ask again."""


class Store(Reading):
    """A store. Made by `Store.open`; may be used as a context manager.

    One thread appends; any thread may read. Close it when no thread is reading any more.
    """

    place: Path
    """What files that belong to this store, such as snapshots, are named after: they lie beside it."""
    _keeping: threading.Lock
    _seen_kept: int
    """Of how many of the first records the filter of ids beside the store knows."""

    @staticmethod
    def open(address: str | Path | Address, *, create: bool = True, read_only: bool = False) -> "Store":
        """Open a store by its address, or make it.

        Args:
            address: the path of a SQLite file, beside which lie `-wal` and `-shm` (SQLite's), `.lock` and, while a
                server writes, `.redo`; or the URL of a PostgreSQL database (`postgresql://…`, see `Address`).
            create: make the store if it does not exist.
            read_only: only read; another process may be appending at the same time.

        Raises:
            StoreError: no such store, or it is none, of another version, damaged, cut short, held by another process,
                or not to be written here.
        """
        where = Address(address)
        if where.url is None:
            from tidegate.connectors.sqlite import SqliteStore

            return SqliteStore.at(where.path, create=create, read_only=read_only)
        try:
            from tidegate.connectors.postgres import PostgresStore
        except ImportError as error:
            raise StoreError.not_installed("A store in PostgreSQL", "psycopg", "postgres", error) from None
        return PostgresStore.at(where, create=create, read_only=read_only)

    def take_hold(self) -> None:
        """Be the one that writes, as far as that can be lost. Whoever calls this makes its state anew afterwards.

        Raises:
            StoreError: another process writes, or the database cannot be reached.
        """

    def written(self) -> TreeHead:
        """The tree head of the last commit of this store object: what its engine's state is as of."""
        return self.head()

    @abstractmethod
    def append(self, batch: Sequence[Entry], refusals: Sequence[Refusal] = ()) -> TreeHead:
        """Keep a batch, records and their seals, in one transaction.

        It is on the disk when this returns. If it raises, nothing of the batch is visible, and the next call works
        again once the cause is gone.

        Args:
            batch: entries in the order in which they were decided and learned; none may have an id the store holds.
            refusals: events that were not taken, kept in the same transaction, and sealed in a log of their own.

        Returns:
            The tree head over everything kept so far; `size` is the sequence number of the last entry.

        Raises:
            StoreError: an id is there already; the disk is full or failing.
        """

    @abstractmethod
    def sync_apart(self, *, each: bool = False) -> None:
        """From now on `append` may leave it to `sync` to put its batch on the disk.

        What was appended can be read at once, and outlasts the process, but not a loss of power before the next `sync`.
        So many batches can share one sync, and be worked on while it runs; answer for them only after it.

        Args:
            each: a sync will follow each append, which may so begin it.

        Raises:
            StoreError: the store is closed, or to be read only.
        """

    @abstractmethod
    def sync(self) -> None:
        """Put everything that was appended before this call on the disk; any thread may ask.

        Without `sync_apart` it is there already, and this does nothing.

        Raises:
            StoreError: the disk failed. The next call tries again.
        """

    @abstractmethod
    def put_artefact(self, kind: str, body: bytes) -> bytes:
        """Keep a flow's definition or a model's file by its content, once.

        Returns:
            Its SHA-256, under which `get_artefact` gives it back.
        """

    @abstractmethod
    def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Do a statement for each of some rows, in one transaction."""

    @abstractmethod
    def paste(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Put rows into tables as they lay in another store, in one transaction. Open the store anew afterwards.

        Raises:
            StoreError: one of them is there already; the disk is full or failing.
        """

    def blank(self, numbers: Sequence[int]) -> None:
        """Empty these records: see `evidence.erasure`.

        Raises:
            StoreError: the disk is full or failing.
        """
        statement = "UPDATE records SET body = ?, answer = NULL, record = ?, elapsed = ? WHERE seq = ?"
        self._change(statement, [(b"", b"", b"", number) for number in numbers])

    def scrub(self) -> None:
        """Let what was emptied be overwritten on the disk, as far as the database can; it takes a while."""

    @abstractmethod
    def keep_seen(self) -> None:
        """Keep what is known of the ids beside the store, if they became many more, so that the next start is quick.

        Any thread may ask. It is of use, not of need: where it cannot be written, the next start takes longer.
        """

    def _seen_trusted(self, seen: SeenIds, size: int) -> bool:
        """Whether a filter that was kept knows some of the first `size` ids, from all over: one that was put there by
        somebody has a right check as well. What this misses is told by `_mend_seen`."""
        places = sorted({1 + place * (size - 1) // max(1, _TRIED - 1) for place in range(_TRIED)}) if size else []
        marks = ", ".join("?" * len(places))
        ids = [row[0] for row in self._read(f"SELECT id FROM records WHERE seq IN ({marks})", places)] if places else []
        if len(seen.maybe(ids)) == len(ids):
            return True
        _LOG.error(
            "The filter of ids %s was changed: it denies ids that are there. It is made anew.", beside(self.place)
        )
        return False

    def _mend_seen(self, ids: Sequence[str]) -> StoreError | None:
        """After a batch was refused for an id that is there already: if the filter of ids denied that id, and so is
        not what was kept, it is made anew, and this is what to say."""
        seen = self._seen
        if seen is None:
            return None
        denied = sorted(set(ids).difference(seen.maybe(ids)))
        marks = ", ".join("?" * len(denied))
        if not denied or not self._read(f"SELECT 1 FROM records WHERE id IN ({marks}) LIMIT 1", denied):
            return None
        with self._keeping:
            after = 0
            while rows := self._read("SELECT seq, id FROM records WHERE seq > ? ORDER BY seq LIMIT 50000", (after,)):
                seen.add_all(row[1] for row in rows)
                after = rows[-1][0]
            beside(self.place).unlink(missing_ok=True)
            self._seen_kept = 0
        wrong = f"The filter of ids {beside(self.place)} was changed: it denied an id that the store holds."
        _LOG.error("%s It was made anew.", wrong)
        return StoreError(wrong, seen="an id twice", do="It was made anew: send the batch again.")

    @abstractmethod
    def close(self) -> None:
        """Close every connection and let other processes in. Closing twice is no mistake."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

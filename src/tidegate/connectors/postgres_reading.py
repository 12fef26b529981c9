"""How a PostgreSQL store is read: any thread may, by a connection from a pool."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.types.string import TextBinaryLoader
from psycopg_pool import ConnectionPool

from tidegate.connectors.postgres_faults import told
from tidegate.connectors.postgres_patience import LONG, SILENCE, at_most
from tidegate.connectors.postgres_session import Connection, connect, recognise
from tidegate.connectors.store import Store
from tidegate.connectors.store_address import Address
from tidegate.errors import StoreError
from tidegate.evidence.tables import IDS

READERS = 4
WAIT = 5.0
"""Seconds that a reader waits for a connection."""
_MARK = "\U0010ffff"
_MISFILED = (
    "SELECT seq, leads FROM (SELECT r.seq, coalesce((SELECT i.seq FROM records AS i WHERE i.id = r.id LIMIT 1), 0) "
    "AS leads FROM records AS r WHERE r.seq BETWEEN %s AND %s) AS found WHERE seq <> leads ORDER BY seq LIMIT 1"
)


def escaped(text: str) -> str:
    """Text as PostgreSQL can hold it: U+0000, which it cannot, is written as another character and a 0."""
    if "\0" in text or _MARK in text:
        return text.replace(_MARK, _MARK + "1").replace("\0", _MARK + "0")
    return text


class _Text(TextBinaryLoader):
    """Reads what `escaped` wrote."""

    def load(self, data: Any) -> Any:
        text = bytes(data).decode()
        return text.replace(_MARK + "0", "\0").replace(_MARK + "1", _MARK) if _MARK in text else text


def reading(connection: Connection) -> None:
    """Make a connection read text as it was written."""
    connection.adapters.register_loader("text", _Text)


def _check(connection: Connection) -> None:
    """Look whether a connection that lay in the pool still leads to a server that answers."""
    with at_most(WAIT, connection):
        ConnectionPool.check_connection(connection)


@lru_cache(maxsize=256)
def translated(statement: str) -> bytes:
    """A statement with our marks as one with psycopg's, so that values go in binary."""
    return statement.replace("%", "%%").replace("?", "%b").encode()


class PostgresReading(Store):
    """The reading half of a `PostgresStore`."""

    def __init__(self, address: Address) -> None:
        if address.url is None:
            raise StoreError(f"{address} is no URL of PostgreSQL.", do="Write postgresql://USER@HOST/DATABASE.")
        self.address, self.place, self._url = str(address), address.place, address.url
        self._closed = False
        self._pool: ConnectionPool[Connection] | None = None

    def _recognised(self) -> None:
        """Make sure that there is a store to be read.

        Raises:
            StoreError: there is none.
            psycopg.Error: PostgreSQL cannot be reached.
        """
        with connect(self._url) as connection:
            if recognise(connection, self.address) is None:
                raise StoreError(f"There is no store {self.address}.", do="Give the address of an existing store.")

    def _readers(self) -> "ConnectionPool[Connection]":
        if self._closed:
            raise StoreError(f"The store {self.address} is closed.", do="Open it again with Store.open.")
        if self._pool is None:
            self._pool = ConnectionPool(
                self._url, min_size=1, max_size=READERS, timeout=WAIT, open=True, configure=reading, num_workers=1,
                kwargs={"autocommit": True, "application_name": "tidegate reads", "connect_timeout": 5},
                check=_check, reconnect_timeout=10,
            )  # fmt: skip
        return self._pool

    def _read(self, statement: str, values: Sequence[object] = (), *, by_key: bool = False) -> list[Any]:
        given = [escaped(value) if isinstance(value, str) else value for value in values]
        try:
            with (
                self._readers().connection() as connection,
                at_most(SILENCE if by_key else LONG, connection),
                connection.cursor(binary=True) as cursor,
            ):
                return cursor.execute(translated(statement), given).fetchall()
        except psycopg.Error as error:
            raise told(error, self.address) from error

    def _has_table(self, name: str) -> bool:
        return bool(self._read("SELECT 1 WHERE to_regclass(?) IS NOT NULL", (name,)))

    def index_fault(self) -> str:
        """What is wrong with the index of ids as a whole; empty if nothing is."""
        found = self._read(
            "SELECT indisunique AND indisvalid AND indisready AND indpred IS NULL "
            "AND pg_get_indexdef(indexrelid, 1, true) = 'id' "
            "FROM pg_index WHERE indexrelid = to_regclass(?) AND indrelid = to_regclass('records')",
            (IDS,),
        )
        if not found:
            return f"The index of ids ({IDS}) is missing."
        return "" if found == [(True,)] else f"The index {IDS} is not one of all ids, once each."

    def filed(self, size: int) -> None:
        """None: the index of ids has the order of the database's collation."""

    def misfiled(self, first: int, last: int) -> tuple[int, int] | None:
        """The first record from number `first` to `last` to which the index of ids does not lead, and where it does."""
        try:
            with (
                self._readers().connection() as connection,
                at_most(LONG, connection),
                connection.transaction(),
            ):
                # Of few records the planner would rather read all than look into the index.
                connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
                row = connection.execute(_MISFILED, (first, last)).fetchone()
                return (row[0], row[1]) if row else None
        except psycopg.Error as error:
            raise told(error, self.address) from error

    def stray(self, size: int) -> int | None:
        """None: an index of PostgreSQL keeps entries of rows that are gone, and one too many looks like them."""
        return None

    def _holds_text(self, text: str) -> tuple[str, Sequence[object]]:
        # As bytes, a character each, so that content that is no UTF-8 can be looked through as well.
        like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        byte = like.encode("utf-8", "surrogatepass").decode("latin-1")
        places = ('id COLLATE "C"', *(f"convert_from({name}, 'LATIN1') COLLATE \"C\"" for name in ("body", "answer")))
        return " OR ".join(f"{place} ILIKE ? ESCAPE '\\'" for place in places), [like, byte, byte]

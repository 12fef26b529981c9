"""What `tidegate store migrate` asks of a store: of which revision it is, and to be brought to another."""

from typing import NamedTuple

from tidegate.connectors.store import Store
from tidegate.connectors.store_address import Address
from tidegate.errors import StoreError
from tidegate.evidence.tables import REVISION, REVISIONS


class State(NamedTuple):
    """How the tables of a store are."""

    revision: str | None
    """None where PostgreSQL has no store yet."""
    kept: bool
    """Whether Alembic keeps the revision; until 0004 a row of `about` may be all that says it."""


def state(address: Address) -> State:
    """How the tables of the store at an address are.

    Raises:
        StoreError: there is no such file, it cannot be reached, or what is there is no store that we know.
    """
    if address.url is None:
        with Store.open(address, read_only=True) as store:
            return State(store.revision(), store._has_table(REVISIONS))
    try:
        import psycopg

        from tidegate.connectors.postgres_faults import told
        from tidegate.connectors.postgres_session import connect, recognise
    except ImportError as error:
        raise StoreError.not_installed("A store in PostgreSQL", "psycopg", "postgres", error) from None
    try:
        with connect(address.url) as connection:
            at = recognise(connection, str(address))
            row = connection.execute("SELECT to_regclass(%s)", (REVISIONS,)).fetchone()
            return State(at, row is not None and row[0] is not None)
    except psycopg.Error as error:
        raise told(error, str(address)) from error


def bring_up(address: Address, to: str) -> None:
    """Bring a store to a revision.

    Raises:
        StoreError: another process has it open; it cannot be written; there is none.
    """
    if to == REVISION:
        Store.open(address, create=False).close()
    elif address.url is None:
        _file(address, to)
    else:
        _database(address.url, str(address), to)


def _file(address: Address, to: str) -> None:
    import sqlite3

    from tidegate.connectors.sqlite_faults import told
    from tidegate.connectors.sqlite_files import Lock
    from tidegate.connectors.sqlite_files import bring_up as up

    path = address.path.resolve()
    lock = Lock(path)
    try:
        at = state(address).revision
        if at is not None and at < to:
            up(path, at, to)
    except sqlite3.Error as error:
        raise told(error, path) from error
    finally:
        lock.release()


def _database(url: str, shown: str, to: str) -> None:
    import psycopg

    from tidegate.connectors.postgres_faults import told
    from tidegate.connectors.postgres_session import Session

    try:
        Session(url, shown, create=False, to=to).close()
    except psycopg.Error as error:
        raise told(error, shown) from error


def only_as_sql(address: Address) -> None:
    """Make sure that a store can be brought up by SQL that its administrator runs.

    Raises:
        StoreError: it is a file, which has no administrator.
    """
    if address.url is None:
        raise StoreError(
            f"{address} is a SQLite file, which is brought up here: some of it is sealed, which SQL cannot do.",
            do="Leave out --sql; it is for PostgreSQL.",
        )

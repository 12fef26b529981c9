"""The session that may write a PostgreSQL store, and the tables that it makes there.

One session writes at a time: it holds an advisory lock, which PostgreSQL gives back when the session ends, however that
happens. A writer that lost its connection may believe in its lock for a while longer, or a proxy between may have given
its session to another. So the store has an *epoch*, which each new writer raises, and each transaction makes sure that
it is still its own (a fencing token).
"""

import os
import socket
import time
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from tidegate.connectors.postgres_patience import LONG, SILENCE, at_most
from tidegate.connectors.store import AwayError
from tidegate.connectors.store_revision import check_known, revision
from tidegate.errors import StoreError
from tidegate.evidence.tables import REVISION, definitions

_TIDE = 0x54494445
_SCHEMA = "(SELECT oid::bigint::bit(32)::int FROM pg_namespace WHERE nspname = current_schema())"
PATIENCE = 5.0
"""Seconds that a writer waits for the lock of one that was killed: PostgreSQL may have to finish its last statement."""
TIMEOUT = 5
"""Seconds until a server that does not answer a new connection counts as gone."""
_SETTINGS = (
    # So that a writer whose machine is gone is noticed in half a minute, and its lock given back.
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
    "SET idle_in_transaction_session_timeout = '60s'; SET synchronous_commit = on"
)

Connection = psycopg.Connection[tuple[Any, ...]]


def connect(url: str) -> Connection:
    """A connection in autocommit.

    Raises:
        psycopg.Error: PostgreSQL cannot be reached, or does not let us in.
    """
    name = f"tidegate {socket.gethostname()}:{os.getpid()}"
    return psycopg.connect(
        url, autocommit=True, connect_timeout=TIMEOUT, application_name=name, keepalives_idle=10,
        keepalives_interval=5, keepalives_count=3, tcp_user_timeout=20_000,
    )  # fmt: skip


def recognise(connection: Connection, address: str) -> str | None:
    """The revision of the store's tables; None where there is no store.

    Raises:
        StoreError: what is there is no store of ours, or of a revision that we do not know.
    """

    def has_table(name: str) -> bool:
        found = connection.execute("SELECT to_regclass(%s)", (name,)).fetchone()
        return found is not None and found[0] is not None

    row = connection.execute("SELECT current_schema()").fetchone()
    schema = row[0] if row else None
    if schema is None:
        raise StoreError(f"{address} has no schema to keep a store in.", do="Give a search_path with a schema in it.")
    if not has_table("about") and not has_table("records"):
        return None
    found = None
    if has_table("records"):
        with suppress(psycopg.errors.UndefinedColumn):
            found = revision(has_table, lambda asked: connection.execute(asked.encode()).fetchall())
    return check_known(found, address, where=f" in the schema {schema}")


class Session:
    """The writing session: a connection, the lock, and the epoch that began with it.

    Args:
        url: of the database.
        address: as people are told of it.
        create: make the tables if there are none.
        to: the revision to bring its tables to.
        again: this process wrote it before, and the writer in the way may be its own session that was cut off.

    Raises:
        StoreError: another process writes this store (`AwayError` where it is taken `again`); there is none, or what is
            there is none.
        psycopg.Error: PostgreSQL cannot be reached.
    """

    def __init__(self, url: str, address: str, *, create: bool, to: str = REVISION, again: bool = False) -> None:
        self.connection = connect(url)
        self.address = address
        try:
            with at_most(SILENCE + PATIENCE, self.connection):
                self.connection.execute(_SETTINGS)
                self._lock(AwayError if again else StoreError)
                at = recognise(self.connection, address)
            if at is None and not create:
                raise StoreError(f"There is no store {address}.", do="Give the address of an existing store.")
            if at is None or at < to:
                with at_most(LONG, self.connection):
                    _bring_up(self.connection, address, at, to)
            with at_most(SILENCE, self.connection):
                self.epoch, self.before = self._begin()
        except BaseException:
            self.connection.close()
            raise

    def _lock(self, fault: type[StoreError]) -> None:
        until = time.monotonic() + PATIENCE
        while not self._one(f"SELECT pg_try_advisory_lock({_TIDE}, {_SCHEMA})"):
            if time.monotonic() > until:
                holder = self._one(
                    "SELECT string_agg(format('%s, session %s from %s', application_name, a.pid, "
                    "coalesce(client_addr::text, 'this machine')), '; ') FROM pg_locks l JOIN pg_stat_activity a "
                    f"ON a.pid = l.pid WHERE locktype = 'advisory' AND classid = {_TIDE} AND granted"
                )
                raise fault(
                    f"Another process has the store {self.address} open.",
                    seen=str(holder or "a session that just ended"),
                    do="Stop that process, or name another store; it may be read meanwhile (in Python read_only=True).",
                )
            time.sleep(0.1)

    def _one(self, statement: str) -> Any:
        row = self.connection.execute(statement).fetchone()
        return row[0] if row else None

    def _begin(self) -> tuple[int, int]:
        """Raise the epoch; gives ours and the one before."""
        now = int(self._one("UPDATE about SET value = (value::bigint + 1)::text WHERE name = 'epoch' RETURNING value"))
        return now, now - 1

    def begin(self) -> None:
        """Begin a transaction, as the one that may write.

        Raises:
            StoreError: another session began to write the store since: this one must not.
        """
        found = self.connection.execute("BEGIN; SELECT value FROM about WHERE name = 'epoch' FOR SHARE")
        found.nextset()
        row = found.fetchone()
        if row is None or row[0] != str(self.epoch):
            raise StoreError(
                f"Another process took over the store {self.address}; nothing of this batch was kept.",
                seen=f"epoch {row[0] if row else 'none'}, where this writer's is {self.epoch}",
                do="Stop one of the two. This one takes over again as soon as the other is gone.",
            )

    @property
    def lost(self) -> bool:
        """Whether the connection is gone, as far as is known here."""
        return self.connection.closed

    def close(self) -> None:
        """End it, and let others write."""
        with suppress(psycopg.Error):
            self.connection.close()


def _bring_up(connection: Connection, address: str, at: str | None, to: str) -> None:
    """Make the tables, where there are none, or bring them to a newer revision: all of it or nothing."""
    if at is None:
        with connection.transaction():
            for statement in definitions("postgresql"):
                connection.execute(sql.SQL(statement))
        return
    from tidegate.connectors.migrating import upgrade

    try:
        upgrade(connection, at=at, to=to)
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreError(
            f"The store {address} has tables of an older revision, which this user may not change.",
            seen=f"revision {at}, where this one writes {REVISION}: {str(error).splitlines()[0]}",
            do="Have their owner run `tidegate store migrate`, or what it prints with --sql.",
        ) from error

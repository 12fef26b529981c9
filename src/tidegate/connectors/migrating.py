"""A store of an older revision is brought up, by Alembic, through the connection of whoever may write it.

    upgrade(connection, to=REVISION)      # all of it or nothing

Alembic and SQLAlchemy are imported by nothing else, so a store that is up to date costs no start their import.
"""

import sqlite3
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, inspect
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from tidegate.errors import StoreError
from tidegate.evidence.tables import REVISION, REVISIONS, UNSEALED

MIGRATIONS = Path(__file__).with_name("migrations")


class Step(NamedTuple):
    """A revision that a store is yet to be brought to."""

    revision: str
    words: str


def steps(at: str | None, to: str = REVISION) -> Sequence[Step]:
    """What is to be done to bring a store from one revision to another, in order.

    Args:
        at: its revision; None where there is no store.
        to: the revision to bring it to.

    Raises:
        StoreError: there is no such revision, or the store is beyond it.
    """
    scripts = ScriptDirectory.from_config(config())
    known = [script.revision for script in scripts.walk_revisions()][::-1]
    if to not in known:
        raise StoreError(
            f"There is no revision {to} of a store's tables.", seen=to, do=f"Give one of {', '.join(known)}."
        )
    if at is not None and at > to:
        raise StoreError(
            "A store is not taken back to an older revision: what a newer one let go is not there any more.",
            seen=f"tables of revision {at}, asked for {to}",
            do="Put back a backup from before, with the version of Tidegate that made it.",
        )
    found = [scripts.get_revision(name) for name in known if name <= to and (at is None or name > at)]
    return [Step(script.revision, script.doc) for script in found]


def config(output: TextIO | None = None) -> Config:
    """Alembic's configuration for our migrations."""
    made = Config(output_buffer=output) if output else Config()
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return made


def upgrade(connection: Any, *, at: str, to: str = REVISION) -> None:
    """Bring a store up, in one transaction.

    Args:
        connection: one of sqlite3 or psycopg, in autocommit and in no transaction, of whoever holds the store's lock.
        at: the revision that the store says it has.
        to: the revision to bring it to.

    Raises:
        sqlite3.Error: it cannot be written; the store is then as it was.
        psycopg.Error: the same of PostgreSQL.
    """
    try:
        with bound(connection).begin() as store:
            asked = config()
            asked.attributes["connection"] = store
            if not inspect(store).has_table(REVISIONS):
                command.stamp(asked, at)
            command.upgrade(asked, to)
    except DBAPIError as error:
        raise (error.orig or error) from error


def bound(connection: Any) -> Engine:
    """SQLAlchemy's engine over one connection of ours, whose transactions are those of the database itself."""
    if isinstance(connection, sqlite3.Connection):
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        begin = "BEGIN IMMEDIATE"
    else:
        # Not asked for hstore's type, which no table has.
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool, use_native_hstore=False
        )
        begin = "BEGIN"

    @event.listens_for(engine, "begin")
    def really_begin(store: Connection) -> None:
        store.exec_driver_sql(begin)

    return engine


def sql(at: str | None, to: str = REVISION, *, kept: bool) -> str:
    """What brings a store of PostgreSQL up, as SQL for its administrator to read and to run.

    Args:
        at: its revision; None to make it from nothing.
        kept: whether Alembic keeps the revision already.
        to: the revision to bring it to.

    Raises:
        StoreError: there are refusals to seal.
    """
    if at == UNSEALED:
        raise StoreError(
            "This store has refusals that are to be sealed, which SQL cannot do.",
            seen=f"tables of revision {at}",
            do="Run `tidegate store migrate` without --sql, as a user who may change its tables.",
        )
    written = StringIO()
    if at is not None and not kept:
        command.stamp(config(written), at, sql=True)
    command.upgrade(config(written), f"{at or 'base'}:{to}", sql=True)
    return written.getvalue()

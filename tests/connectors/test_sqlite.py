"""What only a SQLite store does: its lock is a file, and others may write into its database."""

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tidegate.connectors.sqlite import SqliteStore
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import verify
from tidegate.evidence.tables import TABLES, definitions

from .entries import entries


def test_a_changed_artefact_is_not_given_out(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        digest = store.put_artefact("model", b"trees")
        sqlite3.connect(tmp_path / "s.db", isolation_level=None).execute("UPDATE artefacts SET body = x'00'")
        with pytest.raises(StoreError, match="was changed"):
            store.get_artefact(digest)


def test_a_second_opener_is_told_who_holds_the_store(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    code = (
        "import sys; from tidegate.connectors.store import Store; s = Store.open(sys.argv[1]);"
        "print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None and other.stdout.readline() == "open\n"
    with pytest.raises(StoreError, match=rf"Another process has .* open\. Seen: process {other.pid}\."):
        Store.open(path)
    with Store.open(path, read_only=True) as store:
        assert store.head().size == 0
        with pytest.raises(StoreError, match="opened to read only"):
            store.append(entries(1, 1))
    other.kill()
    other.communicate()
    with Store.open(path) as store:
        assert store.append(entries(1, 1)).size == 1
        with pytest.raises(StoreError, match="Another process"):
            Store.open(path)


def test_the_tables_are_written_for_every_database() -> None:
    made = definitions("postgresql")
    assert len(made) == len(TABLES) + 5
    assert any("BYTEA" in statement for statement in made) and not any("BLOB" in statement for statement in made)


class Faulty:
    """A connection that commits, and then says that it could not."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, statement: str, *more: Any) -> sqlite3.Cursor:
        done = self._real.execute(statement, *more)
        if statement == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return done


def test_after_a_commit_that_failed_the_disk_is_asked_what_it_holds(tmp_path: Path) -> None:
    """A commit may have been done although it was said to have failed: the log goes on from what is there."""
    with SqliteStore.at(tmp_path / "s.db") as store:
        store.append(entries(1, 3))
        real = store._writer
        assert real is not None
        store._writer = Faulty(real)  # type: ignore[assignment]
        with pytest.raises(StoreError):
            store.append(entries(4, 6))
        store._writer = real
        assert store.head().size == 6
        assert store.append(entries(7, 8)).size == 8
        assert verify(store).ok and [stored.seq for stored in store.replay()] == list(range(1, 9))

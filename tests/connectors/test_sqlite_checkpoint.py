"""A store's log is moved into its database beside the appends: it stays short, and nothing is lost on the way."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.entries import entries
from tidegate.connectors import sqlite_checkpoint
from tidegate.connectors.sqlite import SqliteStore
from tidegate.connectors.store import Store
from tidegate.evidence.log import verify

LONG = 40 * 8192
MANY = 200
"""Batches of fifty records: some ten logs of that length."""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """A store that syncs apart, and whose log is long early."""
    monkeypatch.setattr(sqlite_checkpoint, "LONG", LONG)
    monkeypatch.setattr(sqlite_checkpoint, "_SHORT", 8)
    with Store.open(tmp_path / "s.db") as made:
        assert isinstance(made, SqliteStore)
        made.sync_apart()
        yield made


def log_of(store: SqliteStore) -> Path:
    return store.path.with_name(store.path.name + "-wal")


def fill(store: SqliteStore, batches: int) -> None:
    """Append batches, at a pace that leaves the thread beside its time."""
    for _ in range(batches):
        size = store.append(entries(store.head().size + 1, store.head().size + 50)).size
        if size % 500 == 0:
            time.sleep(0.02)


def begun_anew(store: SqliteStore) -> bool:
    """Append until the log is overwritten from its beginning; False if that does not come."""
    before = log_of(store).read_bytes()[16:24]  # the salts of the log's header: others each time it begins
    for _ in range(2_000):
        fill(store, 1)
        if log_of(store).read_bytes()[16:24] != before:
            return True
        time.sleep(0.002)
    return False


def test_the_log_is_moved_and_begins_anew(store: SqliteStore) -> None:
    fill(store, MANY)
    assert begun_anew(store)
    assert store.path.stat().st_size > 4 * LONG
    found = verify(store)
    assert found.ok and found.records == store.head().size


def test_commits_do_not_move_it(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or they would stand still for it, and the thread would be of no use."""
    monkeypatch.setattr(store._checkpoints, "_asked", True)  # as if the thread never came to it
    before = store.path.stat().st_size
    fill(store, MANY)
    assert log_of(store).stat().st_size > 5 * LONG and store.path.stat().st_size == before


def test_a_reader_may_hold_the_log_for_long(store: SqliteStore) -> None:
    fill(store, 10)
    reader = sqlite3.connect(f"file:{store.path}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    (seen,) = reader.execute("SELECT count(*) FROM records").fetchone()
    fill(store, MANY)
    assert reader.execute("SELECT count(*) FROM records").fetchone() == (seen,)
    reader.close()
    assert begun_anew(store)
    assert verify(store).ok


def test_a_fault_beside_the_appends_is_told_and_tried_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(path: Path, *, write: bool) -> sqlite3.Connection:
        raise sqlite3.OperationalError("disk I/O error")

    connect = sqlite_checkpoint.connect
    monkeypatch.setattr(sqlite_checkpoint, "connect", failing)
    with caplog.at_level(logging.WARNING, "tidegate.store"):
        fill(store, MANY)
    assert "could not be moved" in caplog.text and "disk I/O error" in caplog.text
    monkeypatch.setattr(sqlite_checkpoint, "connect", connect)
    assert begun_anew(store) and verify(store).ok


def test_it_ends_with_the_store(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as made:
        assert isinstance(made, SqliteStore)
        made.sync_apart()
        made.append(entries(1, 50))
        assert made._checkpoints is not None
        thread = made._checkpoints._thread
        assert thread.is_alive()
    assert not thread.is_alive()
    assert not (tmp_path / "s.db-wal").exists()

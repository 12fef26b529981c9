"""What puts a store and its snapshots on the disk is asked for, in the right order, and again after it failed."""

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidegate.connectors import sqlite_sync
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import verify
from tidegate.evidence.snapshot import read, write

from .entries import entries


def level(store: Store) -> int:
    (found,) = store._write_connection().execute("PRAGMA synchronous").fetchone()
    return int(found)


def test_every_commit_waits_for_the_disk_until_sync_is_apart(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        assert level(store) == 2  # FULL: the log is synced at each commit
        store.sync_apart()
        assert level(store) == 1  # NORMAL: at checkpoints, and never OFF


def test_a_connection_made_anew_syncs_as_the_one_before(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.sync_apart()
        store._write_connection().close()
        store._writer = None
        assert level(store) == 1


def test_sync_puts_the_log_on_the_disk_only_where_it_is_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(sqlite_sync, "_data_sync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")))
    with Store.open(tmp_path / "s.db") as store:
        store.append(entries(1, 2))
        store.sync()
        assert not synced
        store.sync_apart()
        store.append(entries(3, 4))
        assert not synced
        store.sync()
        assert synced == [str((tmp_path / "s.db-wal").resolve())]


def test_after_a_failed_sync_the_log_is_moved_before_it_is_called_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.sync_apart()
        store.append(entries(1, 50))
        fail_to_sync(store, monkeypatch)
        assert not held_without_log(tmp_path)
        store.sync()
        assert held_without_log(tmp_path) == 50


def fail_to_sync(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one sync fail."""

    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_sync, "_data_sync", failing)
        with pytest.raises(StoreError, match="could not be put on the disk"):
            store.sync()


def test_a_log_that_a_reader_keeps_from_being_moved_is_not_called_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.sync_apart()
        store.append(entries(1, 5))
        store._write_connection().execute("PRAGMA busy_timeout = 50")
        reader = sqlite3.connect(tmp_path / "s.db")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM records").fetchone()
        store.append(entries(6, 50))
        fail_to_sync(store, monkeypatch)
        with pytest.raises(StoreError):
            store.sync()
        reader.close()
        store.sync()


def held_without_log(folder: Path) -> int:
    """How many records the database file has by itself."""
    alone = folder / "alone.db"
    alone.write_bytes((folder / "s.db").read_bytes())
    with sqlite3.connect(f"file:{alone}?immutable=1", uri=True) as connection:
        (found,) = connection.execute("SELECT count(*) FROM records").fetchone()
    connection.close()
    return int(found)


class AnsweredLate:
    """A connection whose next commit is done, and is then said to have failed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection, self.failed = connection, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, statement: str, *values: Any) -> Any:
        done = self.connection.execute(statement, *values)
        if statement == "COMMIT" and not self.failed:
            self.failed = True
            raise sqlite3.OperationalError("disk I/O error")
        return done


def test_after_a_failed_commit_the_disk_is_looked_at(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.append(entries(1, 3))
        store._writer = AnsweredLate(store._write_connection())  # type: ignore[assignment]
        with pytest.raises(StoreError):
            store.append(entries(4, 6))
        assert store.head().size == 6  # it was kept after all
        assert store.append(entries(7, 8)).size == 8
        found = verify(store)
        assert found.ok and found.records == 8


def test_a_snapshot_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(file: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{file}"))
        if path.is_file():
            read(path)  # all of it has left this process
        done.append("sync " + path.name)
        fsync(file)

    def noted_replace(source: Path, target: Path) -> None:
        done.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write(tmp_path / "one", seq=1, flow=bytes(32), root=b"r" * 32, arrays={"cells": np.arange(1000)})
    assert done == ["sync one.new", "rename", f"sync {tmp_path.name}"]

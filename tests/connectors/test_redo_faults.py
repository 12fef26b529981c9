"""Faults at the worst moment of a redo log: between two threads, between two steps, and while it is done away with."""

import errno
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tidegate.connectors import redo_log, sqlite_sync
from tidegate.connectors.direct_file import BLOCK, DirectFile
from tidegate.connectors.sqlite import SqliteStore
from tidegate.connectors.store import Store
from tidegate.errors import StoreError

from .entries import entries, entry
from .power_loss import Disk, disk, held

__all__ = ["disk"]


class AtCommit:
    """A connection that does something else just before its next commit."""

    def __init__(self, store: Any, before: Callable[[], object]) -> None:
        self.connection, self.before = store._write_connection(), before
        store._writer = self
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, statement: str, *values: Any) -> Any:
        if statement == "COMMIT":
            self.store._writer = self.connection
            self.before()
        return self.connection.execute(statement, *values)


def failing(*_: object) -> None:
    raise OSError(errno.EIO, "Input/output error")


def in_threads(*tasks: Callable[[], object]) -> None:
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_a_sync_before_the_commit_of_a_large_batch_does_not_speak_for_it(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redo_log, "MOST", 2 * BLOCK)
    disk.store.append(entries(1, 5))
    disk.store.sync()
    AtCommit(disk.store, lambda: in_threads(disk.store.sync))
    disk.store.append(entries(6, 200))
    disk.store.sync()
    assert len(held(disk.after_power_loss())) == 200


def test_what_follows_on_a_large_batch_that_was_lost_is_left_out(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(redo_log, "MOST", 2 * BLOCK)
    disk.store.append(entries(1, 5))
    disk.store.sync()
    disk.store.append(entries(6, 200))
    disk.store.append(entries(201, 203))
    sync_of(disk)._redo.wait()  # and no sync: nothing of this was acknowledged
    assert len(held(disk.after_power_loss())) == 5
    assert "not acknowledged: it is left out" in caplog.text


def sync_of(disk: Disk) -> Any:
    store: Any = disk.store
    return store._disk


def test_an_empty_batch_is_no_batch(disk: Disk) -> None:
    disk.store.append(entries(1, 3))
    disk.store.append([])
    disk.store.sync()
    code = f"from tidegate.connectors.store import Store; Store.open({str(disk.after_power_loss())!r}).close()"
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)


def test_a_refused_batch_whose_process_was_killed_before_it_took_it_back_is_left_out(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.store.append(entries(1, 3))
    disk.store.sync()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_sync.SqliteSync, "void", lambda self: None)
        with pytest.raises(StoreError):
            disk.store.append([entry(4), entry(2)])
    sync_of(disk)._redo.wait()
    assert len(held(disk.after_power_loss())) == 3


def test_a_batch_that_was_interrupted_is_taken_back(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.store.append(entries(1, 3))
    disk.store.sync()
    begin = DirectFile.begin

    def interrupted(self: DirectFile, *given: Any) -> None:
        begin(self, *given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DirectFile, "begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            disk.store.append(entries(4, 6))
    sync_of(disk)._redo.wait()
    assert len(held(disk.after_power_loss())) == 3


def test_an_interrupt_before_a_batch_is_begun_takes_none_back(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    disk.store.append(entries(1, 3))
    disk.store.sync()
    with monkeypatch.context() as patch:
        patch.setattr(redo_log.RedoLog, "begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            disk.store.append(entries(4, 6))
    assert len(held(disk.after_power_loss())) == 3


def test_a_refused_batch_is_taken_back_where_another_thread_gave_the_log_up(disk: Disk) -> None:
    def given_up() -> None:
        sync_of(disk)._redo.wait()
        sync_of(disk)._give_up(OSError(errno.EIO, "Input/output error"))
        raise sqlite3.OperationalError("disk I/O error")

    disk.store.append(entries(1, 3))
    disk.store.sync()
    AtCommit(disk.store, given_up)
    with pytest.raises(StoreError):
        disk.store.append(entries(4, 6))
    assert len(held(disk.after_power_loss())) == 3


def test_two_threads_may_give_it_up_at_once(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)

    def failing_together(*_: object) -> None:
        both.wait(10)
        failing()

    disk.store.append(entries(1, 3))
    with monkeypatch.context() as patch:
        patch.setattr(DirectFile, "wait", failing_together)
        patch.setattr(sqlite_sync, "_data_sync", lambda file: None)
        in_threads(disk.store.sync, disk.store.sync)
    disk.store.scrub()
    assert not disk.redo.exists()


def test_a_scrub_after_a_failed_sync_ends(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.store.append(entries(1, 3))
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_sync, "_data_sync", failing)
        with pytest.raises(StoreError):
            disk.store.scrub()
    assert disk.redo.exists()
    in_threads(disk.store.scrub)
    assert not disk.redo.exists()


def test_it_is_deleted_only_after_a_sync(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, remove = sqlite_sync._data_sync, redo_log.remove
    monkeypatch.setattr(sqlite_sync, "_data_sync", lambda file: (done.append("sync"), sync(file)))
    monkeypatch.setattr(redo_log, "remove", lambda path: (done.append("remove"), remove(path)))
    disk.store.append(entries(1, 3))
    disk.store.close()
    assert done == ["sync", "remove"]


def test_at_the_next_start_it_is_deleted_only_after_all_was_written_anew(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync that failed before a kill may have made clean what was never written: no sync tells of that any more."""
    disk.store.append(entries(1, 3))
    disk.store.sync()
    killed = disk.folder.with_name("killed")
    shutil.copytree(disk.folder, killed)
    done: list[str] = []
    move, remove = SqliteStore._move_log, redo_log.remove
    monkeypatch.setattr(SqliteStore, "_move_log", lambda self: (done.append("move"), move(self)))
    monkeypatch.setattr(redo_log, "remove", lambda path: (done.append("remove"), remove(path)))
    Store.open(killed / "s.db").close()
    assert done == ["move", "remove"]


def test_where_a_reader_is_in_the_way_of_that_it_is_kept_for_the_next_start(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.store.append(entries(1, 3))
    disk.store.sync()
    killed = disk.folder.with_name("killed")
    shutil.copytree(disk.folder, killed)
    reader = sqlite3.connect(killed / "s.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM records").fetchone()
    writer = sqlite3.connect(killed / "s.db")  # what the reader does not see yet cannot be moved for it
    writer.execute("INSERT INTO artefacts VALUES (x'00', 'flow', x'00')")
    writer.commit()
    with Store.open(killed / "s.db") as store:
        assert "kept until the next start" in caplog.text
        before = redo_log.beside(killed / "s.db").read_bytes()
        store.sync_apart(each=True)
        store.append(entries(4, 5))
        store.sync()
        assert redo_log.beside(killed / "s.db").read_bytes() == before
    reader.close()
    writer.close()
    assert len(held(killed / "s.db")) == 5
    assert not redo_log.beside(killed / "s.db").exists()


def test_one_that_another_process_made_is_left_to_it(disk: Disk) -> None:
    disk.store.append(entries(1, 3))
    disk.redo.unlink()
    disk.redo.write_bytes(b"of another process")
    disk.store.close()
    assert disk.redo.read_bytes() == b"of another process"
    disk.redo.unlink()


def test_one_that_was_deleted_before_a_sync_answers_for_nothing(disk: Disk) -> None:
    disk.store.append(entries(1, 3))
    disk.redo.unlink()
    disk.store.sync()
    assert disk.syncs


def test_a_start_syncs_what_a_process_wrote_that_was_killed(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = disk.folder.with_name("killed")
    shutil.copytree(disk.folder, killed)
    synced: list[int] = []
    sync = sqlite_sync._data_sync
    monkeypatch.setattr(sqlite_sync, "_data_sync", lambda file: (synced.append(file), sync(file)))
    with Store.open(killed / "s.db") as store:
        synced.clear()
        store.sync_apart(each=True)
        assert synced


def test_what_stands_in_an_event_is_not_taken_for_another_edition(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redo_log, "SIZE", 8 * BLOCK)
    for number in range(1, 6):
        disk.store.append([entry(number, body=b"TIDERED9" * 1500), entry(number + 100, body=b"-TIDERED9" * 1500)])
        disk.store.sync()
        assert len(held(disk.after_power_loss())) == 2 * number


def test_a_store_closes_where_it_cannot_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store: Any = Store.open(tmp_path / "s.db")
    store.sync_apart(each=True)
    store.append(entries(1, 3))

    def read_only(self: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", read_only)
        store.close()
    assert store._closed
    assert len(held(tmp_path / "s.db")) == 3


def test_it_is_in_its_folder_and_writes_go_past_the_cache_with_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(os.readlink(f"/proc/self/fd/{file}")), sync(file)))
    file: Any = DirectFile(tmp_path / "f", BLOCK, 0o640)
    assert synced == [str((tmp_path / "f").resolve()), str(tmp_path.resolve())]
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640
    flags = fcntl.fcntl(file._file, fcntl.F_GETFL)
    assert flags & os.O_DIRECT and flags & os.O_DSYNC == os.O_DSYNC
    file.close()
    file.close()


def test_a_failure_of_sqlites_log_before_the_first_sync_would_be_told(disk: Disk) -> None:
    assert sync_of(disk)._logs  # open from the begin


@pytest.mark.parametrize("outcome", [-errno.EIO, 100])
def test_a_write_that_fails_or_is_cut_short_is_told_to_all_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: int
) -> None:
    file: Any = DirectFile(tmp_path / "f", 4 * BLOCK)
    collect = file._wait

    def other(*given: Any) -> int:
        many: int = collect(*given)
        for event in range(many):
            file._happened[32 * event + 16 : 32 * event + 24] = list(outcome.to_bytes(8, "little", signed=True))
        return many

    monkeypatch.setattr(file, "_wait", other)
    file.begin(1, b"x", 0)
    for _ in range(2):
        with pytest.raises(OSError):
            file.wait(1)
    with pytest.raises(OSError):
        file.wait(2)
    file.close()


def test_who_waits_for_a_write_that_could_not_be_begun_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file: Any = DirectFile(tmp_path / "f", 4 * BLOCK)
    thread = threading.Thread(target=lambda: file.wait(1), daemon=True)

    def refused(*_: object) -> int:
        thread.start()
        time.sleep(0.3)  # it waits by now
        return -1

    with monkeypatch.context() as patch:
        patch.setattr(file, "_call", refused)
        with pytest.raises(OSError):
            file.begin(1, b"x", 0)
    thread.join(10)
    assert not thread.is_alive()
    file.close()

"""What was acknowledged outlasts a loss of power: what a disk then has is the store as of its last sync, and the redo
log."""

import errno
import logging
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.connectors import direct_file, redo_log, sqlite_sync
from tidegate.connectors.direct_file import BLOCK, DirectFile
from tidegate.connectors.store import Store
from tidegate.errors import StoreError

from .entries import entries, entry
from .power_loss import Disk, disk, held, refusal, rows
from .test_sqlite_sync import AnsweredLate

__all__ = ["disk"]


def test_a_sync_waits_for_the_redo_log_alone_and_power_loss_loses_nothing(disk: Disk) -> None:
    disk.store.append(entries(1, 20), [refusal(1), refusal(2)])
    disk.store.append([], [refusal(3)])
    disk.store.append(entries(21, 21))
    disk.store.sync()
    assert not disk.syncs
    lost = disk.after_power_loss()
    assert rows(lost) == []
    assert held(lost) == held_live(disk)
    assert len(held(lost)) == 24
    assert not redo_log.beside(lost).exists()


def held_live(disk: Disk) -> list[tuple[object, ...]]:
    return rows(disk.folder / "s.db")


def test_it_is_there_only_while_the_store_is_written(disk: Disk) -> None:
    disk.store.append(entries(1, 3))
    disk.store.sync()
    disk.store.close()
    assert not disk.redo.exists()
    assert len(rows(disk.folder / "s.db")) == 3


def test_what_was_emptied_does_not_stay_in_it(disk: Disk) -> None:
    disk.store.append(entries(1, 3))
    disk.store.scrub()
    assert not disk.redo.exists()
    disk.store.append(entries(4, 5))
    disk.store.sync()
    assert disk.syncs  # by SQLite's log from now on


def test_after_its_end_it_goes_on_from_its_begin(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redo_log, "SIZE", 8 * BLOCK)
    for number in range(1, 60):
        disk.store.append(entries(10 * number, 10 * number + 9))
        disk.store.sync()
        assert len(held(disk.after_power_loss())) == 10 * number
    assert 5 < disk.syncs < 10


def test_sqlites_log_is_written_out_before_its_sync_and_that_says_nothing_of_it(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    early: list[str] = []
    begin = sqlite_sync._write_early
    name = "/proc/self/fd/{}".format
    monkeypatch.setattr(sqlite_sync, "EARLY", 2)
    monkeypatch.setattr(sqlite_sync, "_write_early", lambda file: (early.append(os.readlink(name(file))), begin(file)))
    for number in range(1, 8):
        disk.store.append([entry(number)])
        disk.store.sync()
    assert early == [str(disk.folder / "s.db-wal")] * 3
    assert not disk.syncs
    assert len(held(disk.after_power_loss())) == 7
    begin(-1)  # where it cannot, nothing is said


def test_a_batch_that_is_too_large_for_it_is_synced_by_sqlites_log(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redo_log, "MOST", 2 * BLOCK)
    disk.store.append(entries(1, 5))
    disk.store.append(entries(6, 200))
    disk.store.append(entries(201, 203))
    disk.store.sync()
    assert disk.syncs
    assert len(held(disk.after_power_loss())) == 203
    synced = disk.syncs
    disk.store.append(entries(204, 205))
    disk.store.sync()
    assert disk.syncs == synced
    assert len(held(disk.after_power_loss())) == 205


def test_what_it_does_not_hold_is_synced_before_what_follows_is_acknowledged(disk: Disk) -> None:
    digest = disk.store.put_artefact("flow", b"what decides")
    disk.store.append(entries(1, 2))
    disk.store.sync()
    with Store.open(disk.after_power_loss()) as store:
        assert store.get_artefact(digest) == ("flow", b"what decides")
        assert store.head().size == 2


def test_a_batch_that_was_refused_is_not_appended_after_power_loss(disk: Disk) -> None:
    disk.store.append(entries(1, 3))
    with pytest.raises(StoreError, match="holds already"):
        disk.store.append([entry(4), entry(2)])
    disk.store.sync()
    assert len(held(disk.after_power_loss())) == 3
    disk.store.append([entry(5)])
    disk.store.sync()
    assert [row[1] for row in held(disk.after_power_loss())] == ["e1", "e2", "e3", "e5"]


def test_of_a_commit_that_may_have_failed_nothing_acknowledged_is_lost(disk: Disk) -> None:
    disk.store.append(entries(1, 3))
    store: Any = disk.store
    store._writer = AnsweredLate(store._write_connection())
    with pytest.raises(StoreError):
        store.append(entries(4, 6))
    store.append(entries(7, 8))
    store.sync()
    assert len(held(disk.after_power_loss())) == 8


def test_one_that_was_deleted_is_answered_for_by_sqlites_log(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    disk.store.append(entries(1, 3))
    disk.store.sync()
    disk.redo.unlink()  # as who deleted the lock, and opened and closed the store
    disk.store.append(entries(4, 6))
    disk.store.sync()
    assert "redo log is not written any more" in caplog.text
    assert disk.syncs
    disk.redo.touch()
    assert len(held(disk.after_power_loss())) == 6


def test_a_write_that_fails_later_is_answered_for_by_sqlites_log(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(self: DirectFile, number: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    disk.store.append(entries(1, 3))
    with monkeypatch.context() as patch:
        patch.setattr(DirectFile, "wait", failing)
        disk.store.sync()
    assert "Input/output error" in caplog.text and disk.syncs == 1
    assert len(held(disk.after_power_loss())) == 3


def test_where_there_is_no_such_way_of_writing_sqlites_log_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_file, "_CALLS", {})
    disk = Disk(tmp_path, monkeypatch)
    assert not disk.redo.exists()
    disk.store.append(entries(1, 3))
    disk.store.sync()
    assert disk.syncs == 1
    disk.store.close()


def test_where_there_is_no_room_for_it_none_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Store.open(tmp_path / "s.db") as store:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            store.sync_apart(each=True)
        assert not redo_log.beside(tmp_path / "s.db").exists()
        store.append(entries(1, 3))
        store.sync()
        assert store.head().size == 3


def acknowledged_twice(disk: Disk) -> Path:
    """A store as the disk has it: of what was acknowledged first a later batch tells."""
    disk.store.append([entry(1), entry(2)])
    disk.store.sync()
    disk.store.append([entry(3)])
    disk.store.sync()
    return disk.after_power_loss()


def test_a_store_that_its_redo_log_does_not_follow_on_is_not_opened_to_write(disk: Disk) -> None:
    lost = acknowledged_twice(disk)
    kept = redo_log.beside(lost).read_bytes()
    redo_log.beside(lost).unlink()
    with Store.open(lost) as store:
        store.append([entry(9)])
    redo_log.beside(lost).write_bytes(kept)
    with pytest.raises(StoreError, match=r"lacks what it acknowledged.*1 records and 0 refusals, of 2 in all"):
        Store.open(lost)
    redo_log.beside(lost).rename(lost.with_name("away"))
    assert [row[1] for row in held(lost)] == ["e9"]


def test_nothing_is_appended_to_another_history_of_the_same_length(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    lost = acknowledged_twice(disk)
    kept = redo_log.beside(lost).read_bytes()
    redo_log.beside(lost).unlink()
    with Store.open(lost) as store:
        store.append([entry(1), entry(9)])
    redo_log.beside(lost).write_bytes(kept)
    assert [row[1] for row in held(lost)] == ["e1", "e9"]
    assert "it is left out" in caplog.text


def test_a_batch_that_is_damaged_and_was_acknowledged_is_told(disk: Disk) -> None:
    lost = acknowledged_twice(disk)
    content = bytearray(redo_log.beside(lost).read_bytes())
    content[100] ^= 1
    redo_log.beside(lost).write_bytes(content)
    with pytest.raises(StoreError, match=r"0 records and 0 refusals, of 2 in all"):
        Store.open(lost)
    assert redo_log.beside(lost).read_bytes() == content


def test_refusals_that_were_acknowledged_are_missed_too(disk: Disk) -> None:
    disk.store.append([], [refusal(1)])
    disk.store.sync()
    disk.store.append([], [refusal(2)])
    lost = disk.after_power_loss()
    content = bytearray(redo_log.beside(lost).read_bytes())
    content[100] ^= 1
    redo_log.beside(lost).write_bytes(content)
    with pytest.raises(StoreError, match=r"0 records and 0 refusals, of 1 in all"):
        Store.open(lost)


def test_one_that_cannot_be_read_or_is_of_another_edition_is_kept(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = acknowledged_twice(disk)

    def failing(path: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", failing)
        with pytest.raises(StoreError, match="cannot be read"):
            Store.open(lost)
    content = redo_log.beside(lost).read_bytes()
    redo_log.beside(lost).write_bytes(content.replace(b"TIDERED1", b"TIDERED2"))
    with pytest.raises(StoreError, match="another version"):
        Store.open(lost)
    redo_log.beside(lost).write_bytes(content)
    assert len(held(lost)) == 3


def test_no_new_store_is_made_over_the_redo_log_of_one_that_is_gone(disk: Disk) -> None:
    lost = acknowledged_twice(disk)
    for path in (lost, *lost.parent.glob("s.db-*")):
        path.unlink()
    with pytest.raises(StoreError, match="its redo log is still there"):
        Store.open(lost)


def test_of_two_batches_at_one_place_of_the_log_the_later_counts(tmp_path: Path) -> None:
    redo = redo_log.RedoLog(redo_log.beside(tmp_path / "s.db"))
    assert redo.begin((0, 0), 0, b"first", [], [refusal(1)])
    assert redo.begin((0, 1), 0, b"never committed", [], [refusal(2)])
    redo.wait()
    redo.rewind()
    assert redo.begin((0, 1), 0, b"second", [], [refusal(3)])
    redo.wait()
    redo.close()
    found = redo_log.batches(tmp_path / "s.db")
    assert [batch.root for batch in found.values()] == [b"second"]


def test_it_is_said_how_many_records_came_from_it(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    disk.store.append(entries(1, 7))
    disk.store.sync()
    with caplog.at_level(logging.WARNING), Store.open(disk.after_power_loss()):
        assert "The last 7 records" in caplog.text


def test_who_only_reads_a_store_that_lacks_records_is_told(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    disk.store.append(entries(1, 7))
    disk.store.sync()
    with Store.open(disk.folder / "s.db", read_only=True) as store:
        assert store.head().size == 7
    assert not caplog.text
    lost = disk.after_power_loss()
    with Store.open(lost, read_only=True) as store:
        assert store.head().size == 0
    assert f"what came last is in {lost}.redo only" in caplog.text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_disk_did_not_finish_what_is_there_is_a_whole_prefix(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redo_log, "SIZE", 16 * BLOCK)
        disk = Disk(tmp_path_factory.mktemp("disk"), patch)
        sizes, acknowledged, last = [0], 0, 0
        for many in data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=12)):
            disk.store.append(entries(last + 1, last + many), [refusal(last)] * data.draw(st.integers(0, 2)))
            last += many
            sizes.append(last)
            if data.draw(st.booleans()):
                disk.store.sync()
                acknowledged = last
        lost = disk.after_power_loss()
        redo = redo_log.beside(lost)
        # What was not acknowledged may lie there in part: any block of such a batch may be missing.
        content = bytearray(redo.read_bytes())
        for batch, (place, size) in placed(content).items():
            if batch >= acknowledged and data.draw(st.booleans()):
                at = place + data.draw(st.integers(0, (size - 1) // BLOCK)) * BLOCK
                content[at : at + BLOCK] = bytes(BLOCK)
        redo.write_bytes(content)
        found = held(lost)
        size = sum(str(row[1]).startswith("e") for row in found)
        assert size >= acknowledged and size in sizes
        assert found == [row for row in held_live(disk) if row in found]
        disk.store.close()


def placed(content: bytearray) -> dict[int, tuple[int, int]]:
    """Where batches lie, and how long they are, by how many records came before."""
    found = {}
    for place in range(0, len(content), BLOCK):
        if content[place : place + 8] == b"TIDERED1":
            size = int.from_bytes(content[place + 16 : place + 24], "little")
            records = msgspec.msgpack.decode(content[place + 40 : place + 40 + size])[0]
            found[records] = (place, 40 + size)
    return found


def test_writes_come_to_their_places_and_are_filled_with_zeros(tmp_path: Path) -> None:
    file = DirectFile(tmp_path / "f", 4 * BLOCK)
    for number in range(1, 30):
        file.begin(number, bytes([number]) * (BLOCK - number), number % 4 * BLOCK)
        file.wait(number)
    content = (tmp_path / "f").read_bytes()
    file.close()
    assert len(content) == 4 * BLOCK
    for number in range(26, 30):
        assert content[number % 4 * BLOCK :][:BLOCK] == bytes([number]) * (BLOCK - number) + bytes(number)


def test_many_writes_may_be_on_their_way(tmp_path: Path) -> None:
    file = DirectFile(tmp_path / "f", 64 * BLOCK)
    for number in range(1, 65):
        file.begin(number, bytes([number]) * BLOCK, (number - 1) * BLOCK)
    file.wait(64)
    file.close()
    assert (tmp_path / "f").read_bytes() == b"".join(bytes([number]) * BLOCK for number in range(1, 65))

"""What a store remembers of its ids: never denied, kept over a restart, and never believed when it is not its own."""

import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.connectors import sqlite, sqlite_seen
from tidegate.connectors import sqlite_seen_file as seen_file
from tidegate.connectors import store as store_file
from tidegate.connectors.sqlite_seen import LEAST_WORDS, SeenIds
from tidegate.connectors.sqlite_seen_kernels import KERNELS
from tidegate.connectors.store import Store
from tidegate.errors import StoreError

from .entries import entries


def test_ids_that_were_added_are_never_denied() -> None:
    seen = SeenIds.room_for(1000)
    one, many = [f"a{n}" for n in range(1000)], [f"b{n}" for n in range(100_000)]
    seen.add(one)
    seen.add_all(iter(many))
    assert seen.maybe(one) == one and seen.maybe(many) == many
    assert len(seen.maybe([f"c{n}" for n in range(10_000)])) < 300


def test_a_filter_that_grew_denies_nothing() -> None:
    seen = SeenIds.room_for(1)
    ids = [f"a{n}" for n in range(50_000)]
    seen.add(ids[:30_000])
    seen.grow(LEAST_WORDS * 5)
    assert len(seen.words) == LEAST_WORDS * 4
    seen.add_all(iter(ids[30_000:]))
    assert seen.maybe(ids) == ids
    assert len(seen.maybe([f"b{n}" for n in range(20_000)])) < 20


def test_any_text_can_be_asked_for() -> None:
    seen = SeenIds.room_for(1)
    odd = ["", "é", "\ud800", "x" * 10_000, "\0"]
    assert seen.maybe(odd) == []
    seen.add(odd)
    assert seen.maybe(odd) == odd


texts = st.text(st.characters(), max_size=3)  # half a surrogate pair, too


@given(st.lists(st.tuples(st.lists(texts, max_size=20), st.booleans()), max_size=8), st.lists(texts, max_size=40))
def test_machine_code_remembers_and_denies_what_python_does(
    batches: list[tuple[list[str], bool]], others: list[str]
) -> None:
    quick, plain = SeenIds.room_for(1), SeenIds.room_for(1)
    for ids, asked in batches:
        for seen, kernels in ((quick, [KERNELS]), (plain, [])):
            with patch.object(sqlite_seen, "_kernels", kernels):
                if asked:
                    seen.maybe(ids)
                seen.add(ids)
                assert seen.maybe(ids) == ids
    assert quick.words == plain.words
    for kernels in ([KERNELS], []):
        with patch.object(sqlite_seen, "_kernels", kernels):
            added = {id for ids, _ in batches for id in ids}
            assert quick.maybe(others) == [id for id in others if id in added or plain.maybe([id])]


def test_ids_that_were_asked_for_are_those_that_are_added() -> None:
    """The list that was asked for is changed, or the filter grows, before they are added."""
    with patch.object(sqlite_seen, "_kernels", [KERNELS]):
        seen = SeenIds.room_for(1)
        ids = [f"a{n}" for n in range(20)]
        assert seen.maybe(ids) == []
        ids[3:5] = ["b", "c", "d"]
        seen.add(ids)
        assert seen.maybe(ids) == ids and seen.maybe(["a3", "a4"]) == []
        more = [f"e{n}" for n in range(1000)]
        seen.maybe(more)
        seen.grow(LEAST_WORDS * 5)
        seen.add(more)
        assert seen.maybe(more) == more and seen.maybe(ids) == ids


@pytest.fixture
def worth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few ids are worth keeping, too."""
    monkeypatch.setattr(sqlite, "WORTH_KEEPING", 5)


def known(path: Path, last: int) -> int:
    """Open a store of the entries 1 to `last`; it must know just these. Gives how many it took from the file."""
    with Store.open(path) as store:
        taken = store._seen_kept
        assert set(store.find([f"e{n}" for n in range(1, last + 20)])) == {f"e{n}" for n in range(1, last + 1)}
        with pytest.raises(StoreError):
            store.append(entries(last, last))
    return taken


@pytest.mark.usefixtures("worth")
def test_ids_are_kept_when_a_store_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 100))
    assert known(path, 100) == 100
    with Store.open(path) as store:
        store.append(entries(101, 104))  # too few to write the file anew
    assert known(path, 104) == 100
    with Store.open(path) as store:
        store.append(entries(105, 110))
        store.keep_seen()
        store.append(entries(111, 113))
    assert known(path, 113) == 110


def test_a_small_store_has_no_file_for_it(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.append(entries(1, 100))
    assert not (tmp_path / "s.db.seen").exists()


@pytest.mark.usefixtures("worth")
def test_a_damaged_file_is_passed_over(tmp_path: Path) -> None:
    path, file = tmp_path / "s.db", tmp_path / "s.db.seen"
    with Store.open(path) as store:
        store.append(entries(1, 100))
    whole = file.read_bytes()
    flips = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in (0, 9, 20, 48, len(whole) // 2, -1)]
    for damaged in (*flips, b"", whole[:40], whole[: len(whole) // 2], whole[:-1], whole + b"\0" * 8):
        file.write_bytes(damaged)
        assert known(path, 100) == 0
        assert file.read_bytes() == whole, "it is written anew"


@pytest.mark.usefixtures("worth")
def test_ids_of_another_history_are_passed_over(tmp_path: Path) -> None:
    path, other = tmp_path / "s.db", tmp_path / "o.db"
    with Store.open(path) as store:
        store.append(entries(1, 50))
    shutil.copy(path, tmp_path / "older.db")
    with Store.open(path) as store:
        store.append(entries(51, 100))
    shutil.copy(tmp_path / "older.db", path)  # an older copy is put back; the file is of what it does not hold
    assert known(path, 50) == 0
    with Store.open(other) as store:
        store.append(entries(51, 100))
    shutil.copy(tmp_path / "o.db.seen", tmp_path / "s.db.seen")
    assert known(path, 50) == 0


@pytest.mark.usefixtures("worth")
def test_where_it_cannot_be_written_all_ids_are_read(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    (tmp_path / "s.db.seen").mkdir()
    with Store.open(path) as store:
        store.append(entries(1, 100))
    assert known(path, 100) == 0
    assert not (tmp_path / "s.db.seen.new").exists()


@pytest.mark.usefixtures("worth")
def test_what_was_taken_back_may_come_again(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 10))
        with pytest.raises(StoreError):
            store.append([*entries(11, 20), *entries(10, 10)])
    with Store.open(path) as store:
        assert store._seen_kept == 10 and store.find([f"e{n}" for n in range(11, 21)]) == {}
        store.append(entries(11, 20))
    assert known(path, 20) == 20


def test_a_file_of_no_sensible_size_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "x.seen"
    for size in (0, 47, 48, 64, 65, 72 + 16):
        file.write_bytes(seen_file.MAGIC.ljust(size, b"\0")[:size])
        assert seen_file.read(file, lambda _: b"") is None


@pytest.mark.usefixtures("worth")
def test_a_forged_filter_is_told_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its check is right and its content is not: it knows no id at all."""
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 100))
        head = store.head()
    seen_file.write(seen_file.beside(path), SeenIds.room_for(100), head)
    assert known(path, 100) == 0
    assert "was changed: it denies ids that are there" in caplog.text


@pytest.mark.usefixtures("worth")
def test_a_filter_that_the_records_contradict_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It denies one id of very many: that one is refused once, and then known."""
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 100))
        head = store.head()
    forged = SeenIds.room_for(100)
    forged.add(f"e{n}" for n in range(1, 101) if n != 70)
    seen_file.write(seen_file.beside(path), forged, head)
    monkeypatch.setattr(store_file, "_TRIED", 2)
    with Store.open(path) as store:
        assert store._seen_kept == 100 and store.find(["e70"]) == {}
        with pytest.raises(StoreError, match=r"denied an id that the store holds.*send the batch again"):
            store.append([*entries(101, 101), *entries(70, 70)])
        assert "was made anew" in caplog.text and not seen_file.beside(path).exists()
        assert set(store.find(["e70", "e101"])) == {"e70"}
        store.append(entries(101, 101))
        with pytest.raises(StoreError, match="Ask `find`"):
            store.append(entries(70, 70))
    assert known(path, 101) == 101

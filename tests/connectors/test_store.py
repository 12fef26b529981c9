"""Every store: what goes in comes out, in order, once, and from any thread."""

import math
import threading
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import verify
from tidegate.evidence.merkle import Range
from tidegate.evidence.record import Entry, Refusal, TreeHead, leaf

from .entries import entries, entry
from .stores import Places


def test_what_is_appended_is_found_again_after_a_restart(place: str) -> None:
    with Store.open(place) as store:
        assert store.append(entries(1, 100)).size == 100
        head = store.append([entry(101, answer=None, outcome=None, level=None, score=None)])
    with Store.open(place, create=False) as store:
        assert store.head() == head and head.size == 101
        found = store.find(["e7", "unknown", "e101"])
        assert set(found) == {"e7", "e101"}
        assert (found["e7"].seq, found["e7"].digest) == (7, entry(7).digest)
        assert found["e7"].answer == entry(7).answer
        assert found["e101"].answer is None
        whole, put = store.get("e20"), entry(20)
        assert whole is not None and store.get("unknown") is None
        for name in Entry.__struct_fields__:
            assert getattr(whole, name) == getattr(put, name)
        assert whole.alarm is True
        assert [event.id for event in store.replay()] == [f"e{n}" for n in range(1, 102)]
        assert [event.seq for event in store.replay(99)] == [100, 101]
        assert store.append([entry(102)]).size == 102
        assert verify(store).ok


def test_replay_gives_every_event_once_over_many_reads(place: str) -> None:
    with Store.open(place) as store:
        store.append(entries(1, 2500))
        assert [event.seq for event in store.replay()] == list(range(1, 2501))
        assert [event.body for event in store.replay(2498)] == [entry(2499).body, entry(2500).body]


def test_find_of_many_ids(place: str) -> None:
    with Store.open(place) as store:
        store.append(entries(1, 1000))
        asked = [f"e{n}" for n in range(501, 1501)]
        assert set(store.find(asked)) == {f"e{n}" for n in range(501, 1001)}
        assert store.find([]) == {}


ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
blobs = st.binary(max_size=20)
FLOW = sha256(b"definition").digest()
made = st.builds(
    Entry,
    id=ids,
    kind=st.sampled_from(["Payment", "Login"]),
    at=st.integers(-(2**63), 2**63 - 1),
    digest=blobs,
    body=blobs,
    answer=st.none() | blobs,
    record=blobs,
    outcome=st.none() | ids,
    level=st.none() | ids,
    score=st.none() | st.floats(),
    alarm=st.booleans(),
    flow=st.sampled_from([b"", FLOW]),
    elapsed=blobs,
    flags=st.integers(0, 3),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(made, max_size=5), max_size=5))
def test_any_entry_comes_back_as_it_was_sealed(places: Places, batches: list[list[Entry]]) -> None:
    path = places()
    kept: dict[str, Entry] = {}
    with Store.open(path) as store:
        store.put_artefact("flow", b"definition")
        for batch in batches:
            new = {e.id: e for e in batch if e.id not in kept}
            store.append(list(new.values()))
            kept |= new
        assert set(store.find(list(kept))) == set(kept)
        for seq, put in enumerate(kept.values(), 1):
            got = store.get(put.id)
            assert got is not None and got.seq == seq
            for name in set(Entry.__struct_fields__) - {"score"}:
                assert getattr(got, name) == getattr(put, name)
            assert got.score == (None if put.score is None or math.isnan(put.score) else put.score)
        found = verify(store)
        assert found.ok and found.records == len(kept)
        tree = Range()
        tree.extend([leaf(row) for row in store.rows()])
        assert store.head() == TreeHead(len(kept), tree.root())


def test_an_id_twice_is_refused_whole(place: str) -> None:
    with Store.open(place) as store:
        head = store.append(entries(1, 10))
        with pytest.raises(StoreError, match="refused a batch with an id that it holds already"):
            store.append([*entries(11, 20), entry(3)])
        assert store.head() == head and store.find(["e11"]) == {}
        assert store.append(entries(11, 20)).size == 20
        assert verify(store).ok


def test_a_batch_that_cannot_be_written_leaves_nothing(place: str) -> None:
    with Store.open(place) as store:
        store.append(entries(1, 3))
        with pytest.raises(UnicodeEncodeError):
            store.append([entry(4), entry(5, kind="\ud800")])
        assert store.find(["e4"]) == {}
        assert store.append([entry(4)]).size == 4


def test_list_narrows_and_pages(place: str) -> None:
    with Store.open(place) as store:
        store.append([*entries(1, 100), entry(101, answer=None)])
        assert [row.seq for row in store.list(limit=3)] == [100, 99, 98]
        assert [row.seq for row in store.list(limit=2, after=98)] == [97, 96]
        assert [row.seq for row in store.list(limit=2, after=98, newest=False)] == [99, 100]
        declined = store.list(outcome="decline", level="high")
        assert [row.id for row in declined] == [f"e{n}" for n in range(100, 0, -10)]
        assert all(row.alarm is True for row in declined)
        at = entry(0).at
        assert [row.seq for row in store.list(since=at + 5, until=at + 8)] == [7, 6, 5]
        assert [row.seq for row in store.list(text='"NUMBER":42')] == [42]
        assert [row.seq for row in store.list(text="e9", limit=2)] == [99, 98]
        assert not store.list(text="e" * 100_000)
        assert store.list(text="%") == [] and store.list(outcome="review") == []


def test_refusals_and_artefacts_are_kept(place: str) -> None:
    with Store.open(place) as store:
        refusal = Refusal("e1", b"d" * 32, "the same id with other content", 5)
        assert store.append([], [refusal]).size == 0
        assert store.append([entry(1)], [refusal]).size == 1
        assert store.refusals() == [(1, refusal), (2, refusal)]
        assert store.refusals(after=1) == [(2, refusal)]
        digest = store.put_artefact("flow", b"definition")
        assert store.put_artefact("flow", b"definition") == digest
        assert store.get_artefact(digest) == ("flow", b"definition")
        with pytest.raises(StoreError, match="holds no artefact"):
            store.get_artefact(b"x" * 32)


def test_others_read_while_one_appends(place: str) -> None:
    with Store.open(place) as store:
        done, wrong = threading.Event(), []

        def look() -> None:
            while not done.is_set():
                size = store.head().size
                if size and len(store.find([f"e{n}" for n in range(1, size + 1)])) != size:
                    wrong.append(size)
                if not verify(store).ok:
                    wrong.append(-size)

        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        for first in range(1, 600, 3):
            store.append(entries(first, first + 2))
        done.set()
        for reader in readers:
            reader.join()
        assert not wrong


def test_a_closed_store_says_so(place: str) -> None:
    store = Store.open(place)
    store.close()
    store.close()
    for use in (lambda: store.append(entries(1, 1)), store.head, lambda: store.get("e1")):
        with pytest.raises(StoreError, match="is closed"):
            use()


def test_a_second_writer_is_refused_and_readers_are_not(place: str) -> None:
    with Store.open(place) as store:
        store.append(entries(1, 2))
        with Store.open(place, read_only=True) as other:
            assert other.head() == store.head()
            with pytest.raises(StoreError, match="opened to read only"):
                other.append(entries(3, 3))
        with pytest.raises(StoreError, match="Another process has the store"):
            Store.open(place)
        store.append(entries(3, 3))
    with Store.open(place) as store:
        assert store.append(entries(4, 4)).size == 4


def test_ids_with_any_character_are_found_again(place: str) -> None:
    names = ["a\0b", "\0", "\U0010ffff0", "\U0010ffff", "ä", "%_", "'", "?"]
    with Store.open(place) as store:
        store.append([entry(n, id=name) for n, name in enumerate(names)], [Refusal("x\0", b"d" * 32, "why\0", 1)])
        assert set(store.find(names)) == set(names)
    with Store.open(place) as store:
        assert [event.id for event in store.replay()] == names
        assert store.refusals()[0][1].id == "x\0" and verify(store).ok


def test_what_is_not_there_is_not_made_to_be_read(place: str) -> None:
    for how in ({"read_only": True}, {"create": False}):
        with pytest.raises(StoreError, match="There is no store"):
            Store.open(place, **how)

"""Two stores of one stream that were both erased from, or pruned: the second one is refused, and how it goes on."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, everything, payments, put, replayed, run, running, settings, stored
from tests.servers.kafka import Kafka
from tidegate import Store
from tidegate.connectors.store import Store as AnyStore
from tidegate.errors import StreamError
from tidegate.evidence.log import verify
from tidegate.evidence.record import TreeHead
from tidegate.runtimes.copying import copy
from tidegate.runtimes.erasing import erase, forget_beside, prune
from tidegate.runtimes.stream import follower
from tidegate.runtimes.stream.order import ERASING, read
from tidegate.runtimes.stream.stream import Stream

Emptying = Callable[[AnyStore], int]


def _person(card: str) -> Emptying:
    """Erases who has this card."""

    def empty(store: AnyStore) -> int:
        many = erase(store, {"card": card}, f"asked for by {card}")
        return many if forget_beside(store) else 0

    return empty


def _before(minute: int) -> Emptying:
    """Prunes what is older than this minute of the first day."""

    def empty(store: AnyStore) -> int:
        many = prune(store, 30, f"up to {minute}", datetime(2026, 1, 31, minute // 60, minute % 60, tzinfo=UTC))
        forget_beside(store)
        return many

    return empty


def _emptied(path: Path, *ways: Emptying) -> list[int]:
    with Store.open(path) as store:
        return [way(store) for way in ways]


def _left(path: Path) -> tuple[TreeHead, int]:
    """The head of a store of which every seal holds, and how many of its records say nothing any more."""
    with Store.open(path, read_only=True) as store:
        assert verify(store).ok
        return store.head(), sum(1 for row in store.rows(limit=1000) if row[11] == b"")


def _told(kafka: Kafka, own: str) -> list[int]:
    """Behind how many records the order topic has statements."""
    orders = [read(one.value(), "order") for one in everything(kafka, f"{own}-out.order")]
    return [one.seq for one in orders if one.version == ERASING]


def _two(kafka: Kafka, own: str, folder: Path) -> tuple[Path, Path]:
    """Two stores of a stream that decided 60 payments, each in a folder of its own."""
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 60))
    stores = folder / "a.db", folder / "b.db"
    run(kafka, own, folder, store=stores[0])
    run(kafka, own, folder, store=stores[1], catch_up=True)
    return stores


@pytest.mark.parametrize(
    ("first", "second", "again", "empty", "words"),
    [
        pytest.param(_person("c11"), _person("c12"), 23, 43, ("erased from", "one card: asked for by c12"), id="erase"),
        pytest.param(_before(20), _before(30), 10, 30, ("pruned", "30 days: up to 30"), id="prune"),
    ],
)  # fmt: skip
def test_a_second_store_that_was_emptied_is_refused_and_another_takes_its_place(
    kafka: Kafka, own: str, tmp_path: Path, first: Emptying, second: Emptying, again: int, empty: int,
    words: Sequence[str],
) -> None:  # fmt: skip
    a, b = _two(kafka, own, tmp_path)
    _emptied(a, first), _emptied(b, second)
    run(kafka, own, tmp_path, store=a)
    before = _left(b)
    for catch_up, more in ((False, payments(60, 65)), (True, payments(65, 70))):
        with pytest.raises(StreamError, match=rf"The store {b} was {words[0]} while another.* too\.") as caught:
            run(kafka, own, tmp_path, store=b, catch_up=catch_up)
        assert "60 records" in caught.value.seen and "record 61" in caught.value.seen
        assert words[1] in caught.value.seen and "--catch-up" in caught.value.do
        put(kafka, f"{own}-in", more)
        run(kafka, own, tmp_path, store=a)
    assert _left(b) == before and _told(kafka, own) == [60] and len(decisions(kafka, f"{own}-out")) == 70

    c, late = tmp_path / "c.db", tmp_path / "late.db"
    run(kafka, own, tmp_path, store=c, catch_up=True)
    assert _left(c) == _left(a)
    assert _emptied(c, second) == [again]
    put(kafka, f"{own}-in", payments(70, 80))
    leader = Stream(settings(kafka, own, tmp_path, store=c, until_end=False))
    with running(leader):
        until(lambda: leader.deciding)
        stand_by = Stream(settings(kafka, own, tmp_path, store=a, until_end=False))
        with running(stand_by):
            put(kafka, f"{own}-in", payments(80, 90))
            until(lambda: stand_by._kept.head().size == 92)
    run(kafka, own, tmp_path, store=late, catch_up=True)  # one that is made from the topics alone
    assert _left(a) == _left(c) == _left(late) and _left(a)[1] == empty
    assert _told(kafka, own) == [60, 71] and len(decisions(kafka, f"{own}-out")) == 90
    put(kafka, f"{own}-in", payments(90, 100))
    run(kafka, own, tmp_path, store=late)
    for follower_of_it in (a, c):
        run(kafka, own, tmp_path, store=follower_of_it, catch_up=True)
    assert _left(a) == _left(c) == _left(late)
    assert decisions(kafka, f"{own}-out")[-10:] == stored(tmp_path, "a.db")[-10:]


def test_a_store_is_refused_whose_first_statement_of_several_is_another(kafka: Kafka, own: str, tmp_path: Path) -> None:
    """Also where the last of the order topic, and what followed, ends where the store does."""
    a, b = _two(kafka, own, tmp_path)
    _emptied(a, _person("c11")), _emptied(b, _before(30), _person("c10"))
    run(kafka, own, tmp_path, store=a)
    for more in ([], payments(60, 61), payments(61, 70)):
        put(kafka, f"{own}-in", more)
        run(kafka, own, tmp_path, store=a)
        with pytest.raises(StreamError, match=f"The store {b} was pruned while another instance's was erased from"):
            run(kafka, own, tmp_path, store=b)
    assert _told(kafka, own) == [60] and len(decisions(kafka, f"{own}-out")) == 70


def test_the_store_that_the_stream_has_told_of_can_be_erased_from_again(kafka: Kafka, own: str, tmp_path: Path) -> None:
    """The other remedy: what was erased from the one that is refused is erased from the one that is not."""
    a, b = _two(kafka, own, tmp_path)
    _emptied(a, _person("c11")), _emptied(b, _person("c12"))
    run(kafka, own, tmp_path, store=a)
    with pytest.raises(StreamError, match="was erased from while another"):
        run(kafka, own, tmp_path, store=b)
    assert _emptied(a, _person("c12")) == [20]
    put(kafka, f"{own}-in", payments(60, 70))
    run(kafka, own, tmp_path, store=a)
    c = tmp_path / "c.db"
    run(kafka, own, tmp_path, store=c, catch_up=True)
    assert _left(a) == _left(c) and _left(c)[1] == 40 and _told(kafka, own) == [60, 61]
    assert decisions(kafka, f"{own}-out")[:60] == replayed(payments(0, 60))


def test_where_an_earlier_version_took_both_it_is_said_and_a_copy_goes_on(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = _two(kafka, own, tmp_path)
    _emptied(a, _person("c11")), _emptied(b, _person("c12"))
    run(kafka, own, tmp_path, store=a)
    put(kafka, f"{own}-in", payments(60, 70))
    with monkeypatch.context() as patched:
        patched.setattr(follower, "holds", lambda *_: True)
        run(kafka, own, tmp_path, store=b)
    for store in (a, tmp_path / "empty.db"):
        with pytest.raises(StreamError, match="no store can be made from these topics any more") as caught:
            run(kafka, own, tmp_path, store=store, catch_up=True)
        assert "record 61, after which the stream had root" in caught.value.seen
    c = tmp_path / "c.db"
    with Store.open(b, read_only=True) as kept, Store.open(c) as other:
        copy(kept, other)
    put(kafka, f"{own}-in", payments(70, 80))
    for store in (c, b):
        run(kafka, own, tmp_path, store=store)
    assert _left(b) == _left(c) and len(decisions(kafka, f"{own}-out")) == 80


def test_a_store_from_which_the_same_was_erased_by_the_stream_is_taken(kafka: Kafka, own: str, tmp_path: Path) -> None:
    """Statements that are told and those that are not yet, one behind the other."""
    a, b = _two(kafka, own, tmp_path)
    _emptied(a, _person("c11"))
    run(kafka, own, tmp_path, store=a)
    run(kafka, own, tmp_path, store=b, catch_up=True)
    _emptied(b, _person("c12"))
    for store in (b, a):
        run(kafka, own, tmp_path, store=store)
    assert _left(a) == _left(b) and _left(a)[1] == 40 and _told(kafka, own) == [60, 61]

"""What is erased from a store that lacks what its stream committed: nothing is appended, and nothing comes back."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.runtimes.served import Fraud
from tests.runtimes.stream.test_erased import _LATER, _empty, _head
from tests.runtimes.stream.topics import decisions, everything, payments, put, run
from tests.servers.kafka import Kafka
from tidegate import Engine, Store
from tidegate.errors import StreamError
from tidegate.runtimes.copying import copy
from tidegate.runtimes.erasing import erase, forget_beside, prune
from tidegate.runtimes.stream.held import HeldStore
from tidegate.runtimes.stream.order import ERASING, read

_CARDS = ("c10", "c11", "c12")


class _KilledError(BaseException):
    """Stands for the end of a process."""


def _killed(kafka: Kafka, own: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A stream of 70 payments that was killed when Kafka had committed the last ten, and its store had not."""

    def die(self: HeldStore) -> None:
        raise _KilledError

    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 60))
    run(kafka, own, folder)
    put(kafka, f"{own}-in", payments(60, 70))
    with patch.context() as patched, pytest.raises(_KilledError):
        patched.setattr(HeldStore, "commit", die)
        run(kafka, own, folder)
    assert _head(folder / "s.db").size == 60 and len(decisions(kafka, f"{own}-out")) == 70


def _erase(path: Path, *cards: str) -> None:
    with Store.open(path) as store:
        assert all(erase(store, {"card": card}, f"as {card} asked") for card in cards)
        assert forget_beside(store)


def test_a_store_that_was_erased_from_after_a_kill_is_refused_and_the_advice_erases_again(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed(kafka, own, tmp_path, monkeypatch)
    _erase(tmp_path / "s.db", "c11")
    head, orders = _head(tmp_path / "s.db"), len(everything(kafka, f"{own}-out.order"))
    put(kafka, f"{own}-in", payments(70, 80))
    for catch_up in (False, True, False):
        with pytest.raises(StreamError, match=r"erased from the store .* while it lacked") as refused:
            run(kafka, own, tmp_path, catch_up=catch_up)
        assert "record 61, records of one card: as c11 asked; the stream went on with a batch" in refused.value.seen
        assert all(words in refused.value.do for words in ("there still, or again", "erase", "--catch-up first"))
        assert _head(tmp_path / "s.db") == head
    assert len(everything(kafka, f"{own}-out.order")) == orders and len(decisions(kafka, f"{own}-out")) == 70
    anew = tmp_path / "anew.db"  # as it is told
    run(kafka, own, tmp_path, store=anew, catch_up=True)
    assert _head(anew).size == 70
    _erase(anew, "c11")
    run(kafka, own, tmp_path, store=anew)
    assert [read(one.value(), "order").version for one in everything(kafka, f"{own}-out.order")][-2] == ERASING
    assert _head(anew).size == 81 and _empty(anew) == 23 and len(decisions(kafka, f"{own}-out")) == 80


def test_a_store_that_was_pruned_after_a_kill_is_refused(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed(kafka, own, tmp_path, monkeypatch)
    with Store.open(tmp_path / "s.db") as store:
        assert prune(store, 1, "retention", _LATER) == 60
    head = _head(tmp_path / "s.db")
    with pytest.raises(StreamError, match="record 61, records older than 1 days: retention; the stream went on"):
        run(kafka, own, tmp_path)
    assert _head(tmp_path / "s.db") == head


@pytest.mark.parametrize(
    ("lacking", "stated"), [([1], 1), ([1], 2), ([2], 3), ([1, 1], 3)],
    ids=["as many statements", "one more", "more than a batch", "more than two batches"],
)  # fmt: skip
def test_statements_are_not_taken_for_records_that_a_store_lacks(
    kafka: Kafka, own: str, tmp_path: Path, lacking: Sequence[int], stated: int
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 60))
    run(kafka, own, tmp_path)
    behind, last = tmp_path / "behind.db", 60
    with Store.open(tmp_path / "s.db") as store, Store.open(behind) as other:
        copy(store, other)
    for many in lacking:
        put(kafka, f"{own}-in", payments(last, last + many))
        run(kafka, own, tmp_path)
        last += many
    _erase(behind, *_CARDS[:stated])
    head, orders = _head(behind), len(everything(kafka, f"{own}-out.order"))
    put(kafka, f"{own}-in", payments(last, last + 5))
    with pytest.raises(StreamError, match=r"erased from the store .* while it lacked"):
        run(kafka, own, tmp_path, store=behind)
    assert _head(behind) == head and len(everything(kafka, f"{own}-out.order")) == orders
    run(kafka, own, tmp_path)  # who was not erased from goes on
    assert len(decisions(kafka, f"{own}-out")) == last + 5


def test_two_stores_that_were_erased_from_differently_do_not_pass_for_one(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 60))
    run(kafka, own, tmp_path)
    other = tmp_path / "other.db"
    run(kafka, own, tmp_path, store=other, catch_up=True)
    _erase(other, "c10")
    _erase(tmp_path / "s.db", "c11")
    run(kafka, own, tmp_path)
    head = _head(other)
    with pytest.raises(StreamError, match="as c10 asked; the stream went on with another statement at record 61"):
        run(kafka, own, tmp_path, store=other)
    assert _head(other) == head


def test_another_way_is_told_with_what_only_that_store_was_erased_of(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 30))
    run(kafka, own, tmp_path)
    other = tmp_path / "other.db"
    with Store.open(other) as store:
        Engine(Fraud, store=store).decide_json_many(payments(0, 20, "x1"))
    with pytest.raises(StreamError, match="went another way") as refused:
        run(kafka, own, tmp_path, store=other)
    assert "record" not in refused.value.do
    _erase(other, "x11")
    head = _head(other)
    with pytest.raises(StreamError, match="went another way") as refused:
        run(kafka, own, tmp_path, store=other)
    assert "What was erased from this one (record 21) may be in that one" in refused.value.do
    assert _head(other) == head

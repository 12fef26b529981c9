"""Where a first start begins is said once: what comes after "I decide" is decided, whatever happens next."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.runtimes.served import Fraud
from tests.runtimes.started import until
from tests.runtimes.stream.topics import (
    decisions,
    everything,
    in_order,
    payments,
    put,
    replayed,
    run,
    running,
    settings,
)
from tests.servers.kafka import Kafka
from tidegate import Engine, Store
from tidegate.connectors.kafka.writer import UncertainError, Writer
from tidegate.connectors.schemas.registry import RegistryAwayError
from tidegate.errors import StreamError
from tidegate.runtimes.stream.order import read
from tidegate.runtimes.stream.stream import Stream


@pytest.fixture
def topics(kafka: Kafka, own: str) -> str:
    """Topics of which the first holds what came before the stream."""
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 5))
    return own


def _only_says_that_it_decides(kafka: Kafka, own: str, folder: Path, **more: Any) -> None:
    """An instance that ends once it said that it decides, before it took anything."""
    stop = threading.Event()
    Stream(settings(kafka, own, folder, until_end=False, begin="latest", **more)).run(stop, ready=stop.set)


@pytest.mark.parametrize("store", ["s.db", "other.db"], ids=["begun again", "another one takes over"])
def test_what_comes_before_the_first_batch_is_decided_by_whoever_comes_next(
    kafka: Kafka, topics: str, tmp_path: Path, store: str
) -> None:
    _only_says_that_it_decides(kafka, topics, tmp_path)
    put(kafka, f"{topics}-in", payments(5, 25))
    stream = Stream(settings(kafka, topics, tmp_path, until_end=False, begin="latest", store=tmp_path / store))
    with running(stream):
        until(lambda: stream.deciding)
        put(kafka, f"{topics}-in", payments(25, 45))
        until(lambda: stream.figures.taken == 40)
    assert decisions(kafka, f"{topics}-out") == replayed(payments(5, 45))
    orders = [read(one.value(), "order") for one in everything(kafka, f"{topics}-out.order")]
    assert [one.records for one in orders].count(0) == 1 and orders[0].positions == {(f"{topics}-in", 0): 5}


@pytest.mark.parametrize("committed", [False, True], ids=["not committed", "committed"])
@pytest.mark.parametrize("nth", [1, 2], ids=["where it begins", "the first batch"])
def test_an_uncertain_commit_at_the_beginning_passes_nothing_over(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int, committed: bool
) -> None:
    write, asked = Writer.write, 0

    def uncertain(self: Writer, *given: Any, **more: Any) -> None:
        nonlocal asked
        asked += 1
        if committed or asked != nth:
            write(self, *given, **more)
        if asked == nth:
            raise UncertainError("A transaction was not committed.", seen="no answer")

    monkeypatch.setattr(Writer, "write", uncertain)
    stream = Stream(settings(kafka, topics, tmp_path, until_end=False, begin="latest"))
    with running(stream):
        until(lambda: stream.deciding)
        put(kafka, f"{topics}-in", payments(5, 25))
        until(lambda: asked > nth or stream._kept.head().size > 0)
        put(kafka, f"{topics}-in", payments(25, 45))
        until(lambda: stream._kept.head().size == 40)
    assert decisions(kafka, f"{topics}-out") == replayed(payments(5, 45))
    orders = [read(one.value(), "order") for one in everything(kafka, f"{topics}-out.order")]
    assert [one.records for one in orders].count(0) == 1


def test_each_partition_of_each_topic_begins_where_it_ended_at_the_first_start(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    sources = [f"{own}-a", f"{own}-b"]
    kafka.topics(*sources, partitions=2)
    kafka.topics(f"{own}-out")
    put(kafka, sources[0], payments(0, 5), partition=1)
    put(kafka, sources[1], payments(5, 12))
    _only_says_that_it_decides(kafka, own, tmp_path, sources=",".join(sources))
    put(kafka, sources[0], payments(12, 20), partition=1)
    put(kafka, sources[1], payments(20, 30))
    put(kafka, sources[1], payments(30, 34), partition=1)
    stream = Stream(settings(kafka, own, tmp_path, begin="latest", sources=",".join(sources)))
    stream.run(threading.Event())
    first = read(everything(kafka, f"{own}-out.order")[0].value(), "order")
    assert first.starts == first.positions == {
        (sources[0], 0): 0, (sources[0], 1): 5, (sources[1], 0): 7, (sources[1], 1): 0
    }  # fmt: skip
    taken = [one.value() for one in in_order(kafka, own, sources)]
    assert sorted(taken) == sorted(payments(12, 34))
    assert decisions(kafka, f"{own}-out") == replayed(taken)


def test_a_partition_that_is_added_later_is_read_from_its_beginning(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    """The latest was meant of a first start: nothing that comes after it is passed over."""
    _only_says_that_it_decides(kafka, topics, tmp_path)
    kafka.widen(f"{topics}-in", 2)
    put(kafka, f"{topics}-in", payments(5, 25), partition=1)
    run(kafka, topics, tmp_path, begin="latest")
    assert decisions(kafka, f"{topics}-out") == replayed(payments(5, 25))


def test_a_stand_by_follows_from_where_a_first_start_began(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    leader = Stream(settings(kafka, topics, tmp_path, until_end=False, begin="latest"))
    with running(leader):
        until(lambda: leader.deciding)
        other = Stream(settings(kafka, topics, tmp_path, until_end=False, begin="latest", store=tmp_path / "b.db"))
        with running(other):
            put(kafka, f"{topics}-in", payments(5, 25))
            until(lambda: other._kept.head().size == 20)
            assert leader.leads and other._kept.head() == leader._kept.head()


def test_a_stand_by_no_longer_says_that_it_waits_for_a_registry_that_is_back(
    kafka: Kafka, topics: str, tmp_path: Path
) -> None:
    leader = Stream(settings(kafka, topics, tmp_path, until_end=False))
    other = Stream(settings(kafka, topics, tmp_path, until_end=False, store=tmp_path / "b.db"))
    reads, away = other._inputs._read, True

    def read_message(message: Any) -> Any:
        if away:
            raise RegistryAwayError("The registry cannot be reached.")
        return reads(message)

    other._inputs._read = read_message
    with running(leader):
        until(lambda: leader.deciding)
        with running(other):
            until(lambda: other.waits)
            away = False
            until(lambda: other._kept.head().size == 5)
            until(lambda: not other.waits, 10)
            assert leader.leads


def test_a_new_stream_begins_on_a_store_with_a_past_only_when_told(
    kafka: Kafka, own: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    with Store.open(tmp_path / "s.db") as kept:
        Engine(Fraud, store=kept).decide_json_many(payments(0, 20))
    put(kafka, f"{own}-in", payments(0, 30))
    with pytest.raises(StreamError, match="holds records already") as caught:
        run(kafka, own, tmp_path)
    assert "20 records" in str(caught.value) and "--with-past" in caught.value.do
    assert decisions(kafka, f"{own}-out") == []
    assert run(kafka, own, tmp_path, with_past=True).figures.metrics.repeated == 20
    assert decisions(kafka, f"{own}-out") == replayed(payments(0, 30))[20:]
    put(kafka, f"{own}-in", payments(30, 40))
    with pytest.raises(StreamError, match="not of this stream") as caught:
        run(kafka, own, tmp_path, store=tmp_path / "empty.db")
    assert "began on a store with a past" in caught.value.do
    assert "--with-past" not in caplog.text
    run(kafka, own, tmp_path, with_past=True)  # it has orders now
    assert "--with-past has no effect: this stream has begun" in caplog.text
    assert decisions(kafka, f"{own}-out") == replayed(payments(0, 40))[20:]
    caplog.clear()
    run(kafka, own, tmp_path)
    assert "--with-past" not in caplog.text

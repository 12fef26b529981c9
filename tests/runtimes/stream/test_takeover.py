"""Whoever takes over has the stream's own past, all of it: also where the brokers are slow to tell it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from tests.runtimes.served import Fraud, Hurried
from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, everything, payments, put, replayed, run, running, settings
from tests.servers.kafka import Kafka
from tidegate import Engine, Store
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.order_topic import OrderTopic
from tidegate.connectors.kafka.writer import Writer
from tidegate.errors import StreamError
from tidegate.runtimes.stream import awaited, follower
from tidegate.runtimes.stream import stream as streams
from tidegate.runtimes.stream.stream import Stream


@pytest.fixture
def topics(kafka: Kafka, own: str) -> str:
    kafka.topics(f"{own}-in", f"{own}-out")
    return own


def test_a_stand_by_that_hears_of_the_last_batches_late_waits_for_them(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kafka, f"{topics}-in", payments(0, 20))
    run(kafka, topics, tmp_path)
    stand_by = Stream(settings(kafka, topics, tmp_path, store=tmp_path / "b.db"))
    stand_by._follow(10, lambda: True)  # to the end, as a stand-by is
    put(kafka, f"{topics}-in", payments(20, 40))
    order = [TopicPartition(f"{topics}-out.order", 0)]
    stand_by._orders._consumer.pause(order)  # what a broker does that does not answer
    run(kafka, topics, tmp_path)
    waited, next_ = list[float](), OrderTopic.next

    def noted(self: OrderTopic, timeout: float) -> Any:
        waited.append(timeout)
        if waited.count(1.0) == 3:  # it was asked twice in vain by one that takes over
            self._consumer.resume(order)
        return next_(self, timeout)

    monkeypatch.setattr(OrderTopic, "next", noted)
    put(kafka, f"{topics}-in", payments(40, 60))
    with running(stand_by):
        until(lambda: stand_by.figures.taken == 20, 120)
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 60))


@pytest.mark.parametrize("again", [False, True], ids=["a client made anew", "begun anew"])
def test_who_takes_over_and_is_not_told_the_last_batches_says_so_and_asks_anew(
    kafka: Kafka,
    topics: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    again: bool,
) -> None:
    """A client that no longer fetches, for ever: one that is made anew does, or else all is begun anew."""
    monkeypatch.setattr(awaited, "TELL", 1.0)
    monkeypatch.setattr(awaited, "LAST", 6.0 if again else 3600.0)
    put(kafka, f"{topics}-in", payments(0, 20))
    run(kafka, topics, tmp_path)
    stand_by = Stream(settings(kafka, topics, tmp_path, store=tmp_path / "b.db"))
    stand_by._follow(10, lambda: True)
    put(kafka, f"{topics}-in", payments(20, 40))
    order = [TopicPartition(f"{topics}-out.order", 0)]
    run(kafka, topics, tmp_path)
    end, go_to = stand_by._orders.ends()[1], OrderTopic.go_to
    stand_by._orders._consumer.pause(order)

    def gone(self: OrderTopic, offset: int) -> None:
        go_to(self, offset)
        if again and "could not be read to its end" not in caplog.text:
            self._consumer.pause(order)

    monkeypatch.setattr(OrderTopic, "go_to", gone)
    put(kafka, f"{topics}-in", payments(40, 60))
    with running(stand_by):
        until(lambda: stand_by.figures.taken == 20, 120)
    assert f"{topics}-out.order is read to its end: to offset 2 of {end} so far" in caplog.text
    assert ("could not be read to its end" in caplog.text) == again
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 60))


def test_where_to_read_on_from_is_not_guessed_from_silence(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing that comes in time is no end: the place to begin at is looked for again."""
    put(kafka, f"{topics}-in", payments(0, 20))
    run(kafka, topics, tmp_path)
    put(kafka, f"{topics}-in", payments(20, 40))
    next_, silent = OrderTopic.next, list[float]()

    def late(self: OrderTopic, timeout: float) -> Any:
        if timeout == follower._ORDER and not silent:
            silent.append(timeout)
            return None
        return next_(self, timeout)

    monkeypatch.setattr(OrderTopic, "next", late)
    stream = run(kafka, topics, tmp_path)
    assert "could not be learned. Seen: nothing came from offset 1 on in 15 s, and it ends at 2" in caplog.text
    assert stream.figures.taken == 20 and decisions(kafka, f"{topics}-out") == replayed(payments(0, 40))


def test_a_longer_store_that_went_another_way_is_refused(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    put(kafka, f"{topics}-in", payments(0, 50))
    run(kafka, topics, tmp_path)
    with Store.open(tmp_path / "other.db") as kept:
        Engine(Fraud, store=kept).decide_json_many(payments(0, 80, "x"))
    with Store.open(tmp_path / "longer.db") as kept:  # of its own stream until somebody used it elsewhere
        engine = Engine(Fraud, store=kept)
        engine.decide_json_many(payments(0, 50))
        engine.decide_json_many(payments(50, 60, "x"))
    put(kafka, f"{topics}-in", payments(50, 60))
    for other in ("other.db", "longer.db"):
        with pytest.raises(StreamError, match="went another way"):
            run(kafka, topics, tmp_path, store=tmp_path / other)
    assert len(decisions(kafka, f"{topics}-out")) == 50


def test_catching_up_ends_at_the_end(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kafka, f"{topics}-in", payments(0, 50))
    run(kafka, topics, tmp_path)
    next_, asked = OrderTopic.next, list[float]()

    def slow(self: OrderTopic, timeout: float) -> Any:
        asked.append(timeout)
        return None if asked.count(1.0) in (1, 2) and timeout == 1.0 else next_(self, timeout)

    monkeypatch.setattr(OrderTopic, "next", slow)
    run(kafka, topics, tmp_path, store=tmp_path / "b.db", catch_up=True)
    with Store.open(tmp_path / "b.db", read_only=True) as kept:
        assert kept.head().size == 50


def test_instances_may_name_the_topics_in_another_order(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-a", f"{own}-b", f"{own}-out")
    for names in (f"{own}-a,{own}-b", f"{own}-b,{own}-a"):
        first = 100 * names.startswith(f"{own}-b")
        put(kafka, f"{own}-a", payments(first, first + 30, "x"))
        put(kafka, f"{own}-b", payments(first + 50, first + 60, "y"))
        run(kafka, own, tmp_path, sources=names)
    run(kafka, own, tmp_path, store=tmp_path / "b.db", sources=f"{own}-a,{own}-b", catch_up=True)
    with Store.open(tmp_path / "b.db", read_only=True) as kept, Store.open(tmp_path / "s.db", read_only=True) as other:
        assert kept.head() == other.head() and kept.head().size == 80


def test_messages_that_are_others_than_the_batch_s_are_told(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a topic that was compacted: one is missing, and as many come, from behind the batch."""
    put(kafka, f"{topics}-in", payments(0, 50))
    run(kafka, topics, tmp_path)
    put(kafka, f"{topics}-in", payments(50, 60))
    before = len(everything(kafka, f"{topics}-out.order"))
    take_as = Inputs.take_as

    def compacted(self: Inputs, turns: Any, timeout: float) -> Any:
        (one,) = self.partitions
        one.wanted = 51
        while len(one.waiting) < 51:
            self.fill(0.2)
        del one.waiting[7]
        return take_as(self, turns, timeout)

    monkeypatch.setattr(Inputs, "take_as", compacted)
    with pytest.raises(StreamError, match="no longer hold all messages of a batch"):
        run(kafka, topics, tmp_path, store=tmp_path / "b.db", catch_up=True)
    assert before == 1


def test_a_stand_by_waits_for_messages_that_do_not_come(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kafka, f"{topics}-in", payments(0, 50))
    run(kafka, topics, tmp_path)
    monkeypatch.setattr(follower, "_PATIENCE", 0.2)
    take_as, tried = Inputs.take_as, list[int]()

    def silent(self: Inputs, turns: Any, timeout: float) -> Any:
        tried.append(len(turns))
        return None if len(tried) < 3 else take_as(self, turns, 60.0)

    monkeypatch.setattr(Inputs, "take_as", silent)
    put(kafka, f"{topics}-in", payments(50, 60))
    run(kafka, topics, tmp_path, store=tmp_path / "b.db")
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 60)) and len(tried) >= 3


def test_another_group_does_not_decide_the_same_stream(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    first = Stream(settings(kafka, topics, tmp_path, until_end=False))
    with running(first):
        put(kafka, f"{topics}-in", payments(0, 20))
        until(lambda: first.figures.taken == 20)
        with pytest.raises(StreamError, match="is decided by another consumer group") as caught:
            run(kafka, topics, tmp_path, group=f"{topics}-slip", store=tmp_path / "slip.db")
        assert f"--group {topics}" in caught.value.do
        put(kafka, f"{topics}-in", payments(20, 40))
        until(lambda: first.figures.taken == 40)
        assert first.deciding  # it was not disturbed
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 40))


def test_of_two_groups_that_begin_at_once_one_decides(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    one = Stream(settings(kafka, topics, tmp_path, until_end=False))
    two = Stream(settings(kafka, topics, tmp_path / "b", until_end=False, group=f"{topics}-slip"))
    with pytest.raises(StreamError, match="is decided by another consumer group"), running(one):
        until(lambda: one.deciding)
        with running(two):
            until(lambda: two.deciding)  # nothing was decided yet that would name a group
            put(kafka, f"{topics}-in", payments(0, 40))
            until(lambda: one.figures.taken + two.figures.taken == 40, 60)
            until(lambda: one._follower.group == f"{topics}-slip" or two._follower.group == topics, 60)
            put(kafka, f"{topics}-in", payments(40, 60))
            until(lambda: one.figures.taken + two.figures.taken == 60, 60)
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 60))


def test_another_group_that_begins_just_before_it_is_taken_over_from_is_left_alone(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kafka, f"{topics}-in", payments(0, 20))

    def taking_over(*words: Any) -> Writer:
        monkeypatch.setattr(streams, "Writer", Writer)
        run(kafka, topics, tmp_path, store=tmp_path / "first.db")
        put(kafka, f"{topics}-in", payments(20, 40))
        return Writer(*words)

    monkeypatch.setattr(streams, "Writer", taking_over)
    with pytest.raises(StreamError, match="is decided by another consumer group"):
        run(kafka, topics, tmp_path, group=f"{topics}-slip")
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 20))


def test_who_follows_keeps_refusals_of_a_batch_of_nothing_else(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    put(kafka, f"{topics}-in", payments(0, 20))
    run(kafka, topics, tmp_path)
    shutil.copy(tmp_path / "s.db", tmp_path / "copy.db")
    again = [
        json.dumps(json.loads(body) | {"amount": {"units": 7, "currency": "EUR"}}).encode() for body in payments(3, 5)
    ]
    for body in again:
        put(kafka, f"{topics}-in", [body])
        run(kafka, topics, tmp_path)
    for name in ("copy.db", "empty.db"):
        run(kafka, topics, tmp_path, store=tmp_path / name, catch_up=True)
        run(kafka, topics, tmp_path, store=tmp_path / name, catch_up=True)  # and no second time
    told = []
    for name in ("s.db", "copy.db", "empty.db"):
        with Store.open(tmp_path / name, read_only=True) as kept:
            told.append([(number, one.id, one.reason) for number, one in kept.refusals()])
    assert len(told[0]) == 2 and told == [told[0]] * 3


def test_the_stream_of_another_flow_is_told_by_its_name(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    """To take part in it is no advice, unless the flow was called so before."""
    put(kafka, f"{topics}-in", payments(0, 20))
    first = f"tidegate-Hurried-{topics}-out"
    run(kafka, topics, tmp_path, group=first, flow=Hurried)
    for store in ("s.db", "new.db"):
        with pytest.raises(StreamError, match="is of another flow, Hurried") as caught:
            run(kafka, topics, tmp_path, group="mine", store=tmp_path / store, other_flow_ok=True)
        assert caught.value.do == (
            "Give Fraud a stream of its own, by another --to or --order. Only if it was called Hurried before, give "
            f"--group {first}."
        )

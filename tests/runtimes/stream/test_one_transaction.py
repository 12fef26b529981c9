"""All of a batch or nothing, by one leader: what was begun and not committed, by whomever, is as if it never was."""

import threading
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition

from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, everything, payments, put, replayed, run, running, settings, stored
from tests.servers.kafka import Kafka
from tidegate.connectors.kafka.order_topic import OrderTopic
from tidegate.connectors.kafka.writer import Writer
from tidegate.runtimes.stream import stream as streams
from tidegate.runtimes.stream.dead_letters import read_letter
from tidegate.runtimes.stream.stream import Stream

_GIVEN_UP = "What the topics say counts; looked at again"


@pytest.fixture
def topics(kafka: Kafka, own: str) -> str:
    kafka.topics(f"{own}-in", f"{own}-out")
    return own


def given_up(kafka: Kafka, topic: str, bodies: list[bytes]) -> None:
    """Messages that lie on a topic, of a transaction that was given up."""
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": f"{topic}-test"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for body in bodies:
        producer.produce(topic, body)
    assert producer.flush(30) == 0  # they are there, and read by whoever reads what is not committed
    producer.abort_transaction(30)


def test_what_was_given_up_is_not_decided(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    put(kafka, f"{topics}-in", payments(0, 10))
    given_up(kafka, f"{topics}-in", [*payments(0, 30, "x"), b"no event"])
    put(kafka, f"{topics}-in", payments(10, 20))
    run(kafka, topics, tmp_path)
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 20)) == stored(tmp_path)
    assert everything(kafka, f"{topics}-out.dead-letters") == []


def test_an_order_that_was_given_up_is_not_followed(kafka: Kafka, topics: str, tmp_path: Path) -> None:
    put(kafka, f"{topics}-in", payments(0, 10))
    run(kafka, topics, tmp_path)
    (order,) = decisions(kafka, f"{topics}-out.order")
    given_up(kafka, f"{topics}-out.order", [order, b"no order"])
    put(kafka, f"{topics}-in", payments(10, 20))
    (tmp_path / "b").mkdir()
    run(kafka, topics, tmp_path / "b")
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 20)) == stored(tmp_path / "b")


class Delayed:
    """A stream whose second commit waits, all being handed over, until it is let go; it has left the group by then, as
    one that the group has not heard of for too long."""

    def __init__(self, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stream, self._commits = stream, 0
        self.waits, self.go, self.over = threading.Event(), threading.Event(), threading.Event()
        commit = Writer._commit

        def committing(writer: Writer, until: float) -> None:
            if writer._cluster is stream.cluster:
                self._commits += 1
            if writer._cluster is not stream.cluster or self._commits != 2:
                commit(writer, until)
                return
            member: Any = stream._member
            member.client.close()
            self.waits.set()
            assert self.go.wait(120)
            member._consumer, member.leads = member._joining(), False
            try:
                commit(writer, until)
            finally:
                self.over.set()

        monkeypatch.setattr(Writer, "_commit", committing)


def test_a_leader_that_was_relieved_in_the_middle_of_a_transaction_does_not_commit_it(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kafka, f"{topics}-in", payments(0, 20))
    first = Stream(settings(kafka, topics, tmp_path, until_end=False))
    delayed = Delayed(first, monkeypatch)
    with running(first):
        until(lambda: first.figures.taken == 20)
        put(kafka, f"{topics}-in", payments(20, 40))
        assert delayed.waits.wait(60)
        run(kafka, topics, tmp_path, store=tmp_path / "b.db")  # another one takes over, and decides the same
        delayed.go.set()
        assert delayed.over.wait(60)
        put(kafka, f"{topics}-in", payments(40, 60))
        until(lambda: len(stored(tmp_path)) == 60, 120)  # it takes in what the other one decided
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 60)) == stored(tmp_path)


def test_what_the_last_leader_commits_while_it_is_relieved_is_read_before_anything_is_decided(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until its transactions are taken over it may commit; and brokers may be slow to tell of it."""
    put(kafka, f"{topics}-in", payments(0, 20))
    first = Stream(settings(kafka, topics, tmp_path, until_end=False))
    delayed = Delayed(first, monkeypatch)
    with running(first) as stop:
        until(lambda: first.figures.taken == 20)
        second = Stream(settings(kafka, topics, tmp_path, store=tmp_path / "b.db", until_end=False))
        second._follow(10, lambda: True)  # to the end, as a stand-by is
        put(kafka, f"{topics}-in", payments(20, 40))
        assert delayed.waits.wait(60)
        order, asked, next_ = [TopicPartition(f"{topics}-out.order", 0)], list[float](), OrderTopic.next
        second._orders.client.pause(order)

        def slow(self: OrderTopic, timeout: float) -> Any:
            asked.extend([timeout] if self is second._orders else [])
            if asked.count(1.0) == 3:  # whoever takes over asked twice in vain
                self.client.resume(order)
            return next_(self, timeout)

        def taking_over(*words: Any) -> Writer:
            if words[0] is second.cluster:
                stop.set()
                delayed.go.set()
                assert delayed.over.wait(60)
            return Writer(*words)

        monkeypatch.setattr(OrderTopic, "next", slow)
        monkeypatch.setattr(streams, "Writer", taking_over)
        with running(second):
            until(lambda: second.leads, 60)
            put(kafka, f"{topics}-in", payments(40, 60))
            until(lambda: len(decisions(kafka, f"{topics}-out")) >= 60, 120)
    assert (first.figures.taken, second.figures.taken) == (40, 20)
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 60)) == stored(tmp_path, "b.db")


def fence_once(own: str, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The first transaction that has offsets of inputs is fenced before it is committed: its id is the order topic's
    name. True once it was."""
    send, fenced = Writer._send_offsets, list[bool]()

    def failing(self: Writer, offsets: list[TopicPartition], member: Any) -> None:
        send(self, offsets, member)
        if offsets and not fenced:
            fenced.append(True)
            Writer(self._cluster, f"{own}-out.order")

    monkeypatch.setattr(Writer, "_send_offsets", failing)
    return fenced


def test_dead_letters_are_in_the_transaction_of_their_batch(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where it is given up, they are too; or they would be there twice."""
    fenced = fence_once(topics, monkeypatch)
    put(kafka, f"{topics}-in", [*payments(0, 5), b"no event", *payments(5, 10)])
    run(kafka, topics, tmp_path)
    assert fenced and _GIVEN_UP in caplog.text
    letters = [read_letter(message) for message in everything(kafka, f"{topics}-out.dead-letters")]
    assert [one.place for one in letters if one] == [5]
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 10))


def test_what_was_learned_for_a_transaction_that_is_given_up_is_forgotten(
    kafka: Kafka, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Or its events would be counted twice when they are decided again."""
    put(kafka, f"{topics}-in", payments(0, 20))
    run(kafka, topics, tmp_path)
    fenced = fence_once(topics, monkeypatch)
    put(kafka, f"{topics}-in", payments(20, 60))
    run(kafka, topics, tmp_path)
    assert fenced and _GIVEN_UP in caplog.text
    assert decisions(kafka, f"{topics}-out") == replayed(payments(0, 60)) == stored(tmp_path)


def test_a_backlog_of_several_partitions_is_read_on_where_a_transaction_of_it_was_given_up(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """More of each than waits here at once: partitions are stopped by then, and have to come again."""
    kafka.topics(f"{own}-in", partitions=2)
    kafka.topics(f"{own}-out")
    for partition in (0, 1):
        put(kafka, f"{own}-in", payments(0, 9000, f"c{partition}-"), partition=partition)
    fenced = fence_once(own, monkeypatch)
    stream = Stream(settings(kafka, own, tmp_path, until_end=False))
    with running(stream):
        until(lambda: stream.figures.taken == 18_000, 100)
    assert fenced and _GIVEN_UP in caplog.text
    assert len(decisions(kafka, f"{own}-out")) == 18_000 == len(stored(tmp_path))

"""A broker that stands still in the middle of a transaction: it is told in a bounded time, and nothing is lost."""

import logging
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.cimpl import NewTopic

from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, payments, put, replayed, running, settings
from tests.servers.kafka import Kafka
from tidegate.connectors.kafka import cluster, writer
from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.faults import EARLY, MOVED, VAGUE
from tidegate.connectors.kafka.writer import Writer
from tidegate.errors import StreamError
from tidegate.runtimes.stream import watch
from tidegate.runtimes.stream.stream import Stream
from tidegate.runtimes.stream.watch import Watch


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with Kafka(tmp_path_factory.mktemp("frozen")) as started:
        yield started


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of a few seconds, so that it is seen that they are kept."""
    monkeypatch.setattr(writer, "_PATIENCE", 3.0)
    monkeypatch.setattr(writer, "_WHOLE", 5.0)
    monkeypatch.setattr(writer, "_ANSWER", 3.0)
    monkeypatch.setattr(watch, "TELL", 2.0)
    monkeypatch.setattr(watch, "_LOOK", 0.2)  # or it may look past a call of three seconds where much else runs


@pytest.mark.parametrize("place", ["_put", "_send_offsets", "_commit"])
def test_a_broker_that_freezes_in_a_transaction_is_told_of_and_waited_for(
    broker: Kafka,
    own: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    place: str,
) -> None:
    broker.topics(f"{own}-in", f"{own}-out")
    put(broker, f"{own}-in", payments(0, 100))
    method, frozen = getattr(Writer, place), threading.Event()

    def freezing(self: Writer, *words: Any) -> None:
        if not frozen.is_set():
            broker.freeze()
            frozen.set()
        method(self, *words)

    monkeypatch.setattr(Writer, place, freezing)
    stream = Stream(settings(broker, own, tmp_path, until_end=False))
    try:
        with caplog.at_level(logging.WARNING), running(stream):
            assert frozen.wait(120)
            until(lambda: "Writing a transaction has not come to an end" in caplog.text, 120)
            assert stream.figures.metrics.gauges["unanswered_seconds"][1]() > 0 or "not committed" in caplog.text
            until(lambda: "A transaction was not committed" in caplog.text, 120)
            assert broker.address in caplog.text and "See whether" in caplog.text
            broker.thaw()
            until(lambda: len(decisions(broker, f"{own}-out")) == 100, 240)
    finally:
        broker.thaw()
    assert decisions(broker, f"{own}-out") == replayed(payments(0, 100))


def test_a_stream_ends_when_it_is_told_to_while_the_broker_is_frozen(
    broker: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.topics(f"{own}-in", f"{own}-out")
    put(broker, f"{own}-in", payments(0, 100))
    commit, frozen = Writer._commit, threading.Event()

    def freezing(self: Writer, limit: float) -> None:
        broker.freeze()
        frozen.set()
        commit(self, limit)

    monkeypatch.setattr(Writer, "_commit", freezing)
    try:
        with running(Stream(settings(broker, own, tmp_path, until_end=False))):  # it fails if it does not end
            assert frozen.wait(120)
    finally:
        broker.thaw()


def test_brokers_that_stand_still_while_nothing_is_in_flight_are_counted_as_silent(
    broker: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each question ends at its own limit and is asked anew; an alarm needs how long there was no answer."""
    monkeypatch.setattr(cluster, "_PATIENCE", 2.0)
    broker.topics(f"{own}-in", f"{own}-out")
    put(broker, f"{own}-in", payments(0, 10))
    stream = Stream(settings(broker, own, tmp_path, until_end=False))
    try:
        with running(stream):
            gauges = stream.figures.metrics.gauges
            until(lambda: len(decisions(broker, f"{own}-out")) == 10, 120)
            assert gauges["decides"][1]() == 1
            broker.freeze()
            until(lambda: gauges["unanswered_seconds"][1]() > 12, 240)
            assert gauges["decides"][1]() == 0
            broker.thaw()
            until(lambda: gauges["decides"][1]() == 1 and gauges["unanswered_seconds"][1]() < 5, 240)
    finally:
        broker.thaw()


def test_every_way_in_which_a_frozen_broker_gives_no_answer_passes(
    broker: Kafka, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question times out; that ends the connection, and some of the next ones time out in the queue for a new one."""
    monkeypatch.setattr(cluster, "_PATIENCE", 1.0)
    broker.topics(own)
    several = [(one, one.consumer(own)) for one in (Cluster(broker.address) for _ in range(8))]
    told = list[BaseException]()

    def ask(asked: Cluster, consumer: Consumer) -> None:
        for _ in range(10):
            try:
                asked.ends(consumer, own, 0)
            except BaseException as error:
                told.append(error)

    try:
        for one in several:
            until(partial(_answered, *one, own, 0), 60)
        broker.freeze()
        threads = [threading.Thread(target=ask, args=one) for one in several]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(told) == 80 and [one for one in told if type(one) is not PassingError] == []
        assert all(asked.silent is not None for asked, _ in several)
    finally:
        broker.thaw()
        for _, consumer in several:
            consumer.close()


def test_a_partition_that_a_client_does_not_know_is_asked_for_anew(broker: Kafka, own: str) -> None:
    """As after brokers that stood still: a client that was told of no partitions while they came back goes by that for
    minutes. Here it is one that was added."""
    broker.topics(own)
    asked = Cluster(broker.address)
    consumer = asked.consumer(own)
    try:
        until(lambda: _answered(asked, consumer, own, 0), 60)
        broker.widen(own, 2)
        with pytest.raises(PassingError, match="Unknown partition"):
            asked.ends(consumer, own, 1)
        until(lambda: _answered(asked, consumer, own, 1), 20)
    finally:
        consumer.close()


def _answered(asked: Cluster, consumer: Consumer, topic: str, partition: int) -> bool:
    try:
        return asked.ends(consumer, topic, partition) == (0, 0)
    except PassingError:
        return False


@pytest.mark.parametrize("code", sorted(VAGUE | EARLY | MOVED))
def test_what_passes_by_itself_ends_no_stream(code: int) -> None:
    """As the client says it, whatever it was asked; what it says for want of an answer counts as silence too."""
    asked = Cluster("127.0.0.1:1")
    told = asked.told(KafkaException(KafkaError(code)), "The ends of a/0 could not be learned.")
    assert type(told) is PassingError and "127.0.0.1:1" in str(told)
    assert (asked.silent is not None) == (code in VAGUE)


@pytest.mark.parametrize("code", [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError._SSL, KafkaError._UNKNOWN_TOPIC])
def test_what_does_not_pass_ends_it(code: int) -> None:
    assert type(Cluster("127.0.0.1:1").told(KafkaError(code), "It cannot be read.")) is StreamError


def test_a_call_that_does_not_come_back_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "END", 3.0)
    ended = threading.Event()
    asked = Cluster("broker:9092")
    with Watch(asked, ended.set) as watching:
        assert watching.seconds == 0
        time.sleep(3.5)
        assert not ended.is_set()  # nothing is asked
        with asked.asking("beginning"), asked.asking("leaving the group"):
            assert ended.wait(60) and watching.seconds > 3
    assert "Leaving the group has not come to an end" in caplog.text and "broker:9092" in caplog.text
    assert "this process ends" in caplog.text


def test_a_topic_that_is_not_made_in_time_is_told(monkeypatch: pytest.MonkeyPatch, broker: Kafka, own: str) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 1.0)
    asked = Cluster(broker.address)
    admin = asked.admin()
    admin.list_topics(timeout=60)

    class Freezing:
        def create_topics(self, topics: list[NewTopic]) -> Any:
            broker.freeze()
            return admin.create_topics(topics)

    topics = asked.topics()
    monkeypatch.setattr(asked, "topics", lambda: topics)
    monkeypatch.setattr(asked, "admin", Freezing)
    try:
        with pytest.raises(PassingError, match=rf"{own} is not there and was not made in time.*no answer from"):
            asked.make(own)
    finally:
        broker.thaw()

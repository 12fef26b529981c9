"""What a stream tells of its lag: what is there and not committed; and a topic that will never take a decision."""

import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.runtimes.started import until
from tests.runtimes.stream.topics import decisions, payments, put, replayed, run, running, settings, stored
from tests.servers.kafka import Kafka
from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.writer import UncertainError, Writer
from tidegate.errors import StreamError
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.stream.lag import Lag
from tidegate.runtimes.stream.stream import Stream


def told_of_lag(stream: Stream) -> tuple[float, float] | None:
    """Messages and seconds; None where neither is told, nor the lag of any partition."""
    said = dict(line.rsplit(" ", 1) for line in stream.figures.metrics.text().decode().splitlines() if line[:1] != "#")
    if not any(name.startswith(("tidegate_lag", "tidegate_partition_lag")) for name in said):
        return None
    return float(said["tidegate_lag_messages"]), float(said["tidegate_lag_seconds"])


def test_a_topic_that_will_never_take_a_decision_ends_it_and_is_named(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in")
    kafka.topics(f"{own}-out", message_timestamp_before_max_ms="3600000")
    put(kafka, f"{own}-in", payments(0, 20), timestamp=int(time.time() * 1000) - 7_200_000)
    with pytest.raises(StreamError, match=f"{own}-out refuses a message") as caught:
        run(kafka, own, tmp_path)
    assert "message.timestamp.before.max.ms" in caught.value.do
    assert decisions(kafka, f"{own}-out") == [] == stored(tmp_path)


def test_a_topic_that_takes_nothing_without_a_key_ends_it_and_is_named(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in")
    kafka.topics(f"{own}-out", cleanup_policy="compact")
    put(kafka, f"{own}-in", payments(0, 20))
    with pytest.raises(StreamError, match=f"{own}-out refuses a message") as caught:
        run(kafka, own, tmp_path)
    assert "cleanup.policy=compact" in caught.value.do
    assert decisions(kafka, f"{own}-out") == [] == stored(tmp_path)


def test_a_batch_that_fails_again_and_again_is_told_as_lag(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 20), timestamp=int(time.time() * 1000) - 7_200_000)
    write, tried, told = Writer.write, list[bool](), list[tuple[float, float] | None]()

    def fails(*args: Any, **more: Any) -> None:
        tried.append(True)
        if len(tried) < 4:
            raise UncertainError("A transaction was not committed.")
        write(*args, **more)

    monkeypatch.setattr(Writer, "write", fails)
    stream = Stream(settings(kafka, own, tmp_path, until_end=False))
    assert told_of_lag(stream) is None
    with running(stream):
        until(lambda: tried, 60)
        while len(tried) < 4:
            told.append(told_of_lag(stream))
            time.sleep(0.002)
        until(lambda: told_of_lag(stream) == (0, 0), 60)
    assert len(told) > 100 and all(one is not None and one[0] == 20 and one[1] > 7199 for one in told)
    assert decisions(kafka, f"{own}-out") == replayed(payments(0, 20))


def test_what_comes_while_nothing_can_be_taken_over_is_told_as_lag(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(0, 20))
    stream = Stream(settings(kafka, own, tmp_path, until_end=False))
    with running(stream):
        until(lambda: stream.figures.taken == 20 and told_of_lag(stream) == (0, 0), 60)
        with monkeypatch.context() as patched:

            def fails(*_: Any, **__: Any) -> None:
                raise UncertainError("The transactions of this group cannot be taken over.")

            patched.setattr(Writer, "write", fails)
            patched.setattr(Writer, "__init__", fails)
            put(kafka, f"{own}-in", payments(20, 21), timestamp=int(time.time() * 1000) - 7_200_000)
            until(lambda: (told_of_lag(stream) or (0, 0))[0] == 1, 60)
            put(kafka, f"{own}-in", payments(21, 30))
            until(lambda: (told_of_lag(stream) or (0, 0))[0] == 10, 60)
            messages_seconds = told_of_lag(stream)
            assert messages_seconds is not None and messages_seconds[1] > 7199
        until(lambda: stream.figures.taken == 30 and told_of_lag(stream) == (0, 0), 60)
    assert decisions(kafka, f"{own}-out") == replayed(payments(0, 30))


def test_who_stands_by_tells_no_lag_whatever_it_knows(kafka: Kafka, own: str) -> None:
    kafka.topics(f"{own}-in")
    put(kafka, f"{own}-in", payments(0, 20))
    inputs, metrics = Inputs(Cluster(kafka.address), own, lambda _: (None, None)), Metrics()
    lag = Lag(inputs)
    lag.tell(metrics)
    inputs.assign({(f"{own}-in", 0): 0})
    inputs.measure()
    assert inputs.partitions[0].lag == 20 and lag.messages is None and b"tidegate_lag" not in metrics.text()
    lag.read({(f"{own}-in", 0): 5})
    assert lag.messages == 15 and b"\ntidegate_lag_messages 15\n" in metrics.text()
    lag.stand_by()
    assert lag.messages is None and b"tidegate_partition_lag_messages{" not in metrics.text()
    inputs.close()


def test_who_stands_by_tells_no_lag_and_who_decides_counts_no_marks_of_transactions(
    kafka: Kafka, own: str, tmp_path: Path
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    (tmp_path / "b").mkdir()
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": f"{own}-t"})
    producer.init_transactions(30)
    leads = Stream(settings(kafka, own, tmp_path, until_end=False))
    stands = Stream(settings(kafka, own, tmp_path / "b", until_end=False))

    def decided(bodies: list[bytes], taken: int) -> None:
        producer.begin_transaction()
        for body in bodies:
            producer.produce(f"{own}-in", body)
        producer.commit_transaction(30)
        until(lambda: leads.figures.taken == taken and len(stored(tmp_path / "b")) == 20, 60)
        until(lambda: told_of_lag(leads) == (0, 0), 20)
        assert told_of_lag(stands) is None

    with running(leads) as leading:
        until(lambda: leads.deciding)
        with running(stands):
            until(lambda: (tmp_path / "b" / "s.db").exists())
            decided(payments(0, 20), 20)
            decided([b"bad"], 21)
            leading.set()
            until(lambda: stands.deciding and told_of_lag(stands) == (0, 0), 60)

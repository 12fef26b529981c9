"""A flow on a real Flink between topics of a real Kafka, as it is and while processes are killed and tasks multiply."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tests.conftest import KILLS
from tests.flink.traffic import TOPICS, bytes_of, right, stored_model, traffic
from tests.flink.watched import Watched
from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import Environment, environment
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.events.event import Event
from tidegate.runtimes.flink.job import Input, Job
from tidegate.runtimes.flink.running import Running

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka

FLOW = Path(__file__).with_name("watched.py")
PARTITIONS = {"paid": 3, "logins": 3, "changes": 1}
Sent = list[tuple[str, int, Event]]

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def flink(kafka: "Kafka") -> Environment:
    """PyFlink; made the first time, which takes minutes. Those who have Kafka for tests have Java and Maven too."""
    return environment(print)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    stored_model(folder)
    return folder


def _topics(kafka: "Kafka", own: str) -> None:
    for topic, partitions in PARTITIONS.items():
        kafka.topics(f"{own}-{topic}", partitions=partitions)
    kafka.topics(f"{own}-out", partitions=2)
    kafka.topics(f"{own}-out.dead-letters")


def _produce(kafka: "Kafka", own: str, events: Sequence[tuple[str, int, Event]], rate: float = 0) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": kafka.address, "linger.ms": 20, "queue.buffering.max.messages": 10**6})
    began = time.monotonic()
    for number, (topic, partition, event) in enumerate(events):
        producer.produce(f"{own}-{topic}", bytes_of(event), partition=partition % PARTITIONS[topic])
        producer.poll(0)
        if rate and number % 50 == 0:
            time.sleep(max(0.0, number / rate - (time.monotonic() - began)))
    assert producer.flush(30) == 0


def _consumed(kafka: "Kafka", topic: str, partitions: int) -> Iterator[tuple[bytes, bytes, dict[str, bytes]]]:
    """Everything committed in a topic: key, value, headers."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(
        {"bootstrap.servers": kafka.address, "group.id": "reader", "isolation.level": "read_committed",
         "enable.partition.eof": True}
    )  # fmt: skip
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    ended = 0
    while ended < partitions:
        message = consumer.poll(20)
        assert message is not None, "the topic does not end"
        if message.error():
            ended += 1
        else:
            yield message.key() or b"", message.value(), dict(message.headers() or [])
    consumer.close()


def _held(kafka: "Kafka", own: str, events: Sent, models: Path) -> None:
    """None lost, none twice, none different."""
    expected = right([(topic, partition % PARTITIONS[topic], event) for topic, partition, event in events], models)
    assert any(b'"models":[{' in one for one in expected.values())
    found: dict[str, bytes] = {}
    for key, value, _ in _consumed(kafka, f"{own}-out", 2):
        assert key.decode() not in found, f"{key!r} was decided twice"
        found[key.decode()] = value
    letters = list(_consumed(kafka, f"{own}-out.dead-letters", 1))
    assert not letters, letters[:2]
    assert found.keys() == expected.keys(), f"{len(found)} of {len(expected)}"
    different = [(expected[id], found[id]) for id in expected if expected[id] != found[id]]
    assert not different, (len(different), different[:2])


def test_decisions_are_those_of_a_replay(
    kafka: "Kafka", flink: Environment, models: Path, own: str, tmp_path: Path
) -> None:
    events = list(traffic(20_000))
    _topics(kafka, own)
    _produce(kafka, own, events)
    at = f"kafka://{kafka.address}/{own}"
    topics = [f"{at}-paid", f"Login={at}-logins", f"ListChange={at}-changes"]
    command = [str(Path(sys.executable).with_name("tidegate")), "flink", str(FLOW), "--to", f"{at}-out", "--group", own]
    command += [part for topic in topics for part in ("--from", topic)]
    command += ["--parallelism", "2", "--shards", "8", "--until-now", "--models", str(models)]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything that was there has been decided" in done.stderr
    _held(kafka, own, events, models)


def _job(kafka: "Kafka", flink: Environment, models: Path, own: str, folder: Path) -> Job:
    kinds = [*Watched.definition.kinds]
    numbers = [kinds.index(e) if e in kinds else -1 - INSTRUCTIONS.index(e) for e in TOPICS.values()]  # type: ignore[arg-type]
    python = next((flink.home / "opt").glob("flink-python-*.jar"))
    return Job(
        flow=str(FLOW),
        digest=Watched.definition.digest,
        models=str(models),
        servers=kafka.address,
        inputs=[Input(f"{own}-{topic}", number) for topic, number in zip(TOPICS, numbers, strict=True)],
        output=f"{own}-out",
        dead_letters=f"{own}-out.dead-letters",
        name=own,
        jars=[str(jar) for jar in (*flink.jars, python)],
        python=str(flink.python),
        state=f"file://{folder}",
        shards=8,
        parallelism=2,
        idle=0,
    )


def _reach(running: Running, more: int) -> None:
    """Wait until the job runs and has completed more checkpoints."""
    until, start = time.monotonic() + 240, None
    while time.monotonic() < until:
        if running.state() == "RUNNING":
            done = running.rest.checkpoints(running.id)
            start = done if start is None else start
            if done >= start + more:
                return
        time.sleep(0.5)
    raise AssertionError(f"no checkpoints: {running.rest.failure(running.id)}")


def _much_later(events: Sent) -> Iterator[tuple[str, int, Event]]:
    """An event for every partition that brings the watermark past all others, and is not decided itself."""
    for topic, partitions in PARTITIONS.items():
        last = next(event for name, _, event in reversed(events) if name == topic)
        for partition in range(partitions):
            later = replace(last, id=f"z{topic}{partition}", at=last.at + timedelta(hours=2))
            yield topic, partition, later


def _wait(kafka: "Kafka", own: str, expected: int) -> None:
    until = time.monotonic() + 240
    while sum(1 for _ in _consumed(kafka, f"{own}-out", 2)) < expected:
        assert time.monotonic() < until, "decisions are missing"
        time.sleep(1)


def test_killed_and_rescaled_it_loses_repeats_and_changes_nothing(
    kafka: "Kafka", flink: Environment, own: str, tmp_path: Path
) -> None:
    events = list(traffic(24_000, seed=2))
    _topics(kafka, own)
    sending = Thread(target=_produce, args=(kafka, own, events, 300.0))
    sending.start()
    cluster = Cluster(flink, tmp_path / "cluster", managers=2, slots=2)
    try:
        cluster.start()
        first = Running(_job(kafka, flink, models, own, tmp_path), flink, tmp_path, cluster.address, cluster)
        first.submit()
        for _ in range(1 if KILLS <= 5 else 6):
            _reach(first, 2)
            for manager in cluster.task_managers:  # whichever of them runs the job
                manager.kill()
                manager.wait()
        _reach(first, 2)
        assert cluster.job_manager is not None
        cluster.job_manager.kill()
        cluster.job_manager.wait()
        _reach(first, 2)
        four = Running(
            replace(first.job, parallelism=4, savepoint=first.stop()), flink, tmp_path, cluster.address, cluster
        )
        four.submit()
        _reach(four, 2)
        last = Running(replace(first.job, savepoint=four.stop()), flink, tmp_path, cluster.address, cluster)
        last.submit()
        sending.join()
        _produce(kafka, own, list(_much_later(events)))
        _wait(kafka, own, expected=len(right(events, models)))
        last.stop()
    finally:
        cluster.stop()
        sending.join()
    _held(kafka, own, events, models)

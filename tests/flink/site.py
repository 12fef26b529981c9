"""A place where a flow runs on a real Flink between topics of a real Kafka: what tests and campaigns do there."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.flink.traffic import TOPICS, bytes_of
from tests.flink.watched import Watched
from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import Environment
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.events.event import Event
from tidegate.runtimes.flink.change import gone_on, kept_by
from tidegate.runtimes.flink.job import Input, Job, prefix_of
from tidegate.runtimes.flink.running import Running
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.stages.staging import Staging

if TYPE_CHECKING:
    from tests.servers.kafka import Kafka

FLOW = f"{Path(__file__).with_name('watched.py')}:Watched"
PARTITIONS = {"paid": 3, "logins": 3, "changes": 1}
Sent = Sequence[tuple[str, int, Event]]
PATIENCE = 600.0
"""Seconds that anything may take, on a machine that does other things too."""


class Site:
    """Topics of one test's own, a cluster, and the jobs on it.

    Args:
        kafka: the broker.
        flink: PyFlink.
        models: folder of the model registry.
        own: the beginning of all names.
        folder: of state and logs.
    """

    def __init__(self, kafka: "Kafka", flink: Environment, models: Path, own: str, folder: Path) -> None:
        self.kafka, self.flink, self.models, self.own, self.folder = kafka, flink, models, own, folder
        for topic, partitions in PARTITIONS.items():
            kafka.topics(f"{own}-{topic}", partitions=partitions)
        kafka.topics(f"{own}-out", partitions=2)
        kafka.topics(f"{own}-out.dead-letters")

    def produce(self, events: Sent, rate: float = 0) -> None:
        """Put events onto their topics, so many a second if that is said."""
        from confluent_kafka import Producer

        settings = {"bootstrap.servers": self.kafka.address, "linger.ms": 20, "queue.buffering.max.messages": 10**6}
        producer, began = Producer(settings), time.monotonic()
        for number, (topic, partition, event) in enumerate(events):
            while True:
                try:
                    producer.produce(f"{self.own}-{topic}", bytes_of(event), partition=partition % PARTITIONS[topic])
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
            if rate and number % 50 == 0:
                time.sleep(max(0.0, number / rate - (time.monotonic() - began)))
        assert producer.flush(60) == 0

    def consumed(self, topic: str, partitions: int) -> Iterator[tuple[bytes, bytes | None, dict[str, bytes]]]:
        """Everything committed in a topic: key, value, headers."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(
            {"bootstrap.servers": self.kafka.address, "group.id": "reader", "isolation.level": "read_committed",
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
                pairs: Any = message.headers() or []
                headers = {name: value or b"" for name, value in pairs}
                yield message.key() or b"", message.value(), headers
        consumer.close()

    def decided(self) -> dict[str, bytes]:
        """The decisions that are committed, by id; none of them twice."""
        found: dict[str, bytes] = {}
        for key, value, _ in self.consumed(f"{self.own}-out", 2):
            assert key.decode() not in found, f"{key!r} was decided twice"
            found[key.decode()] = value or b""
        return found

    def wait(self, many: int, look: Callable[[], object] = lambda: None) -> None:
        """Wait until so many decisions are committed, as long as there come more; `look` at something now and then."""
        until, most = time.monotonic() + PATIENCE, 0
        while (there := sum(1 for _ in self.consumed(f"{self.own}-out", 2))) < many:
            if there > most:
                until, most = time.monotonic() + PATIENCE, there
            assert time.monotonic() < until, f"{there} of {many} decisions"
            look()
            time.sleep(1 + many / 100_000)

    def held(self, expected: dict[str, bytes]) -> None:
        """None lost, none twice, none different, and nothing refused."""
        found = self.decided()
        letters = list(self.consumed(f"{self.own}-out.dead-letters", 1))
        assert not letters, letters[:2]
        assert found.keys() == expected.keys(), f"{len(found)} of {len(expected)}"
        different = [(expected[id], found[id]) for id in expected if expected[id] != found[id]]
        assert not different, (len(different), different[:2])

    def job(self, place: str = FLOW, **more: object) -> Job:
        """A job of a flow over the topics."""
        flow, kinds = load_flow(place), [*Watched.definition.kinds]
        known = {kind.__name__: number for number, kind in enumerate(flow.definition.kinds)}
        numbers = [known[e.__name__] if e in kinds else -1 - INSTRUCTIONS.index(e) for e in TOPICS.values()]
        python = next((self.flink.home / "opt").glob("flink-python-*.jar"))
        made = Job(
            flow=place,
            digest=flow.definition.digest,
            models=str(self.models),
            servers=self.kafka.address,
            inputs=[Input(f"{self.own}-{topic}", number) for topic, number in zip(TOPICS, numbers, strict=True)],
            output=f"{self.own}-out",
            dead_letters=f"{self.own}-out.dead-letters",
            name=self.own,
            transactions=prefix_of(self.own, f"{self.own}-out"),
            jars=[str(jar) for jar in (*self.flink.jars, python)],
            python=str(self.flink.python),
            state=f"file://{self.folder}",
            shards=8,
            parallelism=2,
            idle=0,
            stages=kept_by(flow.definition, Staging(flow.plan, 8)),
        )
        return replace(made, **more)

    def start(self, job: Job, cluster: Cluster) -> Running:
        """Submit a job."""
        running = Running(job, self.flink, self.folder, cluster.address, cluster)
        running.submit()
        return running

    def go_on(self, running: Running, cluster: Cluster, place: str = FLOW, **more: object) -> Running:
        """Stop a job with a savepoint and start one from there, perhaps of another flow or with other settings."""
        job = self.job(place, **({"parallelism": running.job.parallelism} | more), savepoint=running.stop())
        return self.start(gone_on(running.job, job)[0], cluster)


def reach(running: Running, more: int) -> None:
    """Wait until the job runs and has completed more checkpoints."""
    until, start = time.monotonic() + PATIENCE, None
    while time.monotonic() < until:
        if running.state() == "RUNNING":
            done = running.rest.checkpoints(running.id)
            start = done if start is None else start
            if done >= start + more:
                return
        time.sleep(0.5)
    raise AssertionError(f"no checkpoints: {running.rest.failure(running.id)}")


def much_later(events: Sent) -> Iterator[tuple[str, int, Event]]:
    """An event for every partition that brings the watermark past all others, and is not decided itself."""
    for topic, partitions in PARTITIONS.items():
        last = next(event for name, _, event in reversed(events) if name == topic)
        for partition in range(partitions):
            later = replace(last, id=f"z{topic}{partition}", at=last.at + timedelta(hours=2))
            yield topic, partition, later

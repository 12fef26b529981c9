"""Events on real topics, and what lies on them afterwards."""

import json
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from tests.runtimes.served import Fraud, payment
from tests.servers.kafka import Kafka
from tidegate import Decision, Engine, Store
from tidegate.connectors.kafka.place import place
from tidegate.decisions.decision import to_json
from tidegate.runtimes.stream.order import read
from tidegate.runtimes.stream.settings import Settings
from tidegate.runtimes.stream.stream import Stream


def put(kafka: Kafka, topic: str, bodies: Iterable[bytes | None], *, partition: int = 0, **more: Any) -> None:
    """Put messages onto a topic, each in its turn; what one producer cannot bring there, the next one does."""
    left, until = list(bodies), time.monotonic() + 240
    while left:
        left = _put(kafka, topic, left, partition=partition, **more)
        assert not left or time.monotonic() < until, f"{topic} does not take {len(left)} messages"


def _put(kafka: Kafka, topic: str, bodies: Sequence[bytes | None], **more: Any) -> list[bytes | None]:
    """What is left of them: those behind the last that was taken, since one producer loses none in the middle."""
    taken = [False] * len(bodies)
    producer = Producer({"bootstrap.servers": kafka.address, "acks": "all", "linger.ms": 5, "enable.idempotence": True,
                         "message.timeout.ms": 60_000})  # fmt: skip

    def told(number: int, error: KafkaError | None, _: object) -> None:
        taken[number] = error is None

    for number, body in enumerate(bodies):
        while True:
            try:
                producer.produce(topic, body, on_delivery=partial(told, number), **more)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush(70)
    first = taken.index(False) if False in taken else len(bodies)
    return list(bodies[first:])


def payments(first: int, last: int, card: str = "c1") -> list[bytes]:
    return [json.dumps(payment(number, f"{card}{number % 3}")).encode() for number in range(first, last)]


def everything(kafka: Kafka, topic: str) -> list[Any]:
    """All committed messages of a topic, partition by partition."""
    until = time.monotonic() + 120
    while (found := _everything(kafka, topic)) is None:
        assert time.monotonic() < until, "the topic does not end"
    return found


def _everything(kafka: Kafka, topic: str) -> list[Any] | None:
    """None if this client is told of no brokers, or does not come to the end."""
    consumer = Consumer(
        {"bootstrap.servers": kafka.address, "group.id": "look", "isolation.level": "read_committed",
         "enable.partition.eof": True, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )  # fmt: skip
    found, until = [], time.monotonic() + 60
    try:
        there = consumer.list_topics(topic, 30)
        if not there.brokers:
            return None
        parts = list(there.topics[topic].partitions)
        consumer.assign([TopicPartition(topic, part, 0) for part in parts])
        ended: set[int] = set()
        while len(ended) < len(parts):
            message = consumer.poll(1)
            if time.monotonic() > until:
                return None
            if message is None:
                continue
            fault = message.error()
            if fault is None:
                found.append(message)
            elif fault.code() == KafkaError._PARTITION_EOF:  # others pass, as on a broker that just came back
                ended.add(message.partition() or 0)
    except KafkaException:
        return None
    finally:
        consumer.close()
    return found


def decisions(kafka: Kafka, topic: str) -> list[bytes]:
    return [message.value() for message in everything(kafka, topic)]


def settings(kafka: Kafka, own: str, folder: Path, **more: Any) -> Settings:
    sources = more.pop("sources", f"{own}-in")
    plain: dict[str, Any] = {
        "flow": Fraud, "source": place(f"kafka://{kafka.address}/{sources}"),
        "sink": place(f"kafka://{kafka.address}/{own}-out"), "store": folder / "s.db", "models": folder / "models",
        "group": own, "until_end": True,
    }  # fmt: skip
    return Settings(**(plain | more))


def run(kafka: Kafka, own: str, folder: Path, **more: Any) -> Stream:
    """A stream run to the end of what is there."""
    stream = Stream(settings(kafka, own, folder, **more))
    stream.run(threading.Event())
    return stream


@contextmanager
def running(stream: Stream) -> Iterator[threading.Event]:
    """A stream that runs beside the block; what ended it is raised, also where the block waited for it in vain."""
    stop, failed = threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            stream.run(stop)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(60)
        where = sys._current_frames().get(thread.ident or 0)
        assert not thread.is_alive(), "the stream does not end:\n" + "".join(traceback.format_stack(where))
        if failed:
            raise failed[0]


def in_order(kafka: Kafka, own: str, sources: Sequence[str]) -> list[Any]:
    """The messages that were taken, in the order that the order topic tells."""
    by_place = {
        (one.topic(), one.partition(), one.offset()): one for topic in sources for one in everything(kafka, topic)
    }
    taken = []
    for message in everything(kafka, f"{own}-out.order"):
        order = read(message.value(), "order")
        places, passed = order.sequence()
        at = [one.start for one in order.stretches]
        for stretch, over in zip(places, passed, strict=True):
            one = order.stretches[stretch]
            while (one.topic, one.partition, at[stretch]) not in by_place:
                at[stretch] += 1  # marks of transactions have offsets too
            if not over:
                taken.append(by_place[one.topic, one.partition, at[stretch]])
            at[stretch] += 1
    return taken


def replayed(bodies: Iterable[bytes], flow: type = Fraud) -> list[bytes]:
    """What an engine that is asked one by one decides; an id that came before is decided once."""
    engine = Engine(flow)
    read = engine.readers[flow.definition.event.__name__].read  # type: ignore[attr-defined]
    answers = [engine.process([read(body)])[0] for body in bodies]
    return [to_json(one) for one in answers if isinstance(one, Decision) and not one.repeated]


def stored(folder: Path, name: str = "s.db") -> list[bytes]:
    with Store.open(folder / name, read_only=True) as kept:
        found = [kept.get(event.id) for event in kept.replay()]
    return [one.answer for one in found if one is not None and one.answer is not None]

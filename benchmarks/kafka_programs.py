"""What the Kafka benchmarks run: our stream, a program that only copies, and the model that the stream asks."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.decision import forest_text
from benchmarks.w1_flow import W1
from tidegate.models.artefact import Artefact, Card, ModelFeature
from tidegate.models.registry import Registry

CORES = sorted(os.sched_getaffinity(0))
"""The first is of the program that is measured, the last of all else."""
_TELL = """
print(time.process_time() - began, time.perf_counter() - at_first, flush=True)
"""
OURS = """
import sys, threading, time
from pathlib import Path
from benchmarks.w1_flow import W1Decision
from tidegate.connectors.kafka.place import place
from tidegate.runtimes.stream.settings import Settings
from tidegate.runtimes.stream.stream import Stream
address, source, sink, folder, end = sys.argv[1:]
at = lambda name: place(f"kafka://{address}/{name}")
store, models = Path(folder) / "s.db", Path(folder) / "models"
stream = Stream(Settings(W1Decision, at(source), at(sink), store, models, sink, until_end=end == "1"))
def ready():
    global began, at_first
    began, at_first = time.process_time(), time.perf_counter()
    print("ready", flush=True)
stream.run(threading.Event(), ready=ready)
"""
COPY = """
import sys, time
from confluent_kafka import Consumer, Producer, TopicPartition
address, source, sink, folder, end = sys.argv[1:]
reader = Consumer({"bootstrap.servers": address, "group.id": sink, "isolation.level": "read_committed",
    "enable.auto.commit": False, "enable.auto.offset.store": False, "auto.offset.reset": "error",
    "fetch.wait.max.ms": 50, "queued.max.messages.kbytes": 16384, "fetch.queue.backoff.ms": 10,
    "enable.partition.eof": True})
reader.assign([TopicPartition(source, 0, 0)])
writer = Producer({"bootstrap.servers": address, "transactional.id": sink, "acks": "all", "linger.ms": 2,
    "queue.buffering.max.messages": 1000000, "batch.size": 1000000, "transaction.timeout.ms": 60000,
    "delivery.report.only.error": True})
writer.init_transactions(30)
began, at_first = time.process_time(), time.perf_counter()
print("ready", flush=True)
ended = False
while not (ended and end == "1"):
    first = reader.poll(0.05)
    if first is None:
        continue
    came = [first, *reader.consume(4095, 0)]
    ended = any(one.error() for one in came)
    came = [one for one in came if not one.error()]
    if not came:
        continue
    writer.begin_transaction()
    for one in came:
        writer.produce(sink, one.value(), one.key(), timestamp=one.timestamp()[1], headers=one.headers() or [])
    writer.poll(0)
    writer.send_offsets_to_transaction(
        [TopicPartition(source, 0, came[-1].offset() + 1)], reader.consumer_group_metadata(), 30)
    writer.commit_transaction(30)
"""
"""As often as it can, as ours does: whatever came while it committed is its next transaction, 4,096 at most."""


@contextmanager
def program(code: str, *words: str, core: int | None = None, stdin: bool = False) -> Iterator["subprocess.Popen[str]"]:
    """A program of Python, ready, on a core of its own if one is given; ended with the block."""
    if core is not None:
        code = f"import os\nos.sched_setaffinity(0, {{{core}}})\n{code}"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE if stdin else None,
        text=True,
    )
    assert process.stdout is not None
    try:
        if (said := process.stdout.readline()) != "ready\n":
            raise SystemExit(f"a program is not ready, it says {said!r}")
        yield process
    finally:
        process.terminate()
        process.wait()


def through(code: str, *words: str) -> tuple[float, float]:
    """Seconds of CPU, and seconds, that a program needs to go through a topic that is full, from when it is ready."""
    with program(code + _TELL, *words, "1", core=CORES[0]) as process:
        assert process.stdout is not None
        told = process.stdout.readline().split()
        if not told or process.wait():
            raise SystemExit(f"a program ended with {process.returncode}")
        return float(told[0]), float(told[1])


def put(address: str, topic: str, bodies: Sequence[bytes]) -> None:
    """Put all of them on a topic."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    for body in bodies:
        producer.produce(topic, body)
    if producer.flush(120):
        raise SystemExit("the events were not taken")


def came(address: str, topic: str, many: int) -> None:
    """See that so many messages were committed to a topic: what was given up, or not taken, is no faster for it."""
    reader = Consumer(
        {"bootstrap.servers": address, "group.id": "counting", "isolation.level": "read_committed",
         "enable.auto.commit": False, "enable.partition.eof": True}
    )  # fmt: skip
    reader.assign([TopicPartition(topic, 0, 0)])
    found, ended = 0, False
    while not ended:
        got = reader.consume(10_000, 30)
        if not got:
            raise SystemExit(f"{topic} does not come to an end")
        found += sum(one.error() is None for one in got)
        ended = any(one.error() is not None for one in got)
    reader.close()
    if found != many:
        raise SystemExit(f"{found:,} messages came to {topic}, of {many:,}: these figures mean nothing")


def put_model(bodies: Sequence[bytes], *folders: Path) -> None:
    """Train W1's model of 200 trees on these events, and store it in these folders."""
    features: tuple[Any, ...] = tuple(ModelFeature(name) for name in W1.definition.features)
    card = Card(name="w1", version="1", objective="binary", features=features)
    artefact = Artefact(card, forest_text(list(bodies)).encode())
    for folder in folders:
        Registry(folder).add(artefact, alias="champion", override=True, why="A benchmark's model")

"""From topic to topic on a real broker, exactly once: decisions a second, and how long one takes, against a plain copy.

    python -m benchmarks.kafka [--events 200000] [--rate 0] [--seconds 20]

Ours: W1's 34 window features, ten rules and a LightGBM model of 200 trees; decisions, offsets and order in one
transaction a batch, and a sealed store. The peer reads the same topic and writes what it read to another one, with the
same settings of transactions, batches and reads, and decides nothing. Each has one core of its own, the broker and the
load the other one. Then events are produced at a steady rate, half of ours unless told, and each message is timed from
its being produced to its being consumed as committed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.servers.kafka import Kafka

CORES = sorted(os.sched_getaffinity(0))
OURS = """
import os, sys, threading
os.sched_setaffinity(0, {CORE})
from pathlib import Path
from benchmarks.w1_flow import W1Decision
from tidegate.connectors.kafka.place import place
from tidegate.runtimes.stream.stream import Settings, Stream
address, source, sink, folder, end = sys.argv[1:]
at = lambda name: place(f"kafka://{address}/{name}")
store, models = Path(folder) / "s.db", Path(folder) / "models"
stream = Stream(Settings(W1Decision, at(source), at(sink), store, models, sink, until_end=end == "1"))
stream.run(threading.Event(), ready=lambda: print("ready", flush=True))
"""
COPY = """
import os, sys
os.sched_setaffinity(0, {CORE})
from confluent_kafka import Consumer, Producer, TopicPartition
address, source, sink, folder, end = sys.argv[1:]
reader = Consumer({"bootstrap.servers": address, "group.id": sink, "isolation.level": "read_committed",
    "enable.auto.commit": False, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50,
    "enable.partition.eof": True})
reader.assign([TopicPartition(source, 0, 0)])
writer = Producer({"bootstrap.servers": address, "transactional.id": sink, "acks": "all", "linger.ms": 2,
    "queue.buffering.max.messages": 1000000, "batch.size": 1000000})
writer.init_transactions(30)
print("ready", flush=True)
at, ended = 0, False
while not (ended and end == "1"):
    first = reader.poll(0.05)
    if first is None:
        continue
    came = [one for one in [first, *reader.consume(1024, 0)]]
    ended = any(one.error() for one in came)
    came = [one for one in came if not one.error()]
    if not came:
        continue
    writer.begin_transaction()
    for one in came:
        writer.produce(sink, one.value(), one.key(), timestamp=one.timestamp()[1])
    at = came[-1].offset() + 1
    writer.poll(0)
    writer.send_offsets_to_transaction([TopicPartition(source, 0, at)], reader.consumer_group_metadata(), 30)
    writer.commit_transaction(30)
"""


@contextmanager
def program(code: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A program on a core of its own, ready; ended with the block."""
    command = [sys.executable, "-c", code.replace("CORE", str(CORES[0])), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise SystemExit(f"a program ended with {process.wait()}")
        yield process
    finally:
        process.terminate()
        process.wait()


def put(address: str, topic: str, bodies: Sequence[bytes]) -> None:
    """Put all of them on a topic."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    for body in bodies:
        producer.produce(topic, body)
    if producer.flush(120):
        raise SystemExit("the events were not taken")


def rate(kafka: Kafka, code: str, source: str, sink: str, folder: Path, many: int) -> float:
    """Messages a second of a program that goes through a topic that is full."""
    folder.mkdir(exist_ok=True)
    kafka.topics(sink)
    with program(code, kafka.address, source, sink, str(folder), "1") as process:
        began = time.perf_counter()
        if process.wait():
            raise SystemExit(f"a program ended with {process.returncode}")
        return many / (time.perf_counter() - began)


def latencies(kafka: Kafka, code: str, sink: str, folder: Path, bodies: Sequence[bytes], pace: float) -> np.ndarray:
    """Seconds from a message's being produced to its being consumed, at a steady pace; the first second is left out."""
    folder.mkdir(exist_ok=True)
    source = f"{sink}-in"
    kafka.topics(source, sink)
    reader = Consumer(
        {"bootstrap.servers": kafka.address, "group.id": "timing", "isolation.level": "read_committed",
         "auto.offset.reset": "earliest", "fetch.wait.max.ms": 5}
    )  # fmt: skip
    reader.assign([TopicPartition(sink, 0, 0)])
    sent, got = np.zeros(len(bodies)), np.zeros(len(bodies))
    with program(code, kafka.address, source, sink, str(folder), "0"):

        def load() -> None:
            producer = Producer({"bootstrap.servers": kafka.address, "linger.ms": 0})
            began = time.perf_counter()
            for number, body in enumerate(bodies):
                due = began + number / pace
                while (left := due - time.perf_counter()) > 0:
                    producer.poll(0)
                    time.sleep(min(left, 0.001))
                sent[number] = time.perf_counter()
                producer.produce(source, body)
            producer.flush(60)

        thread = threading.Thread(target=load)
        thread.start()
        number, until = 0, time.monotonic() + len(bodies) / pace + 60
        while number < len(bodies) and time.monotonic() < until:
            for message in reader.consume(500, 0.05):
                if message.error() is None:
                    got[number] = time.perf_counter()
                    number += 1
        thread.join()
    reader.close()
    if number < len(bodies):
        raise SystemExit(f"only {number:,} of {len(bodies):,} messages came")
    skipped = int(pace)
    return (got - sent)[skipped:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rate", type=float, default=0.0, help="events a second for latencies; 0: half of ours")
    parser.add_argument("--seconds", type=float, default=20.0)
    args = parser.parse_args()
    from benchmarks.decision import bodies_of, forest_text, workload
    from benchmarks.w1_flow import W1
    from tidegate.models.artefact import Artefact, Card, ModelFeature
    from tidegate.models.registry import Registry

    os.sched_setaffinity(0, {CORES[-1]})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bodies = bodies_of(workload().make(args.events, 7))
        features = tuple(ModelFeature(name) for name in W1.definition.features)
        card = Card(name="w1", version="1", objective="binary", features=features)
        artefact = Artefact(card, forest_text(bodies[:20_000]).encode())
        for part in ("ours", "ours-timed"):
            Registry(folder / part / "models").add(artefact, alias="champion")
        with Kafka(folder / "kafka") as kafka:
            kafka.topics("events")
            put(kafka.address, "events", bodies)
            ours = rate(kafka, OURS, "events", "ours", folder / "ours", len(bodies))
            copied = rate(kafka, COPY, "events", "copy", folder / "copy", len(bodies))
            print(f"decisions a second, one core: {ours:10,.0f}   (must 15,000, goal 40,000)")
            print(f"a copy a second, one core:    {copied:10,.0f}")
            pace = args.rate or ours / 2
            some = bodies[: int(pace * args.seconds)]
            found = {}
            for which, code in (("copy", COPY), ("ours", OURS)):
                found[which] = latencies(kafka, code, f"{which}-timed", folder / f"{which}-timed", some, pace)
            print(f"from produced to consumed at {pace:,.0f} a second:")
            for which, seconds in found.items():
                p50, p99 = np.percentile(seconds, [50, 99])
                print(f"  {which:6} p50 {p50 * 1e3:7.1f} ms   p99 {p99 * 1e3:7.1f} ms")
            ratios = [np.percentile(found["ours"], p) / np.percentile(found["copy"], p) for p in (50, 99)]
            print(f"  ours against a copy: p50 {ratios[0]:.2f}x   p99 {ratios[1]:.2f}x   (must 2x, goal 1.3x)")


if __name__ == "__main__":
    main()

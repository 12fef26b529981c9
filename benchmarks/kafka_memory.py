"""Memory of a stream's runner over many events whose windows were full long ago: a part of `benchmarks.kafka`."""

import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl
from confluent_kafka import Producer

from benchmarks.decision import bodies_of, workload
from benchmarks.kafka_programs import came, program, put_model
from benchmarks.targets import Targets
from tests.servers.kafka import Kafka

RUNNER = """
import sys, threading, time
from pathlib import Path
from benchmarks.w1_flow import W1Decision
from tidegate.connectors.kafka.place import place
from tidegate.runtimes.stream.settings import Settings
from tidegate.runtimes.stream.stream import Stream

class Bounded(W1Decision):
    lateness = "1h"

address, folder, many = sys.argv[1:]
at = lambda name: place(f"kafka://{address}/{name}")
stop, store, models = threading.Event(), Path(folder) / "s.db", Path(folder) / "models"
stream = Stream(Settings(Bounded, at("events"), at("decisions"), store, models, "memory"))

def watch():
    while stream.figures.taken < int(many):
        time.sleep(0.5)
        told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        own, resident = (told[name].split()[0] for name in ("RssAnon", "VmRSS"))
        print(stream.figures.taken, own, resident, time.process_time(), flush=True)
    stop.set()

def ready():
    print("ready", flush=True)
    threading.Thread(target=watch, daemon=True).start()

stream.run(stop, ready=ready)
"""
"""W1's features and model. Its lateness is an hour: unless told, it would be the 400 days of its longest look back."""
_AHEAD = 200_000
"""Events that lie on the topic and were not taken, at most: the load goes on as the runner does."""
_SLICE = 50_000
_WEEKS = 5
"""Weeks of event time in a run: a fifth of the events fills the windows of seven days."""


class Sample(NamedTuple):
    """After so many events: kilobytes of its own and all that is resident, and seconds of its CPU."""

    taken: int
    own: int
    resident: int
    cpu: float


def measure(events: int, folder: Path) -> list[Sample]:
    """Samples of a runner that takes so many events, some twice a second."""
    frame = workload().make(events, 7, days=7.0 * _WEEKS)
    put_model(bodies_of(frame[:20_000]), folder / "models")
    samples: list[Sample] = []
    with Kafka(folder / "kafka") as kafka:
        kafka.topics("events", "decisions")
        producer = Producer({"bootstrap.servers": kafka.address, "linger.ms": 20})
        with program(RUNNER, kafka.address, str(folder), str(events)) as process:
            assert process.stdout is not None
            sent, told = 0, time.monotonic()
            for line in process.stdout:
                one = msgspec.convert(line.split(), Sample, strict=False)
                samples.append(one)
                while sent < events and sent < one.taken + _AHEAD:
                    _put(producer, frame[sent : sent + _SLICE])
                    sent += _SLICE
                if time.monotonic() - told > 20:
                    told = time.monotonic()
                    print(f"  {one.taken:10,} events  {one.own / 1024:7.0f} MiB", file=sys.stderr, flush=True)
                if one.taken >= events:
                    break
        if not samples or samples[-1].taken < events:
            raise SystemExit(f"the runner ended after {samples[-1].taken if samples else 0:,} of {events:,} events")
        came(kafka.address, "decisions", events)
    return samples


def _put(producer: Producer, frame: pl.DataFrame) -> None:
    for body in bodies_of(frame):
        while True:
            try:
                producer.produce("events", body)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush(60)


def report(events: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        samples = measure(events, Path(name))
    span = max(1, events // 10)
    print(f"memory of the runner, {events:,} events of {_WEEKS} weeks, windows of seven days; highest of each tenth:")
    tenths = [[one for one in samples if part * span < one.taken <= (part + 1) * span] for part in range(10)]
    highest = [max((one.own for one in part), default=0) / 1024 for part in tenths]
    for part, own in enumerate(highest):
        print(f"  {part * span:10,} to {(part + 1) * span:10,} events: {own:8.0f} MiB")
    last = samples[-1]
    print(f"CPU of the runner: {last.cpu:,.0f} s, {last.taken / last.cpu:,.0f} events per second of it")
    # A week of events fills the windows; what doubles its room has done so after two.
    if not all(highest):
        raise SystemExit("a tenth of the events has no sample: give more --events")
    growth = max(highest[5:]) / highest[4] - 1
    print(
        f"memory ratio, second half against {5 * span:,} events: {1 + growth:.3f}   (must: flat within 10 %, goal 5 %)"
    )
    targets = Targets(held=True)
    targets.ratio("memory of the runner", 1 + growth, most=1.1)
    targets.end()

"""How long from when a message was to be produced until it is consumed, at a steady rate: part of `benchmarks.kafka`.

The load is open: each message has a time at which it is to be sent, whatever became of those before it, and carries it
in a header. A load, or a reader, that falls behind makes a run worth nothing, and it is said so.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from confluent_kafka import Consumer, Message, TopicPartition

from benchmarks.kafka_programs import COPY, CORES, OURS, program
from benchmarks.targets import Targets
from tests.servers.kafka import Kafka

LOAD = """
import json, sys, time
from pathlib import Path
import numpy as np
from confluent_kafka import Producer
address, topic, file, pace, warm = sys.argv[1:]
bodies, pace, warm = Path(file).read_bytes().split(b"\\n"), float(pace), int(warm)
producer = Producer({"bootstrap.servers": address, "linger.ms": 1, "acks": "all"})
late = np.zeros(len(bodies))
print("ready", flush=True)
sys.stdin.readline()
began = time.perf_counter() + 0.1
for number, body in enumerate(bodies):
    due = began + number / pace
    while (left := due - time.perf_counter()) > 0:
        producer.poll(0)
        time.sleep(min(left, 0.0005))
    late[number] = -left
    producer.produce(topic, body, headers=[("due", b"%.6f" % due)])
left = producer.flush(60)
took = time.perf_counter() - began
print(json.dumps({"left": left, "rate": len(bodies) / took, "late": float(np.percentile(late[warm:], 99))}), flush=True)
"""
LATE = 0.010
"""Seconds after which the hundredth message may be sent at most that is later than the others."""
RATE = 0.98
BUSY = 0.7
"""Of a reader's time: one that is busier may be what the messages wait for."""


class Run(NamedTuple):
    """Seconds of each message; the rate that was reached, how late the load was at p99, how busy the reader."""

    seconds: np.ndarray
    rate: float
    late: float
    busy: float

    def faults(self, pace: float) -> list[str]:
        """Why this run is worth nothing; empty if it is worth something."""
        found = []
        if self.rate < pace * RATE:
            found.append(f"{self.rate:,.0f} a second were offered, not {pace:,.0f}")
        if self.late > LATE:
            found.append(f"a message in a hundred was sent {self.late * 1e3:.0f} ms or more after its time")
        if self.busy > BUSY:
            found.append(f"the reader was busy {self.busy:.0%} of the time")
        return found


def due(message: Message) -> float:
    """When a message was to be produced, by the clock of this machine that all processes share."""
    headers: Any = message.headers()
    return float(dict(headers)["due"])


def run(kafka: Kafka, code: str, name: str, folder: Path, bodies: Sequence[bytes], pace: float, warm: float) -> Run:
    """One run; the messages of the first `warm` seconds are not counted."""
    folder.mkdir(exist_ok=True)
    source, sink, skipped = f"{name}-in", f"{name}-out", int(pace * warm)
    kafka.topics(source, sink)
    reader = Consumer(
        {"bootstrap.servers": kafka.address, "group.id": "timing", "isolation.level": "read_committed",
         "auto.offset.reset": "earliest", "fetch.wait.max.ms": 5}
    )  # fmt: skip
    reader.assign([TopicPartition(sink, 0, 0)])
    file = folder / "bodies"
    file.write_bytes(b"\n".join(bodies))
    found = np.zeros(len(bodies))
    load = program(LOAD, kafka.address, source, str(file), str(pace), str(skipped), core=CORES[-1], stdin=True)
    with program(code, kafka.address, source, sink, str(folder), "0", core=CORES[0]), load as loading:
        assert loading.stdin is not None and loading.stdout is not None
        loading.stdin.write("go\n")
        loading.stdin.flush()
        number, busy, began = 0, time.thread_time(), time.perf_counter()
        until = began + len(bodies) / pace + 60
        while number < len(bodies) and time.perf_counter() < until:
            for message in reader.consume(2000, 0.05):
                if message.error() is None:
                    found[number] = time.perf_counter() - due(message)
                    number += 1
        share = (time.thread_time() - busy) / (time.perf_counter() - began)
        told = json.loads(loading.stdout.readline())
    reader.close()
    if number < len(bodies):
        raise SystemExit(f"only {number:,} of {len(bodies):,} messages came")
    return Run(found[skipped:], told["rate"], told["late"], share)


def report(
    kafka: Kafka, folder: Path, bodies: Sequence[bytes], pace: float, seconds: float, rounds: int, targets: Targets
) -> None:
    """Run both in turns, and hold the ratio of each round's quantiles to its target, if the load can be trusted."""
    some, ratios = bodies[: int(pace * seconds)], list[tuple[float, float]]()
    print(f"from its time to be produced until consumed, {len(some):,} events at {pace:,.0f} a second:")
    for round in range(rounds):
        told, good = dict[str, np.ndarray](), True
        for which, code in (("copy", COPY), ("ours", OURS)):
            name = f"{which}-{round}"
            one = run(kafka, code, name, folder / name, some, pace, min(5.0, seconds / 4))
            told[which] = np.percentile(one.seconds, [50, 99])
            faults, (half, most) = one.faults(pace), told[which] * 1e3
            print(f"  {which:6} p50 {half:7.1f} ms   p99 {most:7.1f} ms   {'; '.join(faults)}", flush=True)
            good = good and not faults
        if good:
            p50, p99 = told["ours"] / told["copy"]
            ratios.append((p50, p99))
    if not ratios:
        why = "no ratio: the load or its reader fell behind in every round; give a quieter machine, or a lower --rate"
        targets.unmeasured("latency, of a copy", why)
        return
    half, most = np.median(np.array(ratios), axis=0)
    print(f"  latency ratio, ours against a copy: p50 {half:.2f}x   p99 {most:.2f}x   (must 2x, goal 1.3x)")
    targets.ratio("latency p50, of a copy", float(half), most=2)
    targets.ratio("latency p99, of a copy", float(most), most=2)

"""From topic to topic on a real broker, exactly once: decisions a second, and how long one takes, against a plain copy.

    python -m benchmarks.kafka [--events 200000] [--rate 0] [--seconds 20] [--rounds 3]
    python -m benchmarks.kafka --memory [--events 5000000]

Ours: W1's 34 window features, ten rules and a LightGBM model of 200 trees; decisions, offsets and order in one
transaction a batch, and a sealed store. The peer reads the same topic and writes what it read to another one, with the
same settings of transactions, batches and reads, and decides nothing. Each has one core of its own, the broker and the
load the other one. Then events are produced at a steady rate, half of ours unless told, by a process that does not wait
for anything, and each message is timed from when it was to be produced to its being consumed as committed. Both commit
as often as they can.

With --memory: the memory of the runner over five weeks of events, with windows of seven days.
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks import kafka_latency, kafka_memory
from benchmarks.kafka_programs import COPY, CORES, OURS, came, put, put_model, through
from benchmarks.targets import Targets
from tests.servers.kafka import Kafka


def rate(kafka: Kafka, code: str, source: str, sink: str, folder: Path, many: int) -> tuple[float, float]:
    """Messages a second of a program that goes through a topic that is full, and a second of its CPU."""
    folder.mkdir(exist_ok=True)
    kafka.topics(sink)
    used, took = through(code, kafka.address, source, sink, str(folder))
    came(kafka.address, sink, many)
    return many / took, many / used


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=0, help="default: 200,000; of --memory 5,000,000")
    parser.add_argument("--rate", type=float, default=0.0, help="events a second for latencies; 0: half of ours")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each timed run; its first are left out")
    parser.add_argument("--rounds", type=int, default=3, help="timed runs of each, in turns")
    parser.add_argument("--memory", action="store_true", help="measure memory, and nothing else")
    args = parser.parse_args()
    if args.memory:
        kafka_memory.report(args.events or 5_000_000)
        return
    from benchmarks.decision import bodies_of, workload

    os.sched_setaffinity(0, {CORES[-1]})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bodies = bodies_of(workload().make(args.events or 200_000, 7))
        timed = [folder / f"ours-{round}" / "models" for round in range(args.rounds)]
        put_model(bodies[:20_000], folder / "ours" / "models", *timed)
        with Kafka(folder / "kafka") as kafka:
            kafka.topics("events")
            put(kafka.address, "events", bodies)
            copied, copied_cpu = rate(kafka, COPY, "events", "copy", folder / "copy", len(bodies))
            ours, ours_cpu = rate(kafka, OURS, "events", "ours", folder / "ours", len(bodies))
            targets = Targets(held=True)
            targets.figure("decisions a second, one core", ours, least=15_000)
            print(f"decisions a second, one core: {ours:10,.0f}   (must 15,000, goal 40,000)")
            print(f"a copy a second, one core:    {copied:10,.0f}")
            print(f"a second of its CPU:          {ours_cpu:10,.0f}   a copy {copied_cpu:,.0f}")
            pace = args.rate or ours / 2
            kafka_latency.report(kafka, folder, bodies, pace, args.seconds, args.rounds, targets)
    targets.end()


if __name__ == "__main__":
    main()

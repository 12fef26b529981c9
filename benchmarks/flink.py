"""W1 on Flink: our job beside a PyFlink job with keyed state, and beside Flink SQL's OVER windows, in one run.

    python -m benchmarks.flink [--events 1200000] [--keyed-events 60000] [--sql-events 160000]

All three read the same topic of a real Kafka, JSON in one partition, and run in a Flink of their own (in one process,
one task of each operator, a checkpoint each second). What is compared is events per second of processor time, over all
processes that a job starts, on the later half of its events: each job runs twice, on half of them and on all, and what
the first run took is taken off, so that starting Java, importing and warming up are not counted. Nor are the threads in
which Java compiles, on either side, since they are busy for the first minutes of a job whatever its events are.

The peers read the topic's first events only: by the time that they are warm their windows are still filling, which
flatters them. They must be so many that what the later half takes is far more than what starts differ by: with 80,000
events of Flink SQL both runs took some 35 seconds, and one came to 13,000 a second. On a busy machine it came to 1,700
a second from 10,000 to 40,000 events, to 2,400 until 80,000, and to 1,000 until 160,000, where its windows hold more.
Ours also reads by contract, recognises ids, orders, decides, and writes every decision in transactions; the peers
compute features and drop them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.kafka_programs import came
from benchmarks.targets import Targets
from benchmarks.w1 import workload
from tests.servers.kafka import Kafka
from tidegate.connectors.flink.environment import Environment, environment
from tidegate.runtimes.flink.job import Input, Job

if TYPE_CHECKING:
    import polars as pl

PEERS = """import importlib.util, sys
spec = importlib.util.spec_from_file_location("flink_peers", sys.argv[1])
peers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peers)
getattr(peers, sys.argv[2])(*sys.argv[3:])
"""  # its folder stays off Python's path: there is an `http.py` in it
FLOW = Path(__file__).with_name("w1_flow.py")
TICK = os.sysconf("SC_CLK_TCK")
COMPILER = " CompilerThre"
"""In the names of the threads in which Java compiles, of which the system keeps fifteen letters."""


def produce(kafka: Kafka, topic: str, frame: "pl.DataFrame") -> None:
    """W1's events as JSON, in one partition."""
    from confluent_kafka import Producer

    kafka.topics(topic)
    producer = Producer({"bootstrap.servers": kafka.address, "linger.ms": 50, "queue.buffering.max.messages": 10**6})
    for id, at, card, merchant, amount, declined in frame.iter_rows():
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000))
        text = (
            f'{{"id":"{id}","at":"{when}.{at % 1000:03d}Z","card":{card},"merchant":{merchant},'
            f'"amount_cents":{amount},"declined":{str(declined).lower()}}}'
        )
        producer.produce(topic, text)
        producer.poll(0)
    producer.flush()


def spent(stat: Path) -> float:
    """Processor seconds of a process or a thread, by its `stat`; none if it is gone."""
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def family(root: int) -> list[int]:
    """A process and all that it started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
        except OSError:
            continue
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def note(root: int, processes: dict[str, float], compilers: dict[str, float]) -> None:
    """Note what a process and all that it started have spent, and what of it threads have in which Java compiles."""
    for pid in family(root):
        process = Path(f"/proc/{pid}")
        processes[process.name] = max(spent(process / "stat"), processes.get(process.name, 0.0))
        for task in process.glob("task/*"):
            try:
                compiles = COMPILER in (task / "comm").read_text()
            except OSError:
                continue
            if compiles:
                name = f"{pid}/{task.name}"
                compilers[name] = max(spent(task / "stat"), compilers.get(name, 0.0))


def measured(command: list[str], variables: dict[str, str]) -> float:
    """Processor seconds of a command and of all processes that it starts, without those of Java's compilers."""
    processes: dict[str, float] = {}
    compilers: dict[str, float] = {}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=os.environ | variables, stdout=log, stderr=log)
        while process.poll() is None:
            note(process.pid, processes, compilers)
            time.sleep(0.2)
        log.seek(0)
        if process.returncode:
            sys.exit(log.read()[-3000:])
    print(f"    and {sum(compilers.values()):.1f} s of Java's compilers", flush=True)
    return sum(processes.values()) - sum(compilers.values())


def ours(kafka: Kafka, flink: Environment, topic: str, many: int, folder: Path) -> float:
    """Our job, W1's features and ten rules, to the end of the topic."""
    from benchmarks.w1_flow import W1

    kafka.topics(f"{topic}-out", f"{topic}-dead")
    job = Job(
        flow=f"{FLOW}:W1", digest=W1.definition.digest, models="", servers=kafka.address, inputs=[Input(topic, 0)],
        output=f"{topic}-out", dead_letters=f"{topic}-dead", name=f"{topic}-ours", jars=[str(j) for j in flink.jars],
        python=str(flink.python), state=f"file://{folder}/{topic}", shards=8, bounded=True,
    )  # fmt: skip
    job.save(folder / "job.json")
    command = [str(flink.python), "-m", "tidegate.runtimes.flink.submit", str(folder / "job.json")]
    took = measured(command, flink.variables())
    came(kafka.address, f"{topic}-out", many)
    return took


def peer(kafka: Kafka, flink: Environment, which: str, topic: str, events: int, folder: Path) -> float:
    """One of the peers, on the first events of the topic."""
    connector = next(str(jar) for jar in flink.jars if "connector" in jar.name)
    command = [
        str(flink.python),
        "-c",
        PEERS,
        str(Path(__file__).with_name("flink_peers.py")),
        which,
        kafka.address,
        topic,
        str(events),
        connector,
        str(folder / f"{which}-{events}"),
    ]
    return measured(command, {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_200_000, help="for ours")
    parser.add_argument("--keyed-events", type=int, default=60_000, help="for the peer with ValueState")
    parser.add_argument("--sql-events", type=int, default=160_000, help="for the peer in SQL")
    args = parser.parse_args()
    flink = environment(print)
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, Kafka(Path(name) / "kafka") as kafka:
        frame = workload().make(args.events, 7)
        for topic, part in (("half", frame.head(args.events // 2)), ("whole", frame)):
            produce(kafka, topic, part)
        for kind, events in (("ours", args.events), ("keyed", args.keyed_events), ("sql", args.sql_events)):
            seconds = []
            for topic, many in (("half", events // 2), ("whole", events)):
                seconds.append(
                    ours(kafka, flink, topic, many, Path(name))
                    if kind == "ours"
                    else peer(kafka, flink, kind, "whole", many, Path(name))
                )
                print(f"  {kind}: {many:,} events in {seconds[-1]:.1f} s of processor time, start included", flush=True)
            rates[kind] = (events - events // 2) / max(1e-9, seconds[1] - seconds[0])
    targets = Targets(held=True)
    print(f"ours                      {rates['ours']:>9,.0f} events/s of one core")
    for kind, words, must, goal in (("keyed", "PyFlink, ValueState", 10, 50), ("sql", "Flink SQL, OVER", 5, 20)):
        ratio = rates["ours"] / rates[kind]
        print(f"{words:<25} {rates[kind]:>9,.0f}   ours is {ratio:.1f}x (must {must}x, goal {goal}x)")
        targets.ratio(words, ratio, least=must)
    targets.end()


if __name__ == "__main__":
    main()

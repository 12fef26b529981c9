"""W1 on Flink: our job beside a PyFlink job with keyed state, and beside Flink SQL's OVER windows, in one run.

    python -m benchmarks.flink [--events 1200000] [--keyed-events 12000] [--sql-events 40000]

All three read the same JSON events from a topic of a real Kafka and run in a Flink of their own (in one process, one
task of each operator). What is compared is events per second of processor time, over all processes that a job starts.
Each job runs twice, on a quarter of the events and on all, and what the first run took is taken off: starting Java,
importing and compiling are not counted. So each has events for tens of seconds, since Java compiles for as long. Ours
also reads by contract, recognises ids, orders, keeps checkpoints each second, decides, and writes every decision in
transactions; the peers compute features, drop them, and keep nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.targets import Targets
from benchmarks.w1 import workload
from tests.servers.kafka import Kafka
from tidegate.connectors.flink.environment import Environment, environment
from tidegate.runtimes.flink.job import Input, Job

PEERS = """import importlib.util, sys
spec = importlib.util.spec_from_file_location("flink_peers", sys.argv[1])
peers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peers)
getattr(peers, sys.argv[2])(*sys.argv[3:])
"""  # its folder stays off Python's path: there is an `http.py` in it
FLOW = Path(__file__).with_name("w1_flow.py")
TICK = os.sysconf("SC_CLK_TCK")


def produce(kafka: Kafka, topic: str, events: int) -> None:
    """W1's events as JSON, in one partition."""
    from confluent_kafka import Producer

    frame = workload().make(events, 7)
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


def used(root: int, seen: dict[int, float]) -> None:
    """Note the processor time of a process and all that it started."""
    parents: dict[int, list[tuple[int, float]]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(
            (int(stat.parent.name), (int(fields[11]) + int(fields[12])) / TICK)
        )
    waiting = [(root, 0.0), *parents.get(root, [])]
    while waiting:
        pid, seconds = waiting.pop()
        seen[pid] = max(seconds, seen.get(pid, 0.0))
        waiting += parents.get(pid, []) if pid != root else []


def measured(command: list[str], variables: dict[str, str]) -> float:
    """Processor seconds of a command and of all processes that it starts."""
    seen: dict[int, float] = {}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=os.environ | variables, stdout=log, stderr=log)
        while process.poll() is None:
            used(process.pid, seen)
            own = Path(f"/proc/{process.pid}/stat")
            if own.exists():
                fields = own.read_text().rpartition(")")[2].split()
                seen[process.pid] = max(seen.get(process.pid, 0.0), (int(fields[11]) + int(fields[12])) / TICK)
            time.sleep(0.2)
        log.seek(0)
        if process.returncode:
            sys.exit(log.read()[-3000:])
    return sum(seen.values())


def ours(kafka: Kafka, flink: Environment, topic: str, folder: Path) -> float:
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
    return measured(command, flink.variables())


def peer(kafka: Kafka, flink: Environment, which: str, topic: str) -> float:
    """One of the peers, to the end of the topic."""
    connector = next(str(jar) for jar in flink.jars if "connector" in jar.name)
    command = [
        str(flink.python),
        "-c",
        PEERS,
        str(Path(__file__).with_name("flink_peers.py")),
        which,
        kafka.address,
        topic,
        f"{topic}-{which}",
        connector,
    ]
    return measured(command, {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_200_000, help="for ours")
    parser.add_argument("--keyed-events", type=int, default=12_000, help="for the peer with ValueState")
    parser.add_argument("--sql-events", type=int, default=40_000, help="for the peer in SQL")
    args = parser.parse_args()
    flink = environment(print)
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, Kafka(Path(name) / "kafka") as kafka:
        for kind, events in (("ours", args.events), ("keyed", args.keyed_events), ("sql", args.sql_events)):
            seconds = []
            for number, many in enumerate((events // 4, events)):
                topic = f"{kind}-{number}"
                kafka.topics(topic)
                produce(kafka, topic, many)
                seconds.append(
                    ours(kafka, flink, topic, Path(name)) if kind == "ours" else peer(kafka, flink, kind, topic)
                )
                print(f"  {kind}: {many:,} events in {seconds[-1]:.1f} s of processor time, start included", flush=True)
            rates[kind] = (events - events // 4) / max(1e-9, seconds[1] - seconds[0])
    targets = Targets(held=True)
    print(f"ours                      {rates['ours']:>9,.0f} events/s of one core")
    for kind, words, must, goal in (("keyed", "PyFlink, ValueState", 10, 50), ("sql", "Flink SQL, OVER", 5, 20)):
        ratio = rates["ours"] / rates[kind]
        print(f"{words:<25} {rates[kind]:>9,.0f}   ours is {ratio:.1f}x (must {must}x, goal {goal}x)")
        targets.ratio(words, ratio, least=must)
    targets.end()


if __name__ == "__main__":
    main()

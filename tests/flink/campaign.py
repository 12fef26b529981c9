"""One flow, three runtimes, byte by byte: replay, the Kafka runner and Flink, whose processes are killed meanwhile.

    make flink EVENTS=1000000 KILLS=6

The flow has two entities, logins, a list and a model. Its events are decided by the engine in one process; by `tidegate
run` from a topic that holds them in order; and by a Flink job of two tasks a stage from seven partitions in which they
lie out of order by up to two seconds. While the job runs, its TaskManager is killed with SIGKILL, every third time its
JobManager; then it goes to four tasks and back, each from a savepoint. Said is what is lost, repeated or different.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tests.flink.site import FLOW, PARTITIONS, Sent, Site, much_later, reach
from tests.flink.traffic import bytes_of, in_order, right, stored_model, traffic
from tests.servers.kafka import Kafka
from tidegate.connectors.flink.cluster import Cluster
from tidegate.connectors.flink.environment import environment
from tidegate.events.event import Event
from tidegate.runtimes.flink.running import Running


def timed(what: str, work: Callable[[], None]) -> None:
    """Do it, and say how long it took."""
    began = time.monotonic()
    work()
    print(f"{what}: {time.monotonic() - began:,.0f} s", flush=True)


def stream(kafka: Kafka, models: Path, folder: Path, events: list[Event]) -> dict[str, bytes]:
    """The decisions of the Kafka runner, on the events in order."""
    from confluent_kafka import Consumer, Producer, TopicPartition

    kafka.topics("all", "all-out", "all-out.order", "all-out.dead-letters")
    producer = Producer({"bootstrap.servers": kafka.address, "linger.ms": 20, "queue.buffering.max.messages": 10**6})
    for event in events:
        while True:
            try:
                producer.produce("all", bytes_of(event), headers={"tidegate-event": type(event).__name__.encode()})
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    at = f"kafka://{kafka.address}"
    command = [str(Path(sys.executable).with_name("tidegate")), "run", FLOW, "--from", f"{at}/all"]
    command += ["--to", f"{at}/all-out", "--store", str(folder / "s.db"), "--models", str(models), "--until-end"]
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    reader = Consumer({"bootstrap.servers": kafka.address, "group.id": "all", "isolation.level": "read_committed",
                       "enable.partition.eof": True})  # fmt: skip
    reader.assign([TopicPartition("all-out", 0, 0)])
    found: dict[str, bytes] = {}
    while (message := reader.poll(30)) is not None and not message.error():
        value = message.value() or b""
        id = str(msgspec.json.decode(value)["id"])
        found[id] = value if id not in found else b"twice"
    reader.close()
    return found


def killed(site: Site, cluster: Cluster, kills: int, events: Sent, chance: random.Random) -> Running:
    """Kill, again and again, a moment after the job has got somewhere with more of the events; then rescale."""
    share = -(-len(events) // (kills + 3))
    portions = iter([events[start : start + share] for start in range(0, len(events), share)])
    site.produce(next(portions))
    running = site.start(site.job(), cluster)
    for kill in range(kills):
        reach(running, 1)
        site.produce(next(portions, []))
        reach(running, 2)
        time.sleep(chance.uniform(0.0, 2.0))
        process = cluster.job_manager if kill % 3 == 2 else cluster.task_managers[0]
        assert process is not None
        process.kill()
        process.wait()
        said = "JobManager" if process is cluster.job_manager else "TaskManager"
        print(f"  killed the {said} when {many(site):,} decisions were committed", flush=True)
    for tasks in (4, 2):
        reach(running, 1)
        site.produce(next(portions, []))
        running = site.go_on(running, cluster, parallelism=tasks)
        print(f"  went on with {tasks} tasks a stage when {many(site):,} decisions were committed", flush=True)
    for portion in portions:
        site.produce(portion)
    return running


def many(site: Site) -> int:
    """How many decisions are committed."""
    return sum(1 for _ in site.consumed(f"{site.own}-out", 2))


def flink(site: Site, events: Sent, kills: int, expected: int) -> dict[str, bytes]:
    """The decisions of Flink; an event that is decided twice counts as different."""
    chance = random.Random(kills)
    cluster = Cluster(site.flink, site.folder / "cluster", managers=1, slots=4)
    try:
        cluster.start()
        running = killed(site, cluster, kills, events, chance)
        site.produce(list(much_later(events)))  # now: after a restart, Flink's watermark waits for events to come
        site.wait(expected, running.state)
        running.stop()
    finally:
        cluster.stop()
    found: dict[str, bytes] = {}
    for key, value, _ in site.consumed(f"{site.own}-out", 2):
        id = key.decode()
        found[id] = value if id not in found else b"twice"
    return found


def compared(what: str, found: Mapping[str, bytes], expected: Mapping[str, bytes]) -> bool:
    """Say how many are lost, repeated and different; whether none is."""
    lost = len(expected.keys() - found.keys())
    twice = sum(one == b"twice" for one in found.values())
    other = sum(found[id] not in (one, b"twice") for id, one in expected.items() if id in found)
    strange = len(found.keys() - expected.keys())
    print(f"{what}: {len(found):,} decisions, of {len(expected):,}; lost {lost} / repeated {twice} / different {other}")
    return not (lost or twice or other or strange)


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=6)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Kafka(Path(name) / "kafka") as kafka:
        folder, models = Path(name), Path(name) / "models"
        stored_model(models)
        events = [(topic, partition % PARTITIONS[topic], event) for topic, partition, event in traffic(args.events)]
        results: dict[str, dict[str, bytes]] = {}
        timed("replay", lambda: results.update(replay=right(events, models)))
        timed("Kafka runner", lambda: results.update(stream=stream(kafka, models, folder, in_order(events))))
        site = Site(kafka, environment(print), models, "x", folder)
        timed("Flink", lambda: results.update(flink=flink(site, events, args.kills, len(results["replay"]))))
        expected = results["replay"]
        fine = [
            compared("Kafka runner", results["stream"], expected),
            compared(f"Flink, {args.kills} kills and two rescalings", results["flink"], expected),
        ]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())

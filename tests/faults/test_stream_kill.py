"""A stream under load, killed with its broker at random moments: nothing lost, repeated or different.

`TIDEGATE_KILLS` says how often, `TIDEGATE_KILL_EVENTS` over how many events (`make kills EVENTS=1000000`).
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.conftest import ROOT
from tests.runtimes.stream.topics import decisions, in_order, put, replayed
from tests.servers.kafka import Kafka
from tidegate import Store
from tidegate.evidence.log import verify

KILLS = int(os.environ.get("TIDEGATE_KILLS", "4"))
EVENTS = int(os.environ.get("TIDEGATE_KILL_EVENTS") or 1500 * KILLS)
SNAPSHOT = max(2000, EVENTS // 50)

PROGRAM = """
import sys, threading
from pathlib import Path
from tests.runtimes.served import Fraud
from tidegate.connectors.kafka.cluster import PassingError
from tidegate.connectors.kafka.place import place
from tidegate.runtimes.stream.settings import Settings
from tidegate.runtimes.stream.stream import Stream
address, own, folder, every = sys.argv[1:]
at = lambda name: place(f"kafka://{address}/{own}-{name}")
store, models = Path(folder) / "s.db", Path(folder) / "models"

def started():
    while True:
        try:
            return Stream(Settings(Fraud, at("in"), at("out"), store, models, own, snapshot=int(every)))
        except PassingError as error:
            print(error, file=sys.stderr)

started().run(threading.Event(), ready=lambda: print("decides", flush=True))
"""
"""A stream that starts while its broker is away ends, and is started again, as whoever supervises it would; one that
runs does not end."""


def start(kafka: Kafka, own: str, folder: Path) -> "subprocess.Popen[bytes]":
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kafka.address, own, str(folder), str(SNAPSHOT)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}, stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("ab"),
    )  # fmt: skip


def traffic(many: int) -> list[bytes]:
    """Payments of many cards, ten seconds apart."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        json.dumps(
            {
                "id": f"k{number}",
                "at": (first + timedelta(seconds=10 * number)).isoformat(),
                "card": f"c{number * 7919 % max(3, many // 200)}",
                "amount": {"units": 100 + number * 37 % 9000, "currency": "EUR"},
            }
        ).encode()
        for number in range(many)
    ]


def reaches(kafka: Kafka, topic: str) -> int:
    """How far a topic reaches, marks of transactions included."""
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": "look"})
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)[1])
    finally:
        consumer.close()


@pytest.mark.timeout(7200)
def test_killed_at_any_moment_every_event_is_decided_once(tmp_path: Path, own: str) -> None:
    chance = random.Random(KILLS)
    bodies = traffic(EVENTS)
    folders = [tmp_path / "one", tmp_path / "two"]
    with Kafka(tmp_path / "kafka") as kafka:
        kafka.topics(f"{own}-in", f"{own}-out")
        runners = [start(kafka, own, folder) for folder in folders]
        try:
            for kill in range(KILLS):
                put(kafka, f"{own}-in", bodies[kill * EVENTS // KILLS : (kill + 1) * EVENTS // KILLS])
                time.sleep(chance.uniform(0.1, 3.0))
                if kill % 4 == 3:
                    kafka.kill()
                    kafka.start()
                    continue
                which = chance.randrange(2)
                runners[which].kill()
                runners[which].wait()
                runners[which] = start(kafka, own, folders[which])
            told, end = list[bytes](), time.monotonic() + max(240, EVENTS / 500)
            while len(told) < EVENTS and time.monotonic() < end:
                time.sleep(1)
                if reaches(kafka, f"{own}-out") >= EVENTS:
                    told = decisions(kafka, f"{own}-out")
            for runner, folder in zip(runners, folders, strict=True):
                assert runner.poll() is None, (folder / "log").read_text()[-3000:]
            wanted = replayed(bodies)
            ids = [json.loads(one)["id"] for one in told]
            lost, repeated = EVENTS - len(set(ids)), len(ids) - len(set(ids))
            different = len(set(told) - set(wanted))
            print(f"{KILLS} kills in {EVENTS:,} events: {lost} lost, {repeated} repeated, {different} different")
            assert (lost, repeated, different) == (0, 0, 0)
            assert told == wanted
            assert [one.value() for one in in_order(kafka, own, [f"{own}-in"])] == bodies
        finally:
            for runner in runners:
                runner.send_signal(signal.SIGTERM)
            for runner in runners:
                try:
                    runner.wait(60)
                except subprocess.TimeoutExpired:
                    runner.kill()
    for folder in folders:
        with Store.open(folder / "s.db", read_only=True) as kept:
            assert verify(kept).ok

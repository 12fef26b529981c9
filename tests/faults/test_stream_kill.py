"""A stream under load, killed with its broker at random moments: nothing lost, repeated or different."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.runtimes.stream.topics import decisions, in_order, payments, put, replayed
from tests.servers.kafka import Kafka
from tidegate import Store
from tidegate.evidence.log import verify

KILLS = int(os.environ.get("TIDEGATE_KILLS", "4"))

PROGRAM = """
import sys, threading
from pathlib import Path
from tests.runtimes.served import Fraud
from tidegate.connectors.kafka.place import place
from tidegate.runtimes.stream.stream import Settings, Stream
address, own, folder = sys.argv[1:]
at = lambda name: place(f"kafka://{address}/{own}-{name}")
Stream(Settings(Fraud, at("in"), at("out"), Path(folder) / "s.db", Path(folder) / "models", own, snapshot=2000)).run(
    threading.Event(), ready=lambda: print("decides", flush=True)
)
"""


def start(kafka: Kafka, own: str, folder: Path) -> "subprocess.Popen[bytes]":
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kafka.address, own, str(folder)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}, stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("ab"),
    )  # fmt: skip


@pytest.mark.timeout(3600)
def test_killed_at_any_moment_every_event_is_decided_once(tmp_path: Path, own: str) -> None:
    chance = random.Random(KILLS)
    many = 1500 * KILLS
    bodies = payments(0, many)
    folders = [tmp_path / "one", tmp_path / "two"]
    with Kafka(tmp_path / "kafka") as kafka:
        kafka.topics(f"{own}-in", f"{own}-out")
        runners = [start(kafka, own, folder) for folder in folders]
        try:
            for kill in range(KILLS):
                put(kafka, f"{own}-in", bodies[kill * 1500 : (kill + 1) * 1500])
                time.sleep(chance.uniform(0.1, 3.0))
                if kill % 4 == 3:
                    kafka.kill()
                    kafka.start()
                    continue
                which = chance.randrange(2)
                runners[which].kill()
                runners[which].wait()
                runners[which] = start(kafka, own, folders[which])
            end = time.monotonic() + 240
            while len(told := decisions(kafka, f"{own}-out")) < many and time.monotonic() < end:
                time.sleep(1)
            for runner, folder in zip(runners, folders, strict=True):
                assert runner.poll() is None, (folder / "log").read_text()[-3000:]
            assert told == replayed(bodies)
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

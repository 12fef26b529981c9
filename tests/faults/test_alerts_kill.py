"""Alarms beside a server under load, with the delivery, the receiver and the server killed: none is lost."""

import base64
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.connectors.receiver import receiving
from tests.runtimes.test_serve_command import typed
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.told import Told, sinks

FLOW = '''
from tidegate import Event, Flow, count, decline, entity

Card = entity("card")


class Payment(Event):
    """A card payment."""

    card: Card


class Fraud(Flow[Payment]):
    """Stop stolen cards."""

    recent = count(per=Card, last="10m")
    often = decline(recent >= 2, because="Many payments")
    score = recent / 10
    alarm = recent >= 2
'''
MANY = 300


def children(process: int) -> list[int]:
    listed = " ".join(path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")).split()
    return [int(child) for child in listed if b"deliver" in Path(f"/proc/{child}/cmdline").read_bytes()]


def until(there: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def payment(number: int) -> dict[str, str]:
    return {
        "id": f"p{number}",
        "at": f"2026-01-01T{number // 60 % 24:02d}:{number % 60:02d}:00Z",
        "card": f"c{number % 3}",
    }


@contextmanager
def served(folder: Path, address: str) -> "Iterator[tuple[subprocess.Popen[str], httpx.Client]]":
    """A server that tells the address of alarms, and a client of it; ended with the block, and what it started too."""
    process = typed(folder, "serve", "flow.py", "--port", "0", "--alerts", address, "--alerts", "local")
    assert process.stderr is not None
    try:
        said = ""
        while "-d '" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        url = re.search(r"Ready on (http://\S+),", said)
        assert url
        with httpx.Client(base_url=url[1], timeout=60) as client:
            yield process, client
    finally:
        process.kill()  # and its companions, which see that they are alone
        process.wait()
        process.stderr.close()


def test_no_alarm_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_WEBHOOK_SECRET", "whsec_" + base64.b64encode(b"k" * 32).decode())
    (tmp_path / "flow.py").write_text(FLOW)
    chance = random.Random(5)
    rude = random.Random(6)
    wanted: set[str] = set()
    with receiving(lambda id, before: rude.choice([*[200] * 12, 503, 0])) as receiver:
        for first, last in ((0, MANY // 2), (MANY // 2, MANY)):  # the first server is killed
            with served(tmp_path, receiver.address) as (process, client):
                for number in range(first, last):
                    if chance.random() < 0.02:
                        for child in children(process.pid):
                            os.kill(child, signal.SIGKILL)
                    answer = client.post("/decisions", json=payment(number))
                    assert answer.status_code == 200
                    if answer.json().get("alarm"):
                        wanted.add(f"p{number}")
                if last == MANY:
                    until(lambda: wanted <= set(receiver.accepted))
                    process.send_signal(signal.SIGTERM)
                    process.wait(60)
        assert len(wanted) > MANY // 2 and set(receiver.accepted) == wanted
        for headers, body in receiver.came:  # whatever is told twice is the same, under the same id
            assert json.loads(body)["id"] == headers["webhook-id"] and json.loads(body)["alarm"]
        assert len({(headers["webhook-id"], body) for headers, body in receiver.came}) == len(wanted)
    with AlertsFile(tmp_path / "tidegate.db.alerts") as file:
        assert {Told(file, name).marks()[0][0] for name in sinks(file)} == {MANY}
        assert file.read("SELECT count(*) FROM documents") == [(MANY,)]

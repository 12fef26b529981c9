"""Alarms beside a server under load, with the delivery, the receiver and the server killed: none is lost."""

import base64
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
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


def started(folder: Path, address: str) -> tuple["subprocess.Popen[str]", str]:
    process = typed(folder, "serve", "flow.py", "--port", "0", "--alerts", address, "--alerts", "local")
    assert process.stderr is not None
    said = ""
    while "-d '" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    url = re.search(r"Ready on (http://\S+),", said)
    assert url
    return process, url[1]


def test_no_alarm_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_WEBHOOK_SECRET", "whsec_" + base64.b64encode(b"k" * 32).decode())
    (tmp_path / "flow.py").write_text(FLOW)
    chance = random.Random(5)
    rude = random.Random(6)
    wanted: set[str] = set()
    with receiving(lambda id, before: rude.choice([*[200] * 12, 503, 0])) as receiver:
        process, url = started(tmp_path, receiver.address)
        client = httpx.Client(base_url=url, timeout=60)
        for number in range(MANY):
            if chance.random() < 0.02:
                for child in children(process.pid):
                    os.kill(child, signal.SIGKILL)
            if number == MANY // 2:
                process.kill()
                process.wait()
                client.close()
                process, url = started(tmp_path, receiver.address)
                client = httpx.Client(base_url=url, timeout=60)
            answer = client.post("/decisions", json=payment(number))
            assert answer.status_code == 200
            if answer.json().get("alarm"):
                wanted.add(f"p{number}")
        until(lambda: wanted <= set(receiver.accepted))
        client.close()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert len(wanted) > MANY // 2 and set(receiver.accepted) == wanted
        for headers, body in receiver.came:  # whatever is told twice is the same, under the same id
            assert json.loads(body)["id"] == headers["webhook-id"] and json.loads(body)["alarm"]
        assert len({(headers["webhook-id"], body) for headers, body in receiver.came}) == len(wanted)
    with AlertsFile(tmp_path / "tidegate.db.alerts") as file:
        assert {Told(file, name).marks()[0][0] for name in sinks(file)} == {MANY}
        assert file.read("SELECT count(*) FROM documents") == [(MANY,)]

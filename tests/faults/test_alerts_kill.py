"""Alarms beside a server under load, with the delivery, the receiver and the server killed: none is lost."""

import base64
import json
import os
import random
import signal
from pathlib import Path

import pytest

from tests.connectors.receiver import receiving
from tests.runtimes.started import companions, payment, served, until
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


def test_no_alarm_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_WEBHOOK_SECRET", "whsec_" + base64.b64encode(b"k" * 32).decode())
    (tmp_path / "flow.py").write_text(FLOW)
    chance = random.Random(5)
    rude = random.Random(6)
    wanted: set[str] = set()
    with receiving(lambda id, before: rude.choice([*[200] * 12, 503, 0])) as receiver:
        for first, last in ((0, MANY // 2), (MANY // 2, MANY)):  # the first server is killed
            with served(tmp_path, "flow.py", "--alerts", receiver.address, "--alerts", "local") as (process, client):
                for number in range(first, last):
                    if chance.random() < 0.02:
                        for child in companions(process, "deliver"):
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

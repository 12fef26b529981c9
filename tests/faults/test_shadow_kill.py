"""A challenger beside a server, killed under load: the champion answers on, and the challenger misses nothing."""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.runtimes.test_serve_command import FLOW, typed
from tidegate import Engine, Store
from tidegate.evidence.log import verify
from tidegate.runtimes.load import load_flow

CHALLENGER = FLOW.replace(">= 2", ">= 3")


def children(process: int) -> list[int]:
    listed = " ".join(path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")).split()
    return [int(child) for child in listed if b"shadow" in Path(f"/proc/{child}/cmdline").read_bytes()]


def payment(number: int) -> dict:
    minute = f"{number // 60 % 24:02d}:{number % 60:02d}"
    return {"id": f"p{number}", "at": f"2026-01-01T{minute}:00Z", "card": f"c{number % 3}"}


def until(there: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def decided(store: Path) -> dict[str, dict]:
    if not store.exists():
        return {}
    with Store.open(store, read_only=True) as kept:
        found = [kept.get(event.id) for event in kept.replay()]
    return {one.id: json.loads(one.answer) for one in found if one is not None and one.answer}


def test_killed_and_raised_it_misses_nothing(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "new.py").write_text(CHALLENGER)
    process = typed(tmp_path, "serve", "flow.py", "--port", "0", "--challenger", "new.py")
    assert process.stderr is not None
    said = ""
    while "-d '" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    url = re.search(r"Ready on (http://\S+),", said)
    assert url
    with httpx.Client(base_url=url[1], timeout=60) as client:
        for number in range(60):
            if number in (20, 40):  # while it starts, or decides, or waits
                until(lambda: bool(children(process.pid)))
                os.kill(children(process.pid)[0], signal.SIGKILL)
            assert client.post("/decisions", json=payment(number)).status_code == 200
        assert "tidegate_shadow_running" in client.get("/metrics").text
        shadow = tmp_path / "tidegate.db.shadow"
        until(lambda: len(decided(shadow)) == 60)
        beside = children(process.pid)
        process.kill()  # and when the server is gone, so is its shadow
        process.wait()
        until(lambda: not any(Path(f"/proc/{child}").exists() for child in beside))
    alone = Engine(load_flow(tmp_path / "new.py"))
    for number in range(60):
        right = json.loads(alone.decide_json(json.dumps(payment(number)).encode()))
        right.pop("timing", None)
        mine = decided(shadow)[f"p{number}"]
        mine.pop("timing", None)
        assert mine == right
    assert {answer["outcome"] for answer in decided(shadow).values()} == {"approve", "decline"}
    with Store.open(shadow, read_only=True) as kept:
        assert verify(kept).ok
    rest = process.stderr.read()
    assert rest.count("it is started again") == 2


def test_a_challenger_with_a_mistake_is_told_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "new.py").write_text(FLOW.replace("per=Card", "per=Crad"))
    process = typed(tmp_path, "serve", "flow.py", "--port", "0", "--challenger", "new.py")
    told = process.communicate(timeout=100)[1]
    assert process.returncode == 2 and "Crad" in told and "Ready" not in told

"""A challenger beside a server, killed under load: the champion answers on, and the challenger misses nothing."""

import json
import os
import signal
import time
from pathlib import Path

from tests.runtimes.started import FLOW, companions, payment, served, started, until
from tidegate import Engine, Store
from tidegate.evidence.log import verify
from tidegate.runtimes.load import load_flow

CHALLENGER = FLOW.replace(">= 2", ">= 3")


def decided(store: Path) -> dict[str, dict]:
    if not store.exists():
        return {}
    with Store.open(store, read_only=True) as kept:
        found = [kept.get(event.id) for event in kept.replay()]
    return {one.id: json.loads(one.answer) for one in found if one is not None and one.answer}


def test_killed_and_raised_it_misses_nothing(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "new.py").write_text(CHALLENGER)
    with served(tmp_path, "flow.py", "--challenger", "new.py") as (process, client):
        for number in range(60):
            if number in (20, 40):  # while it starts, or decides, or waits
                until(lambda: bool(companions(process, "shadow")))
                os.kill(companions(process, "shadow")[0], signal.SIGKILL)
            assert client.post("/decisions", json=payment(number)).status_code == 200
        assert "tidegate_shadow_running" in client.get("/metrics").text
        shadow = tmp_path / "tidegate.db.shadow"
        until(lambda: len(decided(shadow)) == 60)
        beside = companions(process, "shadow")
        process.kill()  # and when the server is gone, so is its shadow
        process.wait()
        until(lambda: not any(Path(f"/proc/{child}").exists() for child in beside))
        rest = process.stderr.read() if process.stderr else ""
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
    assert rest.count("it is started again") == 2


def test_a_challenger_with_a_mistake_is_told_before_anything_is_served(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "new.py").write_text(FLOW.replace("per=Card", "per=Crad"))
    process = started(tmp_path, "serve", "flow.py", "--port", "0", "--challenger", "new.py")
    told = process.communicate(timeout=100)[1]
    assert process.returncode == 2 and "Crad" in told and "Ready" not in told


def test_a_challenger_that_cannot_read_what_the_champion_takes_is_told_once_and_waits_for_a_change(
    tmp_path: Path,
) -> None:
    """Its event gained a field that must be there: a restart mends nothing, a changed file does."""
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "new.py").write_text(CHALLENGER.replace("card: Card\n", "card: Card\n    country: str\n"))
    with served(tmp_path, "flow.py", "--challenger", "new.py") as (process, client):

        def measured(name: str) -> str:
            return next(line for line in client.get("/metrics").text.splitlines() if line.startswith(f"{name} "))

        for number in range(20):
            assert client.post("/decisions", json=payment(number)).status_code == 200
        until(lambda: measured("tidegate_shadow_unfit").endswith(" 1"))
        time.sleep(5)  # two restarts and more, if there were any
        assert measured("tidegate_shadow_unfit").endswith(" 1") and measured("tidegate_shadow_running").endswith(" 0")
        assert client.get("/ready").status_code == 200
        (tmp_path / "new.py").write_text(CHALLENGER)
        until(lambda: len(decided(tmp_path / "tidegate.db.shadow")) == 20)
        assert measured("tidegate_shadow_unfit").endswith(" 0") and measured("tidegate_shadow_running").endswith(" 1")
        process.kill()
        process.wait()
        rest = process.stderr.read() if process.stderr else ""
    assert rest.count("cannot read what its champion takes") == 1
    assert "the Payment 'p0'" in rest and "country" in rest and "a default" in rest
    assert rest.count("ended, as it would each time") == 1 and "new.py" in rest

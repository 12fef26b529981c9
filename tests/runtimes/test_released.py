"""A change is proposed, signed, released and taken back while a server decides: no restart, no request lost."""

import json
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import typed as run
from tests.runtimes.started import FLOW, Process, ready, started, until
from tidegate import Engine, Store
from tidegate.errors import ReleaseError
from tidegate.evidence.log import verify
from tidegate.releases.keys import read_key
from tidegate.releases.register import Register
from tidegate.releases.statement import PROPOSED, Change, Statement
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.proposing import version_at
from tidegate.runtimes.serve import released

OLD = FLOW.replace("    often =", '    signed_by = ("business", "data")\n    often =')
NEW = OLD.replace(">= 2", ">= LEAST").replace("from tidegate", "from parts import LEAST\nfrom tidegate", 1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.py").write_text(OLD)
    Path("new").mkdir()
    Path("new/flow.py").write_text(NEW)
    Path("new/parts.py").write_text("LEAST = 4\n")
    for name, role, by in (
        ("ana", "business", ""),
        ("ben", "data", "ana"),
        ("cleo", "AI", "ana"),
        ("cleo", "AI", "ben"),
    ):
        assert run("people", "add", name, "--role", role, *(("--as", by) if by else ())).exit_code == 0
    return tmp_path


def said(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def let_out(place: str, *more: object) -> str:
    """Propose, sign and release; gives the proposal's id."""
    id: str = json.loads(said("propose", place, *more, "--as", "cleo", "--why", "because", "--json"))["id"]
    for name in ("ana", "ben"):
        said("sign", id, "--as", name)
    said("release", id, "--as", "ana")
    return id


def payment(number: int) -> dict[str, Any]:
    return {"id": f"p{number}", "at": f"2026-01-01T10:{number // 60:02d}:{number % 60:02d}Z", "card": "c"}


@pytest.fixture
def server(folder: Path) -> Iterator[tuple[Process, str]]:
    let_out("old.py")
    process = started(folder, "serve", "old.py", "--port", "0", "--register", "releases.db")
    yield process, ready(process)[0]
    process.kill()
    process.wait()


def test_released_and_taken_back_without_a_restart(server: tuple[Process, str], folder: Path) -> None:
    process, url = server
    digests = {
        name: load_flow(place).definition.digest[:12] for name, place in (("old", "old.py"), ("new", "new/flow.py"))
    }
    answers: dict[str, dict[str, Any]] = {}
    number = 0
    with httpx.Client(base_url=url, timeout=60) as client:

        def ask() -> str:
            nonlocal number
            answer = client.post("/decisions", json=payment(number))
            assert answer.status_code == 200, answer.text
            answers[f"p{number}"] = answer.json()
            number += 1
            return str(answer.json()["flow"]).partition("@")[2]

        for _ in range(10):
            assert ask() == digests["old"]
        id = let_out("new/flow.py")
        until(lambda: ask() == digests["new"])
        assert digests["new"] in client.get("/openapi.json").text
        for _ in range(5):
            assert ask() == digests["new"]
        said("rollback", "Fraud", "--as", "ben", "--why", "Too few declines")
        until(lambda: ask() == digests["old"])
        said("rollback", "Fraud", "--as", "ben", "--why", "It was right", "--to", id)
        until(lambda: ask() == digests["new"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    # every version decided on the whole past, whoever decided it
    engines = {digests[name]: Engine(load_flow(place)) for name, place in (("old", "old.py"), ("new", "new/flow.py"))}
    for i in range(number):
        event = json.dumps(payment(i)).encode()
        right = {digest: json.loads(engine.decide_json(event)) for digest, engine in engines.items()}
        mine = answers[f"p{i}"]
        wanted = right[mine["flow"].partition("@")[2]]
        for one in (mine, wanted):
            one.pop("timing", None)
        assert mine == wanted
    with Store.open(folder / "tidegate.db", read_only=True) as store:
        assert verify(store).ok
        assert [event.id for event in store.replay()] == [f"p{i}" for i in range(number)]


def test_a_restart_serves_what_is_live(server: tuple[Process, str], folder: Path) -> None:
    process, _ = server
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    let_out("new/flow.py")
    (folder / "new" / "parts.py").write_text("LEAST = 1\n")  # what was signed is served, not what lies there now
    again = started(folder, "serve", "old.py", "--port", "0", "--register", "releases.db")
    url, _ = ready(again)
    outcomes = [httpx.post(f"{url}/decisions", json=payment(n)).json()["outcome"] for n in range(6)]
    again.kill()
    again.wait()
    assert outcomes == ["approve"] * 4 + ["decline"] * 2


def test_what_cannot_be_served_is_passed_over_and_what_comes_next_is_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks = "import os\n\nif os.environ.get('SERVING'):\n    raise OSError('not here')\n"
    (folder / "broken.py").write_text(breaks + OLD.replace(">= 2", ">= 3"))
    let_out("old.py")
    monkeypatch.setenv("SERVING", "1")
    process = started(folder, "serve", "old.py", "--port", "0", "--register", "releases.db")
    monkeypatch.delenv("SERVING")
    url, told = ready(process)
    assert process.stderr is not None
    version = {place: load_flow(place).definition.digest[:12] for place in ("old.py", "new/flow.py")}
    with httpx.Client(base_url=url, timeout=60) as client:

        def ask(number: int) -> str:
            return str(client.post("/decisions", json=payment(number)).json()["flow"]).partition("@")[2]

        let_out("broken.py")
        while "cannot be served" not in told:
            line = process.stderr.readline()
            assert line, told
            told += line
        assert "not here" in told and ask(1) == version["old.py"]
        let_out("new/flow.py")
        numbers = count(2)
        until(lambda: ask(next(numbers)) == version["new/flow.py"])
    process.kill()
    process.wait()


def test_no_fault_ends_the_following(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released, "_PAUSE", 0.02)
    following = released.Released(folder / "releases.db", "Fraud", None, folder / "tidegate.db", explain=False)
    brought: list[int] = []

    def bring(register: object, live: Any, *_: object) -> None:
        brought.append(live.seq)
        if len(set(brought)) == 1:
            raise RuntimeError("a fault of ours")
        following._at = live.seq

    monkeypatch.setattr(following, "_bring", bring)
    following.follow(None, None, lambda _: True)  # type: ignore[arg-type]
    let_out("old.py")
    until(lambda: len(brought) == 1)
    time.sleep(0.5)
    assert len(brought) == 1, "what failed is not tried again at once"
    let_out("new/flow.py")
    until(lambda: len(brought) == 2)
    following.stop()
    assert brought[0] < brought[1]


def let_out_by_nobody(place: str, demands: tuple[str, ...]) -> str:
    """Propose a version past the command, with what it demands as given; gives the proposal's id."""
    version = version_at(place)
    with Register.open("releases.db") as register:
        bundle = register.store.put_artefact("bundle", version.bundle.dump()).hex()
        change = Change(
            flow="Fraud", digest=version.flow.definition.digest, bundle=bundle, roles=demands, demands=demands
        )
        proposed = Statement(what=PROPOSED, by="cleo", role="AI", at=1, why="because", change=change)
        return register.say(proposed, read_key(Path("cleo.pem")))


def test_a_version_that_nobody_signed_is_told_of_by_the_server(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    Path("plain.py").write_text(FLOW)
    said("release", let_out_by_nobody("plain.py", ()), "--as", "cleo")
    serving = released.Released(folder / "releases.db", "Fraud", None, folder / "tidegate.db", explain=False)
    assert serving.flow() is not None
    assert "nobody's signature" in caplog.text


@pytest.mark.parametrize("demands", [(), ("data",), ("business", "data")])
def test_a_version_that_kept_silent_about_who_signs_it_is_not_served(folder: Path, demands: tuple[str, ...]) -> None:
    id = let_out_by_nobody("old.py", demands)
    for name, role in (("ana", "business"), ("ben", "data")):
        if role in demands:
            said("sign", id, "--as", name)
    said("release", id, "--as", "cleo")
    serving = released.Released(folder / "releases.db", "Fraud", None, folder / "tidegate.db", explain=False)
    if len(demands) == 2:
        assert serving.flow() is not None
        return
    with pytest.raises(
        ReleaseError, match=r"does not say that its flow is to be signed by (business|business and data)\."
    ):
        serving.flow()

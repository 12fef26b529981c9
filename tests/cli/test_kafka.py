"""`tidegate run` and `tidegate dead-letters` as they are typed, on a real broker."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.runtimes.stream.topics import decisions, put, replayed
from tests.runtimes.test_serve_command import FLOW
from tests.servers.kafka import Kafka
from tidegate.cli import app
from tidegate.runtimes.load import load_flow

typed = CliRunner().invoke


def events(first: int, last: int) -> list[bytes]:
    return [
        json.dumps({"id": f"p{n}", "at": f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}Z", "card": f"c{n % 3}"}).encode()
        for n in range(first, last)
    ]


def test_from_topic_to_topic_and_what_cannot_be_taken_is_mended(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    (tmp_path / "flow.py").write_text(FLOW)
    broken = json.dumps({"id": "p100", "at": "2026-01-01T00:05:00Z", "crad": "c1"}).encode()
    put(kafka, f"{own}-in", [*events(0, 60), broken, b"\xff"], key=b"k")
    run = [
        "run", str(tmp_path / "flow.py"), "--from", f"kafka://{kafka.address}/{own}-in", "--until-end",
        "--to", f"kafka://{kafka.address}/{own}-out", "--store", str(tmp_path / "s.db"), "--models", str(tmp_path),
    ]  # fmt: skip
    done = typed(app, run)
    assert done.exit_code == 0, done.output
    assert "Fraud decides" in done.output and "62 messages taken" in done.output
    dead = f"kafka://{kafka.address}/{own}-out.dead-letters"
    shown = typed(app, ["dead-letters", "show", dead]).output
    assert f"{own}-in/0 offset 60" in shown and "contract" in shown and "crad" in shown and r"\xff" in shown
    lines = [json.loads(line) for line in typed(app, ["dead-letters", "show", dead, "--json"]).stdout.splitlines()]
    assert lines[1]["value_base64"] == "/w==" and lines[0]["key"] == "k"
    lines[0]["value"] = lines[0]["value"].replace("crad", "card")
    (tmp_path / "letters.ndjson").write_text(json.dumps(lines[0]) + "\n")
    sent = typed(app, ["dead-letters", "send", dead, "--file", str(tmp_path / "letters.ndjson")])
    assert sent.exit_code == 0 and "1 message sent" in sent.output
    assert typed(app, run).exit_code == 0
    flow = load_flow(tmp_path / "flow.py")
    assert decisions(kafka, f"{own}-out") == replayed([*events(0, 60), lines[0]["value"].encode()], flow)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "kafka://ADDRESS/nowhere"], "There is no topic"),
        (["--to", "kafka://127.0.0.1:9/x"], "A transaction lies in one cluster"),
        (["--to", "file:///x"], "not the URL of a topic"),
        (["--to", "kafka://ADDRESS/OWN-in", "--event", "x"], "Write --event logins=Login"),
        (["--to", "kafka://ADDRESS/OWN-in?acks=1"], "The property acks is not for you to set"),
    ],
)
def test_mistakes(kafka: Kafka, own: str, tmp_path: Path, words: list[str], said: str) -> None:
    kafka.topics(f"{own}-in")
    (tmp_path / "flow.py").write_text(FLOW)
    words = [word.replace("ADDRESS", kafka.address).replace("OWN", own) for word in words]
    source = f"kafka://{kafka.address}/{own}-in"
    done = typed(app, ["run", str(tmp_path / "flow.py"), "--from", source, *words, "--store", str(tmp_path / "s.db")])
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output

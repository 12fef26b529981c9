"""`tidegate run` and `tidegate dead-letters` as they are typed, on a real broker."""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Message, TopicPartition
from typer.testing import CliRunner

from tests.runtimes.started import FLOW
from tests.runtimes.stream.topics import decisions, everything, put, replayed
from tests.servers.kafka import Kafka
from tidegate.cli import app
from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.inputs import Inputs
from tidegate.connectors.kafka.letters import send_once
from tidegate.connectors.kafka.partition import Spot
from tidegate.connectors.kafka.writer import LARGEST, Out
from tidegate.errors import StreamError
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.stream.dead_letters import read_letters
from tidegate.runtimes.stream.repair import outgoing

typed = CliRunner().invoke

OUT = ("--to", "kafka://ADDRESS/OWN-out")


def events(first: int, last: int) -> list[bytes]:
    return [
        json.dumps({"id": f"p{n}", "at": f"2026-01-01T00:{n // 60:02d}:{n % 60:02d}Z", "card": f"c{n % 3}"}).encode()
        for n in range(first, last)
    ]


def test_from_topic_to_topic_and_what_cannot_be_taken_is_mended(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    (tmp_path / "flow.py").write_text(FLOW)
    broken = json.dumps({"id": "p100", "at": "2026-01-01T00:05:00Z", "crad": "c1" * 20}).encode()
    put(kafka, f"{own}-in", [*events(0, 60), broken, b"\xff"], key=b"k")
    run = [
        "run", str(tmp_path / "flow.py"), "--from", f"kafka://{kafka.address}/{own}-in", "--until-end",
        "--to", f"kafka://{kafka.address}/{own}-out", "--store", str(tmp_path / "s.db"), "--models", str(tmp_path),
        "--alerts", "local",
    ]  # fmt: skip
    done = typed(app, run)
    assert done.exit_code == 0, done.output
    status = json.loads(typed(app, ["alerts", "status", "--store", str(tmp_path / "s.db"), "--json"]).stdout)
    assert status["told"] > 0 and not status["behind"]
    assert "Fraud decides" in done.output and "62 messages taken" in done.output
    assert "2 dead letters, see `tidegate dead-letters show`" in done.output
    for said in ("decides", "no longer decides"):
        assert f"INFO tidegate.kafka.group: This instance {said}." in done.output, "shown, and no warning"
    dead = f"kafka://{kafka.address}/{own}-out.dead-letters"
    shown = typed(app, ["dead-letters", "show", dead]).output
    (tmp_path / "of kafka").write_text("# nothing\n")
    secured = typed(app, ["dead-letters", "show", dead, "--kafka-config", str(tmp_path / "of kafka")]).output
    assert f"send {dead} --kafka-config '{tmp_path}/of kafka' --offset N" in " ".join(secured.split())
    assert f"  {broken.decode()}\n" in shown and len(broken) > 80  # in one line, to be copied
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
    behind = [word.replace("s.db", "b.db") for word in run[: run.index("--alerts")] if word != "--until-end"]
    for many in ("61 records", "0 records"):
        caught_up = typed(app, [*behind, "--catch-up"])
        assert f"Stopped: {many} taken up of what was decided before." in caught_up.output, caught_up.output


@pytest.mark.parametrize(("hold", "lagging", "waited"), [("600", 8.0, True), ("0.2", 3.0, False)])
def test_a_lagging_partition_holds_the_others_back_for_as_long_as_is_said(
    kafka: Kafka, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: str, lagging: float, waited: bool
) -> None:
    """It lags for longer than the default of 5 s where it is waited for, and for less where it is not."""
    kafka.topics(f"{own}-in", partitions=2)
    kafka.topics(f"{own}-out")
    (tmp_path / "flow.py").write_text(FLOW)
    bodies = events(0, 60)
    for partition in (0, 1):
        put(kafka, f"{own}-in", bodies[partition::2], partition=partition)
    assign, timers = Inputs.assign, list[threading.Timer]()

    def lag(self: Inputs, starts: Mapping[Spot, int]) -> None:
        assign(self, starts)
        lags = [TopicPartition(f"{own}-in", 1)]
        self._consumer.pause(lags)
        timers.append(threading.Timer(lagging, self._consumer.resume, [lags]))
        timers[-1].start()

    monkeypatch.setattr(Inputs, "assign", lag)
    done = typed(app, ["run", str(tmp_path / "flow.py"), "--from", f"kafka://{kafka.address}/{own}-in", "--until-end",
                       "--to", f"kafka://{kafka.address}/{own}-out", "--store", str(tmp_path / "s.db"),
                       "--models", str(tmp_path), "--hold", hold])  # fmt: skip
    assert done.exit_code == 0 and len(timers) == 1, done.output
    order = bodies if waited else bodies[::2] + bodies[1::2]
    assert decisions(kafka, f"{own}-out") == replayed(order, load_flow(tmp_path / "flow.py"))


def test_a_challenger_beside_a_stream_decides_on_every_event(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    (tmp_path / "flow.py").write_text(FLOW)
    (tmp_path / "new.py").write_text(FLOW.replace(">= 2", ">= 9"))
    put(kafka, f"{own}-in", events(0, 60), key=b"k")
    place, store = f"kafka://{kafka.address}/{own}", tmp_path / "s.db"
    words = ["--store", str(store), "--models", str(tmp_path), "--challenger", str(tmp_path / "new.py")]
    done = typed(app, ["run", str(tmp_path / "flow.py"), "--from", f"{place}-in", "--to", f"{place}-out", "--until-end",
                       *words])  # fmt: skip
    assert done.exit_code == 0, done.output
    said = typed(app, ["compare", str(tmp_path / "flow.py"), str(tmp_path / "new.py"), "--live", str(store),
                       "--shadow", f"{store}.shadow", "--json"])  # fmt: skip
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["same"] + found["flipped"] == 60 and found["flipped"] == 7 * 3, "the third to ninth of each card"


def test_dead_letters_are_repaired_and_sent_once_with_what_they_were(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    (tmp_path / "flow.py").write_text(FLOW)
    at = "2026-01-01T00:05:00Z"
    broken = [
        f'{{"id":"a","at":"{at}","crad":"c1"}}'.encode(),
        f'{{"id":"b","at":"{at}"}}'.encode(),
        f'{{"id":"c","at":"{at}","crad":"c1","note":1.10}}'.encode(),
        b"no JSON",
    ]
    put(kafka, f"{own}-in", [*events(0, 3), *broken], key=b"k", headers=[("trace", b"1")])
    run = [
        "run", str(tmp_path / "flow.py"), "--from", f"kafka://{kafka.address}/{own}-in", "--until-end",
        "--to", f"kafka://{kafka.address}/{own}-out", "--store", str(tmp_path / "s.db"), "--models", str(tmp_path),
    ]  # fmt: skip
    assert typed(app, run).exit_code == 0
    dead = f"kafka://{kafka.address}/{own}-out.dead-letters"
    repair = [
        "dead-letters", "repair", dead, "--code", "contract", "--rename", "crad=card", "--remove", "note",
        "--flow", str(tmp_path / "flow.py"),
    ]  # fmt: skip
    shown = typed(app, repair)
    assert shown.exit_code == 0 and "2 of 4 letters good" in shown.output, shown.output
    assert shown.output.count("still not good") == 2 and '+ {"id":"a"' in shown.output
    assert len(everything(kafka, f"{own}-in")) == 7  # so far it was only shown
    sent = typed(app, [*repair, "--send"])
    assert sent.exit_code == 1 and "2 of 4 letters sent" in sent.output, sent.output
    again = everything(kafka, f"{own}-in")[7:]
    assert [one.value() for one in again] == [f'{{"id":"{id}","at":"{at}","card":"c1"}}'.encode() for id in "ac"]
    assert [dict(one.headers())["tidegate-original"] for one in again] == [broken[0], broken[2]]
    assert all(one.key() == b"k" and dict(one.headers())["trace"] == b"1" for one in again)
    letters = [json.loads(line) for line in typed(app, ["dead-letters", "show", dead, "--json"]).stdout.splitlines()]
    assert [bool(one["sent"]) for one in letters] == [True, False, True, False]
    assert [one.get("value") for one in letters] == [one.decode() for one in broken]  # as they came
    first = str(letters[0]["offset"])
    for refused in (["repair", dead, "--send", "--set", "card=x"], ["send", dead]):
        done = typed(app, ["dead-letters", *refused, "--offset", first])
        assert done.exit_code == 2 and "A dead letter is sent once" in done.output, done.output
    assert len(everything(kafka, f"{own}-in")) == 9
    assert typed(app, run).exit_code == 0
    told = everything(kafka, f"{own}-out")
    assert [json.loads(one.value())["id"] for one in told] == ["p0", "p1", "p2", "a", "c"]
    assert [name for name, _ in told[3].headers()] == ["trace", "tidegate-repaired"]  # what it was stays with the input
    assert typed(app, ["dead-letters", "show", dead, "--unsent"]).output.count("contract") == 2


def test_a_deadline_is_said_not_to_pass_and_does_not(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    hurried = (
        FLOW.replace("count, decline", "count, deadline, decline") + '    limits = deadline("1us", answer="review")\n'
    )
    (tmp_path / "flow.py").write_text(hurried)
    put(kafka, f"{own}-in", events(0, 20))
    run = [
        "run", str(tmp_path / "flow.py"), "--from", f"kafka://{kafka.address}/{own}-in", "--until-end",
        "--to", f"kafka://{kafka.address}/{own}-out", "--store", str(tmp_path / "s.db"), "--models", str(tmp_path),
    ]  # fmt: skip
    done = typed(app, run)
    assert "deadline of 1us never passes here" in " ".join(done.output.split()), done.output
    assert decisions(kafka, f"{own}-out") == replayed(events(0, 20), load_flow(tmp_path / "flow.py"))
    checked = typed(app, ["check", str(tmp_path / "flow.py")])
    assert "over HTTP an answer within 1us, else review" in " ".join(checked.output.split()), checked.output


def test_two_who_send_at_once_do_not_send_twice(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-dead")
    cluster, dead = Cluster(kafka.address), f"{own}-dead"
    about = {"code": "x", "reason": "y", "topic": f"{own}-in", "partition": 0, "offset": 0, "at": 0}
    headers = [(f"tidegate-{name}", str(value).encode()) for name, value in about.items()]
    put(kafka, dead, [b"1"], headers=headers)

    def every(messages: Sequence[Message]) -> list[Out]:
        letters = read_letters(messages)
        return outgoing(dead, [(one, b"2") for one in letters], letters, lambda topic: LARGEST)

    def slowly(messages: Sequence[Message]) -> list[Out]:
        chosen = every(messages)
        assert send_once(cluster, dead, every) == 2  # another one sends in between
        return chosen

    with pytest.raises(StreamError):
        send_once(cluster, dead, slowly)
    with pytest.raises(StreamError, match="A dead letter is sent once"):
        send_once(cluster, dead, every)
    assert decisions(kafka, f"{own}-in") == [b"2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "kafka://ADDRESS/nowhere"], "There is no topic"),
        (["--to", "kafka://127.0.0.1:9/x"], "A transaction lies in one cluster"),
        (["--to", "file:///x"], "not the URL of a topic"),
        (["--to", "kafka://ADDRESS/OWN-in", "--event", "x"], "Write --event logins=Login"),
        (["--to", "kafka://ADDRESS/OWN-in?acks=1"], "The property acks is not for you to set"),
        (
            [*OUT, "--schema-registry", "http://127.0.0.1:9"],
            "--schema-registry has no effect where all topics hold JSON",
        ),
        ([*OUT, "--value-format", "json", "--registry-config", "x"], "--registry-config has no effect where all"),
        ([*OUT, "--subject", "OWN-in=Payment"], "--subject has no effect where all topics hold JSON"),
        ([*OUT, "--kafka-config", "x"], "No such file or directory do Name a file of lines name=value."),
        ([*OUT, "--shadow", "x.db"], "--shadow has no effect without a challenger"),
        ([*OUT, "--until-end", "--catch-up"], "--until-end has no effect with --catch-up"),
    ],
)
def test_mistakes(kafka: Kafka, own: str, tmp_path: Path, words: list[str], said: str) -> None:
    kafka.topics(f"{own}-in")
    (tmp_path / "flow.py").write_text(FLOW)
    words = [word.replace("ADDRESS", kafka.address).replace("OWN", own) for word in words]
    source = f"kafka://{kafka.address}/{own}-in"
    done = typed(app, ["run", str(tmp_path / "flow.py"), "--from", source, *words, "--store", str(tmp_path / "s.db")])
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output


def test_a_flow_without_its_model_runs_when_that_is_said(kafka: Kafka, own: str, tmp_path: Path) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    asking = FLOW.replace("count, decline", "count, decline, model") + (
        '    score = model("not-there@champion", of=[count(per=Card, last="1h")], otherwise=0.25)\n'
    )
    (tmp_path / "flow.py").write_text(asking)
    put(kafka, f"{own}-in", events(0, 5))
    run = [
        "run", str(tmp_path / "flow.py"), "--from", f"kafka://{kafka.address}/{own}-in", "--until-end",
        "--to", f"kafka://{kafka.address}/{own}-out", "--store", str(tmp_path / "s.db"), "--models", str(tmp_path),
    ]  # fmt: skip
    refused = typed(app, run)
    assert refused.exit_code == 2 and "--without-models" in refused.output
    done = typed(app, [*run, "--without-models"])
    assert done.exit_code == 0, done.output
    assert [json.loads(one)["score"] for one in decisions(kafka, f"{own}-out")] == [0.25] * 5


@pytest.mark.parametrize(
    "more",
    [
        ["--to", "in"],
        ["--to", "out", "--dead-letters", "in"],
        ["--to", "out", "--order", "out"],
        ["--to", "out", "--alerts", "kafka://AT/in"],
        ["--to", "out", "--alerts", "kafka://AT,elsewhere:9092/out"],
        ["--to", "out", "--alerts", "kafka://AT/out.dead-letters"],
        ["--to", "out", "--order", "turns", "--alerts", "kafka://AT/turns"],
    ],
)
def test_what_is_written_is_not_read_again(kafka: Kafka, own: str, tmp_path: Path, more: list[str]) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    (tmp_path / "flow.py").write_text(FLOW)
    more = [f"{own}-{one}" if one in ("in", "out") else one for one in more]
    more = [
        one.replace("AT", kafka.address).replace("/in", f"/{own}-in").replace("/out", f"/{own}-out") for one in more
    ]
    more[1] = f"kafka://{kafka.address}/{more[1]}"
    done = typed(app, [
        "run", str(tmp_path / "flow.py"), "--from", f"kafka://{kafka.address}/{own}-in", "--until-end",
        "--store", str(tmp_path / "s.db"), "--models", str(tmp_path), *more,
    ])  # fmt: skip
    assert done.exit_code == 2 and "is one topic, and cannot be two of a stream" in done.output, done.output
    if "--alerts" in more:
        assert " and --alerts" in done.output


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--event", "logins=Login"], "logins is none of the topics that are read"),
        (["--event", "in=Payment", "--event", "in=Login"], "says two things of"),
    ],
)
def test_what_is_told_of_a_topic_that_is_not_read_or_twice_is_refused(
    kafka: Kafka, own: str, tmp_path: Path, more: list[str], said: str
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    (tmp_path / "flow.py").write_text(FLOW)
    at = f"kafka://{kafka.address}/{own}"
    more = [one.replace("in=", f"{own}-in=") if one.startswith("in=") else one for one in more]
    done = typed(app, [
        "run", str(tmp_path / "flow.py"), "--from", f"{at}-in", "--to", f"{at}-out", "--until-end",
        "--store", str(tmp_path / "s.db"), "--models", str(tmp_path), *more,
    ])  # fmt: skip
    assert done.exit_code == 2 and said in done.output, done.output

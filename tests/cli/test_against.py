"""`tidegate replay --against`: a stream told what a replay decides, and what is seeded otherwise is found."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from tests.runtimes.started import FLOW
from tests.runtimes.stream.topics import decisions, put
from tests.servers.kafka import Kafka
from tidegate import Store
from tidegate.cli import against, app
from tidegate.runtimes.agreement import agreement
from tidegate.runtimes.claims import Claim
from tidegate.runtimes.erasing import erase

MODELS = ("--without-models", "--models", "none")
LOGIN = 'class Login(Event):\n    """Someone is there."""\n\n    card: Card\n\n\n'
LEARNS = FLOW.replace("class Fraud", f"{LOGIN}class Fraud") + (
    '    seen = decline(count(Login, per=Card, last="1h") >= 3, because="Many logins")\n'
)


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def body(number: int, second: int, card: str, kind: str = "p") -> bytes:
    at = f"2026-01-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
    return json.dumps({"id": f"{kind}{number}", "at": at, "card": card}).encode()


def payments(many: int) -> list[bytes]:
    return [body(n, n, f"c{n % 3}") for n in range(many)]


def lines(path: Path, bodies: list[bytes]) -> Path:
    path.write_bytes(b"".join(one + b"\n" for one in bodies))
    return path


def streamed(kafka: Kafka, own: str, folder: Path, sources: str = "", *more: object) -> None:
    """A stream run to the end of what is there."""
    place = f"kafka://{kafka.address}"
    done = typed("run", folder / "flow.py", "--from", f"{place}/{sources or own + '-in'}", "--to", f"{place}/{own}-out",
                 "--until-end", "--store", folder / "s.db", *MODELS, *more)  # fmt: skip
    assert done.exit_code == 0, done.output


def found(status: int, *words: object) -> dict[str, Any]:
    """What `replay --against` finds, and that a person is told the same status."""
    done = typed("replay", *words, *MODELS, "--json")
    assert done.exit_code == status, done.output
    assert typed("replay", *words, *MODELS).exit_code == status
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["against"]
    return told


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.py").write_text(FLOW)
    return tmp_path


def test_what_is_lost_repeated_changed_or_strange_is_found_and_nothing_else(
    kafka: Kafka, own: str, folder: Path
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    kafka.topics(f"{own}-seeded", partitions=2)
    bodies = payments(3000)
    put(kafka, f"{own}-in", bodies)
    streamed(kafka, own, folder)
    events, out = lines(folder / "events.ndjson", bodies), f"kafka://{kafka.address}/{own}-out"
    whole = found(0, "flow.py", events, "--against", out)
    assert (whole["whole"], whole["decided"], whole["equal"], whole["newer"]) == (True, 3000, 3000, 0)
    told = decisions(kafka, f"{own}-out")
    assert b"decline" in told[30]
    seeded = [one for n, one in enumerate(told) if n != 17]
    seeded[29] = told[30].replace(b"decline", b"approve", 1)
    seeded += [told[12], told[5].replace(b'"p5"', b'"q5"'), b"\xff{", b'{"note":1}']
    for partition in (0, 1):
        put(kafka, f"{own}-seeded", [*seeded[partition::2]], partition=partition)
    _abort(kafka, f"{own}-seeded", told[99].replace(b"decline", b"review"))
    put(kafka, f"{own}-seeded", [None], key=b"erased")
    otherwise = found(1, "flow.py", events, "--against", f"kafka://{kafka.address}/{own}-seeded")
    assert (otherwise["whole"], otherwise["decided"], otherwise["equal"]) == (False, 3000, 2998)
    names = ("different", "lost", "repeated", "unknown", "strange")
    assert {name: otherwise[name]["many"] for name in names} == dict.fromkeys(names, 1) | {"strange": 2}
    assert otherwise["lost"]["first"] == ["p17"] and otherwise["repeated"]["first"][0].startswith("p12 (")
    assert otherwise["unknown"]["first"][0].startswith("q5 (")
    (difference,) = otherwise["different"]["first"]
    assert difference == f'p30 ({own}-seeded/1 offset 14): /outcome was "approve" and is now "decline"'
    told_all = typed("replay", "flow.py", events, *MODELS, "--against", out.replace("-out", "-seeded"))
    said = " ".join(told_all.output.split())
    assert "2,998 of 3,000, byte for byte" in said and "lost 1 decided by the replay, and not there: p17" in said
    late = ("--since", "2026-01-01T00:00:18")
    assert found(1, "flow.py", events, *late, "--against", f"kafka://{kafka.address}/{own}-seeded")["earlier"] == 1


def _abort(kafka: Kafka, topic: str, data: bytes) -> None:
    """Put a message there that is never committed."""
    producer = Producer({"bootstrap.servers": kafka.address, "transactional.id": topic})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, data, partition=0)
    producer.flush(30)
    producer.abort_transaction(30)


def test_the_order_of_partitions_is_that_of_files_and_else_the_stores(kafka: Kafka, own: str, folder: Path) -> None:
    """By time, as long as the stream has all of them; what came after later ones, only the store has in its order."""
    (folder / "flow.py").write_text(LEARNS)
    kafka.topics(f"{own}-in", partitions=2)
    kafka.topics(f"{own}-logins", f"{own}-out")
    halves = [[body(n, 10 * n, f"c{n % 5}") for n in range(part, 400, 2)] for part in (0, 1)]
    logins = [body(n, 37 * n, f"c{n % 5}", "l") for n in range(100)]
    for part in (0, 1):
        put(kafka, f"{own}-in", halves[part], partition=part)
    put(kafka, f"{own}-logins", logins)
    sources, login = f"{own}-in,{own}-logins", ("--event", f"{own}-logins=Login")
    streamed(kafka, own, folder, sources, *login)
    files = [lines(folder / f"in-{part}.ndjson", halves[part]) for part in (0, 1)]
    out = ("--against", f"kafka://{kafka.address}/{own}-out")
    by_time = ("flow.py", *files, "--event", f"Login={lines(folder / 'logins.ndjson', logins)}", *out)
    assert found(0, *by_time)["equal"] == 400
    assert found(0, "flow.py", "--recorded", "s.db", *out)["equal"] == 400
    late = [body(n, 3900 + n % 60, "c1") for n in range(1000, 1010)]
    put(kafka, f"{own}-in", [body(2000, 4500, "c1")], partition=0)
    streamed(kafka, own, folder, sources, *login)
    put(kafka, f"{own}-in", late, partition=1)
    streamed(kafka, own, folder, sources, *login)
    lines(files[0], [*halves[0], body(2000, 4500, "c1")])
    lines(files[1], [*halves[1], *late])
    (different,) = found(1, *by_time)["different"]["first"]
    assert different.startswith("p2000 "), "the stream had not the ten when it decided on it"
    assert found(0, "flow.py", "--recorded", "s.db", *out)["equal"] == 411


def test_what_comes_while_it_runs_is_no_fault(
    kafka: Kafka, own: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.topics(f"{own}-in", f"{own}-out")
    put(kafka, f"{own}-in", payments(40))
    streamed(kafka, own, folder)
    put(kafka, f"{own}-in", [body(n, n, "c1") for n in range(40, 50)])
    decide = against.decide_recorded

    def meanwhile(*words: Any, **more: Any) -> None:
        decide(*words, **more)
        streamed(kafka, own, folder)

    monkeypatch.setattr(against, "decide_recorded", meanwhile)
    done = typed("replay", "flow.py", "--recorded", "s.db", *MODELS, "--json",
                 "--against", f"kafka://{kafka.address}/{own}-out")  # fmt: skip
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["against"]
    assert (told["equal"], told["newer"], told["unknown"]["many"]) == (40, 10, 0)


def test_a_file_of_decisions_and_another_version_of_the_flow(folder: Path) -> None:
    events = lines(folder / "events.ndjson", payments(40))
    assert typed("replay", "flow.py", events, *MODELS, "--store", "s.db").exit_code == 0
    with_store = _answers(folder / "s.db", 40)
    there = lines(folder / "d.ndjson", with_store)
    assert found(0, "flow.py", events, "--against", there)["equal"] == 40
    (folder / "d.ndjson.gz").write_bytes(gzip.compress(there.read_bytes()))
    assert found(0, "flow.py", "--recorded", "s.db", "--against", "d.ndjson.gz")["equal"] == 40
    lines(there, [json.dumps(json.loads(one)).encode() for one in with_store[:1]])
    (said,) = found(1, "flow.py", events, "--against", there)["different"]["first"]
    assert said == "p0 (d.ndjson, line 1): only the spelling of the JSON differs"
    (folder / "flow.py").write_text(FLOW.replace(">= 2", ">= 3"))
    lines(there, with_store)
    assert found(1, "flow.py", events, "--against", there)["different"]["many"] == 40, "each names its flow's version"
    (folder / "flow.py").write_text(FLOW)
    lines(there, with_store[7:])
    for since, many in (("2026-01-01T00:00:07", 0), ("2026-01-01T00:00:06", 1)):
        counted = found(bool(many), "flow.py", events, "--against", there, "--since", since)
        assert (counted["earlier"], counted["lost"]["many"]) == (7 - many, many), "one of that time must be there"
    Store.open(folder / "empty.db").close()
    nothing = found(1, "flow.py", "--recorded", "empty.db", "--against", lines(there, []))
    assert nothing["decided"] == 0 and not nothing["whole"], "who compares nothing with nothing has proven nothing"


def test_a_store_that_may_be_behind_is_told_what_brings_it_there(folder: Path) -> None:
    events = lines(folder / "events.ndjson", payments(40))
    assert typed("replay", "flow.py", events, *MODELS, "--store", "s.db").exit_code == 0
    assert typed("replay", "flow.py", lines(events, payments(30)), *MODELS, "--store", "behind.db").exit_code == 0
    there, hint = lines(folder / "d.ndjson", _answers(folder / "s.db", 40)), "If behind.db is behind the stream"
    behind = typed("replay", "flow.py", "--recorded", "behind.db", "--against", there, *MODELS)
    assert behind.exit_code == 1 and hint in behind.output and "--catch-up" in behind.output, behind.output
    of_files = typed("replay", "flow.py", events, "--against", there, *MODELS)
    assert of_files.exit_code == 1 and "is behind the stream" not in of_files.output


def test_what_cannot_be_read_is_told_and_the_rest_is_compared(folder: Path) -> None:
    """A head that can be read says nothing of what comes behind it."""
    events = lines(folder / "events.ndjson", payments(40))
    assert typed("replay", "flow.py", events, *MODELS, "--store", "s.db").exit_code == 0
    there = _answers(folder / "s.db", 40)
    seeded = [b'"\xff"', b"1e999", b"1" + b"0" * 5000]
    there[:3] = [b'{"id":"p%d","outcome":"approve","x":%s}' % (n, what) for n, what in enumerate(seeded)]
    deep = b'{"id":"p3","outcome":"approve","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    of_some = deep.replace(
        b"[" * 100_000 + b"]" * 100_000, b"[" * 600 + b"]" * 600
    )  # which is gone down into on no Python
    told = found(1, "flow.py", events, "--against", lines(folder / "d.ndjson", [*there, deep, of_some]))
    assert (told["equal"], told["different"]["many"], told["strange"]["many"]) == (37, 3, 2)
    assert [one.split(":")[1] for one in told["different"]["first"]] == [" it cannot be read"] * 3


def test_what_was_erased_from_the_store_is_told_as_erased_and_is_no_fault(folder: Path) -> None:
    events = lines(folder / "events.ndjson", payments(40))
    assert typed("replay", "flow.py", events, *MODELS, "--store", "s.db").exit_code == 0
    answers = _answers(folder / "s.db", 40)
    lines(folder / "d.ndjson", answers)
    with Store.open(folder / "s.db") as store:
        assert erase(store, {"card": "c1"}, "asked for") == 13
    words = ("flow.py", "--recorded", "s.db", "--against", "d.ndjson")
    whole = found(0, *words)
    assert (whole["whole"], whole["equal"], whole["erased"], whole["unknown"]["many"]) == (True, 27, 13, 0)
    said = " ".join(typed("replay", *words, *MODELS).output.split())
    assert "erased 13 from the store" in said and "beside them only what was erased is." in said
    one, two = answers[1], answers[4]
    assert b'"p1"' in one and b'"approve"' in one
    changed = one.replace(b'"approve"', b'"decline"', 1)
    lines(folder / "d.ndjson", [*answers[:1], changed, *answers[2:], two, two.replace(b'"p4"', b'"q4"', 1)])
    otherwise = found(1, *words)
    assert (otherwise["equal"], otherwise["erased"]) == (27, 12)
    assert otherwise["repeated"]["first"] == ["p4 (d.ndjson, line 41)"]
    assert otherwise["unknown"]["first"] == ["q4 (d.ndjson, line 42)"]
    assert otherwise["different"]["first"] == [
        'p1 (d.ndjson, line 2): /outcome is "decline", and was "approve" by what is left of its record'
    ]


def test_what_the_store_has_and_the_replay_did_not_decide_is_unknown_unless_it_was_erased(folder: Path) -> None:
    events = lines(folder / "events.ndjson", payments(4))
    assert typed("replay", "flow.py", events, *MODELS, "--store", "s.db").exit_code == 0
    claims = [Claim("there", one, since=False) for one in _answers(folder / "s.db", 4)]
    with Store.open(folder / "s.db") as recorded, Store.open(folder / "none.db") as kept:
        assert agreement(kept, claims, recorded=recorded).unknown.many == 4
        assert erase(recorded, {"card": "c1"}, "asked for") == 1
        found = agreement(kept, claims, recorded=recorded)
    assert (found.unknown.many, found.erased) == (3, 1)


def _answers(store: Path, many: int) -> list[bytes]:
    with Store.open(store, read_only=True) as kept:
        found = [kept.get(f"p{n}") for n in range(many)]
    return [one.answer for one in found if one is not None and one.answer is not None]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--against", "nowhere.ndjson"), "There are no decisions nowhere.ndjson"),
        (("events.ndjson", "--against", "flow.py"), "There are no decisions flow.py"),
        (("events.ndjson", "--against", "schema.ndjson"), "written with schema 7 do Name the topic"),
        (("events.ndjson", "--against", "damaged.ndjson.gz"), "damaged.ndjson.gz cannot be read. seen Error -3"),
        (("events.ndjson", "--against", "cut.ndjson.gz"), "cut.ndjson.gz cannot be read. seen Compressed file ended"),
        (("events.ndjson", "--against", "empty.ndjson", "--store", "s.db"), "not decided anew"),
        (("events.ndjson", "--since", "2h"), "Say with what"),
        (("not-there.ndjson", "--against", "empty.ndjson", "--since", "yesterday"), "--since is a date"),
        (("--recorded", "s.db"), "Say with what"),
        (("events.ndjson", "--recorded", "s.db", "--against", "empty.ndjson"), "events.ndjson"),
        (("--recorded", "s.db", "--against", "empty.ndjson", "--to", "x.csv"), "--to"),
        (("--recorded", "not-there.db", "--against", "empty.ndjson"), "There is no store"),
        ((), "nothing to replay"),
        (("events.ndjson", "--against", "kafka://127.0.0.1:9/a,b"), "The URL names one topic"),
        (("events.ndjson", "--against", "file:///x"), "not the URL of a topic"),
    ],
)
def test_mistakes(folder: Path, words: tuple[str, ...], said: str) -> None:
    lines(folder / "events.ndjson", payments(3))
    (folder / "empty.ndjson").touch()
    whole = gzip.compress(b"".join(payments(3)))
    (folder / "damaged.ndjson.gz").write_bytes(whole[:10] + b"\xff" * 50)
    (folder / "cut.ndjson.gz").write_bytes(whole[:-20])
    (folder / "schema.ndjson").write_bytes(b"\x00\x00\x00\x00\x07\x02\x04p0\n")
    assert typed("replay", "flow.py", "events.ndjson", *MODELS, "--store", "s.db").exit_code == 0
    words = words if words[:1] != ("--against",) else ("events.ndjson", *words)
    done = typed("replay", "flow.py", *words, *MODELS)
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output

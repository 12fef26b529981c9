"""What the server answers: decisions, the same again, and to each bad request a problem that points at the field."""

import contextlib
import json
import socket
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tidegate import Engine, Store
from tidegate.decisions.decision import to_json

from .served import Fraud, Running, payment, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(tmp_path_factory.mktemp("serve") / "store.db") as running:
        yield running


def untimed(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "timing"}


def test_decisions_are_those_of_the_engine(server: Running) -> None:
    engine = Engine(Fraud)
    for number in range(12):
        event = payment(number, "same")
        answer = server.decide(event)
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
        right = json.loads(engine.decide_json(json.dumps(event).encode()))
        assert untimed(answer.json()) == untimed(right)
        assert set(answer.json()["timing"]) == {"wait", "decide", "keep"}
        assert [part.split(";")[0] for part in answer.headers["server-timing"].split(", ")] == [
            "wait",
            "decide",
            "keep",
        ]
    assert right["outcome"] == "decline" and right["rules"][0]["saw"]["payments_10m"] == 9


def test_the_same_again_gets_its_first_answer(server: Running) -> None:
    first = server.decide(payment(1, "again")).json()
    server.decide(payment(2, "again"))
    respelled = payment(1, "again") | {"amount": "1.37 EUR", "at": "2026-01-01T01:01:00+01:00"}
    for event in (payment(1, "again"), respelled):
        assert untimed(server.decide(event).json()) == untimed(first) | {"repeated": True}
    found = server.client.get("/decisions/again-1")
    assert found.status_code == 200 and untimed(found.json()) == untimed(first)


def test_a_decision_that_is_looked_up_tells_the_timing_of_its_first_answer(server: Running) -> None:
    told = server.decide(payment(1, "timed")).json()["timing"]
    server.decide(payment(1, "timed"))
    found = server.client.get("/decisions/timed-1").json()["timing"]
    assert set(found) == {"wait", "decide"}
    assert found["wait"] == told["wait"]
    assert 0 < found["decide"] <= told["decide"]


def test_a_decision_whose_record_was_touched_is_not_told(tmp_path: Path) -> None:
    with served(tmp_path / "store.db") as running:
        for name in ("whole", "touched"):
            assert running.decide(payment(1, name)).status_code == 200
        with contextlib.closing(sqlite3.connect(tmp_path / "store.db", timeout=60)) as connection:
            change = "UPDATE records SET body = CAST(replace(CAST(body AS TEXT), ?, ?) AS BLOB) WHERE id = ?"
            connection.execute(change, ('"EUR"', '"USD"', "touched-1"))
            connection.commit()
        assert running.client.get("/decisions/whole-1").status_code == 200
        answer = running.client.get("/decisions/touched-1")
        assert (answer.status_code, answer.json()["code"]) == (500, "touched")
        assert "not what was sealed" in answer.json()["title"]


def test_each_of_many_events_has_its_own_wait_kept(server: Running) -> None:
    lines = b"".join(json.dumps(payment(number, "waits")).encode() + b"\n" for number in range(6))
    answer = server.client.post("/decisions", content=lines, headers={"content-type": "application/x-ndjson"})
    told = [json.loads(line) for line in answer.content.splitlines()]
    assert len(told) == 6
    for one in told:
        found = server.client.get(f"/decisions/{one['id']}").json()
        assert found["timing"]["wait"] == one["timing"]["wait"]


def test_an_id_with_other_content_is_refused_and_that_is_kept(server: Running) -> None:
    server.decide(payment(1, "reuse"))
    problem = server.decide(payment(1, "reuse") | {"country": "FR"})
    assert problem.status_code == 409 and problem.headers["content-type"] == "application/problem+json"
    told = problem.json()
    assert (told["code"], told["pointer"], told["id"], told["status"]) == ("id-reused", "/id", "reuse-1", 409)


def test_events_are_learned_and_seen_by_later_decisions(server: Running) -> None:
    for number in range(5):
        learned = server.client.post("/events", json=payment(number, "learn"))
        assert learned.status_code == 200 and untimed(learned.json()) == {"id": f"learn-{number}", "repeated": False}
    assert server.decide(payment(5, "learn")).json()["outcome"] == "approve"
    assert server.decide(payment(6, "learn")).json()["rules"][0]["rule"] == "often"
    login = {"id": "l1", "at": "2026-01-01T00:00:00Z", "card": "learn"}
    answer = server.client.post("/decisions?event=Login", json=login)
    assert answer.status_code == 200 and untimed(answer.json()) == {"id": "l1", "repeated": False}
    missing = server.client.get("/decisions/learn-1")
    assert missing.status_code == 404 and "learned" in missing.json()["detail"]


def test_what_was_only_learned_from_is_not_decided_and_what_was_decided_is_learned_already(server: Running) -> None:
    one = payment(1, "undecided")
    assert server.client.post("/events", json=one).status_code == 200
    for _ in range(2):
        problem = server.decide(one)
        assert problem.status_code == 409 and problem.headers["content-type"] == "application/problem+json"
        told = problem.json()
        assert (told["code"], told["pointer"], told["id"]) == ("only-learned", "/id", "undecided-1")
        assert "no decision" in told["detail"]
    assert untimed(server.client.post("/events", json=one).json()) == {"id": "undecided-1", "repeated": True}
    other = payment(2, "undecided")
    first = untimed(server.decide(other).json())
    assert untimed(server.client.post("/events", json=other).json()) == {"id": "undecided-2", "repeated": True}
    assert untimed(server.decide(other).json()) == first | {"repeated": True}


JSON = {"content-type": "application/json"}
GOOD = payment(1, "bad")


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"", 400, "malformed", None),
        (b"{", 400, "malformed", None),
        (b'{"id": NaN}', 400, "malformed", "/id"),
        (json.dumps(GOOD).replace('"bad-1"', "Infinity").encode(), 400, "malformed", "/id"),
        (json.dumps(GOOD).encode().replace(b"bad-1", b"\xff\xfe"), 400, "malformed", "/id"),
        (b"[" * 100_000, 400, "malformed", None),
        (b"[]", 422, "contract", None),
        (without("card"), 422, "contract", "/card"),
        (GOOD | {"cart": 1}, 422, "contract", "/cart"),
        (GOOD | {"card": 7}, 422, "contract", "/card"),
        (GOOD | {"card": None}, 422, "contract", "/card"),
        (GOOD | {"amount": {"units": -1, "currency": "EUR"}}, 422, "contract", "/amount/units"),
        (GOOD | {"amount": {"units": 10**17, "currency": "EUR"}}, 422, "contract", "/amount/units"),
        (GOOD | {"amount": {"units": 1, "currency": "XYZ"}}, 422, "contract", "/amount/currency"),
        (GOOD | {"amount": "12 euros"}, 422, "contract", "/amount"),
        (GOOD | {"at": "yesterday"}, 422, "contract", "/at"),
        (GOOD | {"at": "2026-01-01T00:00:00"}, 422, "contract", "/at"),
        (json.dumps(GOOD | {"share": 1}).replace('"share": 1', '"share": 1e999').encode(), 400, "malformed", "/share"),
        (GOOD | {"id": ""}, 422, "contract", "/id"),
        (json.dumps(GOOD)[:-1].encode() + b', "card": "another"}', 422, "contract", "/card"),
        (GOOD | {"id": "x" * 300}, 422, "contract", "/id"),
        (GOOD | {f"field{number}": 1 for number in range(50_000)}, 422, "contract", "/field0"),
    ],
)
def test_a_bad_body_is_told_where(
    server: Running, body: bytes | dict[str, Any], status: int, code: str, pointer: str | None
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    problem = server.client.post("/decisions", content=content, headers=JSON)
    told = problem.json()
    assert (problem.status_code, told["status"], told["code"], told.get("pointer")) == (
        status,
        status,
        code,
        pointer,
    ), told
    assert problem.headers["content-type"] == "application/problem+json" and told["title"] and told["detail"]
    assert told["type"] == f"/docs#{code}" and f'id="{code}"' in server.client.get("/docs").text
    assert "Traceback" not in problem.text


def test_a_time_ahead_of_the_clock_is_refused_and_one_nearly_so_is_not(tmp_path: Path) -> None:
    def at(minutes: float) -> dict[str, Any]:
        return payment(1, f"ahead{minutes}") | {"at": (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()}

    with served(tmp_path / "s.db") as server:
        told = server.decide(at(6)).json()
        assert (told["status"], told["code"], told["pointer"]) == (422, "future", "/at")
        assert server.decide(at(4)).status_code == 200
        old = server.decide(payment(1, "old") | {"at": "2020-01-01T00:00:00Z"})
        assert old.status_code == 422 and (old.json()["code"], old.json()["pointer"]) == ("before-retention", "/at")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("POST", "/decisions", {"content-type": "text/plain"}, 415, "media-type"),
        ("POST", "/decisions", {}, 415, "media-type"),
        ("POST", "/decisions", JSON | {"content-encoding": "gzip"}, 415, "media-type"),
        ("POST", "/decisions?event=Paymnt", JSON, 400, "query"),
        ("POST", "/decisions?evnt=Payment", JSON, 400, "query"),
        ("POST", "/decisions?version=x", JSON, 400, "query"),
        ("POST", "/decisions?%ff", JSON, 400, "query"),
        ("POST", "/decisions?version=1", JSON, 422, "contract"),
        ("GET", "/decisions", {}, 405, "method"),
        ("DELETE", "/decisions/x", {}, 405, "method"),
        ("POST", "/health", {}, 405, "method"),
        ("GET", "/nothing", {}, 404, "not-found"),
        ("GET", "/decisions/none", {}, 404, "no-decision"),
        ("GET", "/docs", {"host": "evil.example"}, 421, "misdirected"),
        ("POST", "/decisions", JSON | {"host": "evil.example:80"}, 421, "misdirected"),
    ],
)
def test_a_bad_request_is_told_apart(
    server: Running, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    content = json.dumps(GOOD).encode() if method == "POST" else b""
    problem = server.client.request(method, path, content=content, headers=headers)
    assert (problem.status_code, problem.json()["code"]) == (status, code), problem.text
    assert (status != 405) or problem.headers["allow"]


def peak(server: Running) -> int:
    """Peak resident KiB of the server."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def test_a_body_of_50_megabytes_is_refused_without_being_kept(server: Running) -> None:
    before = peak(server)
    problem = server.client.post("/decisions", content=bytes(50_000_000), headers=JSON)
    assert problem.status_code == 413 and problem.json()["code"] == "too-large"

    def pieces() -> Iterator[bytes]:
        for _ in range(50):
            yield bytes(1_000_000)

    assert server.client.post("/decisions", content=pieces(), headers=JSON).status_code == 413
    lines = {"content-type": "application/x-ndjson"}
    assert server.client.post("/decisions", content=bytes(70_000_000), headers=lines).status_code == 413
    assert peak(server) - before < 20_000
    assert server.decide(payment(1, "after-large")).status_code == 200


def test_many_in_one_body_have_an_answer_each(server: Running) -> None:
    lines = [
        json.dumps(payment(1, "many")).encode(),
        b"{nope",
        b"",
        json.dumps(payment(2, "many")).encode(),
        json.dumps(payment(1, "many") | {"country": "DE"}).encode(),
        b'"' + b"x" * (2 << 20) + b'"',
        json.dumps(payment(2, "many")).encode(),
        json.dumps(payment(3, "many")).encode(),
    ]
    answer = server.client.post(
        "/decisions", content=b"\n".join(lines), headers={"content-type": "application/x-ndjson"}
    )
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/x-ndjson"
    told = [json.loads(line) for line in answer.content.splitlines()]
    assert [part.get("outcome", part.get("code")) for part in told] == [
        "approve", "malformed", "approve", "id-reused", "too-large", "approve", "approve",
    ]  # fmt: skip
    assert [part["line"] for part in told if "line" in part] == [2, 5, 6]
    assert [part["id"] for part in told if part.get("repeated")] == ["many-2"]


def test_a_long_stream_is_that_of_the_engine(server: Running) -> None:
    events = [json.dumps(payment(number, f"s{number % 7}")).encode() for number in range(5000)]
    answer = server.client.post(
        "/decisions", content=b"\n".join(events), headers={"content-type": "application/x-ndjson"}
    )
    engine = Engine(Fraud)
    assert [untimed(json.loads(line)) for line in answer.content.splitlines()] == [
        untimed(json.loads(engine.decide_json(event))) for event in events
    ]


def test_the_description_is_a_valid_one_and_the_page_loads_nothing(server: Running) -> None:
    document = server.client.get("/openapi.json").json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0" and {"Payment", "Login", "Decision"} <= set(document["components"]["schemas"])
    page = server.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    bare = page.text.replace('<link rel="icon" href="data:,">', "", 1)  # without it browsers ask for /favicon.ico
    assert bare != page.text
    assert not [part for part in ("<script", "<link", "src=", "@import", "url(") if part in bare]
    sample = document["paths"]["/decisions"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert server.decide(sample).status_code == 200
    head = server.client.head("/docs")
    assert head.status_code == 200 and not head.content and int(head.headers["content-length"]) == len(page.content)


def test_figures_are_told(server: Running) -> None:
    before = server.metric('tidegate_decisions_total{outcome="approve"}')
    server.decide(payment(1, "figures"))
    server.decide(payment(1, "figures"))
    assert server.decide({"id": "figures-refused"}).is_client_error
    assert server.metric('tidegate_decisions_total{outcome="approve"}') == before + 1
    text = server.client.get("/metrics").text
    for name in (
        "request_seconds_bucket",
        "batch_events_count",
        "keep_seconds_sum",
        "queue_events",
        "clock_lag_seconds",
    ):
        assert f"tidegate_{name}" in text
    assert 'tidegate_refusals_total{code="contract"}' in text
    assert server.client.get("/health").json() == {"status": "alive"} and server.client.get("/ready").is_success


def test_a_deadline_that_passed_gets_the_declared_answer(tmp_path: Path) -> None:
    with served(tmp_path / "s.db", "flow=Hurried") as server:
        told = server.decide(payment(1)).json()
        assert told["outcome"] == "review" and "deadline" in told["limited"]


def test_what_was_answered_is_in_the_store(tmp_path: Path) -> None:
    with served(tmp_path / "s.db") as server:
        answers = {number: untimed(server.decide(payment(number)).json()) for number in range(10)}
        server.decide(payment(3) | {"country": "DE"})
        status, said = server.stop()
        assert status == 0, said
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Fraud, store=store)
        assert engine.recovered == 0, "a snapshot was written at the end"
        assert [reason.id for _, reason in store.refusals()] == ["c1-3"]
        for number, answer in answers.items():
            kept = store.get(f"c1-{number}")
            assert kept is not None and kept.answer is not None and json.loads(kept.answer) == answer
            again = engine.decide(engine.readers["Payment"].read(json.dumps(payment(number)).encode()))
            assert json.loads(to_json(again)) == answer | {"repeated": True}  # type: ignore[arg-type]


def test_httpx_is_not_needed_for_a_plain_socket(server: Running) -> None:
    """Requests sent together on one connection are answered in order."""
    import socket

    url = httpx.URL(server.url)
    bodies = [json.dumps(payment(number, "pipe")).encode() for number in range(3)]
    head = "POST /decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    with socket.create_connection((url.host, url.port), 10) as connection:
        connection.sendall(b"".join(head.format(len(body)).encode() + body for body in bodies))
        seen = b""
        while seen.count(b'"keep"') < 3:
            seen += connection.recv(65536)
    assert [seen.index(f'"pipe-{number}"'.encode()) for number in range(3)] == sorted(
        seen.index(f'"pipe-{number}"'.encode()) for number in range(3)
    )


def test_an_instruction_that_is_a_mistake_is_refused_alone(server: Running) -> None:
    at = payment(900)["at"]
    wrong = {
        "ListChange": ({"list": "blokced", "key": "c", "listed": True}, "/list"),
        "Snooze": ({"rule": "offen", "entity": "card", "key": "c", "until": at, "because": "x"}, "/rule"),
    }
    for kind, (fields, place) in wrong.items():
        answer = server.client.post(f"/events?event={kind}", json={"id": f"wrong {kind}", "at": at, **fields})
        assert answer.status_code == 422 and answer.json()["pointer"] == place, answer.text
    assert server.client.get("/ready").status_code == 200
    assert server.metric("tidegate_store_failures_total") == 0


def cut_off(server: Running, begin: bytes, more: bytes) -> bytes:
    """What a server says before it hangs up on someone who goes on sending."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    said = b""
    with socket.create_connection((host, int(port)), timeout=20) as line, contextlib.suppress(OSError):
        line.sendall(begin)
        for _ in range(200 if more else 0):
            line.sendall(more)
        while part := line.recv(4096):
            said += part
    return said


def test_headers_without_end_are_cut_off(server: Running) -> None:
    begin = b"POST /decisions HTTP/1.1\r\nhost: localhost\r\n"
    for sent in ((begin + b"x: ", b"a" * 100_000), (begin, b"h: 1\r\n" * 10_000)):
        before = peak(server)
        cut_off(server, *sent)
        assert peak(server) - before < 10_000
    assert b" 431 " in cut_off(server, begin + b"x: " + b"a" * 40_000, b"a" * 400)
    assert server.decide(payment(901)).status_code == 200


def test_headers_that_do_not_come_are_not_waited_for(tmp_path: Path) -> None:
    with served(tmp_path / "s.db", "head_seconds=0.5") as server:
        began = time.monotonic()
        assert b"408 Request Timeout" in cut_off(server, b"POST /decisions HTTP/1.1\r\nhost: local", b"")
        assert time.monotonic() - began < 10
        assert server.decide(payment(1)).status_code == 200

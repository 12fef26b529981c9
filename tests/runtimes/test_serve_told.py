"""What a server shows to be copied, and what its refusals tell those who get them."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tidegate import Store
from tidegate.events.times import microseconds_of, rfc3339

from .served import Fraud, Running, payment, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(tmp_path_factory.mktemp("told") / "store.db") as running:
        yield running


def test_the_event_to_copy_follows_the_newest_one_so_that_it_shuts_nothing_out(tmp_path: Path) -> None:
    def shown(server: Running) -> dict[str, Any]:
        page = unescape(server.client.get("/docs").text)
        sample: dict[str, Any] = json.loads(page.partition("-d '")[2].partition("'</pre>")[0])
        return sample

    with served(tmp_path / "s.db") as server:
        server.decide(payment(5))
        first = shown(server)
        assert first["at"] == payment(5)["at"] and server.decide(first).status_code == 200
        server.decide(payment(7))
        assert shown(server)["at"] == payment(7)["at"]
        server.stop()
    with served(tmp_path / "s.db") as server:
        assert shown(server)["at"] == payment(7)["at"] and server.decide(payment(6)).status_code == 200


def test_what_is_too_late_is_told_for_what_and_what_is_still_taken(tmp_path: Path) -> None:
    with served(tmp_path / "s.db") as server:
        server.decide(payment(5, "new"))
        lateness = Fraud.definition.lateness
        earliest = rfc3339(microseconds_of(datetime(2026, 1, 1, 0, 5, tzinfo=UTC)) - lateness)
        said = server.decide(payment(1, "old") | {"at": "2020-01-01T00:00:00Z"}).json()["detail"]
        assert "That is the Payment 'new-5' of 2026-01-01T00:05:00Z" in said and f"still taken is {earliest}." in said
        assert "begin again with another store, a stream with another --to or --order too" in said
        assert server.decide(payment(2, "edge") | {"at": earliest}).status_code == 200
        server.stop()
    with Store.open(tmp_path / "s.db", read_only=True) as store:
        assert [refusal.reason for _, refusal in store.refusals()] == [said]


def test_a_refusal_says_what_to_do(server: Running) -> None:
    server.decide(payment(1, "do"))
    said = server.decide(payment(2, "do") | {"id": "do-1"}).json()
    assert said["code"] == "id-reused" and "under an id of its own" in said["detail"]
    server.client.post("/events", json=payment(3, "do"))
    said = server.decide(payment(3, "do")).json()
    assert said["code"] == "only-learned" and "/decisions, not to /events" in said["detail"]
    ahead = datetime.now(UTC) + timedelta(days=1)
    said = server.decide(payment(4, "do") | {"at": ahead.isoformat()}).json()
    assert said["code"] == "future" and f"clock, which says {datetime.now(UTC):%Y-}" in said["detail"]
    assert "--ahead" in said["detail"]


def test_only_what_the_flow_has_a_use_for_is_named(server: Running) -> None:
    for name in ("Xyz", "ListChang"):
        told = server.client.post(f"/events?event={name}", json={}).json()["detail"]
        assert told.endswith("There are: Payment, Login, Snooze.")


def test_asking_whether_it_is_ready_is_no_refusal() -> None:
    from tidegate.runtimes.serve.application import Application
    from tidegate.runtimes.serve.limits import Limits
    from tidegate.runtimes.serve.metrics import Metrics

    application, sent = Application(Limits(), Metrics(), {}, None), list[dict[str, Any]]()

    async def ask(path: str, method: str) -> int:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost:1"), (b"content-type", b"application/json")]
        scope = {"type": "http", "path": path, "method": method, "headers": headers, "query_string": b""}
        await application(scope, receive, send)
        return int(sent[-2]["status"])

    assert asyncio.run(ask("/ready", "GET")) == 503 and b'"code":"starting"' in sent[-1]["body"]
    assert not application.metrics.refusals.total()
    assert asyncio.run(ask("/decisions", "POST")) == 503 and application.metrics.refusals["starting"] == 1

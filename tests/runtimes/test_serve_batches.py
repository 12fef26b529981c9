"""Requests share batches, the queue has an end, a failed store is survived; who may ask, and where it listens."""

import asyncio
import json
import socket
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from tidegate import Engine, Store, StoreError, TidegateError
from tidegate.cli.keys import app as keys_app
from tidegate.evidence.log import verify
from tidegate.runtimes.serve.body import Lines
from tidegate.runtimes.serve.keys import Keys, add_key
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.listening import is_loopback
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.problem import Problem
from tidegate.runtimes.serve.server import Server
from tidegate.runtimes.serve.settings import Settings
from tidegate.runtimes.serve.turns import Turns

from .served import Fraud, payment, served


async def ask_all(url: str, events: Sequence[dict[str, Any]], connections: int) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        return list(await asyncio.gather(*(client.post("/decisions", json=event) for event in events)))


def test_requests_share_batches(tmp_path: Path) -> None:
    # With one sync at a time the requests that come meanwhile have to wait, however slowly this client asks.
    with served(tmp_path / "s.db", "syncs=1") as server:
        answers = asyncio.run(ask_all(server.url, [payment(1, f"c{number}") for number in range(400)], 32))
        assert all(answer.status_code == 200 for answer in answers)
        assert server.metric("tidegate_batch_events_sum") == 400
        assert server.metric("tidegate_batch_events_count") < 400


def test_a_full_queue_says_so_and_loses_nothing(tmp_path: Path) -> None:
    with served(tmp_path / "s.db", "queue=4", "turn=1", "syncs=1") as server:
        answers = asyncio.run(ask_all(server.url, [payment(1, f"c{number}") for number in range(200)], 64))
        taken = {answer.json()["id"] for answer in answers if answer.status_code == 200}
        busy = [answer for answer in answers if answer.status_code == 429]
        assert len(taken) + len(busy) == 200 and taken and busy
        assert all(answer.headers["retry-after"] == "1" and answer.json()["code"] == "busy" for answer in busy)
        assert server.metric('tidegate_refusals_total{code="busy"}') == len(busy)
        # A stream waits for room instead, line by line.
        lines = b"\n".join(json.dumps(payment(2, f"c{number}")).encode() for number in range(20))
        told = server.client.post("/decisions", content=lines, headers={"content-type": "application/x-ndjson"})
        assert [json.loads(line)["id"] for line in told.content.splitlines()] == [
            f"c{number}-2" for number in range(20)
        ]
        assert server.stop()[0] == 0
    with Store.open(tmp_path / "s.db", read_only=True) as store:
        assert {event.id for event in store.replay()} == taken | {f"c{number}-2" for number in range(20)}


class Failing:
    """A store whose next appends or syncs fail."""

    def __init__(self, store: Store) -> None:
        self.store, self.appends, self.syncs = store, 0, 0
        self._append, self._sync = store.append, store.sync
        store.append, store.sync = self.append, self.sync  # type: ignore[method-assign]

    def append(self, *args: Any) -> Any:
        if self.appends:
            self.appends -= 1
            raise StoreError("There is no room left.")
        return self._append(*args)

    def sync(self) -> None:
        if self.syncs:
            self.syncs -= 1
            raise StoreError("The disk failed.")
        self._sync()


@pytest.mark.parametrize("what", ["appends", "syncs", "mixed"])
def test_a_store_that_fails_for_a_while_changes_no_decision(tmp_path: Path, what: str) -> None:
    async def run() -> dict[str, dict[str, Any]]:
        with Store.open(tmp_path / "s.db") as store:
            engine, failing, metrics = Engine(Fraud, store=store), Failing(store), Metrics()
            turns = Turns(engine, store, Limits(longest_pause=0.2, turn=5), metrics)
            read = engine.readers["Payment"].read
            found: dict[str, dict[str, Any]] = {}

            async def send(event: dict[str, Any]) -> None:
                while True:
                    try:
                        told = await turns.future(read(json.dumps(event).encode()), False, perf_counter())
                    except Problem as problem:
                        assert problem.status == 503 and problem.headers[0][0] == b"retry-after"
                        await asyncio.sleep(0.02)
                        continue
                    answer = json.loads(told[0])
                    del answer["timing"]
                    answer.pop("repeated", None)
                    found[event["id"]] = answer
                    return

            async def customer(card: str) -> None:
                for number in range(20):
                    await send(payment(number, card))
                    if number == 7 and card == "c0":
                        failing.appends = 3 if what != "syncs" else 0
                        failing.syncs = 3 if what != "appends" else 0

            await asyncio.gather(*(customer(f"c{number}") for number in range(8)))
            await turns.close()
            assert metrics.store_failures >= 1 and not failing.appends and not failing.syncs
            assert store.head().size == 160 and verify(store).ok
            return found

    found = asyncio.run(run())
    plain = Engine(Fraud)
    for card in range(8):
        for number in range(20):
            right = json.loads(plain.decide_json(json.dumps(payment(number, f"c{card}")).encode()))
            del right["timing"]
            assert found[right["id"]] == right


def test_a_fault_of_ours_is_survived_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        with Store.open(tmp_path / "s.db") as store:
            engine = Engine(Fraud, store=store)
            turns = Turns(engine, store, Limits(), Metrics())
            event = engine.readers["Payment"].read(json.dumps(payment(1)).encode())
            monkeypatch.setattr(engine.rows.answers, "decision", None)  # until its state is made anew
            with pytest.raises(Problem) as told:
                await turns.future(event, False, perf_counter())
            assert told.value.code == "fault" and "None" not in told.value.document().decode()
            while turns.refusing is not None:
                await asyncio.sleep(0.02)
            assert b'"outcome":"approve"' in (await turns.future(event, False, perf_counter()))[0]
            await turns.close()

    asyncio.run(run())


def test_keys_are_needed_beyond_loopback(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match=r"needs API keys\. Make one with `tidegate keys add"):
        Server(Settings(Fraud, tmp_path / "s.db", host="0.0.0.0", port=0))
    assert [is_loopback(host) for host in ("localhost", "127.0.0.9", "::1", "0.0.0.0", "::", "example.org")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
    with pytest.raises(TidegateError, match="There is no key file"):
        Server(Settings(Fraud, tmp_path / "s.db", port=0, keys=tmp_path / "none"))
    (tmp_path / "odd").write_text("shop secret\n")
    with pytest.raises(TidegateError, match="Line 1 of the key file"):
        Keys.read(tmp_path / "odd")


def test_a_key_opens_and_is_kept_as_a_hash_only(tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    told = CliRunner().invoke(keys_app, ["add", "shop-1", "--file", str(file)])
    key = told.stdout.split()[0]
    assert told.exit_code == 0 and key.startswith("tg_") and len(key) > 40
    assert key not in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(TidegateError, match="has a key 'shop-1' already"):
        add_key(file, "shop-1")
    add_key(file, "shop-2")
    keys = Keys.read(file)
    assert keys.name_of(b"Bearer " + key.encode()) == "shop-1"
    assert (
        httpx.BasicAuth("any", key)._auth_header
        and keys.name_of(httpx.BasicAuth("", key)._auth_header.encode()) == "shop-1"
    )
    for wrong in (b"", b"Bearer", b"Bearer tg_no", b"Basic !", b"Digest " + key.encode()):
        assert keys.name_of(wrong) is None
    with served(tmp_path / "s.db", f"keys={file}") as server:
        refused = server.decide(payment(1))
        assert refused.status_code == 401 and "Bearer" in refused.headers["www-authenticate"]
        assert server.client.get("/decisions/x").status_code == 401 and server.client.get("/metrics").status_code == 401
        assert server.client.get("/ready").is_success
        server.client.headers["authorization"] = f"Bearer {key}"
        assert server.decide(payment(1)).is_success and server.client.get("/docs").is_success
        assert server.client.get("/openapi.json").json()["security"] == [{"key": []}]


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            TidegateError, match=rf"cannot listen on 127\.0\.0\.1, port {port}.*Another program has the port"
        ):
            Server(Settings(Fraud, tmp_path / "s.db", port=port))
    with pytest.raises(TidegateError, match="address"):
        Server(Settings(Fraud, tmp_path / "s.db", host="host.invalid", port=0, keys=_a_key(tmp_path)))
    assert not (tmp_path / "s.db").exists()


def _a_key(folder: Path) -> Path:
    add_key(folder / "k.txt", "any")
    return folder / "k.txt"


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
def test_lines_do_not_depend_on_how_they_come(cut: int) -> None:
    data = b"one\n\ntwo\r\n" + b"x" * 30 + b"\n" + b"y" * 10 + b"\nlast"
    lines = Lines(10)
    found = [line for start in range(0, len(data), cut) for line in lines.feed(data[start : start + cut])]
    assert [*found, *lines.end()] == [b"one", b"", b"two\r", None, b"y" * 10, b"last"]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals there")
def test_a_drained_server_ends_well_and_starts_from_its_snapshot(tmp_path: Path) -> None:
    async def load(url: str, process: Any) -> dict[str, int]:
        seen: dict[str, int] = {}

        async def customer(client: httpx.AsyncClient, card: str) -> None:
            for number in range(10_000):
                try:
                    answer = await client.post("/decisions", json=payment(number, card))
                except httpx.TransportError:
                    return
                if answer.status_code == 503:
                    assert answer.json()["code"] == "draining"
                    return
                assert answer.status_code == 200, answer.text
                seen[answer.json()["id"]] = number

        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            tasks = [asyncio.create_task(customer(client, f"c{number}")) for number in range(16)]
            while len(seen) < 200:
                await asyncio.sleep(0.01)
            process.terminate()
            await asyncio.gather(*tasks)
        return seen

    with served(tmp_path / "s.db") as server:
        seen = asyncio.run(load(server.url, server.process))
        said = server.process.communicate(timeout=30)[1]
        assert server.process.returncode == 0, said
        assert "Traceback" not in said and seen
    with Store.open(tmp_path / "s.db") as store:
        kept = {event.id for event in store.replay()}
        # What was taken was answered: a connection that was cut had nothing kept that its client was not told of.
        assert kept == set(seen)
        assert Engine(Fraud, store=store).recovered == 0

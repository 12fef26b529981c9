"""A server killed under load, and one whose disk is full: nothing acknowledged is lost, doubled, or other."""

import asyncio
import json
import random
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import KILLS
from tests.runtimes.served import Fraud, Running, payment, served
from tidegate import Engine, Store
from tidegate.evidence.log import verify

CUSTOMERS = 16


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what differs from run to run."""
    return {name: value for name, value in answer.items() if name not in ("timing", "repeated")}


class Customers:
    """Customers who each send their payments in order, and send one again until they know its answer.

    Features are per card, so what they are answered does not depend on how their requests interleave.
    """

    def __init__(self) -> None:
        self.next = [0] * CUSTOMERS
        self.told: dict[str, dict[str, Any]] = {}
        self.others: list[str] = []

    async def one(self, customer: int, client: httpx.AsyncClient) -> None:
        """Pay until the server is gone."""
        while True:
            event = payment(self.next[customer], f"k{customer}")
            try:
                answer = await client.post("/decisions", json=event)
            except httpx.TransportError:
                return
            if answer.status_code != 200:
                self.others.append(answer.text)
                await asyncio.sleep(0.02)
                continue
            assert event["id"] not in self.told
            self.told[event["id"]] = plain(answer.json())
            self.next[customer] += 1

    async def pay(self, server: Running, seconds: float) -> None:
        """Pay for so long, then kill the server; all come back without an answer."""
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            tasks = [asyncio.create_task(self.one(customer, client)) for customer in range(CUSTOMERS)]
            await asyncio.sleep(seconds)
            server.process.kill()
            await asyncio.gather(*tasks)

    def check(self, store: Path | str) -> None:
        """Hold what they were told to the store, and to an engine that was never interrupted."""
        engine = Engine(Fraud)
        right: dict[str, dict[str, Any]] = {}
        for customer, many in enumerate(self.next):
            for number in range(many + 1):
                decision = json.loads(engine.decide_json(json.dumps(payment(number, f"k{customer}")).encode()))
                right[decision["id"]] = plain(decision)
        with Store.open(store, read_only=True) as kept:
            assert verify(kept).ok
            ids = Counter(event.id for event in kept.replay())
            stored = {id: json.loads(found.answer) for id in ids if (found := kept.get(id)) and found.answer}
        lost = set(self.told) - set(ids)
        doubled = {id for id, many in ids.items() if many > 1}
        different = {id for id in ids if stored.get(id) != right[id] or self.told.get(id, right[id]) != right[id]}
        print(f"{len(self.told)} told: {len(lost)} lost, {len(doubled)} doubled, {len(different)} different")
        assert not lost | doubled | different, (lost, doubled, different)
        assert len(ids) - len(self.told) <= CUSTOMERS, "kept without anyone having asked again"


def test_killed_under_load(tmp_path: Path) -> None:
    chance, customers, store = random.Random(), Customers(), tmp_path / "s.db"
    for _ in range(KILLS):
        # Snapshots are written all the time, so that some are cut off as well.
        with served(store, "snapshot_records=50") as server:
            asyncio.run(customers.pay(server, chance.uniform(0.05, 0.8)))
        assert not customers.others, customers.others[:3]
    assert list(store.with_name("s.db.snapshots").glob("*.snapshot")), "no snapshot was ever written"
    assert len(customers.told) > KILLS * CUSTOMERS
    customers.check(store)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of another process are Linux's")
def test_a_full_disk_stops_nothing_for_good(tmp_path: Path) -> None:
    """The file size limit of the running server stands for the end of the disk."""
    customers, store = Customers(), tmp_path / "s.db"

    async def pay(server: Running) -> None:
        client = httpx.AsyncClient(base_url=server.url, timeout=30)
        tasks = [asyncio.create_task(customers.one(customer, client)) for customer in range(CUSTOMERS)]
        await asyncio.sleep(0.5)
        size = max(path.stat().st_size for path in tmp_path.glob("s.db*") if path.is_file())
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size + 20_000, resource.RLIM_INFINITY))
        until = time.monotonic() + 20
        while len(customers.others) < 5 * CUSTOMERS and time.monotonic() < until:
            await asyncio.sleep(0.05)
        assert customers.others, "the disk was never full"
        told = len(customers.told)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        while len(customers.told) < told + 5 * CUSTOMERS and time.monotonic() < until:
            await asyncio.sleep(0.05)
        assert len(customers.told) >= told + 5 * CUSTOMERS, "it did not go on by itself"
        server.process.kill()
        await asyncio.gather(*tasks)
        await client.aclose()

    with served(store) as server:
        asyncio.run(pay(server))
    problems = [json.loads(problem) for problem in customers.others]
    assert {problem["code"] for problem in problems} == {"store"} and {problem["status"] for problem in problems} == {
        503
    }
    customers.check(store)

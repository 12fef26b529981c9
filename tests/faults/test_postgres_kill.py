"""PostgreSQL killed under a server, one of its sessions killed, the server killed: nothing lost, doubled, or other."""

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.conftest import KILLS
from tests.connectors.entries import entries
from tests.faults.test_serve_kill import CUSTOMERS, Customers
from tests.runtimes.served import Running, payment, served
from tests.servers.postgres import Postgres
from tidegate import Store, StoreError
from tidegate.connectors.postgres_patience import SILENCE
from tidegate.evidence.log import verify


def place(cluster: Postgres, folder: Path) -> str:
    return f"{cluster.room()}&files={folder / 'store'}"


async def under_load(customers: Customers, server: Running, faults: list[Callable[[], Awaitable[None]]]) -> None:
    """Pay; after each fault go on until they are answered again; at last kill the server."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        tasks = [asyncio.create_task(customers.one(customer, client)) for customer in range(CUSTOMERS)]
        for fault in faults:
            await asyncio.sleep(random.uniform(0.05, 0.6))
            await fault()
            told, until = len(customers.told), time.monotonic() + 60
            while len(customers.told) < told + CUSTOMERS:
                assert time.monotonic() < until, f"it did not go on by itself: {customers.others[-1:]}"
                await asyncio.sleep(0.02)
        server.process.kill()
        await asyncio.gather(*tasks)


def test_killed_under_load(cluster: Postgres, tmp_path: Path) -> None:
    async def whole() -> None:
        cluster.kill()
        await asyncio.sleep(random.uniform(0, 0.7))
        cluster.start()  # in this thread: a server ends with the thread that started it

    async def session() -> None:
        # Any one that serves a client: by its end PostgreSQL ends all others, and reads its log again.
        with contextlib.suppress(IndexError, ProcessLookupError):
            os.kill(random.choice(cluster.sessions("tidegate postgres")), signal.SIGKILL)

    customers, store = Customers(), place(cluster, tmp_path)
    for _ in range(KILLS):
        with served(store, "snapshot_records=50") as server:  # type: ignore[arg-type]
            asyncio.run(under_load(customers, server, random.sample([whole, session], random.randint(1, 2))))
    problems = [json.loads(problem) for problem in customers.others]
    assert {(problem["code"], problem["status"]) for problem in problems} <= {("store", 503)}
    customers.check(store)


def test_while_it_is_away_nobody_is_answered_and_told_when_to_come_back(cluster: Postgres, tmp_path: Path) -> None:
    with served(place(cluster, tmp_path)) as server:
        first = server.decide(payment(1)).json()
        cluster.kill()
        for _ in range(2):
            away = server.decide(payment(2))
            assert (away.status_code, away.json()["code"]) == (503, "store") and int(away.headers["retry-after"]) >= 1
        assert server.client.get("/ready").status_code == 503
        cluster.start()
        until = time.monotonic() + 60
        while (again := server.decide(payment(2))).status_code != 200:
            assert time.monotonic() < until, again.text
            time.sleep(0.1)
        assert server.decide(payment(1)).json()["repeated"] and first["id"] == payment(1)["id"]


def test_a_server_that_stands_still_is_given_up_and_found_again(cluster: Postgres, tmp_path: Path) -> None:
    with served(place(cluster, tmp_path)) as server:
        first = server.decide(payment(1)).json()
        assert server.client.get(f"/decisions/{payment(1)['id']}").status_code == 200
        cluster.freeze()
        began = time.monotonic()
        still = server.client.post("/decisions", json=payment(2), timeout=60)
        assert (still.status_code, still.json()["code"]) == (503, "store")
        assert time.monotonic() - began < 3 * SILENCE
        # Meanwhile it goes on trying, and says how it is.
        assert server.client.get("/health", timeout=5).status_code == 200
        assert server.client.get("/ready", timeout=5).status_code == 503
        # Who only reads is not left waiting either.
        assert server.client.get(f"/decisions/{payment(1)['id']}", timeout=60).status_code == 503
        cluster.thaw()
        until = time.monotonic() + 60
        while (again := server.decide(payment(2))).status_code != 200:
            assert time.monotonic() < until, again.text
            time.sleep(0.2)
        repeated = server.decide(payment(1)).json()
        assert repeated["repeated"] and repeated["outcome"] == first["outcome"]


def test_a_writer_that_lost_its_session_writes_nothing_once_another_began(cluster: Postgres, tmp_path: Path) -> None:
    address = place(cluster, tmp_path)
    with Store.open(address) as old:
        old.append(entries(1, 3))
        with psycopg.connect(cluster.url("postgres"), autocommit=True) as boss:
            boss.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        with Store.open(address) as new:
            new.append(entries(4, 5))
            for _ in range(2):
                with pytest.raises(StoreError, match=r"cannot be reached|Another process has the store"):
                    old.append(entries(6, 6))
        with pytest.raises(StoreError, match="Another process wrote"):
            old.append(entries(6, 6))
        assert old.find(["e4", "e6"]).keys() == {"e4"}
        assert old.append(entries(6, 6)).size == 6
        assert verify(old).ok


def test_an_epoch_of_another_fences_a_session_that_still_lives(cluster: Postgres, tmp_path: Path) -> None:
    address = place(cluster, tmp_path)
    schema = address.partition("%3D")[2].partition("&")[0]
    with Store.open(address) as store, psycopg.connect(cluster.url("postgres"), autocommit=True) as other:
        store.append(entries(1, 3))
        other.execute(f"UPDATE {schema}.about SET value = '99' WHERE name = 'epoch'".encode())
        with pytest.raises(StoreError, match="took over the store"):
            store.append(entries(4, 4))
        assert store.head().size == 3

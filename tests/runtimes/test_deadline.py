"""A flow's deadline over HTTP: what waits for its turn beyond it gets the declared answer, what does not is decided."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tidegate import Engine, Event, Flow, Store, at_most, count, deadline, decline, entity
from tidegate.runtimes.remake import remake
from tidegate.runtimes.serve import application, turns
from tidegate.runtimes.serve.application import Application, Serving
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.turns import Turns

Card = entity("card")


class Paid(Event):
    card: Card


class Hurried(Flow[Paid]):
    many = decline(count(per=Card, last="1h") >= 0, because="Every payment")
    limits = (deadline("10s", answer="review"), at_most(3, "decline", last="1h"))


class Clock:
    """The clock of the server: it stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Disk:
    """Holds syncs back until it is let go."""

    def __init__(self, store: Store) -> None:
        self._sync, self.free, self.busy = store.sync, threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.busy.set()
        assert self.free.wait(60)
        self._sync()


class Caller:
    """Asks an application for decisions."""

    def __init__(self, of: Application) -> None:
        self._application = of

    async def __call__(self, id: str) -> dict[str, Any]:
        body, sent = b'{"id":"%s","at":"2026-01-01T00:00:00Z","card":"a"}' % id.encode(), list[dict[str, Any]]()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"method": "POST", "path": "/decisions", "query_string": b"", "headers": headers}
        await self._application(scope, receive, send)
        assert sent[0]["status"] == 200, sent
        told: dict[str, Any] = json.loads(b"".join(one.get("body", b"") for one in sent))
        return told


async def asked(store: Store, clock: Clock, disk: Disk) -> dict[str, dict[str, Any]]:
    """One that is decided at once; two that wait, one beyond the deadline, one for exactly that; a last one."""
    limits = Limits(syncs=1)
    engine = Engine(Hurried, store=store)
    serving = Turns(engine, store, limits, Metrics())
    of = Application(limits, Metrics(), {}, None)
    of.serving = Serving(engine, serving, limits)
    ask, loop = Caller(of), asyncio.get_running_loop()
    first = loop.create_task(ask("at-once"))
    await loop.run_in_executor(None, disk.busy.wait, 60)  # it is decided, and on its way to the disk
    waited = loop.create_task(ask("beyond"))
    await asyncio.sleep(0.01)
    clock.now += 0.5
    within = loop.create_task(ask("within"))
    await asyncio.sleep(0.01)
    clock.now += 10.0
    disk.free.set()
    answers = [await first, await waited, await within, await ask("afterwards")]
    await serving.close()
    return {answer["id"]: answer for answer in answers}


def test_what_waited_beyond_it_gets_the_declared_answer_and_the_rest_are_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(application, "perf_counter", clock)
    monkeypatch.setattr(turns, "perf_counter", clock)
    with Store.open(tmp_path / "s.db") as store:
        disk = Disk(store)
        monkeypatch.setattr(store, "sync", disk)
        told = asyncio.run(asked(store, clock, disk))
        assert told["beyond"]["outcome"] == "review" and "deadline of 10s passed" in told["beyond"]["limited"]
        assert told["beyond"]["timing"]["wait"] == 10.5e6
        for id in ("at-once", "within", "afterwards"):  # the limit counts what was answered: three declines
            assert told[id]["outcome"] == "decline" and "limited" not in told[id], told[id]
        assert told["within"]["timing"]["wait"] == 10e6
        # What was answered is what is remade: that the deadline had passed is in the record.
        assert all(remake(store, id).equal for id in told)

"""A version is taken over while the one before decides: what waits, what is being written, what is on its way."""

import asyncio
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from tidegate import Engine, Event, Flow, Snooze, Store, count, entity, review
from tidegate.errors import SnapshotError
from tidegate.evidence import snapshot
from tidegate.runtimes.serve.application import Application, Serving
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.problem import Problem
from tidegate.runtimes.serve.turns import Turns

Card = entity("card")
AT = datetime(2026, 1, 1, tzinfo=UTC)


class Paid(Event):
    card: Card


class Before(Flow[Paid]):
    """Many payments."""

    payments = count(per=Card, last="1d")
    many = review(payments > 3, because="Many payments")


class After(Before):
    """Many payments, by a rule of another name."""

    many = None  # type: ignore[assignment]
    more = review(Before.payments > 5, because="More payments")


def paid(number: int) -> Paid:
    return Paid(id=f"p{number}", at=AT, card="a")


def snooze(id: str) -> Snooze:
    return Snooze(id=id, at=AT, rule="many", entity="card", key="a", until=AT + timedelta(days=1), because="x")


def test_a_turn_of_which_the_new_version_knows_nothing_is_no_fault(tmp_path: Path) -> None:
    metrics = Metrics()

    async def wait() -> tuple[Any, bytes]:
        with Store.open(tmp_path / "s.db") as store:
            turns = Turns(Engine(Before, store=store), store, Limits(), metrics)
            waiting = turns.future(snooze("s"), True, perf_counter())
            assert turns.take_over(Engine(After, store=store)) is not None
            (refused,) = await asyncio.gather(waiting, return_exceptions=True)
            answer, _ = await turns.future(paid(1), False, perf_counter())
            await turns.close()
            return refused, answer

    refused, answer = asyncio.run(wait())
    assert isinstance(refused, Problem) and refused.code == "contract"
    assert b'"outcome":"approve"' in answer and metrics.store_failures == 0


def test_what_the_new_version_has_no_use_for_is_refused_and_what_waits_with_it_is_decided(tmp_path: Path) -> None:
    metrics = Metrics()

    async def wait() -> list[Any]:
        with Store.open(tmp_path / "s.db") as store:
            turns = Turns(Engine(Before, store=store), store, Limits(), metrics)
            waiting = [turns.future(paid(number), False, perf_counter()) for number in range(3)]
            waiting.insert(1, turns.future(snooze("s"), True, perf_counter()))
            assert turns.take_over(Engine(After, store=store)) is not None
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            await turns.close()
            return answers

    first, refused, *others = asyncio.run(wait())
    assert isinstance(refused, Problem) and refused.code == "contract" and "many" in str(refused)
    assert all(b'"outcome":"approve"' in told[0] for told in (first, *others)) and metrics.store_failures == 0


def newer() -> type[Flow[Any]]:
    """A version whose payments tell the shop."""

    class Paid(Event):
        card: Card
        shop: str

    class Newer(Flow[Paid]):
        """Payments in one shop."""

        there = review(Paid.shop == "s1", because="The shop")

    return Newer


@pytest.mark.parametrize("media", [b"application/json", b"application/x-ndjson"])
def test_a_body_that_takes_long_is_read_by_the_version_that_decides_when_it_is_there(
    tmp_path: Path, media: bytes
) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def ask() -> None:
        with Store.open(tmp_path / "s.db") as store:
            before = Engine(Before, store=store)
            turns = Turns(before, store, Limits(), Metrics())
            application = Application(Limits(), Metrics(), {}, None)
            application.serving = Serving(before, turns, Limits())

            async def receive() -> dict[str, Any]:
                after = Engine(newer(), store=store)
                assert turns.take_over(after) is before
                application.serving = Serving(after, turns, Limits())
                body = b'{"id":"x","at":"2026-01-01T00:00:00Z","card":"a","shop":"s1"}'
                return {"type": "http.request", "body": body, "more_body": False}

            headers = [(b"host", b"localhost"), (b"content-type", media)]
            scope = {"method": "POST", "path": "/decisions", "query_string": b"", "headers": headers}
            await application(scope, receive, send)
            await turns.close()

    asyncio.run(ask())
    told = b"".join(one.get("body", b"") for one in sent)
    assert sent[0]["status"] == 200 and b'"outcome":"review"' in told, told


def test_a_snapshot_that_is_being_written_is_not_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Before, store=store)
        engine.decide(paid(1))
        write, real, taking = engine.hold(), os.fsync, list[threading.Thread]()

        def fsync(handle: int) -> None:
            if not taking:
                taking.append(threading.Thread(target=Engine, args=(After,), kwargs={"store": store}))
                taking[0].start()
                taking[0].join(0.5)
            real(handle)

        monkeypatch.setattr(os, "fsync", fsync)
        try:
            write()
        except SnapshotError as error:
            pytest.fail(str(error))
        taking[0].join(60)
        assert not taking[0].is_alive() and len(list((tmp_path / "s.db.snapshots").glob("*.snapshot"))) == 1


def test_a_snapshot_of_what_was_kept_meanwhile_is_not_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Before, store=store)
        real = snapshot.Snapshots.files

        def files(self: snapshot.Snapshots) -> list[Path]:
            with monkeypatch.context() as meanwhile:
                meanwhile.setattr(snapshot.Snapshots, "files", real)
                engine.decide(paid(1))
                engine.save()
            return real(self)

        monkeypatch.setattr(snapshot.Snapshots, "files", files)
        taken = Engine(After, store=store)
        monkeypatch.undo()
        assert not list((tmp_path / "s.db.snapshots").glob("*.ahead"))
        assert taken.recovered == 0 and not taken.passed_over, "both versions know the same of the past"

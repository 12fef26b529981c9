"""Nothing that a loss of power could take back is told, or written into a snapshot; waits are those of their events."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from tidegate import Engine, Event, Store
from tidegate.evidence.elapsed import timing
from tidegate.runtimes.serve.application import Application, Serving
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.serve.problem import Problem
from tidegate.runtimes.serve.turns import Turns

from .served import Fraud, payment


def event_of(engine: Engine, number: int) -> Event:
    read: Event = engine.readers["Payment"].read(json.dumps(payment(number)).encode())
    return read


def test_a_decision_is_not_told_by_its_id_before_it_is_on_the_disk(tmp_path: Path) -> None:
    async def run() -> None:
        with Store.open(tmp_path / "s.db") as store:
            engine, disk, sync = Engine(Fraud, store=store), threading.Event(), store.sync

            def slow() -> None:
                assert disk.wait(30)
                sync()

            store.sync = slow  # type: ignore[method-assign]
            turns = Turns(engine, store, Limits(), Metrics())
            application = Application(Limits(), Metrics(), {}, None)
            application.serving = Serving(engine, turns, Limits())
            event = event_of(engine, 1)
            first = turns.future(event, False, perf_counter())
            while store.get(event.id) is None:  # appended, and on its way to the disk
                await asyncio.sleep(0.005)
            asked = asyncio.ensure_future(application._decision(event.id))
            done, _ = await asyncio.wait([asked, first], timeout=0.2)
            assert not done
            disk.set()
            assert (await asked)[0] == 200
            await first
            await turns.close()

    asyncio.run(run())


def test_a_snapshot_is_written_after_the_sync_of_what_it_holds(tmp_path: Path) -> None:
    async def run() -> None:
        with Store.open(tmp_path / "s.db") as store:
            engine, sync, done = Engine(Fraud, store=store), store.sync, list[str]()
            hold = engine.hold

            def noted() -> None:
                sync()
                done.append("sync")

            store.sync = noted  # type: ignore[method-assign]
            engine.hold = lambda: noting(hold(), done)  # type: ignore[method-assign]
            turns = Turns(engine, store, Limits(), Metrics())
            await turns.future(event_of(engine, 1), False, perf_counter())
            done.clear()
            await turns.close()
            assert done == ["sync", "snapshot"]

    def noting(write: Callable[[], None], done: list[str]) -> Callable[[], None]:
        def written() -> None:
            write()
            done.append("snapshot")

        return written

    asyncio.run(run())


def test_waits_stay_with_their_events_where_some_are_only_learned(tmp_path: Path) -> None:
    async def run() -> None:
        with Store.open(tmp_path / "s.db") as store:
            engine = Engine(Fraud, store=store)
            turns, now = Turns(engine, store, Limits(), Metrics()), perf_counter()
            # One turn takes all four; each came a second after the one before it.
            asked = [turns.future(event_of(engine, n), n == 2, now - 10 + n) for n in range(4)]
            await asyncio.gather(*asked)
            waits = []
            for n in range(4):
                kept = store.get(event_of(engine, n).id)
                stages = timing(kept.elapsed) if kept is not None else None
                assert stages is not None
                waits.append(round((stages["wait"] - 10e6) / 1e6 + n))
            assert waits == [0, 0, 0, 0]
            await turns.close()

    asyncio.run(run())


@pytest.mark.parametrize("patient", [True, False])
def test_events_gather_while_the_disk_is_quick_and_pass_it_while_it_is_slow(tmp_path: Path, patient: bool) -> None:
    async def run() -> None:
        with Store.open(tmp_path / "s.db") as store:
            engine, disk, sync = Engine(Fraud, store=store), threading.Event(), store.sync

            def slow() -> None:
                assert disk.wait(30)
                sync()

            store.sync = slow  # type: ignore[method-assign]
            metrics = Metrics()
            turns = Turns(engine, store, Limits(gather=30.0 if patient else 0.01), metrics)
            asked = [turns.future(event_of(engine, 0), False, perf_counter())]
            await asyncio.sleep(0.05)
            for number in range(1, 4):
                asked.append(turns.future(event_of(engine, number), False, perf_counter()))
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.1)
            assert store.head().size == (1 if patient else 2)  # beyond two syncs at a time, all wait
            assert not any(one.done() for one in asked)
            disk.set()
            await asyncio.gather(*asked)
            assert not patient or b"tidegate_batch_events_count 2" in metrics.text()
            await turns.close()

    asyncio.run(run())


def test_those_who_were_answered_share_the_next_turn_with_those_who_waited(tmp_path: Path) -> None:
    async def run() -> None:
        with Store.open(tmp_path / "s.db") as store:
            engine, disk, sync = Engine(Fraud, store=store), threading.Event(), store.sync

            def held() -> None:
                assert disk.wait(30)
                sync()

            store.sync = held  # type: ignore[method-assign]
            metrics = Metrics()
            turns = Turns(engine, store, Limits(gather=30.0), metrics)

            async def client(number: int) -> None:
                for turn in range(10):
                    await turns.future(event_of(engine, 100 * number + turn), False, perf_counter())
                    await asyncio.sleep(0)  # its next request is read when the loop looks at its connections

            clients = [asyncio.ensure_future(client(number)) for number in range(4)]
            await asyncio.sleep(0.05)
            clients += [asyncio.ensure_future(client(number)) for number in range(4, 8)]
            await asyncio.sleep(0.05)
            assert store.head().size == 4  # the others wait
            disk.set()
            await asyncio.gather(*clients)
            assert store.head().size == 80
            # Ten turns of all, and one since half of them began a turn later; it was twenty of four.
            assert b"tidegate_batch_events_count 11\n" in metrics.text()
            await turns.close()

    asyncio.run(run())


def test_a_queue_takes_as_many_as_it_says(tmp_path: Path) -> None:
    async def ask() -> None:
        with Store.open(tmp_path / "s.db") as store:
            engine = Engine(Fraud, store=store)
            turns = Turns(engine, store, Limits(queue=2), Metrics())
            waiting = [turns.future(event_of(engine, number), False, perf_counter()) for number in range(2)]
            with pytest.raises(Problem, match="2 events are waiting"):
                turns.future(event_of(engine, 2), False, perf_counter())
            assert len(await asyncio.gather(*waiting)) == 2
            await turns.close()

    asyncio.run(ask())

"""Somebody deletes the lock of a store in use, or the store: no two write to it, and nothing is lost, unnoticed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tidegate import Decision, Engine, Event, Flow, Store, StoreError, count, entity, review
from tidegate.evidence.log import verify

Card = entity("card")
AT = datetime(2026, 1, 1, tzinfo=UTC)


class Paid(Event):
    card: Card


class Spending(Flow[Paid]):
    paid = count(per=Card, last="1d")
    often = review(paid >= 100, because="Often")


def known(engine: Engine, id: str) -> int:
    """Decide on a payment by the one card; gives how many were known before it."""
    made = engine.decide(Paid(id=id, at=AT, card="c"))
    assert isinstance(made, Decision) and made.features is not None
    return int(made.features["paid"])


_SECOND = """
import sys
from tests.faults.test_store_lock_deleted import Engine, Spending, Store, StoreError, known
with Store.open(sys.argv[1]) as store:
    engine = Engine(Spending, store=store, explain=True)
    for line in sys.stdin:
        try:
            print(known(engine, line.strip()), flush=True)
        except StoreError as error:
            print(str(error).replace("\\n", " "), flush=True)
"""


class Second:
    """Another process that opens the store, and decides when it is told to."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SECOND, str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
        )  # fmt: skip

    def decide(self, id: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(id + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0


@contextmanager
def second(path: Path) -> Iterator[Second]:
    other = Second(path)
    try:
        yield other
    finally:
        other.process.kill()
        other.process.wait()


def test_the_first_writer_gives_way_and_goes_on_when_it_is_alone_again(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        engine = Engine(Spending, store=store, explain=True)
        assert [known(engine, f"a{n}") for n in range(3)] == [0, 1, 2]
        (tmp_path / "s.db.lock").unlink()
        with second(path) as other:
            assert other.decide("b1") == "3"
            for _ in range(2):
                with pytest.raises(StoreError, match="was deleted, and another process writes the store since"):
                    known(engine, "a3")
            assert other.decide("b2") == "4"
            with pytest.raises(StoreError, match="another process writes"):
                engine.save()  # its state lacks what the other one decided
            other.end()
        with pytest.raises(StoreError, match="Another process wrote to the store"):
            known(engine, "a3")
        assert known(engine, "a3") == 5
        again = engine.decide(Paid(id="b2", at=AT, card="c"))
        assert isinstance(again, Decision) and again.repeated
        engine.save()
        assert verify(store).ok and store.head().size == 6
    with Store.open(path) as store:
        again = Engine(Spending, store=store, explain=True)
        assert again.recovered == 0 and known(again, "a4") == 6


def test_a_lock_that_nobody_else_took_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, lock = tmp_path / "s.db", tmp_path / "s.db.lock"
    with Store.open(path) as store:
        engine = Engine(Spending, store=store, explain=True)
        assert known(engine, "a1") == 0
        lock.unlink()
        assert known(engine, "a2") == 1
        assert lock.read_text() == f"{os.getpid()}\n" and "it was made again" in caplog.text
        with second(path) as other:
            other.process.wait(60)
            assert other.process.returncode, "it must not get in"
        assert known(engine, "a3") == 2


def test_a_snapshot_is_never_of_more_than_its_own_process_knows(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        engine = Engine(Spending, store=store, explain=True)
        assert known(engine, "a1") == 0
        (tmp_path / "s.db.lock").unlink()
        with second(path) as other:
            assert other.decide("b1") == "1"
            engine.save()  # nothing failed yet, so nothing was noticed
            other.end()
    with Store.open(path) as store:
        again = Engine(Spending, store=store, explain=True)
        assert again.recovered == 1 and known(again, "a2") == 2


@pytest.mark.parametrize("how", ["moved", "replaced"])
def test_a_store_that_is_not_there_any_more_is_not_written(tmp_path: Path, how: str) -> None:
    """What is written to a file without a name is acknowledged and lost."""
    path, away = tmp_path / "s.db", tmp_path / "away.db"
    with Store.open(path) as store:
        engine = Engine(Spending, store=store, explain=True)
        assert known(engine, "a1") == 0
        path.rename(away)
        if how == "replaced":
            path.write_bytes(away.read_bytes())
        with pytest.raises(StoreError, match="was replaced" if how == "replaced" else "was moved or deleted"):
            known(engine, "a2")
        away.rename(path)
        assert known(engine, "a2") == 1
    with Store.open(path) as store:
        assert verify(store).ok and store.head().size == 2

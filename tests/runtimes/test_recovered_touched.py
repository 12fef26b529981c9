"""Nothing is decided on, and no first answer is told from, a record that is not what was sealed."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tidegate import Engine, Event, Flow, count, entity, review
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.runtimes.intake import Refused

Card = entity("card")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Swipe(Event):
    """A swipe."""

    card: Card
    cents: int


class Often(Flow[Swipe]):
    """Three in an hour are many."""

    swipes = count(per=Card, last="1h")
    often = review(swipes >= 2, because="Often")


def swipe(number: int) -> Swipe:
    return Swipe(id=f"s{number}", at=BEGIN + timedelta(minutes=number), card="c", cents=number)


def touch(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a snapshot after the second of four records."""
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        engine = Engine(Often, store=store)
        engine.decide_many([swipe(1), swipe(2)])
        engine.save()
        engine.decide_many([swipe(3), swipe(4)])
    return path


@pytest.mark.parametrize(
    "change",
    [
        "body = CAST(replace(CAST(body AS TEXT), '\"c\"', '\"d\"') AS BLOB)",
        "at = at - 7200000000",
        "flags = 1",
        "outcome = 'decline'",
    ],
)
def test_what_was_touched_since_the_snapshot_is_not_learned_again(path: Path, change: str) -> None:
    touch(path, f"UPDATE records SET {change} WHERE id = 's3'")
    with Store.open(path) as store, pytest.raises(StoreError, match=r"record of 's3' is not what was sealed.*verify"):
        Engine(Often, store=store)


def test_what_was_put_behind_the_log_is_not_learned_either(path: Path) -> None:
    columns = "kind, at, flags, outcome, level, score, alarm, digest, flow, body, answer, record, elapsed"
    with sqlite3.connect(path) as connection:
        connection.execute(f"INSERT INTO records SELECT 5, 's5', {columns} FROM records WHERE id = 's3'")
    connection.close()
    with pytest.raises(StoreError), Store.open(path) as store:
        Engine(Often, store=store)


def test_a_first_answer_that_was_touched_is_not_told_again(path: Path) -> None:
    change = "UPDATE records SET answer = CAST(replace(CAST(answer AS TEXT), 'approve', 'decline') AS BLOB)"
    touch(path, f"{change} WHERE id = 's1'")  # the snapshot is after it, so the state need not be made of it
    with Store.open(path) as store:
        engine = Engine(Often, store=store)
        told, whole = engine.decide_many([swipe(1), swipe(2)])
        assert isinstance(told, Refused) and told.code == "touched" and "tidegate verify" in told.reason
        assert not isinstance(whole, Refused) and whole.repeated
        assert isinstance(engine.decide(swipe(1)), Refused)

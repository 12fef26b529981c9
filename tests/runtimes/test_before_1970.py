"""Times are counted from 1970, and nothing hangs on which side of it they are: what comes too late, what is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tidegate import Engine, Event, Flow, Store, count, entity, mode
from tidegate.decisions.wording import Wording
from tidegate.runtimes.backtest import replay
from tidegate.runtimes.intake import Answer, Refused

Card = entity("card")
DAY = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WHEN = (datetime(1900, 3, 1, tzinfo=UTC), EPOCH - timedelta(microseconds=1), EPOCH, datetime(2026, 1, 1, tzinfo=UTC))


class Paid(Event):
    card: Card
    country: str


class Usual(Flow[Paid]):
    lateness = "1d"
    n = count(per=Card, last="1h")
    usual = mode(Paid.country, per=Card, last="1h")


def paid(id: str, at: datetime) -> Paid:
    return Paid(id=id, at=at, card="c", country="de")


def told(answer: Answer) -> Any:
    return answer.code if isinstance(answer, Refused) else answer.features["n"]


def coming(start: datetime) -> list[Paid]:
    """One event, one that is as late as may be, one that is later, and one more."""
    behind = (timedelta(0), timedelta(days=1), timedelta(days=1, microseconds=1), -timedelta(minutes=1))
    return [paid(str(place), start - by) for place, by in enumerate(behind)]


RIGHT = [0, 0, "before-retention", 1]


@pytest.mark.parametrize("start", WHEN)
def test_what_comes_too_late_is_refused(start: datetime) -> None:
    events = coming(start)
    assert [told(Engine(Usual, explain=True).decide(event)) for event in events] == [0, 0, 0, 0]  # there is no before
    engine = Engine(Usual, explain=True)
    assert [told(engine.decide(event)) for event in events] == RIGHT
    assert list(map(told, Engine(Usual, explain=True).decide_many(events))) == RIGHT


@pytest.mark.parametrize("start", WHEN)
def test_a_replay_refuses_the_same(start: datetime) -> None:
    rows = [{"id": event.id, "at": event.at, "card": "c", "country": "de"} for event in coming(start)]
    found = replay(Usual, pl.DataFrame(rows))
    assert (found.counts.late, found.frame()["id"].to_list()) == (1, ["0", "1", "3"])


@pytest.mark.parametrize("start", WHEN)
@pytest.mark.parametrize("earlier", [False, True])
def test_a_snapshot_knows_what_is_too_late(start: datetime, earlier: bool, tmp_path: Any) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Usual, explain=True, store=store)
        assert told(engine.decide(paid("0", start))) == 0
        arrays, header = engine.snapshot()
    if earlier:  # what versions wrote that took 0 for no time
        header["clock"] = max(0, header.pop("newest"))
    other = Engine(Usual, explain=True)
    other.restore(arrays, header)
    assert list(map(told, other.decide_many(coming(start)[2:]))) == RIGHT[2:]


def test_a_snapshot_of_nothing_has_no_time() -> None:
    arrays, header = Engine(Usual).snapshot()
    for about in (header, {name: value for name, value in header.items() if name != "newest"} | {"clock": 0}):
        engine = Engine(Usual, explain=True)
        engine.restore(arrays, about)
        assert told(engine.decide(paid("0", WHEN[0]))) == 0


def test_texts_are_forgotten_whenever_that_is() -> None:
    for clock in (-100 * DAY, -DAY, 0, DAY):
        words = Wording(memory=DAY)
        words[1] = "one"
        words.age(clock)
        words.age(clock + DAY + 1)
        assert 1 in words
        words.age(clock + 2 * DAY + 2)
        assert 1 not in words

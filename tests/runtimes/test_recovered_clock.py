"""What is too late is so after a restart too: the time of the newest event is learned again with the events."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tidegate import Engine, Event, Flow, count, entity, review
from tidegate.connectors.store import Store
from tidegate.runtimes.intake import Refused

Card = entity("card")


class Swipe(Event):
    """A swipe."""

    card: Card


class Short(Flow[Swipe]):
    """Takes nothing older than ten seconds."""

    lateness = "10s"
    often = review(count(per=Card, last="1h") > 3, because="Often")


@pytest.mark.parametrize("saved", [False, True])
def test_what_is_too_late_is_so_after_a_restart_too(tmp_path: Path, saved: bool) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)

    def late(by: timedelta, id: str) -> Swipe:
        return Swipe(id=id, at=begin - by, card="c")

    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Short, store=store)
        if saved:
            engine.decide(late(timedelta(hours=1), "0"))
            engine.save()  # a snapshot before the newest event
        engine.decide(late(timedelta(0), "1"))
        told = engine.decide(late(timedelta(seconds=10, microseconds=1), "2"))
        assert isinstance(told, Refused)
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Short, store=store)
        again = engine.decide(late(timedelta(seconds=10, microseconds=1), "3"))
        assert isinstance(again, Refused) and again.reason == told.reason
        assert not isinstance(engine.decide(late(timedelta(seconds=10), "4")), Refused)

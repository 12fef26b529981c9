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


class Chargeback(Event):
    """One comes days after the last swipe, as a rule."""

    card: Card


class Learning(Flow[Swipe]):
    """Learns from what comes later, too."""

    lateness = "10s"
    learns = (Chargeback,)
    often = review(count(per=Card, last="1h") > 3, because="Often")


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("saved", ["not", "before", "after"])
def test_the_event_that_makes_others_late_is_named_after_a_restart_too(
    tmp_path: Path, saved: str, together: bool
) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)

    def at(day: int, id: str) -> Swipe:
        return Swipe(id=id, at=begin + timedelta(days=day), card="c")

    past: list[Event] = [at(0, "a"), Chargeback(id="F1", at=begin + timedelta(days=7), card="c")]
    past += [Chargeback(id="F2", at=begin + timedelta(days=7), card="c")]
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Learning, store=store)
        engine.decide(at(-1, "first"))
        if saved == "before":
            engine.save()
        for events in [past] if together else [[event] for event in past]:
            engine.process(events)
        if saved == "after":
            engine.save()
        told = engine.decide(at(0, "late"))
    assert isinstance(told, Refused) and "That is the Chargeback 'F1' of 2026-01-08T00:00:00Z" in told.reason
    with Store.open(tmp_path / "s.db") as store:
        again = Engine(Learning, store=store).decide(at(0, "later"))
        assert isinstance(again, Refused) and again.reason == told.reason


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

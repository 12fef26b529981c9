"""A restart takes a list's changes in where they came: what was learned before one knew nothing of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tidegate import Engine, Event, Flow, ListChange, count, entity, entity_list, review
from tidegate.connectors.store import Store

Card = entity("card")


class Swipe(Event):
    """A swipe."""

    card: Card


class Listed(Flow[Swipe]):
    """Counts what was on a list when it came."""

    lateness = "1h"
    watched = entity_list("watched", Card)
    hits = count(per=Card, last="1d", where=watched.has(Swipe.card))
    often = review(hits >= 1, because="Came while watched")


def test_a_change_is_obeyed_after_what_came_before_it(tmp_path: Path) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    found = []
    for restart in (False, True):
        with Store.open(tmp_path / f"{restart}.db") as store:
            engine = Engine(Listed, store=store)
            engine.decide(Swipe(id="1", at=begin, card="c"))
            # late: its time is before the swipe's, but the swipe was learned without it
            engine.learn(ListChange(id="2", at=begin - timedelta(minutes=1), list="watched", key="c", listed=True))
            if restart:
                engine = Engine(Listed, store=store)
            found.append(engine.decide(Swipe(id="3", at=begin + timedelta(minutes=1), card="c")).outcome)
    assert found == ["approve", "approve"]

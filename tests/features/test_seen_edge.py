"""`has_seen` ends where its window does, to the microsecond."""

from datetime import UTC, datetime, timedelta

import pytest

from tidegate import Engine, Event, Flow, entity, has_seen, review

Card = entity("card")


class Visit(Event):
    """A visit."""

    card: Card
    shop: str


class Edge(Flow[Visit]):
    """What is as old as the window is long is out of it."""

    seen = has_seen(Visit.shop, per=Card, last="10s")
    delayed = has_seen(Visit.shop, per=Card, last="10s", delay="2s")
    fires = review(seen, because="Seen")
    late = review(delayed, because="Seen before")


@pytest.mark.parametrize(
    ("microseconds", "rules"),
    [(9_999_999, ["fires", "late"]), (10_000_000, ["late"]), (11_999_999, ["late"]), (12_000_000, [])],
)
def test_has_seen_ends_where_its_window_does(microseconds: int, rules: list[str]) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    engine = Engine(Edge)
    engine.decide(Visit(id="1", at=begin, card="c", shop="s"))
    second = engine.decide(Visit(id="2", at=begin + timedelta(microseconds=microseconds), card="c", shop="s"))
    assert [rule.rule for rule in second.rules] == rules

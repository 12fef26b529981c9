"""A flow that is changed goes on from the snapshot of what it was, as far as it knows the same of the past: the same
decisions as one that learned all of it from the store."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tidegate import (
    Engine,
    Event,
    Flow,
    ListChange,
    Snooze,
    Store,
    at_most,
    bands,
    count,
    decline,
    entity,
    entity_list,
    last_value,
    review,
    total,
)

Card = entity("card")
Shop = entity("shop")
START = datetime(2026, 1, 1, tzinfo=UTC)
MANY, MORE = 300, 200


class Payment(Event):
    card: Card
    shop: Shop
    country: str
    amount: int


Made = type[Flow[Any]]


def flow(
    *,
    often: int = 4,
    words: str = "Often",
    more: bool = False,
    score: bool = False,
    last: str = "1h",
    least: int = 10,
    listed: bool = True,
    most: int = 3,
    late: str = "1h",
    of: str = "total",
) -> Made:
    """One flow and its changes."""

    class Watch(Flow[Payment]):
        lateness = late
        payments = count(per=Card, last=last)
        spent = total(Payment.amount, per=Card, last="1d", where=Payment.amount > least)
        before = last_value(Payment.country, per=Card, last="1d")
        frequent = review(payments >= often, because=words)
        if of == "total":
            much = decline(spent > 900, because="Much")
        if listed:
            blocked = entity_list("blocked", Card)
            stop = decline(blocked.has(Payment.card), because="Blocked")
        if more:  # reads a field that nothing read, and what was known for the others alone
            abroad = review((Payment.country != before) & (payments > 1), because="Elsewhere")
            large = review((Payment.amount > 90) & (Payment.shop == "s1"), because="Large")
        if score:
            risk = payments / 10
            level = bands(risk, low=0.0, high=0.5)
        limits = at_most(most, "decline", last="1h")

    return Watch


def events(begin: int, many: int) -> list[Event]:
    """Payments, some of them late, changes of a list, and a snooze."""
    drawn, found = random.Random(begin), list[Event]()
    for n in range(begin, begin + many):
        at = START + timedelta(minutes=3 * n - drawn.choice((0, 0, 0, 20)))
        card = f"c{drawn.randrange(4)}"
        if n % 50 == 20:
            found.append(ListChange(id=f"l{n}", at=at, list="blocked", key=card, listed=n % 100 == 20))
        if n == begin + 30:
            until = at + timedelta(hours=9)
            found.append(
                Snooze(id=f"z{n}", at=at, rule="frequent", entity="card", key=card, until=until, because="Known")
            )
        country = drawn.choice(("DE", "FR", "PL"))
        amount = drawn.randrange(100)
        found.append(
            Payment(id=f"p{n}", at=at, card=card, shop=f"s{drawn.randrange(3)}", country=country, amount=amount)
        )
    return found


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that the flow as it was has filled, with a snapshot at its end."""
    folder = tmp_path_factory.mktemp("past")
    with Store.open(folder / "s.db") as store:
        engine = Engine(flow(), store=store)
        assert {answer.outcome for answer in engine.decide_many(events(0, MANY)) if hasattr(answer, "outcome")} == {
            "approve",
            "review",
            "decline",
        }
        engine.save()
    return folder


def told(folder: Path, made: Made, later: list[Event]) -> tuple[int, list[Any]]:
    """How many events were learned again, and the answers to later ones."""
    with Store.open(folder / "s.db") as store:
        engine = Engine(made, store=store)
        return engine.recovered, [(a.id, getattr(a, "outcome", ""), a) for a in engine.decide_many(later)]


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"often": 6}, True),
        ({"words": "Too often"}, True),
        ({"more": True}, True),
        ({"score": True}, True),
        ({"of": ""}, True),
        ({"often": 2, "more": True, "score": True, "words": "All at once"}, True),
        ({"last": "2h"}, False),
        ({"least": 20}, False),
        ({"listed": False}, False),
        ({"most": 2}, False),
        ({"late": "2h"}, False),
    ],
)
def test_it_knows_what_it_would_learn(past: Path, tmp_path: Path, change: dict[str, Any], known: bool) -> None:
    made = flow(**change)
    later = [event for event in events(MANY, MORE) if change.get("listed", True) or not isinstance(event, ListChange)]
    for name in ("from the snapshot", "from the store"):
        shutil.copytree(past, tmp_path / name)
    shutil.rmtree(tmp_path / "from the store" / "s.db.snapshots")
    again, answers = told(tmp_path / "from the snapshot", made, later)
    every, expected = told(tmp_path / "from the store", made, later)
    assert every > MANY
    assert (again == 0) is known, again
    assert [one[:2] for one in answers] == [one[:2] for one in expected]
    assert answers == expected
    assert len({outcome for _, outcome, _ in answers}) > 2

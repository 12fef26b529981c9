"""Events brought into rows a field at a time are those brought in one by one."""

import random
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
import pytest
from msgspec import structs

from tidegate import Engine, Event, Flow, Money, entity, last_value, lower, mode, review
from tidegate.errors import ContractError
from tidegate.events.contract import check, check_all
from tidegate.features.plan import MISSING

Shop = entity("shop")
Till = entity("till", int)


class Channel(StrEnum):
    WEB = "web"
    SHOP = "shop"


class Sale(Event):
    """Every type of field, each of them with and without a value."""

    shop: Shop
    till: Till | None = None
    amount: Money
    tip: Money | None = None
    rate: float
    share: float | None = None
    channel: Channel
    note: str | None = None
    online: bool
    opened: datetime | None = None


class Sales(Flow[Sale]):
    """Reads all of them."""

    currency = "EUR"
    usual = mode(Sale.note, per=Shop, last="1h")
    previous = last_value(Sale.note, per=Till, last="1h")
    odd = review((Sale.tip > Sale.amount) | (lower(Sale.note) == "odd"), because="Odd")
    dear = review((Sale.rate + Sale.share > 1) & Sale.online & (Sale.channel == Channel.WEB), because="Dear")
    old = review(Sale.at - Sale.opened > timedelta(hours=1), because="Old")


def sales(many: int, seed: int = 1) -> list[Sale]:
    chance = random.Random(seed)
    at = datetime(1969, 12, 31, 23, tzinfo=UTC)
    return [
        Sale(
            id=f"é{number}" if number % 7 else f"{number}",
            at=at + timedelta(seconds=10 * number, microseconds=chance.randrange(10**6)),
            shop=chance.choice("abc"),
            till=chance.choice((None, 1, -(2**63) + 1, 2**63 - 1)),
            amount=Money(chance.randrange(10**6), chance.choice(("EUR", "EUR", "USD"))),
            tip=chance.choice((None, Money(chance.randrange(10**6), "EUR"))),
            rate=chance.choice((0.0, -0.0, chance.random(), 1e300)),
            share=chance.choice((None, chance.random())),
            channel=chance.choice(list(Channel)),
            note=chance.choice((None, "", "Odd", "odd", "näher", str(chance.random()))),
            online=chance.random() < 0.5,
            opened=chance.choice((None, at - timedelta(days=chance.randrange(9999)))),
        )
        for number in range(many)
    ]


def test_a_field_at_a_time_gives_the_same_rows_and_words() -> None:
    events, singly, at_once = check_all(sales(500)), Engine(Sales), Engine(Sales)
    for engine in (singly, at_once):
        engine.decider.cells[:] = MISSING
    for row, event in enumerate(events):
        singly.rows.encoder.put(row, 0, event)
    singly.rows.encoder.scatter(singly.decider.cells, np.zeros(500, np.int64), 500)
    at_once.rows.encoder.put_all(0, events, at_once.decider.cells)
    assert np.array_equal(singly.decider.cells, at_once.decider.cells)
    assert vars(singly.decider.words) == vars(at_once.decider.words)
    assert singly.decider.words == at_once.decider.words
    assert "näher" in at_once.decider.words.values()


def test_the_same_decisions_in_batches_and_one_by_one() -> None:
    singly, at_once = Engine(Sales), Engine(Sales)
    assert [singly.decide(event) for event in sales(500)] == at_once.decide_many(sales(500))
    assert singly.clock == at_once.clock


def test_events_are_checked_together_as_they_are_alone() -> None:
    events = sales(100)
    assert check_all(events) == [check(event) for event in events]
    assert all(str(event.rate) != "-0.0" for event in check_all(events))
    for field, value in (("till", "x"), ("rate", float("nan")), ("note", "\ud800"), ("amount", Money(-1, "EUR"))):
        spoilt = sales(100)
        spoilt[70] = structs.replace(spoilt[70], shop=5)
        spoilt[40] = structs.replace(spoilt[40], **{field: value})
        with pytest.raises(ContractError) as alone:
            [check(event) for event in spoilt]
        with pytest.raises(ContractError) as together:
            check_all(spoilt)
        assert str(together.value) == str(alone.value)
        assert together.value.pointer == alone.value.pointer
        assert field in alone.value.pointer

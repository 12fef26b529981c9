"""Every mistake of a flow's author raises when the class is made, and says what to write."""

import types
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import pytest

from tidegate.connectors.models import model
from tidegate.decisions.flow import Flow
from tidegate.decisions.rule import approve, at_most, bands, deadline, decline, review
from tidegate.errors import FlowError
from tidegate.events.entity import entity
from tidegate.events.event import Event
from tidegate.events.field import Field, Label
from tidegate.events.money import Money, eur, usd
from tidegate.expressions.node import Expr
from tidegate.features.aggregates import (
    count,
    first,
    has_seen,
    last_value,
    mean,
    nth_previous,
    share,
    since_last,
    total,
)
from tidegate.features.entity_list import entity_list

Card = entity("card")
Shop = entity("shop")


class Channel(Enum):
    APP = "app"
    WEB = "web"


class Payment(Event):
    card: Card
    shop: Shop
    amount: Annotated[Money, Field(currency="EUR")]
    country: str
    channel: Channel
    tries: int
    rate: float | None
    fraud: Annotated[bool, Label(known_after="7d")]


class Transfer(Event):
    payer: Card
    payee: Card
    amount: Money


class Login(Event):
    card: Card
    ok: bool
    at_home: bool
    device: str
    risk: float


def made(event: type[Event] = Payment, **lines: Any) -> type[Flow[Any]]:
    return types.new_class("Made", (Flow[event],), {}, lambda space: space.update(lines))  # type: ignore[valid-type]


HALF: Any = 1.5  # what the types of arguments would not let through
NOTHING: Any = None


@pytest.mark.parametrize(
    ("write", "said"),
    [
        # the past, and who it is about
        (lambda: share(Payment.fraud, per=Card, last="30d"), "would leak the future. Seen: a window without delay="),
        (lambda: nth_previous(Payment.tries, HALF, per=Card, last="1d"), "in whole numbers. Seen: 1.5"),
        (lambda: share(Payment.fraud, per=Card, last="30d", delay="6d"), "Write delay='7d' or longer"),
        (lambda: count(per=Card, last="30d", where=Payment.fraud), "known only 7d after the event"),
        (lambda: made(seen=Payment.fraud), "Payment.fraud is not known when the event is decided"),
        (
            lambda: made(seen=has_seen(Payment.fraud, per=Card, last="30d", delay="7d")),
            "Payment.fraud is not known when the event is decided",
        ),
        (lambda: made(seen=has_seen(Login.device, per=Card, last="1d")), "current=Payment."),
        (
            lambda: made(seen=has_seen(Login.device, per=Card, last="1d", current=Payment.tries)),
            "'==' does not take these types",
        ),
        (
            lambda: made(seen=has_seen(Login.risk, per=Card, last="1d", current=Payment.tries)),
            "has_seen looks for a value of the same type. Seen: int among float",
        ),
        (lambda: made(seen=Login.ok), "Login.ok is not a field of Payment, the event decided on"),
        (lambda: count(per=Card, last="500ms"), "A window lasts from 1 second to 400 days"),
        (lambda: count(per=Card, last="401d"), "A window lasts from 1 second to 400 days"),
        (lambda: count(per=Card, last="1d", delay="500d"), "delayed by 400 days at most"),
        (lambda: count(per=Card, last="ten minutes"), "Write '10m' or '7d'"),
        (lambda: count(per=Card, last="1h", delay="1h", with_current=True), "Leave out delay= or with_current="),
        (lambda: count(per="card", last="1h"), "per= takes an entity"),
        (lambda: count(per=Payment.country, last="1h"), "per= takes an entity"),
        (lambda: count(per=(Card, Shop, Card), last="1h"), "per= takes one entity or a pair. Seen: 3 of them"),
        (lambda: count(Payment.tries > 1, per=Card, last="1h"), "Put conditions into where="),  # type: ignore[arg-type]
        (lambda: count(per=Card, last="1h", where=True), "where= is an expression"),  # type: ignore[arg-type]
        (lambda: count(per=Card, last="1h", where=Payment.tries), "where= takes a condition"),
        (lambda: share(Payment.tries, per=Card, last="1h"), "share takes a condition"),
        (lambda: mean(Payment.country, per=Card, last="1h"), "mean takes numbers, money or durations"),
        (lambda: total(Payment.channel, per=Card, last="1h"), "total takes numbers, money or durations"),
        (lambda: nth_previous(Payment.tries, 0, per=Card, last="1h"), "nth_previous counts from 1 to 1000"),
        (lambda: mean(count(per=Card, last="1h"), per=Card, last="1d"), "not other windows"),
        (
            lambda: total(Payment.tries, per=Card, last="1h", where=Login.ok),
            "over the events of one type. Seen: Login and",
        ),
        # money
        (lambda: Payment.amount > usd(5), "Two currencies in one expression. Seen: EUR and USD"),
        (lambda: made(Transfer, big=Transfer.amount), "whose currency is open"),
        (lambda: made(Transfer, currency="EURO", big=Transfer.amount), "ISO 4217 code. Seen: 'EURO'"),
        (
            lambda: made(Transfer, currency="EUR", big=Transfer.amount > usd(5)),
            "Made.big has two currencies in one expression. Seen: EUR and USD",
        ),
        (
            lambda: made(Transfer, small=Transfer.amount < eur(5), big=Transfer.amount > usd(5)),
            "whose currency is open. Seen: EUR, USD",
        ),
        (lambda: Payment.amount + count(per=Card, last="1h"), "Money adds to money of the same currency"),
        # rules
        (lambda: review(Payment.tries > 1), "because"),  # type: ignore[call-arg]
        (lambda: review(Payment.tries > 1, because=" "), "A rule says why, in words"),
        (lambda: decline(Payment.tries, because="x"), "decline takes a condition. Seen: Payment.tries (int)"),
        (lambda: approve(True, because="x"), "approve takes a condition. Seen: True"),  # type: ignore[arg-type]
        (lambda: review(Payment.tries > 1 and Payment.rate > 2, because="x"), "Write & for and"),  # type: ignore[operator]
        (lambda: bands(Payment.country, low=1), "Bands are over a plain number"),
        (lambda: bands(Payment.tries, high=0.9, low=0.5), "Bands have ascending thresholds"),
        (lambda: bands(Payment.tries), "Bands have ascending thresholds"),
        (lambda: at_most(0, "decline", last="1h"), "A limit counts from 1 to a million"),
        (lambda: at_most(5, "refuse", last="1h"), "An outcome is approve, review or decline. Seen: 'refuse'"),
        (lambda: at_most(5, "review", last="1h", then="decline"), "Beyond a limit the outcome is a milder one"),
        (lambda: deadline("50ms", answer="maybe"), "An outcome is approve, review or decline"),
        # lines of a flow
        (lambda: made(scroe=5), "Did you mean score?"),
        (lambda: made(threshold=5), "Made.threshold is nothing that a flow knows"),
        (lambda: made(score=Payment.country == "de"), "score is a plain number"),
        (lambda: made(alarm=Payment.tries), "alarm is a condition"),
        (lambda: made(level=Payment.tries), "level is made by bands"),
        (lambda: made(limits=5), "limits are made by at_most(…) and deadline(…)"),
        (lambda: made(rule=lambda event: event.tries > 1), "Made.rule is code; a flow is data"),
        (lambda: made(rule=property(lambda self: 1)), "Made.rule is code; a flow is data"),
        (lambda: type("Lost", (Flow,), {}), "A flow says which event it decides on"),
        (lambda: types.new_class("Odd", (Flow[int],), {}), "A flow decides on an Event"),  # type: ignore[type-var]
        # lists and models
        (lambda: entity_list("blocked", str), 'Write entity_list("blocked-cards", Card)'),
        (lambda: entity_list("blocked", Card).has(Payment.shop), "The list 'blocked' is of card keys"),
        (lambda: model("risk@live", of=[], otherwise=0.5), "A model is given a list of features"),
        (lambda: model("risk@live", of=[5], otherwise=0.5), "A model is given a list of features"),  # type: ignore[list-item]
        (lambda: model("risk@live", of=[Payment.tries], otherwise=""), "otherwise= is a number, or a text"),
        (lambda: model("risk@live", of=[Payment.tries], otherwise=NOTHING), "otherwise= is a number, or a text"),
        (
            lambda: Payment.channel == "fax",
            "This is not one of the values there are. Seen: 'fax'. It is one of app, web",
        ),
        (lambda: Payment.at > datetime(2024, 1, 1), "Write datetime(…, tzinfo=UTC)"),  # noqa: DTZ001
    ],
)
def test_the_author_is_told(write: Callable[[], object], said: str) -> None:
    with pytest.raises((FlowError, TypeError)) as told:
        write()
    assert said in str(told.value)


@pytest.mark.parametrize("name", ["definition", "plan"])
def test_what_every_flow_has_is_no_line(name: str) -> None:
    with pytest.raises(FlowError, match=f"F.{name} is what every flow has"):
        types.new_class("F", (Flow[Payment],), {}, lambda lines: lines.update({name: count(per=Card, last="1h")}))


def test_an_unknown_field_is_told_with_the_nearest_name() -> None:
    with pytest.raises(FlowError, match=r"Payment has no field 'amuont'.*Did you mean amount\?"):
        Payment.amuont  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError, match="It has id, at, card"):
        Payment.xyzzy  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(Payment, "xyzzy")


@pytest.mark.parametrize(
    ("event", "window"),
    [
        (Transfer, lambda: count(per=Card, last="1h")),
        (Transfer, lambda: mean(Transfer.amount, per=Card, last="1h")),
        (Payment, lambda: count(Transfer, per=Card, last="1h")),
        (Login, lambda: count(per=Shop, last="1h")),
        (Login, lambda: since_last(Payment, per=(Card, Shop), last="1h")),
    ],
)
def test_a_key_that_is_not_there_once_is_refused_before_anything_is_decided(
    event: type[Event], window: Callable[[], Expr]
) -> None:
    from tidegate.decisions.planner import plan

    with pytest.raises(FlowError, match=r"has (no|more than one) (card|shop)"):
        plan(made(event, currency="EUR", w=window()).definition)


@pytest.mark.parametrize(
    "window",
    [
        lambda: count(per=Transfer.payer, last="1h"),
        lambda: count(per=Transfer.payer, seen_as=Transfer.payee, last="1h"),
        lambda: count(per=(Transfer.payer, Transfer.payee), last="1h"),
        lambda: count(Login, per=Transfer.payer, last="1h"),
        lambda: last_value(Login.device, per=Transfer.payee, last="1h"),
    ],
)
def test_a_role_says_which_key_is_meant(window: Callable[[], Expr]) -> None:
    from tidegate.decisions.planner import plan

    assert plan(made(Transfer, currency="EUR", w=window()).definition).streams


def test_a_label_may_be_learned_from_once_it_is_known() -> None:
    assert share(Payment.fraud, per=Card, last="30d", delay="7d").type.is_float
    assert first(Payment.fraud, per=Card, last="30d", delay="8d").type.kind.value == "bool"

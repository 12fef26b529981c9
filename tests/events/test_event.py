"""Events: what a contract takes and refuses, and how its fields read on the class and on an event."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated

import msgspec
import pytest

from tidegate.errors import FlowError
from tidegate.events.durations import microseconds, written
from tidegate.events.entity import entity
from tidegate.events.event import Event
from tidegate.events.field import Field, Label, Personal
from tidegate.events.money import Money, eur
from tidegate.events.types import Kind
from tidegate.expressions.node import FieldRead

AT = datetime(2024, 5, 1, 12, tzinfo=UTC)

Card = entity("card")
Shop = entity("shop", key=int)


class Channel(Enum):
    APP = "app"
    WEB = "web"


class Payment(Event, version=3):
    card: Annotated[Card, Field(personal=Personal.IDENTIFIER)]
    shop: Shop | None
    amount: Annotated[Money, Field(currency="EUR", le=10_000)]
    rate: Annotated[float | None, Field(ge=0, le=1)]
    tries: Annotated[int, Field(ge=0, le=9, description="How often the PIN was tried")]
    abroad: bool
    country: Annotated[str, Field(max_length=2)]
    channel: Channel
    since: datetime | None
    fraud: Annotated[bool, Label(known_after="7d")]


class CardPayment(Payment):
    contactless: bool = False


GOOD = {
    "id": "p1", "at": "2024-05-01T12:00:00Z", "card": "c1", "shop": 7, "amount": {"units": 499, "currency": "EUR"},
    "rate": 0.5, "tries": 1, "abroad": False, "country": "DE", "channel": "web", "since": "2024-04-30T23:00:00+02:00",
}  # fmt: skip


def read(**changes: object) -> Payment:
    return msgspec.convert({**GOOD, **changes}, Payment)


def test_each_field_has_the_type_that_was_written() -> None:
    contract = Payment.__contract__
    assert list(contract) == ["id", "at", *list(GOOD)[2:], "fraud"]
    assert {name: field.type.kind for name, field in contract.items()} == {
        "id": Kind.TEXT, "at": Kind.TIME, "card": Kind.KEY, "shop": Kind.KEY, "amount": Kind.MONEY, "rate": Kind.FLOAT,
        "tries": Kind.INT, "abroad": Kind.BOOL, "country": Kind.TEXT, "channel": Kind.TEXT, "since": Kind.TIME,
        "fraud": Kind.BOOL,
    }  # fmt: skip
    assert [name for name, field in contract.items() if field.optional] == ["shop", "rate", "since", "fraud"]
    assert contract["amount"].type.currency == "EUR"
    assert contract["amount"].type.bound == 10_000
    assert contract["tries"].type.bound == 9
    assert contract["shop"].type.whole and not contract["card"].type.whole
    assert contract["channel"].type.choices == ("app", "web")
    assert contract["fraud"].known_after == microseconds("7d")
    assert contract["card"].about.personal is Personal.IDENTIFIER
    assert Payment.__version__ == 3


def test_a_field_is_an_expression_on_the_class_and_a_value_on_an_event() -> None:
    event = read()
    assert isinstance(Payment.amount, FieldRead)
    assert Payment.amount.type.kind is Kind.MONEY
    assert event.amount == eur("4.99")
    assert event.channel is Channel.WEB
    assert event.since == AT - timedelta(hours=15)
    assert event.fraud is None
    assert str(Payment.country) == "Payment.country"


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        read().country = "FR"


def test_what_may_be_missing_may_be_left_out() -> None:
    sent = {name: value for name, value in GOOD.items() if name not in ("shop", "rate", "since")}
    event = msgspec.convert(sent, Payment)
    assert (event.shop, event.rate, event.since, event.fraud) == (None, None, None, None)
    assert read(rate=None).rate is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", 5),
        ("at", "2024-05-01T12:00:00"),
        ("at", "yesterday"),
        ("card", ""),
        ("card", None),
        ("card", 7),
        ("shop", "7"),
        ("shop", 2**63),
        ("shop", -(2**63)),
        ("rate", 1.5),
        ("rate", "0.5"),
        ("tries", -1),
        ("tries", 10),
        ("tries", 1.5),
        ("tries", True),
        ("abroad", 1),
        ("country", "DEU"),
        ("channel", "fax"),
        ("amount", 4.99),
        ("amount", {"units": 4.5, "currency": "EUR"}),
        ("colour", "red"),
    ],
)
def test_what_breaks_the_contract_is_refused(field: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(**{field: value})


@pytest.mark.parametrize("field", ["id", "at", "card", "amount", "tries", "channel"])
def test_what_may_not_be_missing_may_not(field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert({name: value for name, value in GOOD.items() if name != field}, Payment)


def test_a_child_has_its_parents_fields_and_its_own() -> None:
    assert list(CardPayment.__contract__) == [*Payment.__contract__, "contactless"]
    assert str(CardPayment.amount) == "CardPayment.amount"
    assert str(CardPayment.contactless) == "CardPayment.contactless"
    event = msgspec.convert({**GOOD, "contactless": True}, CardPayment)
    assert isinstance(event, Payment)
    assert (event.contactless, event.amount) == (True, eur("4.99"))
    assert msgspec.convert(GOOD, CardPayment).contactless is False


class Shade(Enum):
    LIGHT = 1


@pytest.mark.parametrize(
    "hint", [bytes, list[int], dict, timedelta, object, int | str, int | str | None, complex, Shade]
)
def test_a_type_that_events_do_not_have_is_refused(hint: object) -> None:
    with pytest.raises(FlowError) as told:
        type(Event)("Odd", (Event,), {"__annotations__": {"what": hint}, "__module__": __name__})  # type: ignore[misc]
    assert "Odd.what" in str(told.value)
    assert "Use str, int, float, bool" in str(told.value)


@pytest.mark.parametrize(("name", "key"), [("card", float), ("a card", str), ("", str)])
def test_an_entity_has_a_name_and_text_or_whole_keys(name: str, key: type) -> None:
    with pytest.raises(FlowError):
        entity(name, key=key)


@pytest.mark.parametrize(
    ("text", "us"), [("90s", 90_000_000), ("10m", 600_000_000), ("500ms", 500_000), ("7d", 604_800_000_000), ("2us", 2)]
)
def test_lengths_of_time(text: str, us: int) -> None:
    assert microseconds(text) == us
    assert microseconds(written(us)) == us
    assert microseconds(timedelta(microseconds=us)) == us


@pytest.mark.parametrize("wrong", ["10", "m", "1.5h", "-1h", "1 hour", "", True, 1.5, None, 0, 3600])
def test_what_is_no_length_of_time_is_refused(wrong: object) -> None:
    with pytest.raises(FlowError, match="length of time"):
        microseconds(wrong)  # type: ignore[arg-type]

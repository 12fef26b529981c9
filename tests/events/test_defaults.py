"""Defaults of fields keep the contract, and what `Field` says goes with the type: told when the class is made."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Annotated, Any

import pytest

from tidegate.errors import ContractError, FlowError
from tidegate.events import contract
from tidegate.events.entity import entity
from tidegate.events.event import Event
from tidegate.events.field import Field, Label, Personal
from tidegate.events.money import Money, eur, usd

UNTYPED: Any = Field  # as an author without a type checker calls them
LABEL: Any = Label
Card, Shop = entity("card"), entity("shop", key=int)


class Channel(Enum):
    APP = "app"
    WEB = "web"


def made(hint: Any, *default: object) -> Any:
    """An event type with one field of its own, of a type and perhaps a default."""
    space = {"__annotations__": {"x": hint}, "__module__": __name__} | ({"x": default[0]} if default else {})
    return type(Event)("Payment", (Event,), space)


@pytest.mark.parametrize(
    ("hint", "default", "told"),
    [
        (int | None, "x", "is text, not a whole number. Seen: x = 'x'"),
        (int, None, "is None, and the field is not optional"),
        (int, 1.5, "is a number, not a whole number"),
        (int, True, "is true or false, not a whole number"),
        (Annotated[int, Field(ge=0)], -5, "is below what the contract allows"),
        (Annotated[int | None, Field(le=9)], 10, "is above what the contract allows"),
        (float, float("nan"), "is not a finite number"),
        (str, 5, "is a whole number, not text"),
        (Annotated[str, Field(max_length=2)], "DEU", "is longer than 2 characters"),
        (str, "\ud800", "surrogate"),
        (bool, "no", "is text, not true or false"),
        (Channel, "appp", "Did you mean 'app'?"),
        (Money, 5, "is a whole number, not money"),
        (Money, "5", "is not an amount and a currency"),
        (Money, eur(-1), "is negative"),
        (Annotated[Money, Field(currency="EUR")], usd(3), "is not in EUR"),
        (Annotated[Money, Field(le=100)], eur(3), "is outside 0 to 100"),
        (datetime, "2020", "is not a time"),
        (datetime, datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None), "has no time zone"),
        (Card, "", "is empty"),
        (Shop, "x", "is text, not a whole number"),
        (Annotated[int, Field(personal=Personal.FINANCIAL)], "x", "Seen: x = 'x'"),
    ],
)
def test_a_default_keeps_the_contract(hint: Any, default: object, told: str) -> None:
    with pytest.raises(FlowError, match=r"^The default of Payment\.x ") as caught:
        made(hint, default)
    assert told in str(caught.value)


def test_what_belongs_into_the_type_is_no_default() -> None:
    with pytest.raises(FlowError, match=r"Put it into the type: x: Annotated\[…, Field\(…\)\]"):
        made(int, Field(ge=0))


@pytest.mark.parametrize(
    ("hint", "default", "is_there", "as_json"),
    [
        (int, 3, 3, b"3"),
        (float, 3, 3.0, b"3.0"),
        (float | None, 2**60, float(2**60), b"1.152921504606847e18"),
        (float, -0.0, 0.0, b"0.0"),
        (Channel, "app", Channel.APP, b'"app"'),
        (Channel, Channel.WEB, Channel.WEB, b'"web"'),
        (Money, "3.00 EUR", eur(3), b'{"units":300,"currency":"EUR"}'),
        (Money | None, None, None, None),
        (datetime, datetime(2020, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2020, 1, 1, tzinfo=UTC),
         b'"2020-01-01T00:00:00Z"'),
        (Card, "c1", "c1", b'"c1"'),
    ],
)  # fmt: skip
def test_a_default_is_what_an_event_has(hint: Any, default: object, is_there: object, as_json: bytes | None) -> None:
    event: Any = contract.reader(made(hint, default)).read(b'{"id":"p1","at":"2026-01-01T00:00:00Z"}')
    assert event.x == is_there
    ends = b"}" if as_json is None else b',"x":' + as_json + b"}"
    assert contract.body(event).endswith(b'"2026-01-01T00:00:00Z"' + ends)


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda: Field(currency="euro"), "three letters, capitals. Seen: 'euro'. Did you mean 'EUR'?"),
        (lambda: Field(currency="eur"), "Did you mean 'EUR'?"),
        (lambda: UNTYPED(currency=978), "Write currency='EUR'"),
        (lambda: UNTYPED(personal="identifer"), "Write personal=Personal.IDENTIFIER."),
        (lambda: UNTYPED(personal=True), "Write one of Personal.NONE"),
        (lambda: UNTYPED(ge="a"), "ge= is a number"),
        (lambda: Field(le=float("nan")), "le= is a number"),
        (lambda: Field(ge=10, le=1), "Write ge=1, le=10"),
        (lambda: Field(max_length=-1), "max_length= is how many"),
        (lambda: UNTYPED(description=5), "description= is text"),
        (lambda: LABEL(known_after=10), "Write what is meant: '10ms', '10s'"),
        (lambda: made(Annotated[str, Field(ge=1)]), "ge= is of numbers and money, and Payment.x is text"),
        (lambda: made(Annotated[int, Field(max_length=9)]), "max_length= is of texts, and Payment.x is int"),
        (lambda: made(Annotated[Channel, Field(max_length=9)]), "max_length= is of texts, and Payment.x is one of app"),
        (lambda: made(Annotated[int, Field(currency="EUR")]), "currency= is of money, and Payment.x is int"),
        (lambda: made(Annotated[Money, Field(le=1000.5)]), "bounds of Payment.x are whole numbers"),
        (lambda: made(Annotated[int, Field(le=2**53 + 1)]), "bounds of Payment.x are whole numbers within 2**53"),
        (lambda: made(Annotated[Money, Field(le=-5)]), "money is from 0 to"),
        (lambda: type(Event)("Payment", (Event,), {"__module__": __name__}, version="2"), "Write version=2"),
    ],
)
def test_what_has_no_meaning_is_refused(write: Callable[[], object], told: str) -> None:
    with pytest.raises(FlowError) as caught:
        write()
    assert told in str(caught.value)


def test_a_label_may_be_known_after_a_timedelta() -> None:
    known = made(Annotated[bool, Label(known_after=timedelta(days=1))]).__contract__["x"]
    assert known.known_after == 86_400 * 10**6


def test_what_lies_beyond_the_bounds_of_a_contract_that_sets_none_is_told_with_them() -> None:
    whole = contract.reader(made(int))
    with pytest.raises(ContractError, match=r"within 2\^53 \(9,007,199,254,740,992\), which floats and JSON hold"):
        whole.read(b'{"id":"p1","at":"2026-01-01T00:00:00Z","x":9007199254740993}')
    with pytest.raises(ContractError, match=r"is negative\. Seen: -25\. It takes 0 to 1000000000000 minor units"):
        contract.reader(made(Money)).read(b'{"id":"p1","at":"2026-01-01T00:00:00Z","x":{"units":-25,"currency":"EUR"}}')

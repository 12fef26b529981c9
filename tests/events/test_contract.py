"""Reading, checking and writing events: what each mistake gets, and that one event has one body."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.shipments import Shipment, Way, shipments, times
from tidegate.errors import ContractError, FlowError
from tidegate.events.contract import Reader, bodies, body, check, digest, upgrades
from tidegate.events.event import Event
from tidegate.events.field import Field, Personal
from tidegate.events.json_schema import json_schema
from tidegate.events.money import Money

READER = Reader(Shipment)
GOOD: dict[str, Any] = {
    "id": "s1", "at": "2026-03-01T10:00:00Z", "sender": "ann", "dock": 7,
    "worth": {"units": 1234, "currency": "EUR"}, "way": "air", "weight": 1.5, "boxes": 3, "fragile": True,
}  # fmt: skip


class Knock(Event):
    """Nothing of it may lack."""

    door: str


def _refused(document: bytes, reader: Reader[Any] = READER) -> ContractError:
    with pytest.raises(ContractError) as raised:
        reader.read(document)
    return raised.value


@pytest.mark.parametrize(
    ("field", "value", "pointer", "words"),
    [
        ("id", "", "/id", "is empty"),
        ("id", 5, "/id", "a whole number, not text"),
        ("id", "x" * 257, "/id", "longer than 256"),
        ("at", "2026-03-01T10:00:00", "/at", "no time zone"),
        ("at", "soon", "/at", "not a time"),
        ("at", 1_700_000_000, "/at", "not a time"),
        ("at", "0001-01-01T00:00:00+02:00", "/at", "years 1 and 9999"),
        ("dock", 2**63, "/dock", "is"),
        ("worth", {"units": -1, "currency": "EUR"}, "/worth/units", "negative"),
        ("worth", {"units": 10**10 + 1, "currency": "EUR"}, "/worth/units", "outside"),
        ("worth", {"units": 10**40, "currency": "EUR"}, "/worth/units", "outside"),
        ("worth", {"units": 1.5, "currency": "EUR"}, "/worth/units", "not a whole number"),
        ("worth", {"units": 1, "currency": "EUX"}, "/worth/currency", "ISO 4217"),
        ("worth", {"units": 1}, "/worth/currency", "missing"),
        ("worth", {"currency": "EUR"}, "/worth/units", "missing"),
        ("worth", "12.345 EUR", "/worth", "2 decimals"),
        ("worth", "1e99999999 EUR", "/worth", "amount and a currency"),
        ("worth", "12.34", "/worth", "amount and a currency: it has no currency"),
        ("worth", "25,00 EUR", "/worth", "amount and a currency: it has a comma"),
        ("worth", "1.200,00 EUR", "/worth", "amount and a currency: it has a comma"),
        ("worth", "EUR 3.00", "/worth", "the currency comes after the amount"),
        ("worth", "99999999999999999999 EUR", "/worth", "more than 18 digits"),
        ("worth", 12.34, "/worth", "money"),
        ("fee", "1.00 USD", "/fee/currency", "not in EUR"),
        ("way", "rail", "/way", "none of the values"),
        ("weight", -1.0, "/weight", "below"),
        ("weight", "1", "/weight", "text, not a number"),
        ("boxes", 0, "/boxes", "below"),
        ("boxes", 1001, "/boxes", "above"),
        ("boxes", 1.5, "/boxes", "not a whole number"),
        ("boxes", True, "/boxes", "not a whole number"),
        ("fragile", 1, "/fragile", "not true or false"),
        ("note", "x" * 41, "/note", "longer than 40"),
        ("sender", None, "/sender", "not text"),
    ],
)
def test_a_wrong_value_is_pointed_at(field: str, value: object, pointer: str, words: str) -> None:
    error = _refused(json.dumps(GOOD | {field: value}).encode())
    assert error.pointer == pointer
    assert words in error.wrong
    assert error.do


@pytest.mark.parametrize("field", list(GOOD))
def test_a_missing_field(field: str) -> None:
    error = _refused(json.dumps({name: value for name, value in GOOD.items() if name != field}).encode())
    assert (error.pointer, "missing" in error.wrong) == ("/" + field, True)


def test_what_was_seen_is_told_in_the_words_of_json() -> None:
    for field, value, seen in (("boxes", True, "true"), ("boxes", False, "false"), ("way", None, "null")):
        assert _refused(json.dumps(GOOD | {field: value}).encode()).seen == seen


def test_an_extra_field_and_its_nearest_name() -> None:
    error = _refused(json.dumps(GOOD | {"wieght": 1}).encode())
    assert (error.pointer, error.do) == ("/wieght", "Did you mean 'weight'?")
    assert _refused(json.dumps(GOOD | {"a/b~c` - at `$.id": 1}).encode()).pointer.startswith("/a~1b~0c")


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b"null", ""),
        (b"[" * 100_000, ""),
        (b'{"sender": ' + b"[" * 100_000, "/sender"),
        (json.dumps(GOOD).encode() + b" x", ""),
        (json.dumps(GOOD | {"weight": math.nan}).encode(), "/weight"),
        (json.dumps(GOOD | {"weight": math.inf}).encode(), "/weight"),
        (json.dumps(GOOD).encode().replace(b"1.5", b"1e999"), "/weight"),
        (json.dumps(GOOD).encode().replace(b"ann", b"a\xffn"), "/sender"),
        (json.dumps(GOOD).encode().replace(b"ann", rb"\ud800"), "/sender"),
        (json.dumps(GOOD).encode().replace(b"ann", rb"\udc00"), "/sender"),
    ],
)
def test_what_is_not_an_event_at_all(document: bytes, pointer: str) -> None:
    assert _refused(document).pointer == pointer


@given(st.binary(max_size=200) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(repr).map(str.encode))
def test_no_document_raises_anything_else(document: bytes) -> None:
    _refused(document)


@given(st.sampled_from([*GOOD, "fee", "note"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["units", "currency", "x"]), inner),
    max_leaves=5,
))  # fmt: skip
def test_the_schema_takes_what_the_reader_takes(field: str, value: object) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    document = GOOD | {field: value}
    valid = jsonschema.Draft202012Validator(json_schema(Shipment)).is_valid(document)
    try:
        READER.read(msgspec.json.encode(document))
    except ContractError:
        # A whole number written as 1.0 is an integer to JSON Schema; the reader wants it written as one.
        assert (
            not valid or isinstance(value, float) or (isinstance(value, dict) and isinstance(value.get("units"), float))
        )
    else:
        assert valid or (isinstance(value, dict) and "x" in value)


@given(shipments)
def test_the_schema_takes_every_event(event: Shipment) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json_schema(Shipment)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(body(check(event))))


@given(shipments)
def test_what_is_written_is_read_again(event: Shipment) -> None:
    event = check(event)
    assert READER.read(body(event)) == event
    assert body(READER.read(body(event))) == body(event)


@given(st.lists(st.one_of(shipments, st.builds(Knock, id=st.just("k"), at=times, door=st.text())), max_size=5))
def test_many_are_written_as_each_is(events: list[Event]) -> None:
    assert bodies(events) == [body(event) for event in events]


def test_one_event_has_one_body_and_digest() -> None:
    other = GOOD | {"at": "2026-03-01T12:00:00.000+02:00", "worth": "12.34 EUR", "note": None, "fee": None}
    spelled = json.dumps(dict(reversed(other.items())), indent=2).encode()
    first, second = READER.read(json.dumps(GOOD).encode()), READER.read(spelled)
    assert first == second
    assert second.worth == Money(1234, "EUR")
    assert second.at.tzinfo is UTC
    assert body(first) == body(second) == msgspec.json.encode(GOOD)
    assert digest(body(first)) == digest(body(second))
    assert len(digest(b"")) == 32
    assert body(READER.read(json.dumps(GOOD | {"weight": -0.0}).encode())).count(b'"weight":0.0') == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"id": ""}, "/id"),
        ({"id": b"abc"}, "/id"),
        ({"id": "\ud800"}, "/id"),
        ({"at": datetime(2026, 3, 1)}, "/at"),  # noqa: DTZ001
        ({"weight": math.nan}, "/weight"),
        ({"weight": math.inf}, "/weight"),
        ({"weight": "1"}, "/weight"),
        ({"boxes": 0}, "/boxes"),
        ({"worth": Money(-1, "EUR")}, "/worth/units"),
        ({"worth": Money(1.0, "EUR")}, "/worth/units"),  # type: ignore[arg-type]
        ({"worth": Money(1, "EUX")}, "/worth/currency"),
        ({"worth": Money(1, ["EUR"])}, "/worth/currency"),  # type: ignore[arg-type]
        ({"way": "rail"}, "/way"),
        ({"way": "\ud800"}, ""),
        ({"note": object()}, "/note"),
    ],
)
def test_events_made_in_python_are_held_to_it_too(change: dict[str, Any], pointer: str) -> None:
    event = READER.read(json.dumps(GOOD).encode())
    with pytest.raises(ContractError) as raised:
        check(msgspec.structs.replace(event, **change))
    assert raised.value.pointer == pointer


def test_checking_normalises() -> None:
    event = READER.read(json.dumps(GOOD).encode())
    east = event.at.astimezone(timezone(timedelta(hours=5)))
    other = check(msgspec.structs.replace(event, at=east, worth="12.34 EUR", way="air"))
    assert other == event
    assert other.way is Way.AIR
    assert body(other) == body(event)
    with pytest.raises(ContractError, match="not an event of type"):
        READER.check("event")  # type: ignore[arg-type]


def test_personal_data_is_not_shown() -> None:
    class Call(Event):
        phone: Annotated[str, Field(max_length=3, personal=Personal.CONTACT)]

    error = _refused(b'{"id":"1","at":"2026-03-01T10:00:00Z","phone":"5551234"}', Reader(Call))
    assert "555" not in str(error)
    assert json_schema(Call)["properties"]["phone"]["x-personal-data"] == "contact"


def test_old_versions_stay_readable() -> None:
    class Visit(Event, version=3):
        room: str
        guests: int

    reader = Reader(Visit)
    with pytest.raises(FlowError):
        upgrades(Visit, from_version=3)

    @upgrades(Visit, from_version=2)
    def counted(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "guests": len(values.pop("names"))} if "names" in values else values | {"guests": "?"}

    old = b'{"id":"1","at":"2026-03-01T10:00:00Z","hall":"blue","names":["a","b"]}'
    with pytest.raises(ContractError, match=r"no version 1 that can be read.*2, 3"):
        reader.read(old, version=1)

    @upgrades(Visit, from_version=1)
    def renamed(values: dict[str, Any]) -> dict[str, Any]:
        return {"room": values.pop("hall"), **values}

    with pytest.raises(FlowError, match="already"):
        upgrades(Visit, from_version=1)
    with pytest.raises(ContractError) as raised:
        reader.read(old, version=1)
    assert raised.value.pointer == "/names"  # the author's function left it in
    del Visit.__upgrades__[2]

    @upgrades(Visit, from_version=2)
    def moved(values: dict[str, Any]) -> dict[str, Any]:
        return {"guests": len(values.pop("names")), **values}

    assert (reader.read(old, version=1).room, reader.read(old, version=1).guests) == ("blue", 2)
    for version in (0, 4, -1, 10**30, "1"):
        with pytest.raises(ContractError, match="no version"):
            reader.read(old, version=version)  # type: ignore[arg-type]
    with pytest.raises(ContractError) as lacking:
        reader.read(b'{"id":"1"}', version=1)
    assert lacking.value.pointer == "/hall"
    with pytest.raises(ContractError):
        reader.read(b"[1]", version=1)
    with pytest.raises(ContractError):
        reader.read(b"{", version=1)

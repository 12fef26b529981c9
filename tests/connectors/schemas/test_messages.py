"""What Confluent's serializers wrote is the event that the JSON of the same values is; whatever else is told apart."""

import contextlib
import json
import random
from typing import Any

import pytest
from hypothesis import given

from tests.connectors.schemas.schemas import (
    AVRO,
    PROTO,
    Login,
    Payment,
    Peers,
    events,
    in_avro,
    in_protobuf,
    message_type,
)  # fmt: skip
from tests.servers.registry import Registry as Server
from tidegate.connectors.schemas.fit import Fit
from tidegate.connectors.schemas.framing import UndecodableError, framed, way_of, way_to
from tidegate.connectors.schemas.messages import Messages
from tidegate.connectors.schemas.protobuf import ProtobufSchema
from tidegate.connectors.schemas.registry import Schema
from tidegate.errors import ContractError, StreamError
from tidegate.events.contract import reader

READERS: dict[str, Any] = {"Payment": reader(Payment), "Login": reader(Login)}
EXAMPLE = {
    "id": "p1", "at": "2026-01-01T00:00:00.000001+00:00", "card": "c1", "shop": 7,
    "amount": {"units": 1234, "currency": "EUR"}, "fee": None, "tries": 1, "share": 0.5, "channel": "in-store",
    "abroad": True, "booked": None, "note": None,
}  # fmt: skip


@pytest.fixture
def peers(registry: Server) -> Peers:
    return Peers(registry)


def messages(peers: Peers, topic: str, form: Any = "avro", kind: str = "", own: str = "Payment") -> Messages:
    return Messages(topic, form, peers.registry, READERS, kind, own)


def changed(**fields: Any) -> dict[str, Any]:
    """The Avro schema with other types of fields; None leaves one out."""
    kept = [one | {"type": fields[one["name"]]} if one["name"] in fields else one for one in AVRO["fields"]]
    return AVRO | {"fields": [one for one in kept if one["type"] is not None]}


MADE = message_type()


@pytest.mark.parametrize("form", ["avro", "protobuf"])
def test_an_event_that_has_a_schema_is_the_event_of_its_json(peers: Peers, own: str, form: Any) -> None:
    write = peers.avro(own) if form == "avro" else peers.protobuf(own, MADE)
    reads = messages(peers, own, form)

    @given(values=events())
    def same(values: dict[str, Any]) -> None:
        message = in_avro(values) if form == "avro" else in_protobuf(values, MADE)
        assert reads.event(write(message), "") == READERS["Payment"].read(json.dumps(values))

    same()


def test_a_schema_may_be_text_and_its_records_may_lie_in_others(registry: Server, peers: Peers, own: str) -> None:
    registry.register(f"{own}.money", json.dumps(AVRO["fields"][4]["type"] | {"namespace": "bank.payments"}))
    refers = [{"name": "bank.payments.Money", "subject": f"{own}.money", "version": 1}]
    text = json.dumps(changed(amount="bank.payments.Money"))
    id = registry.register(f"{own}-value", text, references=refers)
    write = peers.avro(f"{own}-plain")
    found = messages(peers, own)
    found.check()
    assert found.event(framed(id, write(in_avro(EXAMPLE))[5:]), "").amount.units == 1234

    text = 'syntax = "proto3"; package bank; enum Ch { CH_UNSPECIFIED = 0; CH_ONLINE = 1; }'
    registry.register(f"{own}.channel", text, "PROTOBUF")
    text = """syntax = "proto3"; import "bank/ch.proto"; import "google/protobuf/timestamp.proto";
        message Login { string id = 1; google.protobuf.Timestamp at = 2; string card = 3; bank.Ch by = 4; }"""
    refers = [{"name": "bank/ch.proto", "subject": f"{own}.channel", "version": 1}]
    id = registry.register(f"{own}-l-value", text, "PROTOBUF", refers)
    found = messages(peers, f"{own}-l", "protobuf")
    found.check()
    data = framed(id, b"\x0a\x01a\x12\x02\x08\x05\x1a\x01c\x20\x01", b"\x00")
    assert (
        found.event(data, "") == Login(id="a", at="1970-01-01T00:00:05Z", card="c") or found.event(data, "").id == "a"
    )


def test_older_and_newer_schemas_are_read_side_by_side(peers: Peers, registry: Server, own: str) -> None:
    old = peers.avro(own, changed(note=None, ignored=None, tries="long"))
    found = messages(peers, own)
    lacking = {name: value for name, value in in_avro(EXAMPLE).items() if name not in ("note", "ignored")}
    assert found.event(old(lacking), "").note is None
    registry.ask("PUT", f"/config/{own}-value", {"compatibility": "NONE"})
    new = peers.avro(own, AVRO | {"fields": [*AVRO["fields"], {"name": "added", "type": "string", "default": ""}]})
    assert found.event(new(in_avro(EXAMPLE) | {"added": "x"}), "") == found.event(old(lacking), "")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": None}, "amount is not in it"),
        ({"card": "long"}, "card is long in it, and the contract asks for card key"),
        ({"at": "long"}, "at is long in it.*does not say its unit"),
        ({"at": {"type": "long", "logicalType": "local-timestamp-millis"}}, "at is local-timestamp-millis in it"),
        ({"amount": "double"}, "amount is double in it.*never a float"),
        ({"amount": "long"}, "amount is long in it.*does not say its unit"),
        (
            {"amount": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
            r"amount is decimal\(9, 2\) in it, without a currency",
        ),
        (
            {"fee": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2, "currency": "USD"}},
            "fee is in USD in it, and the contract asks for EUR",
        ),
        ({"tries": "string", "abroad": ["null", "string", "boolean"]}, "tries is string.*abroad is one of string, boo"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused_field_by_field(
    peers: Peers, registry: Server, own: str, fields: dict[str, Any], words: str
) -> None:
    registry.register(f"{own}-value", json.dumps(changed(**fields)))
    with pytest.raises(StreamError, match=words) as told:
        messages(peers, own).check()
    assert f"{own}-value (schema" in str(told.value) and "contract of Payment" in str(told.value)


def test_of_protobuf_it_is_told_what_may_be_missing_by_choice_alone() -> None:
    text = """syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
        message Login {
            google.protobuf.StringValue id = 1; google.protobuf.Timestamp at = 2; optional string card = 3;
        }"""
    found = Fit(READERS["Login"], ProtobufSchema(Schema(0, "PROTOBUF", text)).likely("Login").columns)
    assert [note.partition(" may be missing")[0] for note in found.notes] == ["id", "card"]


def test_a_schema_that_is_not_there_or_of_another_kind_is_told(peers: Peers, registry: Server, own: str) -> None:
    with pytest.raises(StreamError, match=f"no subject {own}-value.*--subject"):
        messages(peers, own).check()
    registry.register(f"{own}-value", PROTO, "PROTOBUF")
    with pytest.raises(StreamError, match=r"is PROTOBUF, and .* is said to hold avro"):
        messages(peers, own).check()
    registry.register(f"{own}-s-value", '"string"')
    with pytest.raises(StreamError, match="not that of a record"):
        messages(peers, f"{own}-s").check()


def test_a_record_says_of_which_type_it_is(peers: Peers, own: str) -> None:
    login = {"type": "record", "name": "Login", "fields": [AVRO["fields"][0], AVRO["fields"][1], AVRO["fields"][2]]}
    write, values = peers.avro(own, login), in_avro(EXAMPLE)
    data = write({name: values[name] for name in ("id", "at", "card")})
    assert isinstance(messages(peers, own).event(data, ""), Login)
    with pytest.raises(UndecodableError, match=r"does not fit the contract.*amount is not in it"):
        messages(peers, own).event(data, "Payment")


@pytest.mark.parametrize("form", ["avro", "protobuf"])
def test_whatever_is_no_message_has_a_name_for_it(peers: Peers, registry: Server, own: str, form: Any) -> None:
    if form == "avro":
        good = peers.avro(own)(in_avro(EXAMPLE))
    else:
        good = peers.protobuf(own, MADE)(in_protobuf(EXAMPLE, MADE))
    found = messages(peers, own, form)
    cases = {
        b"": "no-schema-id", b"\x00\x00": "no-schema-id", b"{}": "no-schema-id", b"\x01" + good: "no-schema-id",
        framed(2**31 - 1, good[5:]): "unknown-schema", good[:-1]: "undecodable", good[:6]: "undecodable",
        good[:5] + b"\xff" * 40: "undecodable",
    }  # fmt: skip
    if form == "avro":
        cases[good + b"\x00"] = "undecodable"
    for data, code in cases.items():
        with pytest.raises(UndecodableError) as told:
            found.event(data, "")
        assert told.value.code == code, (data, str(told.value))
    with pytest.raises(UndecodableError, match=r"plain JSON.*--value-format"):
        found.event(b'{"id": "x"}', "")
    text, kind = (PROTO, "PROTOBUF") if form == "avro" else (json.dumps(AVRO), "AVRO")
    other = registry.register(f"{own}-o-value", text, kind)
    with pytest.raises(UndecodableError, match="is said to hold") as told:
        found.event(framed(other, good[5:]), "")
    assert told.value.code == "schema"


def test_values_that_break_the_contract_are_told_by_field(peers: Peers, own: str) -> None:
    write, found = peers.avro(own), messages(peers, own)
    for wrong, pointer in (
        ({"share": float("nan")}, "/share"), ({"id": ""}, "/id"), ({"card": "x" * 2000}, "/card"),
    ):  # fmt: skip
        with pytest.raises(ContractError) as told:
            found.event(write(in_avro(EXAMPLE) | wrong), "")
        assert told.value.pointer == pointer
    lacking = MADE(id="a", card="c")
    with pytest.raises(ContractError) as told:
        messages(peers, f"{own}-p", "protobuf").event(peers.protobuf(f"{own}-p", MADE)(lacking), "")
    assert told.value.pointer == "/at"


@pytest.mark.parametrize("way", [[0], [1], [0, 0], [3, 1, 200], [70000]])
def test_the_way_to_a_message_is_read_as_it_is_written(way: list[int]) -> None:
    data = framed(1, b"rest", way_to(way))
    assert way_of(data) == (tuple(way), len(data) - 4)


def test_bytes_of_any_kind_are_told_or_read(peers: Peers, own: str) -> None:
    """No bytes end it: each is an event or has its name."""
    good = peers.avro(own)(in_avro(EXAMPLE))
    other = peers.protobuf(f"{own}-p", MADE)(in_protobuf(EXAMPLE, MADE))
    chance = random.Random(7)
    for found, whole in ((messages(peers, own), good), (messages(peers, f"{own}-p", "protobuf"), other)):
        for _ in range(1500):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(5, len(data))] = chance.randrange(256)
            with contextlib.suppress(UndecodableError, ContractError):
                found.event(bytes(data), "")

"""Events with every kind of field, their schemas as a bank would write them, and Confluent's own serializers."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from hypothesis import strategies as st

from tests.servers.registry import Registry as Server
from tidegate import Event, Field, Money, entity
from tidegate.connectors.schemas.protobuf import ProtobufSchema
from tidegate.connectors.schemas.registry import Registry, Schema

Card = entity("card")
Shop = entity("shop", key=int)


class Channel(Enum):
    ONLINE = "online"
    IN_STORE = "in-store"


class Payment(Event):
    """One of each kind of field."""

    card: Card
    shop: Shop | None
    amount: Money
    fee: Annotated[Money | None, Field(currency="EUR")]
    tries: int
    share: float | None
    channel: Channel | None
    abroad: bool
    booked: datetime | None
    note: str | None


class Login(Event):
    """Another type."""

    card: Card


AVRO: dict[str, Any] = {
    "type": "record", "name": "Payment", "namespace": "bank.payments",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "card", "type": "string"},
        {"name": "shop", "type": ["null", "long"], "default": None},
        {"name": "amount", "type": {"type": "record", "name": "Money", "fields": [
            {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 24, "scale": 4}},
            {"name": "currency", "type": {"type": "enum", "name": "Currency", "symbols": ["EUR", "USD", "JPY"]}}]}},
        {"name": "fee", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}]},
        {"name": "tries", "type": "int"},
        {"name": "share", "type": ["null", "double"]},
        {"name": "channel", "type": ["null", {"type": "enum", "name": "Channel", "symbols": ["ONLINE", "IN_STORE"]}]},
        {"name": "abroad", "type": "boolean"},
        {"name": "booked", "type": ["null", {"type": "int", "logicalType": "date"}]},
        {"name": "note", "type": ["null", "string"]},
        {"name": "ignored", "type": {"type": "array", "items": "string"}, "default": []},
    ],
}  # fmt: skip

PROTO = """syntax = "proto3";
package bank.payments;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/type/money.proto";
import "google/type/date.proto";
import "confluent/type/decimal.proto";
message Header { string trace = 1; }
message Payment {
  enum Channel { CHANNEL_UNSPECIFIED = 0; CHANNEL_ONLINE = 1; CHANNEL_IN_STORE = 2; }
  string id = 1;
  google.protobuf.Timestamp at = 2;
  string card = 3;
  google.protobuf.Int64Value shop = 4;
  google.type.Money amount = 5;
  confluent.type.Decimal fee = 6;
  sint32 tries = 7;
  optional double share = 8;
  Channel channel = 9;
  bool abroad = 10;
  google.type.Date booked = 11;
  optional string note = 12;
  repeated string ignored = 13;
}
"""

_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
_CENTS = st.integers(0, 10**12)


@st.composite
def events(draw: Callable[[Any], Any]) -> dict[str, Any]:
    """Plain values of a random payment, as its JSON has them."""
    day = draw(st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)))
    currency = draw(st.sampled_from(["EUR", "USD", "JPY"]))
    at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=draw(st.integers(0, 7_200_000_000_000_000)))
    return {
        "id": draw(_TEXT.filter(bool)), "at": at.isoformat(), "card": draw(_TEXT.filter(bool)),
        "shop": draw(st.none() | st.integers(-(2**63) + 1, 2**63 - 1)),
        "amount": {"units": draw(_CENTS), "currency": currency},
        "fee": draw(st.none() | st.builds(lambda units: {"units": units, "currency": "EUR"}, _CENTS)),
        "tries": draw(st.integers(-(2**31), 2**31 - 1)),
        "share": draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        "channel": draw(st.sampled_from([None, "online", "in-store"])), "abroad": draw(st.booleans()),
        "booked": None if day is None else f"{day.isoformat()}T00:00:00Z", "note": draw(st.none() | _TEXT),
    }  # fmt: skip


def _amount(money: Mapping[str, Any]) -> Decimal:
    return Decimal(money["units"]).scaleb(0 if money["currency"] == "JPY" else -2)


def in_avro(values: Mapping[str, Any]) -> dict[str, Any]:
    """A payment as Confluent's Avro serializer takes it."""
    channel, booked = values["channel"], values["booked"]
    return dict(values) | {
        "at": datetime.fromisoformat(values["at"]),
        "amount": {"amount": _amount(values["amount"]), "currency": values["amount"]["currency"]},
        "fee": None if values["fee"] is None else _amount(values["fee"]),
        "channel": None if channel is None else channel.upper().replace("-", "_"),
        "booked": None if booked is None else datetime.fromisoformat(booked).date(),
        "ignored": ["x"],
    }


def message_type(text: str = PROTO, name: str = "Payment") -> Any:
    """The class of a message; generated code would be the same."""
    return ProtobufSchema(Schema(0, "PROTOBUF", text)).likely(name).made


def in_protobuf(values: Mapping[str, Any], made: Any) -> Any:
    """A payment as Confluent's Protobuf serializer takes it."""
    message = made(id=values["id"], card=values["card"], tries=values["tries"], abroad=values["abroad"])
    message.at.FromDatetime(datetime.fromisoformat(values["at"]))
    total = int(_amount(values["amount"]) * 10**9)
    message.amount.units, message.amount.nanos = total // 10**9, total % 10**9
    message.amount.currency_code = values["amount"]["currency"]
    if values["shop"] is not None:
        message.shop.value = values["shop"]
    if values["fee"] is not None:
        units = values["fee"]["units"]
        message.fee.value, message.fee.scale = units.to_bytes(units.bit_length() // 8 + 1, "big", signed=True), 2
    for name in ("share", "note"):
        if values[name] is not None:
            setattr(message, name, values[name])
    message.channel = {None: 0, "online": 1, "in-store": 2}[values["channel"]]
    if values["booked"] is not None:
        day = datetime.fromisoformat(values["booked"])
        message.booked.year, message.booked.month, message.booked.day = day.year, day.month, day.day
    message.ignored.append("x")
    return message


class Peers:
    """What Confluent's own serializers write, with the registry of a test."""

    def __init__(self, server: Server) -> None:
        self.registry = Registry(server.url)
        self._client = SchemaRegistryClient({"url": server.url})

    def avro(self, topic: str, schema: Mapping[str, Any] = AVRO) -> Callable[[Any], bytes]:
        write, about = AvroSerializer(self._client, json.dumps(schema)), SerializationContext(topic, MessageField.VALUE)
        return lambda values: write(values, about)

    def protobuf(self, topic: str, made: Any) -> Callable[[Any], bytes]:
        about = SerializationContext(topic, MessageField.VALUE)
        write = ProtobufSerializer(made, self._client, {"use.deprecated.format": False})
        return lambda message: write(message, about)

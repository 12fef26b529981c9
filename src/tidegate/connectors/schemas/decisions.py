"""Decisions with a schema: `decision.avsc` and `decision.proto`, beside this file, have its JSON's fields."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import msgspec

from tidegate.connectors.schemas.framing import framed, way_to
from tidegate.connectors.schemas.messages import Format, require_format
from tidegate.connectors.schemas.registry import Registry, Schema

_FILES: Mapping[Format, tuple[str, str]] = {
    "avro": ("decision.avsc", "AVRO"),
    "protobuf": ("decision.proto", "PROTOBUF"),
}
FORMATS: Mapping[Format, str] = {form: kind for form, (_, kind) in _FILES.items()}
"""The formats that have a schema, and what a registry calls each kind of schema."""
_MOST_LONG = 2**63
_OPEN = frozenset(("saw", "outputs", "features"))
"""Fields that are maps of values of any kind."""

Write = Callable[[bytes], bytes]
"""Makes a message of a decision's JSON, so that all say the same to the last bit."""


def as_it_is(answer: bytes) -> bytes:
    """The decision's JSON as its message."""
    return answer


def schema_text(form: Format) -> str:
    """The schema of decisions in a format, as it is registered."""
    return (files("tidegate.connectors.schemas") / _FILES[form][0]).read_text(encoding="utf-8")


def writer(form: Format, topic: str, registry: Registry | None, subject: str = "") -> Write:
    """What makes messages of decisions; its schema is registered under `TOPIC-value`, unless told otherwise.

    Raises:
        RegistryAwayError: the registry cannot be asked.
        StreamError: it does not take the schema, or what the format takes is not installed.
    """
    if form == "json" or registry is None:
        return as_it_is
    require_format(form)
    id = registry.register(subject or f"{topic}-value", schema_text(form), _FILES[form][1])
    return write_as(form, id)


def write_as(form: Format, id: int) -> Write:
    """What makes messages of decisions in Avro or Protobuf, whose schema has this id in the registry."""
    return _avro(id) if form == "avro" else _protobuf(id)


def _avro(id: int) -> Write:
    import fastavro

    schema = fastavro.parse_schema(json.loads(schema_text("avro")))
    head = framed(id, b"")

    def write(answer: bytes) -> bytes:
        stream = BytesIO()
        stream.write(head)
        fastavro.schemaless_writer(stream, schema, _opened(msgspec.json.decode(answer)))
        return stream.getvalue()

    return write


def _opened(values: Any) -> Any:
    """A decision's plain values with what can be of any kind put into records of the schema."""
    if isinstance(values, list):
        return [_opened(one) for one in values]
    if not isinstance(values, dict):
        return values
    found = {}
    for name, value in values.items():
        if name in _OPEN and value is not None:
            found[name] = {key: {"value": _any(one)} for key, one in value.items()}
        elif name == "value":
            found[name] = {"value": _any(value)}
        else:
            found[name] = _opened(value)
    return found


def is_money(value: Any) -> bool:
    """Whether a plain value is an amount of money that fits the schema."""
    return isinstance(value, dict) and value.keys() == {"units", "currency"} and _fits(value["units"])


def _fits(value: Any) -> bool:
    return isinstance(value, int) and -_MOST_LONG <= value < _MOST_LONG


def _any(value: Any) -> Any:
    """A value as one branch of the schema's union has it."""
    if value is None or isinstance(value, (bool, float, str)) or _fits(value) or is_money(value):
        return value
    return {"json": msgspec.json.encode(value).decode()}


@cache
def _proto_type() -> Any:
    from tidegate.connectors.schemas.protobuf import ProtobufSchema

    return ProtobufSchema(Schema(0, "PROTOBUF", schema_text("protobuf"))).likely("Decision").made


def _protobuf(id: int) -> Write:
    made, head = _proto_type(), framed(id, b"", way_to((0,)))

    def write(answer: bytes) -> bytes:
        message = made()
        _fill(message, msgspec.json.decode(answer))
        data: bytes = message.SerializeToString(deterministic=True)
        return head + data

    return write


def _fill(message: Any, values: Mapping[str, Any]) -> None:
    """Put plain values into the fields of the same names."""
    for name, value in values.items():
        if name == "value":
            _set(message.value, value)
            message.value.SetInParent()
        elif value is None:
            continue
        elif name in _OPEN:
            held = getattr(message, name)
            for key, one in value.items():
                _set(held[key], one)
        elif name == "cells":
            message.cells.update(value)
        elif not isinstance(value, list):
            setattr(message, name, value)
        elif value and isinstance(value[0], dict):
            for one in value:
                _fill(getattr(message, name).add(), one)
        else:
            getattr(message, name).extend(value)


def _set(message: Any, value: Any) -> None:
    """Put a value of any kind into a `Value`."""
    if value is None:
        return
    if isinstance(value, bool):
        message.truth = value
    elif isinstance(value, float):
        message.number = value
    elif isinstance(value, str):
        message.text = value
    elif _fits(value):
        message.whole = value
    elif is_money(value):
        message.money.units, message.money.currency = value["units"], value["currency"]
    else:
        message.json = msgspec.json.encode(value).decode()

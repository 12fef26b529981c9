"""A decision in Avro or Protobuf, read by Confluent's own deserializers, says what its JSON says."""

import json
import math
from typing import Any

import msgspec
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.connectors.schemas.schemas import message_type
from tests.servers.registry import Registry as Server
from tidegate import Decision
from tidegate.connectors.schemas.decisions import Write, schema_text, writer
from tidegate.connectors.schemas.registry import Registry
from tidegate.decisions.decision import to_json
from tidegate.errors import StreamError

_TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False)
_MONEY = st.fixed_dictionaries({"units": st.integers(-(10**9), 10**9), "currency": _TEXT})
_ANY = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | _NUMBER | _TEXT | _MONEY | st.lists(st.integers())
_OPEN = {"saw", "outputs", "features"}


def _values(kind: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Random plain values of a type that decisions are made of."""
    info = msgspec.inspect.type_info(kind) if not isinstance(kind, msgspec.inspect.Type) else kind
    match info:
        case msgspec.inspect.StructType():
            fields = {one.encode_name: _values(one.type, one.name) for one in info.fields if one.name != "timing"}
            return st.fixed_dictionaries(fields)
        case msgspec.inspect.VarTupleType():
            return st.lists(_values(info.item_type), max_size=2)
        case msgspec.inspect.DictType():
            values = _ANY if name in _OPEN else _TEXT
            return st.dictionaries(_TEXT, values, max_size=2)
        case msgspec.inspect.UnionType():
            return st.one_of(*(_values(one, name) for one in info.types))
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.IntType():
            return st.integers(0, 2**40)
        case msgspec.inspect.FloatType():
            return _NUMBER
        case msgspec.inspect.StrType():
            return _TEXT
        case msgspec.inspect.AnyType():
            return _ANY
    raise AssertionError(info)


DECISIONS = _values(Decision).map(lambda values: msgspec.convert(values, Decision))


def _tidy(values: Any) -> Any:
    """Without what is empty: that is left out of JSON, and Protobuf does not tell it from nothing."""
    if isinstance(values, dict):
        kept = {name: _tidy(value) for name, value in values.items()}
        return {name: value for name, value in kept.items() if value not in (None, [], {}, "", False, 0)}
    return [_tidy(one) for one in values] if isinstance(values, list) else values


def _shown(values: Any) -> Any:
    """What is compared: any value as its JSON, so that 1 and 1.0, null and nothing are told apart."""
    if isinstance(values, list):
        return [_shown(one) for one in values]
    if not isinstance(values, dict):
        return values
    found = {}
    for name, value in values.items():
        if name in _OPEN and value is not None:
            found[name] = {key: json.dumps(one, sort_keys=True) for key, one in value.items()}
        else:
            found[name] = json.dumps(value, sort_keys=True) if name == "value" else _shown(value)
    return found


def _from_avro(values: Any, name: str = "") -> Any:
    if name in _OPEN and values is not None:
        return {key: _branch(one) for key, one in values.items()}
    if name == "value":
        return _branch(values)
    if isinstance(values, dict):
        return {key: _from_avro(one, key) for key, one in values.items()}
    return [_from_avro(one) for one in values] if isinstance(values, list) else values


def _branch(value: Any) -> Any:
    found = value["value"]
    return json.loads(found["json"]) if isinstance(found, dict) and "json" in found else found


def _from_protobuf(message: Any) -> Any:
    if message.DESCRIPTOR.name == "Value":
        kind = message.WhichOneof("kind")
        if kind == "money":
            return {"units": message.money.units, "currency": message.money.currency}
        return None if kind is None else json.loads(message.json) if kind == "json" else getattr(message, kind)
    found = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            found[field.name] = {
                key: one if isinstance(one, str) else _from_protobuf(one) for key, one in value.items()
            }
        elif field.is_repeated:
            found[field.name] = [one if isinstance(one, str) else _from_protobuf(one) for one in value]
        elif field.has_presence and not message.HasField(field.name):
            found[field.name] = None
        else:
            found[field.name] = _from_protobuf(value) if field.message_type is not None else value
    return found


@pytest.fixture
def write(registry: Server, request: pytest.FixtureRequest) -> Write:
    return writer(request.param, f"decisions-{request.param}", Registry(registry.url))


@pytest.fixture
def read_avro(registry: Server) -> Any:
    read = AvroDeserializer(SchemaRegistryClient({"url": registry.url}))
    return lambda data: read(data, SerializationContext("decisions-avro", MessageField.VALUE))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("write", ["avro"], indirect=True)
@given(decision=DECISIONS)
def test_in_avro_it_says_the_same(write: Write, read_avro: Any, decision: Decision) -> None:
    values = _from_avro(read_avro(write(to_json(decision))))
    assert _tidy(_shown(values)) == _tidy(_shown(json.loads(to_json(decision))))


DESERIALIZER = ProtobufDeserializer(message_type(schema_text("protobuf"), "Decision"), {"use.deprecated.format": False})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("write", ["protobuf"], indirect=True)
@given(decision=DECISIONS)
def test_in_protobuf_it_says_the_same(write: Write, decision: Decision) -> None:
    message = DESERIALIZER(write(to_json(decision)), SerializationContext("decisions-protobuf", MessageField.VALUE))
    assert _tidy(_shown(_from_protobuf(message))) == _tidy(_shown(json.loads(to_json(decision))))


@pytest.mark.parametrize("write", ["avro"], indirect=True)
def test_what_is_not_a_number_is_missing_as_in_json(write: Write, read_avro: Any) -> None:
    decision = Decision("a", "approve", math.nan)
    assert read_avro(write(to_json(decision)))["score"] is None and json.loads(to_json(decision))["score"] is None


def test_a_subject_that_holds_something_else_is_not_written_over(registry: Server, own: str) -> None:
    registry.register(f"{own}-value", '{"type": "record", "name": "Other", "fields": [{"name": "x", "type": "int"}]}')
    registry.ask("PUT", f"/config/{own}-value", {"compatibility": "FULL"})
    with pytest.raises(StreamError, match=rf"does not take the schema of decisions under {own}-value"):
        writer("avro", own, Registry(registry.url))

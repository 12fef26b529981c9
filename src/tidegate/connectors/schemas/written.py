"""Decisions as they lie on a topic with a schema, set against what would be written there of others."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from tidegate.connectors.schemas.decisions import FORMATS, Write, schema_text, write_as
from tidegate.connectors.schemas.framing import UndecodableError, unframed
from tidegate.connectors.schemas.messages import Format, require_format
from tidegate.connectors.schemas.registry import Registry, Schema
from tidegate.events.depth import plain_values


class Form(NamedTuple):
    """How messages of one schema are written, and what they hold, as plain values under the names of the JSON."""

    write: Write
    read: Callable[[bytes], Any]


class WrittenDecisions:
    """Reads decisions in Avro or Protobuf, each by the schema that it names.

    Args:
        registry: knows the schemas.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._forms: dict[int, Form | UndecodableError] = {}

    def values(self, data: bytes) -> Any:
        """What a message holds.

        Raises:
            RegistryAwayError: the registry cannot be asked.
            UndecodableError: it is no message of the schema that it names, or that is none of decisions.
            StreamError: what its format takes is not installed.
        """
        return self._form(unframed(data)).read(data)

    def as_it_would_be(self, answer: bytes, data: bytes) -> bytes:
        """The message of a decision's JSON, with the schema that another message names."""
        return self._form(unframed(data)).write(answer)

    def _form(self, id: int) -> Form:
        found = self._forms.get(id)
        if found is None:
            try:
                found = _form_of(self._registry.schema(id))
            except UndecodableError as error:
                found = error
            self._forms[id] = found
        if isinstance(found, UndecodableError):
            raise found
        return found


def _form_of(schema: Schema) -> Form:
    form = next((form for form, kind in FORMATS.items() if kind == schema.kind), None)
    if form is None:
        raise _other(schema)
    require_format(form)
    if not (_same_avro if form == "avro" else _same_protobuf)(schema):
        raise _other(schema)
    return Form(write_as(form, schema.id), _reader(form, schema))


def _other(schema: Schema) -> UndecodableError:
    return UndecodableError(
        "schema", f"The schema {schema.id} is not that of decisions.", seen=schema.kind,
        do="`tidegate schemas decisions` prints that. What another version of Tidegate wrote is compared by that one.",
    )  # fmt: skip


def _same_avro(schema: Schema) -> bool:
    try:
        return bool(plain_values(schema.text) == plain_values(schema_text("avro")))
    except (ValueError, RecursionError):
        return False


def _same_protobuf(schema: Schema) -> bool:
    """Whether it compiles to the same: a registry may spell it otherwise."""
    from tidegate.connectors.schemas.proto_files import compiled

    ours = compiled(Schema(schema.id, "PROTOBUF", schema_text("protobuf")))
    return bool(compiled(schema).file[-1] == ours.file[-1])


def _reader(form: Format, schema: Schema) -> Callable[[bytes], Any]:
    if form == "avro":
        from tidegate.connectors.schemas.avro import AvroSchema

        return AvroSchema(schema).message
    from google.protobuf.json_format import MessageToDict

    from tidegate.connectors.schemas.protobuf import ProtobufSchema

    made = ProtobufSchema(schema)

    def read(data: bytes) -> Any:
        part, at = made.split(data)
        return MessageToDict(part.message(data, at), preserving_proto_field_name=True)

    return read


def as_json(values: Any) -> bytes:
    """What `values` gives, as JSON that says the same of the same."""
    return msgspec.json.encode(values, order="deterministic")

"""Avro: a schema of the registry, what it says of its fields, and its messages decoded (by fastavro)."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from operator import itemgetter
from typing import Any

import fastavro

from tidegate.connectors.schemas.columns import Column, Form
from tidegate.connectors.schemas.framing import UndecodableError
from tidegate.connectors.schemas.money import amount_in
from tidegate.connectors.schemas.registry import Schema
from tidegate.events.times import time_of

_HEAD = 5
_PLAIN = {
    "string": Form.TEXT, "int": Form.WHOLE, "long": Form.WHOLE, "float": Form.NUMBER, "double": Form.NUMBER,
    "boolean": Form.TRUTH,
}  # fmt: skip
_LOGICAL = {
    "decimal": Form.DECIMAL, "timestamp-millis": Form.TIME, "timestamp-micros": Form.TIME,
    "timestamp-nanos": Form.TIME, "date": Form.DATE, "uuid": Form.TEXT,
}  # fmt: skip
_APPLIES = {
    ("bytes", "decimal"), ("fixed", "decimal"), ("long", "timestamp-millis"), ("long", "timestamp-micros"),
    ("long", "timestamp-nanos"), ("int", "date"), ("string", "uuid"), ("long", "local-timestamp-millis"),
    ("long", "local-timestamp-micros"), ("int", "time-millis"), ("long", "time-micros"),
}  # fmt: skip
_Take = Callable[[Any], Any]


class AvroSchema:
    """A record's schema, ready to decode.

    Args:
        schema: as the registry has it.

    Raises:
        UndecodableError: it is no schema of a record, or cannot be read.
    """

    def __init__(self, schema: Schema) -> None:
        self._named: dict[str, Any] = {}
        try:
            for _, text in schema.imports:
                fastavro.parse_schema(json.loads(text), self._named)
            self._schema: Any = fastavro.parse_schema(json.loads(schema.text), self._named)
        except Exception as error:  # fastavro raises errors of many types for what is no schema
            raise UndecodableError(
                "schema",
                f"The schema {schema.id} is no Avro that can be read.",
                seen=f"{type(error).__name__}: {error}",
            ) from None
        if not isinstance(self._schema, dict) or self._schema.get("type") != "record":
            raise UndecodableError(
                "schema",
                f"The schema {schema.id} is not that of a record.",
                seen=json.dumps(json.loads(schema.text))[:120],
                do="An event is a record of its fields.",
            )
        self.id = schema.id
        self.name = str(self._schema["name"]).rpartition(".")[2]
        self.columns = [self._column(field) for field in self._schema["fields"]]

    def message(self, data: bytes) -> Any:
        """What a framed message holds, as `columns` take it apart.

        Raises:
            UndecodableError: the bytes are not of the schema.
        """
        stream = BytesIO(data)
        stream.seek(_HEAD)
        try:
            found = fastavro.schemaless_reader(stream, self._schema, None)
        except Exception as error:  # fastavro raises whatever the bytes led it to
            said = f"{type(error).__name__}: {error}" if str(error) else "they end too early"
            raise UndecodableError(
                "undecodable", f"The bytes of the message are not of schema {self.id}.", seen=said[:200]
            ) from None
        left = len(data) - stream.tell()
        if left:
            raise UndecodableError(
                "undecodable", f"The bytes of the message are not of schema {self.id}.", seen=f"{left} bytes too many"
            )
        return found

    def _resolved(self, schema: Any) -> Any:
        return self._named.get(schema, schema) if isinstance(schema, str) else schema

    def _column(self, field: Mapping[str, Any]) -> Column:
        name, schema = str(field["name"]), field["type"]
        branches = [one for one in schema if one != "null"] if isinstance(schema, list) else [schema]
        optional = isinstance(schema, list) and len(branches) < len(schema)
        take: _Take = itemgetter(name)
        if len(branches) != 1:
            said = "one of " + ", ".join(self._said(one) for one in branches) if branches else "null"
            return Column(name, Form.OTHER, said, take, optional)
        inner = self._resolved(branches[0])
        said, form = self._said(branches[0]), self._form(inner)
        about = inner if isinstance(inner, dict) else {}
        if form is Form.CHOICE:
            return Column(name, form, said, take, optional, tuple(about["symbols"]), _short(about["name"]))
        if form is Form.DECIMAL:
            currency = about.get("currency") or field.get("currency") or ""
            return Column(name, form, said, take, optional, currency=str(currency))
        if form is Form.OTHER and about.get("type") == "record":
            amount = self._amount(about)
            if amount is not None:
                return Column(name, Form.MONEY, said, _of(take, amount), optional)
        if about.get("logicalType") == "uuid":
            take = _of(take, str)
        if about.get("logicalType") == "timestamp-nanos":
            take = _of(take, _nanoseconds)
        return Column(name, form, said, take, optional)

    def _form(self, schema: Any) -> Form:
        """What values of a schema are, which is no union and no name."""
        kind = schema["type"] if isinstance(schema, dict) else schema
        logical = schema.get("logicalType") if isinstance(schema, dict) else None
        if (kind, logical) in _APPLIES:  # others are to be passed over, says Avro
            return _LOGICAL.get(str(logical), Form.OTHER)
        return Form.CHOICE if kind == "enum" else _PLAIN.get(kind, Form.OTHER)

    def _said(self, schema: Any) -> str:
        schema = self._resolved(schema)
        if not isinstance(schema, dict):
            return str(schema)
        kind, logical = str(schema["type"]), schema.get("logicalType")
        if logical == "decimal":
            return f"decimal({schema.get('precision')}, {schema.get('scale', 0)})"
        return str(logical) if (kind, logical) in _APPLIES else f"{kind} {_short(schema.get('name', ''))}".strip()

    def _amount(self, record: Mapping[str, Any]) -> _Take | None:
        """Takes a record apart that is an amount of money; None if it is none."""
        forms = {str(one["name"]): self._form(self._resolved(one["type"])) for one in record["fields"]}
        return amount_in(forms)


def _of(take: _Take, convert: _Take) -> _Take:
    def taken(message: Any) -> Any:
        value = take(message)
        return None if value is None else convert(value)

    return taken


def _nanoseconds(value: int) -> datetime:
    return time_of(value // 1000)


def _short(name: Any) -> str:
    return str(name).rpartition(".")[2]

"""The contract of an event type as a JSON Schema (draft 2020-12), for those who send events."""

from typing import Any

import msgspec

from tidegate.events.currency import DECIMALS
from tidegate.events.durations import written
from tidegate.events.event import MOST_WHOLE, Event, FieldContract
from tidegate.events.field import Personal
from tidegate.events.field_values import MONEY_TEXT, money_limits
from tidegate.events.types import Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TIME = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$"


def _money(field: FieldContract) -> dict[str, Any]:
    low, high = money_limits(field)
    fixed = field.about.currency
    currency = {"enum": sorted(DECIMALS)} if fixed is None else {"const": fixed}
    text = MONEY_TEXT if fixed is None else MONEY_TEXT.replace("[A-Z]{3}", fixed)
    return {
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "units": {
                        "type": "integer",
                        "minimum": low,
                        "maximum": high,
                        "description": "The amount in the currency's minor unit: cents for EUR.",
                    },
                    "currency": currency | {"description": "ISO 4217 code."},
                },
                "required": ["units", "currency"],
                "additionalProperties": False,
            },
            {
                "type": "string",
                "pattern": f"^{text}$",
                "description": f"An amount and a currency, from {low} to {high} minor units.",
            },
        ]
    }


def _limited(form: dict[str, Any], low: float | None, high: float | None) -> dict[str, Any]:
    return form | ({} if low is None else {"minimum": low}) | ({} if high is None else {"maximum": high})


def _form(field: FieldContract) -> dict[str, Any]:
    """The schema of a field's value."""
    about, kind = field.about, field.type.kind
    if kind is Kind.MONEY:
        return _money(field)
    if kind is Kind.TIME:
        return {"type": "string", "format": "date-time", "pattern": _TIME}
    if kind is Kind.BOOL:
        return {"type": "boolean"}
    if kind is Kind.KEY and field.type.whole:
        return _limited({"type": "integer"}, -(2**63) + 1, 2**63 - 1)
    if kind is Kind.INT:
        low = -MOST_WHOLE if about.ge is None else int(about.ge)
        return _limited({"type": "integer"}, low, MOST_WHOLE if about.le is None else int(about.le))
    if kind is Kind.FLOAT:
        return _limited({"type": "number"}, about.ge, about.le)
    if field.type.choices:
        return {"type": "string", "enum": list(field.type.choices)}
    if field.name == "id":
        return {"type": "string", "minLength": 1, "maxLength": 256}
    return {"type": "string"} | ({"minLength": 1} if kind is Kind.KEY else {}) | {"maxLength": about.max_length}


def _property(field: FieldContract) -> dict[str, Any]:
    form = _form(field)
    if field.optional:
        form = {"anyOf": [form, {"type": "null"}]}
    if field.about.description:
        form["description"] = field.about.description
    if field.entity is not None:
        form["x-entity"] = field.type.entity
    if field.about.personal is not Personal.NONE:
        form["x-personal-data"] = field.about.personal.value
    if field.known_after is not None:
        form["x-known-after"] = written(field.known_after)
    return form


def json_schema(event_type: type[Event]) -> dict[str, Any]:
    """The contract of an event type as a JSON Schema.

    Beyond the standard it says: `x-version` (of the contract), and for a field `x-entity`, `x-personal-data` (the class
    of personal data) and `x-known-after` (a label: how long after the event it is known).
    """
    properties = {name: _property(field) for name, field in event_type.__contract__.items()}
    required = []
    for field in msgspec.structs.fields(event_type):
        if field.required:
            required.append(field.name)
        elif field.default is not msgspec.NODEFAULT and field.default is not None:
            properties[field.name]["default"] = msgspec.to_builtins(field.default)
    return {
        "$schema": DIALECT,
        "title": event_type.__name__,
        "description": " ".join((event_type.__doc__ or "").split()),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        "x-version": event_type.__version__,
    }

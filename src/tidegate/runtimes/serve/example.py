"""An event of a type, made up: for the first request that someone sends, and to warm a server with."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from tidegate.events.event import Event, FieldContract
from tidegate.events.types import Kind


def _within(field: FieldContract, number: float) -> float:
    low, high = field.about.ge, field.about.le
    number = number if low is None else max(number, low)
    return number if high is None else min(number, high)


def _value(field: FieldContract, at: datetime) -> Any:
    about, kind = field.about, field.type.kind
    if field.name == "id":
        return "example-1"
    if kind is Kind.TIME:
        return at
    if kind is Kind.MONEY:
        return {"units": int(_within(field, 1999)), "currency": about.currency or "EUR"}
    if kind is Kind.BOOL:
        return False
    if field.type.choices:
        return field.type.choices[0]
    if kind is Kind.FLOAT:
        return float(_within(field, 1))
    if kind is Kind.INT or field.type.whole:
        return int(_within(field, 1))
    return f"{field.name}-1"[: about.max_length]


def example(event_type: type[Event], at: datetime | None = None) -> bytes:
    """A JSON document that keeps the contract of an event type; fields that may be left out are.

    Args:
        event_type: the type.
        at: its time, the beginning of 2026 unless told.
    """
    at = at or datetime(2026, 1, 1, 12, tzinfo=UTC)
    fields = event_type.__contract__.values()
    return msgspec.json.encode({field.name: _value(field, at) for field in fields if not field.optional})

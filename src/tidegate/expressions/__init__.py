"""The one language: features, conditions and scores as a typed, immutable graph."""

from typing import Any

from tidegate.events.event import read_fields_with
from tidegate.expressions.node import Expr, FieldRead


def _field(event: type, name: str) -> Expr:
    contract: dict[str, Any] = event.__contract__  # type: ignore[attr-defined]
    return FieldRead(event, name, contract[name].type)


read_fields_with(_field)

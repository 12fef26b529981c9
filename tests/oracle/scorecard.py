"""The points of a scorecard, by comparing each value with the ends of its bins as they are written."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.real import Real, applied, compared, real
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.events.types import Kind, Type

_RANGE = re.compile(r"([\[(])(.+)\.\.(.+)([\])])")
_SIGN = re.compile(r"(<=|>=|<|>)\s*(.+)")


def points_of(node: Scorecard, values: Sequence[Any]) -> Real | None:
    """The sum of points in the order of the characteristics; missing where a value falls into no bin."""
    total: Real | None = real(node.card.initial)
    for part, value in zip(node.card.characteristics, values, strict=True):
        kind = part.column.type
        texts = [one.cell.text for one in part.bins]
        held = [n for n, text in enumerate(texts) if text != "otherwise" and holds(text, value, kind)]
        assert len(held) < 2, f"{value} falls into {[texts[n] for n in held]}"
        if not held and value is not None and "otherwise" in texts:
            held = [texts.index("otherwise")]
        if not held or total is None:
            total = None
            continue
        total = applied(lambda a, b: a + b, total, part.bins[held[0]].points)
    return total


def holds(text: str, value: Any, kind: Type) -> bool:
    """Whether a cell holds for a value."""
    if value is None:
        return text == "missing"
    if text == "missing":
        return False
    if kind.is_word or kind.kind is Kind.BOOL:
        parts = [part.strip().strip('"') for part in text.split(",")]
        return (str(value).lower() if kind.kind is Kind.BOOL else value) in parts
    ranged, signed = _RANGE.fullmatch(text), _SIGN.fullmatch(text)
    if ranged:
        low, high = compared(value, _end(ranged[2], kind)), compared(value, _end(ranged[3], kind))
        return (low > 0 or (low == 0 and ranged[1] == "[")) and (high < 0 or (high == 0 and ranged[4] == "]"))
    if signed:
        apart = compared(value, _end(signed[2], kind))
        return {"<": apart < 0, "<=": apart <= 0, ">": apart > 0, ">=": apart >= 0}[signed[1]]
    return compared(value, _end(text, kind)) == 0


def _end(text: str, kind: Type) -> Any:
    """An end as the values are: money in minor units of two decimals, times in microseconds since 1970."""
    if kind.kind is Kind.MONEY:
        exact = Fraction(Decimal(text.removesuffix(" EUR")) * 100)
    elif kind.kind is Kind.DURATION:
        exact = Fraction(Decimal(text.removesuffix("us")))
    elif kind.kind is Kind.TIME:
        return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    else:
        exact = Fraction(Decimal(text))
    return float(exact) if kind.is_float else exact

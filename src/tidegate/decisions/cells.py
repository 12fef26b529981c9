"""Cells as a person or a program reads them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tidegate.events.currency import decimals
from tidegate.events.times import rfc3339
from tidegate.events.types import Kind, Type
from tidegate.expressions.words import MISSING

_BOOL, _MONEY, _TIME, _DURATION = Kind.BOOL, Kind.MONEY, Kind.TIME, Kind.DURATION  # slow to find by their names
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


def shown(kind: Type, cell: int, number: float, words: Mapping[int, str], currency: str | None) -> Any:
    """A cell as a person or a program reads it, None if missing.

    Money is `12.34 EUR`, a time ISO 8601, a duration in seconds.
    """
    what = kind.kind
    if kind.is_float:
        if number != number:
            return None
        if what is _MONEY:
            return _amount(number, kind.currency or currency)
        return number / 1e6 if what is _DURATION else number
    if cell == MISSING:
        return None
    if what is _BOOL:
        return bool(cell)
    if what is _MONEY:
        return _amount(cell, kind.currency or currency)
    if what is _TIME:
        if not _FIRST <= cell <= _LAST:
            return cell  # beyond the years that dates have here, so in microseconds
        return rfc3339(cell)
    if what is _DURATION:
        return cell / 1e6
    return words.get(cell) if kind.is_word else cell


def _amount(units: int | float, currency: str | None) -> str:
    places = decimals(currency) if currency else 2
    exact = Decimal(units) if isinstance(units, int) else Decimal(repr(units))
    return f"{exact.scaleb(-places):.{places}f} {currency or ''}".rstrip()

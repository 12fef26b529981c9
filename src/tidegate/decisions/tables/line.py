"""A column's values as points of one line of whole numbers, so that every cell of a table is a set of ranges on it."""

import re
import struct
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from enum import Enum
from typing import Any

from tidegate.errors import ContractError, FlowError, nearest
from tidegate.events.currency import DECIMALS, decimals
from tidegate.events.durations import microseconds, written
from tidegate.events.money import Money
from tidegate.events.times import microseconds_of, rfc3339
from tidegate.events.types import Kind, Type
from tidegate.expressions.node import literal

LOW, HIGH = -(2**63) + 1, 2**63 - 1
"""The ends of the line; the point below the lowest is that of a missing value."""
BELOW_ZERO = -1
"""The point of floats at which no value lies: that of minus zero, which counts as zero."""
Ranges = tuple[tuple[int, int], ...]
"""Closed ranges of points, ascending, with a gap between each and the next."""

_NUMBER = re.compile(r"[+-]?(\d[\d_]*)?(\.\d+)?([eE][+-]?\d{1,3})?")
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
_LENGTH = re.compile(r"-?(\d+\s*(us|ms|s|m|h|d|w)\s*)+")


def ordered(number: float) -> int:
    """A float as a whole number of the same order (its bits, turned round below zero); the two zeros are one."""
    if number == 0:
        return 0
    bits: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return bits if bits >= 0 else bits ^ HIGH


def unordered(point: int) -> float:
    """The float that `ordered` made a point of."""
    bits = point if point >= 0 else point ^ HIGH
    number: float = struct.unpack("<d", struct.pack("<q", bits))[0]
    return number


def number_of(text: str) -> Decimal:
    """A number as people write it: digits, `_` between them if they like, a decimal point, an exponent.

    Raises:
        ValueError: it is not one.
    """
    found = _NUMBER.fullmatch(text)
    if not found or not (found[1] or found[2]) or len(text) > 60:
        raise ValueError(text)
    try:
        return Decimal(text.replace("_", ""))
    except InvalidOperation:
        raise ValueError(text) from None


class Line:
    """The line of one type of value.

    Args:
        type: of the column.
        currency: what amounts without a currency of their own are in, where the type leaves it open.
    """

    def __init__(self, type: Type, currency: str | None = None) -> None:
        self.type = type
        self.currency = type.currency or currency
        self.words: dict[int, str] = {}
        """The texts that were asked for, by their points."""

    @property
    def has_order(self) -> bool:
        """Whether `<` and ranges mean anything on it."""
        return self.type.kind in (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.TIME, Kind.DURATION)

    @property
    def ends(self) -> tuple[int, int]:
        """The lowest and the highest point that a value can have."""
        if self.type.is_float:
            return ordered(-1.7976931348623157e308), ordered(1.7976931348623157e308)
        return (0, 1) if self.type.kind is Kind.BOOL else (LOW, HIGH)

    def exact(self, value: Any) -> Decimal | str | bool:
        """A constant, given as text or as a Python value, as it counts on the line.

        Numbers are themselves, money is its minor units, times and durations are microseconds.

        Raises:
            FlowError: it is not of the column's type or unit.
        """
        if isinstance(value, Enum):
            value = value.value
        try:
            exact: Decimal | str | bool = _EXACT[self.type.kind](self, value)
            return exact
        except (ValueError, TypeError, OverflowError):
            raise FlowError(f"This is not {_a(self.type)}.", seen=_seen(value), do=_LIKE[self.type.kind]) from None
        except ContractError as error:
            raise FlowError(error.wrong, seen=error.seen, do=error.do) from None

    def equal(self, value: Any) -> Ranges:
        """The points that equal a constant.

        Raises:
            FlowError: it is not of the column's type, or is nothing that the column can be.
        """
        exact = self.exact(value)
        if isinstance(exact, str):
            return self._word(exact)
        if isinstance(exact, bool):
            return ((int(exact), int(exact)),)
        if not self.type.is_float and exact != exact.to_integral_value():
            raise FlowError("The column is whole numbers, so this never holds.", seen=_seen(value))
        point = self._at(exact)
        return ((point, point),)

    def above(self, value: Any, *, inclusive: bool) -> int:
        """The lowest point above a constant, or at it."""
        exact = self._sorted(value)
        if self.type.is_float:
            return self._at(exact) + (0 if inclusive else 1)
        whole = int(exact.to_integral_value(ROUND_CEILING if inclusive else ROUND_FLOOR))
        return _held(whole + (0 if inclusive else 1))

    def below(self, value: Any, *, inclusive: bool) -> int:
        """The highest point below a constant, or at it."""
        exact = self._sorted(value)
        if self.type.is_float:
            return self._at(exact) - (0 if inclusive else 1)
        whole = int(exact.to_integral_value(ROUND_FLOOR if inclusive else ROUND_CEILING))
        return _held(whole - (0 if inclusive else 1))

    def _sorted(self, value: Any) -> Decimal:
        if not self.has_order:
            raise FlowError(
                f"{_a(self.type).capitalize()} has no order, so it is not compared with < or a range.",
                seen=_seen(value),
                do='Write the value itself, several with commas, or not(…); put text with < or [ in it into "quotes".',
            )
        exact = self.exact(value)
        return exact if isinstance(exact, Decimal) else Decimal(0)

    def _at(self, exact: Decimal) -> int:
        if not self.type.is_float:
            return _held(int(exact))
        number = float(exact)
        if number in (float("inf"), float("-inf")):
            raise FlowError("This is beyond what a number can be.", seen=str(exact))
        return ordered(number)

    def _word(self, text: str) -> Ranges:
        from tidegate.expressions.words import word  # needs NumPy, which a flow's author need not wait for

        if self.type.choices and text not in self.type.choices:
            near = nearest(text, self.type.choices)
            do = f"Did you mean {near}?" if near else f"It is {self.type}."
            raise FlowError("This is not one of the values there are.", seen=repr(text), do=do)
        point = word(text)
        self.words[point] = text
        return ((point, point),)

    def shown(self, point: int) -> str:
        """A point as it would be written in a cell."""
        kind = self.type.kind
        if kind is Kind.BOOL:
            return "true" if point else "false"
        if self.type.is_word:
            return self.words.get(point, "any other text")
        number = unordered(point) if self.type.is_float else point
        if kind is Kind.MONEY:
            places = decimals(self.currency) if self.currency else 2
            exact = Decimal(number) if isinstance(number, int) else Decimal(repr(number))
            amount = exact.scaleb(-places)
            return f"{amount:.{places}f} {self.currency or ''}".rstrip() if isinstance(number, int) else f"{amount:f}"
        if kind is Kind.DURATION:
            us = round(number)
            return written(us) if us >= 0 else f"-{written(-us)}"
        if kind is Kind.TIME and abs(number) < 2 * 10**17:
            try:
                return rfc3339(round(number))
            except OverflowError:
                return str(number)
        return repr(number).removesuffix(".0")


def _held(point: int) -> int:
    return max(LOW, min(HIGH, point))


def _a(type: Type) -> str:
    names = {
        Kind.INT: "a whole number", Kind.FLOAT: "a number", Kind.BOOL: "true or false", Kind.TIME: "a time",
        Kind.DURATION: "a length of time", Kind.TEXT: "text",
    }  # fmt: skip
    return names.get(type.kind, f"a {type}" if type.kind is Kind.KEY else str(type))


def _seen(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


def _number(line: Line, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise ValueError(value)
    exact = number_of(value.strip()) if isinstance(value, str) else Decimal(value)
    if not exact.is_finite() or (not line.type.is_float and abs(exact) > 2**63):
        raise ValueError(value)
    return exact


def _truth(line: Line, value: Any) -> bool:
    if isinstance(value, str):
        return _TRUTHS[value.strip().lower()] if value.strip().lower() in _TRUTHS else _no(value)
    return value if isinstance(value, bool) else _no(value)


def _no(value: Any) -> bool:
    raise ValueError(value)


def _text(line: Line, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(value)
    return str(value)


def _key(line: Line, value: Any) -> Decimal | str:
    return _number(line, value) if line.type.whole else _text(line, value)


def _money(line: Line, value: Any) -> Decimal:
    if isinstance(value, str):
        parts = value.replace("\u00a0", " ").split()
        codes = [part for part in parts if part in DECIMALS]
        rest = [part for part in parts if part not in DECIMALS]
        if len(rest) != 1 or len(codes) > 1:
            unknown = [part for part in rest if part.isalpha()]
            if unknown:
                raise FlowError(
                    "A currency is a three-letter ISO 4217 code.", seen=value, do="Write, for example, 12.50 EUR."
                )
            raise ValueError(value)
        currency = codes[0] if codes else line.currency
        value = str(number_of(rest[0]))
    elif isinstance(value, Money):
        currency, value = value.currency, Decimal(value.units).scaleb(-decimals(value.currency))
    elif isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(value)
    else:
        # What a spreadsheet holds is a float: its shortest decimal form is what was typed.
        currency, value = line.currency, Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if currency is None:
        raise FlowError(
            "This amount has no currency.", seen=str(value), do='Write 12.50 EUR, or give the table currency="EUR".'
        )
    if line.currency is None:
        line.currency = currency
    if currency != line.currency:
        raise FlowError(
            "Two currencies in one column.", seen=f"{currency}, where it is {line.currency}", do="Convert one first."
        )
    return Decimal(Money.of(value, currency).units)


def _time(line: Line, value: Any) -> Decimal:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip()) if len(value.strip()) > 10 else date.fromisoformat(value.strip())
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise FlowError("A time has a time zone.", seen=value.isoformat(), do="Write 2026-01-31T10:00:00Z.")
    elif isinstance(value, date):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        raise TypeError(value)
    return Decimal(microseconds_of(value))


def _duration(line: Line, value: Any) -> Decimal:
    if isinstance(value, timedelta):
        return Decimal(value // timedelta(microseconds=1))
    if not isinstance(value, str) or not _LENGTH.fullmatch(value.strip()):
        raise ValueError(value)
    text = value.strip()
    total = sum(microseconds(part[0]) for part in re.finditer(r"\d+\s*(us|ms|s|m|h|d|w)", text))
    return Decimal(-total if text.startswith("-") else total)


_EXACT: dict[Kind, Any] = {
    Kind.INT: _number, Kind.FLOAT: _number, Kind.BOOL: _truth, Kind.TEXT: _text, Kind.KEY: _key, Kind.MONEY: _money,
    Kind.TIME: _time, Kind.DURATION: _duration,
}  # fmt: skip
_LIKE = {
    Kind.INT: "Write 12 or 1_000, without thousands separators.",
    Kind.FLOAT: "Write 0.5 or 1_000, with a decimal point and without thousands separators.",
    Kind.BOOL: "Write true or false.",
    Kind.TEXT: "Write it as it is, in quotes if it holds a comma or a bracket.",
    Kind.KEY: "Write the key as it is.",
    Kind.MONEY: "Write 12.50 EUR.",
    Kind.TIME: "Write 2026-01-31T10:00:00Z, or 2026-01-31 for the start of that day in UTC.",
    Kind.DURATION: "Write 10m, 1h 30m or 7d.",
}


def value_of(line: Line, value: Any) -> Any:
    """A constant of a column's type as expressions hold it: numbers, text, truth, minor units, microseconds.

    Raises:
        FlowError: it is not of that type.
    """
    exact = line.exact(value)
    if isinstance(exact, (str, bool)):
        if isinstance(exact, str):
            line.equal(exact)
        return exact
    if line.type.is_float:
        return literal(float(exact)).value  # type: ignore[attr-defined]
    if exact != exact.to_integral_value():
        raise FlowError("The column is whole numbers.", seen=_seen(value))
    return int(exact)

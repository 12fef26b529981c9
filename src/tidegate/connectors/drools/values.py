"""Values between a flow and Java: which Java types hold which of the flow's, and the way there and back."""

from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from tidegate.connectors.drools.java import java_class
from tidegate.errors import TidegateError
from tidegate.events.types import Kind, Type

_BOXED = {
    "double": "java.lang.Double", "float": "java.lang.Float", "long": "java.lang.Long", "int": "java.lang.Integer",
    "short": "java.lang.Short", "byte": "java.lang.Byte", "boolean": "java.lang.Boolean",
}  # fmt: skip
_WHOLE = ("long", "int", "java.lang.Long", "java.lang.Integer", "java.math.BigInteger")
_SHORT = ("short", "byte", "java.lang.Short", "java.lang.Byte")
_BROKEN = ("double", "java.lang.Double", "java.math.BigDecimal", "java.lang.Number", "java.lang.Object")
_SINGLE = ("float", "java.lang.Float")
_BITS = {
    "java.lang.Long": (64, "java.math.BigInteger"), "java.lang.Integer": (32, "long"), "java.lang.Short": (16, "int"),
    "java.lang.Byte": (8, "int"),
}  # fmt: skip
_TEXT = ("java.lang.String", "java.lang.CharSequence", "java.lang.Object")
_BOOL = ("boolean", "java.lang.Boolean", "java.lang.Object")
_TIME = ("java.time.Instant", "java.util.Date", "java.time.OffsetDateTime", "java.time.ZonedDateTime")


def fits(kind: Type) -> tuple[str, ...]:
    """The Java types that take a value of a flow's type without loss."""
    if kind.is_word:
        return _TEXT
    if kind.kind is Kind.BOOL:
        return _BOOL
    if kind.kind is Kind.TIME:
        return _TIME
    if kind.kind in (Kind.INT, Kind.KEY):
        return (*_WHOLE, *_BROKEN)
    return _BROKEN


def holds(kind: Type) -> tuple[str, ...]:
    """The Java types that a result of a flow's type can be read from."""
    if kind.kind is Kind.TEXT:
        return _TEXT
    if kind.kind is Kind.BOOL:
        return _BOOL
    whole = (*_WHOLE, *_SHORT, "java.lang.Number", "java.lang.Object")
    return whole if kind.kind is Kind.INT else (*whole, *_BROKEN, *_SINGLE)


def to_java(value: Any, java_type: str) -> Any:
    """A value as a Java object of a type that `fits` names.

    Amounts come in major units, as decimals; times with a zone.

    Raises:
        TidegateError: the number is beyond the Java type, or is not whole and the type is.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return java_class("java.lang.String")(value)
    if isinstance(value, bool):
        return java_class("java.lang.Boolean").valueOf(value)
    if isinstance(value, datetime):
        return _time(value, java_type)
    name = _BOXED.get(java_type, java_type)
    if name in ("java.lang.Object", "java.lang.Number"):
        name = _widest(value)
    if name == "java.math.BigDecimal":
        return java_class(name)(str(value) if not isinstance(value, float) else repr(value))
    if name in ("java.lang.Double", "java.lang.Float"):
        return java_class(name)(float(value))
    if name not in _BITS and name != "java.math.BigInteger":
        raise TidegateError(f"A number is no {java_type}.", seen=str(value))
    if int(value) != value:
        raise TidegateError("A number is not whole.", seen=str(value), do="Declare the field as double or BigDecimal.")
    if name == "java.math.BigInteger":
        return java_class(name)(str(int(value)))
    bits, wider = _BITS[name]
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        told = next(primitive for primitive, boxed in _BOXED.items() if boxed == name)
        raise TidegateError(f"A number is beyond Java's {told}.", seen=str(value), do=f"Declare the field as {wider}.")
    return java_class(name)(int(value))


def _widest(value: int | float | Decimal) -> str:
    """The Java type of a number where any is taken."""
    if isinstance(value, Decimal):
        return "java.math.BigDecimal"
    if isinstance(value, int):
        return "java.lang.Long" if -(2**63) <= value < 2**63 else "java.math.BigInteger"
    return "java.lang.Double"


def _time(value: datetime, java_type: str) -> Any:
    seconds, micros = int(value.timestamp() // 1), value.microsecond
    instant = java_class("java.time.Instant").ofEpochSecond(seconds, micros * 1000)
    if java_type == "java.util.Date":
        return java_class("java.util.Date")(seconds * 1000 + micros // 1000)
    if java_type in ("java.time.OffsetDateTime", "java.time.ZonedDateTime"):
        return java_class(java_type).ofInstant(instant, java_class("java.time.ZoneOffset").UTC)
    return instant


def to_python(held: Any, kind: Type) -> bool | int | float | str | None:
    """A result out of Java; None for null.

    Raises:
        TidegateError: it is of another type, or a number that a cell cannot hold.
    """
    if held is None:
        return None
    name = type(held).__name__
    if kind.kind is Kind.TEXT and isinstance(held, java_class("java.lang.String")):
        return str(held)
    if kind.kind is Kind.BOOL and isinstance(held, (java_class("java.lang.Boolean"), bool)):
        return bool(held)
    number = isinstance(held, (java_class("java.lang.Number"), int, float)) and not isinstance(held, bool)
    if kind.kind is Kind.INT and number:
        exact = Decimal(str(held))
        if exact.is_finite() and exact == exact.to_integral_value() and abs(exact) <= 2**53:
            return int(exact)
    elif kind.kind is Kind.FLOAT and number:
        broken = float(str(held))
        if isfinite(broken):
            return broken
    raise TidegateError("A result is of another type.", seen=f"{str(held)[:80]} ({name})")


__all__ = ["fits", "holds", "to_java", "to_python"]

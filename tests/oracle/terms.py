"""What an expression is worth for one event."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.real import Real, UndecidedError, applied, compared, divided, error, real
from tidegate.events.event import Event
from tidegate.events.money import Money
from tidegate.events.types import Kind
from tidegate.expressions.node import Call, Expr, FieldRead, Literal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BIG = 2**62
_WIDE = Context(prec=400, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Scope:
    """For which event, and how to ask for what is not in the event: windows, lists, models."""

    event: Event
    currency: str | None = None
    ask: Callable[[Expr], Any] | None = None


def microseconds(at: datetime) -> int:
    """A time as microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def field(scope: Scope, node: FieldRead) -> Any:
    """The value of a field: None, bool, int, Real or str; money as its units."""
    value = getattr(scope.event, node.name)
    if value is None:
        return None
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, Money):
        return value.units if value.currency == (node.type.currency or scope.currency) else None
    return real(value) if node.type.kind is Kind.FLOAT else value


def evaluate(node: Expr, scope: Scope) -> Any:
    """The value of an expression; None where it is missing."""
    if isinstance(node, FieldRead):
        return field(scope, node)
    if isinstance(node, Literal):
        return real(node.value) if node.type.kind is Kind.FLOAT else node.value
    if not isinstance(node, Call):
        assert scope.ask is not None, node
        return scope.ask(node)
    args = [evaluate(part, scope) for part in node.args]
    special = _SPECIAL.get(node.op)
    if special is not None:
        return special(node, args)
    if any(value is None for value in args):
        return None
    if node.op in _PARTS:
        return _PARTS[node.op](_local(args[0], node.option or "UTC"))
    if node.op in _REAL:
        return _REAL[node.op](*map(real, args)) if all(real(x) is not None for x in args) else None
    if any(part.type.is_float for part in node.args):
        args = [real(x) for x in args]
        return _ON_REALS[node.op](*args)
    return _ON_EXACT[node.op](*args)


def _local(at: int, zone: str) -> datetime:
    """A time in a zone. Years beyond Python's calendar are not the oracle's business."""
    try:
        return (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone))
    except OverflowError:
        raise UndecidedError from None


def _and(node: Call, args: list[Any]) -> bool | None:
    return False if False in args else None if None in args else True


def _or(node: Call, args: list[Any]) -> bool | None:
    return True if True in args else None if None in args else False


def _as(node: Call, value: Any) -> Any:
    return real(value) if value is not None and node.type.is_float else value


def _fill(node: Call, args: list[Any]) -> Any:
    return _as(node, args[1] if args[0] is None else args[0])


def _where(node: Call, args: list[Any]) -> Any:
    return None if args[0] is None else _as(node, args[1] if args[0] else args[2])


def _is_in(node: Call, args: list[Any]) -> bool | None:
    if args[0] is None:
        return None
    if any(part.type.is_float for part in node.args):
        return any(compared(real(args[0]), real(other)) == 0 for other in args[1:])  # type: ignore[arg-type]
    return args[0] in args[1:]


_SPECIAL: dict[str, Callable[[Call, list[Any]], Any]] = {
    "and": _and,
    "or": _or,
    "fill": _fill,
    "where": _where,
    "is_in": _is_in,
    "is_missing": lambda node, args: args[0] is None,
}

_PARTS: dict[str, Callable[[datetime], int]] = {
    "hour": lambda t: t.hour,
    "minute": lambda t: t.minute,
    "weekday": lambda t: t.weekday(),
    "day": lambda t: t.day,
    "month": lambda t: t.month,
    "year": lambda t: t.year,
}


def _rint(x: float, digits: float) -> float:
    scale = math.pow(10.0, digits)
    scaled = x * scale
    found = float(round(scaled)) / scale if math.isfinite(scaled) else math.inf
    return found if math.isfinite(found) else float(Decimal(x).quantize(Decimal(10) ** -int(digits), context=_WIDE))


def _above(limit: float, function: Callable[[float], float], inclusive: bool = False) -> Callable[[Any], Any]:
    def of(x: float) -> float:
        if x > limit or (inclusive and x == limit):
            return function(x)
        raise ValueError

    return lambda x: applied(of, x, ulps=4)


_REAL: dict[str, Callable[..., Real | None]] = {
    "div": divided,
    "pow": lambda a, b: applied(math.pow, a, b, ulps=4),
    "log": _above(0, math.log),
    "log10": _above(0, math.log10),
    "log1p": _above(-1, math.log1p),
    "exp": lambda x: applied(math.exp, x, ulps=4),
    "sqrt": _above(0, math.sqrt, inclusive=True),
    "floor": lambda x: applied(lambda v: float(math.floor(v)), x, step=True),
    "ceil": lambda x: applied(lambda v: float(math.ceil(v)), x, step=True),
    "round": lambda x, digits: applied(_rint, x, digits, step=True),
    "units": lambda x: x,
    "seconds": lambda x: divided(x, 1e6),
    "hours": lambda x: divided(x, 3.6e9),
    "days": lambda x: divided(x, 8.64e10),
}


def _held(x: int) -> int | None:
    """A whole number, missing from 2**62 on."""
    return x if -BIG < x < BIG else None


def _sum(a: int, b: int) -> int | None:
    return None if _held(a) is None or _held(b) is None else _held(a + b)


def _clip(value: Any, low: Any, high: Any) -> Any:
    return _least(_greatest(value, low), high)


def _least(a: Any, b: Any) -> Any:
    return _nearby(min(a, b), a, b)


def _greatest(a: Any, b: Any) -> Any:
    return _nearby(max(a, b), a, b)


def _nearby(chosen: Any, a: Any, b: Any) -> Any:
    return Real(chosen, max(error(a), error(b))) if error(a) or error(b) else chosen


_ON_EXACT: dict[str, Callable[..., Any]] = {
    "add": _sum,
    "sub": lambda a, b: _sum(a, -b),
    "mul": lambda a, b: _held(a * b),
    "mod": lambda a, b: None if b == 0 else a % b,
    "neg": lambda a: -a,
    "abs": abs,
    "not": lambda a: not a,
    "as_number": int,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "least": min,
    "greatest": max,
    "clip": _clip,
    "lower": str.lower,
    "upper": str.upper,
    "length": len,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": lambda text, part: part in text,
}

_ON_REALS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: applied(lambda x, y: x + y, a, b),
    "sub": lambda a, b: applied(lambda x, y: x - y, a, b),
    "mul": lambda a, b: applied(lambda x, y: x * y, a, b),
    "neg": lambda a: Real(-a, error(a)),
    "abs": lambda a: Real(abs(a), error(a)),
    "eq": lambda a, b: compared(a, b) == 0,
    "ne": lambda a, b: compared(a, b) != 0,
    "lt": lambda a, b: compared(a, b) < 0,
    "le": lambda a, b: compared(a, b) <= 0,
    "gt": lambda a, b: compared(a, b) > 0,
    "ge": lambda a, b: compared(a, b) >= 0,
    "least": _least,
    "greatest": _greatest,
    "clip": _clip,
}

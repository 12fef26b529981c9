"""Floats that know how far another correct evaluation may lie from them.

A float operation on two floats gives one float everywhere, so most errors are zero. They begin where the language
leaves room, as in a standard deviation or a logarithm, and spread from there. Where such a float decides something by
less than its error, no oracle can say what is right: `UndecidedError`, and a property test leaves the case out.
"""

import itertools
import math
from collections.abc import Callable
from fractions import Fraction


class UndecidedError(Exception):
    """Two correct evaluations may differ here by more than rounding."""


class Real(float):
    """A float64 and the largest error it may have in a correct evaluation."""

    err: float

    def __new__(cls, value: float, err: float = 0.0) -> "Real":
        made = super().__new__(cls, value)
        made.err = err
        return made


Number = int | Fraction | float


def error(x: Number) -> float:
    """The largest error of a number."""
    return x.err if isinstance(x, Real) else 0.0


def real(x: Number, ulps: float = 0) -> Real | None:
    """The float nearest to an exact number; missing if not finite. Another evaluation may be `ulps` away."""
    if isinstance(x, Real) and not ulps:
        return x
    try:
        value = float(x)
    except OverflowError:
        return None
    if not math.isfinite(value):
        return None
    return Real(value, error(x) + (ulps * math.ulp(value) if ulps else 0.0))


def applied(function: Callable[..., float], *args: Number, ulps: float = 0, step: bool = False) -> Real | None:
    """A function of floats; missing where it raises or is not finite.

    Its error is found at the corners of the box its arguments lie in: right for functions monotone in each of them.
    With `step` the function jumps, and must give the same everywhere in the box.
    """
    middle = _value(function, *map(float, args))
    errors = [error(x) for x in args]
    if not any(errors):
        return None if middle is None else real(middle, ulps)
    ranges = [(float(x) - e, float(x) + e) if e else (float(x),) for x, e in zip(args, errors, strict=True)]
    corners = [_value(function, *place) for place in itertools.product(*ranges)]
    if middle is None:
        if any(corner is not None for corner in corners):
            raise UndecidedError
        return None
    apart = 0.0
    for corner in corners:
        if corner is None or (step and corner != middle):
            raise UndecidedError
        apart = max(apart, abs(corner - middle))
    return Real(middle, 0.0 if step else apart * 1.001 + (ulps + 1) * math.ulp(middle))


def _value(function: Callable[..., float], *args: float) -> float | None:
    try:
        value = function(*args)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) else None


def divided(a: Number, b: Number) -> Real | None:
    """a / b; missing where b is zero."""
    if error(b) and abs(float(b)) <= error(b):
        raise UndecidedError
    return applied(lambda x, y: x / y, a, b)


def compared(a: Number, b: Number) -> int:
    """-1, 0 or 1 for less, equal, greater."""
    if (error(a) or error(b)) and abs(float(a) - float(b)) <= error(a) + error(b):
        raise UndecidedError
    return (a > b) - (a < b)

"""Functions of numbers (DMN 1.5, 10.3.4.5), and `not`."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)
from typing import Any

from tidegate.expressions.feel import numbers
from tidegate.expressions.feel.arithmetic import negated
from tidegate.expressions.feel.durations import DaysTime, YearsMonths
from tidegate.expressions.feel.given import Run
from tidegate.expressions.feel.library.signatures import builtin
from tidegate.expressions.feel.numbers import CONTEXT, Failure

_WIDE = Context(prec=13_000)


def _rounded(run: Run, n: Decimal, scale: Decimal | None, mode: str) -> Any:
    digits = 0
    if scale is not None:
        if not -6111 <= scale <= 6176:
            return run.why("the scale lies between -6111 and 6176, and this is {}", scale)
        digits = int(scale)
    if -digits > n.adjusted() + 1:
        unit = Decimal(1).scaleb(-digits, _WIDE)
        away = mode == ROUND_UP or mode == (ROUND_CEILING if n > 0 else ROUND_FLOOR)
        rounded = unit.copy_sign(n) if away and n != 0 else numbers.ZERO
    else:
        rounded = n.quantize(Decimal(1).scaleb(-digits, _WIDE), mode, _WIDE)
    found = numbers.number(rounded)
    return found if found is not None else run.why("the result is larger than numbers are")


@builtin("decimal(n: number, scale: number)")
def decimal(run: Run, n: Decimal, scale: Decimal) -> Any:
    """`n` to so many digits after the point, ties to even."""
    return _rounded(run, n, scale, ROUND_HALF_EVEN)


@builtin("floor(n: number)", "floor(n: number, scale: number)")
def floor(run: Run, n: Decimal, scale: Decimal | None = None) -> Any:
    """The largest number of so many digits after the point that is not above `n`."""
    return _rounded(run, n, scale, ROUND_FLOOR)


@builtin("ceiling(n: number)", "ceiling(n: number, scale: number)")
def ceiling(run: Run, n: Decimal, scale: Decimal | None = None) -> Any:
    """The smallest number of so many digits after the point that is not below `n`."""
    return _rounded(run, n, scale, ROUND_CEILING)


@builtin("round up(n: number)", "round up(n: number, scale: number)")
def round_up(run: Run, n: Decimal, scale: Decimal | None = None) -> Any:
    """`n` to so many digits after the point, away from zero."""
    return _rounded(run, n, scale, ROUND_UP)


@builtin("round down(n: number)", "round down(n: number, scale: number)")
def round_down(run: Run, n: Decimal, scale: Decimal | None = None) -> Any:
    """`n` to so many digits after the point, towards zero."""
    return _rounded(run, n, scale, ROUND_DOWN)


@builtin("round half up(n: number)", "round half up(n: number, scale: number)")
def round_half_up(run: Run, n: Decimal, scale: Decimal | None = None) -> Any:
    """`n` to so many digits after the point, ties away from zero."""
    return _rounded(run, n, scale, ROUND_HALF_UP)


@builtin("round half down(n: number)", "round half down(n: number, scale: number)")
def round_half_down(run: Run, n: Decimal, scale: Decimal | None = None) -> Any:
    """`n` to so many digits after the point, ties towards zero."""
    return _rounded(run, n, scale, ROUND_HALF_DOWN)


@builtin("abs(n: number | days and time duration | years and months duration)")
def absolute(run: Run, n: Decimal | DaysTime | YearsMonths) -> Any:
    """A number or duration without its sign."""
    if isinstance(n, Decimal):
        return CONTEXT.abs(n)
    return negated(n) if n.sign < 0 else n


@builtin("modulo(dividend: number, divisor: number)")
def modulo(run: Run, dividend: Decimal, divisor: Decimal) -> Any:
    """What is left of the dividend, with the sign of the divisor: `dividend - divisor * floor(dividend / divisor)`."""
    if divisor == 0:
        return run.why("the divisor is zero")
    # The remainder has as many digits as the two are apart, and is exact however many those are.
    digits = abs(dividend.adjusted() - divisor.adjusted()) + 3 * numbers.DIGITS
    exact = Context(prec=max(digits, numbers.DIGITS), Emin=-20_000, Emax=20_000)
    rest = exact.remainder(dividend, divisor)
    if rest != 0 and (rest < 0) is not (divisor < 0):
        rest = exact.add(rest, divisor)
    return numbers.number(rest) if rest else numbers.ZERO


@builtin("sqrt(number: number)")
def sqrt(run: Run, number: Decimal) -> Any:
    """The square root."""
    return CONTEXT.sqrt(number) if number >= 0 else run.why("{} has no square root", number)


@builtin("log(number: number)")
def log(run: Run, number: Decimal) -> Any:
    """The natural logarithm."""
    return CONTEXT.ln(number) if number > 0 else run.why("{} has no logarithm", number)


@builtin("exp(number: number)")
def exp(run: Run, number: Decimal) -> Any:
    """e to the power of the number."""
    try:
        return CONTEXT.exp(number)
    except Failure:
        return run.why("e to the power of {} is larger than numbers are", number)


@builtin("odd(number: number)")
def odd(run: Run, number: Decimal) -> Any:
    """Whether a whole number is odd."""
    return _parity(run, number, 1)


@builtin("even(number: number)")
def even(run: Run, number: Decimal) -> Any:
    """Whether a whole number is even."""
    return _parity(run, number, 0)


def _parity(run: Run, number: Decimal, rest: int) -> Any:
    if number != number.to_integral_value():
        return run.why("{} is no whole number", number)
    return CONTEXT.remainder(number.copy_abs(), Decimal(2)) == rest if number.adjusted() < numbers.DIGITS else rest == 0


@builtin("not(negand: any)")
def negation(run: Run, negand: Any) -> Any:
    """True for false, false for true, and null for anything else."""
    if isinstance(negand, list) and len(negand) == 1:
        negand = negand[0]
    return not negand if isinstance(negand, bool) else run.why("'not' is of a boolean, and this is {}", negand)

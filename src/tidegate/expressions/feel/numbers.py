"""Numbers of FEEL: decimal128, 34 digits, ties to even (IEEE 754-2008; DMN 1.5, 10.3.2.3.1)."""

from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow

DIGITS = 34
CONTEXT = Context(
    prec=DIGITS,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
SUMS = CONTEXT.copy()
"""For sums on the way to a result that is smaller: beyond what a number can be, rounded alike."""
SUMS.Emax = 999_999
SQUARES = SUMS.copy()
"""For squares on the way to a root: also below what a number can be."""
SQUARES.Emin = -999_999
ZERO, ONE = Decimal(0), Decimal(1)
Failure = DecimalException
"""What an operation of `CONTEXT` raises where the result is no number: a division by zero, a root of -1, 10**7000."""


def number(value: object) -> Decimal | None:
    """A Python number, or the text of one, as a FEEL number rounded to 34 digits; None where there is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = repr(value)
    if not isinstance(value, (int, str, Decimal)):
        return None
    try:
        found = CONTEXT.create_decimal(value)
    except (DecimalException, ValueError):
        return None
    return found if found.is_finite() else None


def whole(value: Decimal) -> int | None:
    """The integer that this number is, or None where it is none or too large to count with."""
    if value.adjusted() > 40:
        return None
    integer = int(value)
    return integer if integer == value else None


def written(value: Decimal) -> str:
    """The number in digits, without an exponent, and without a sign where it is zero."""
    text = format(value, "f")
    return text[1:] if value == 0 and text.startswith("-") else text


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """`base` to the power of `exponent`; anything to the power of zero is one.

    Raises:
        Failure: there is no such number.
    """
    if base == 0 and exponent < 0:
        raise DivisionByZero  # `decimal` gives an infinity, and signals nothing
    return ONE if exponent == 0 else CONTEXT.power(base, exponent)

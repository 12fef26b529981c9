"""Functions of the language that Python has no operator for."""

from tidegate.errors import FlowError, meant
from tidegate.expressions.node import Expr, call, literal


def where(condition: Expr, value: object, otherwise: object) -> Expr:
    """`value` where the condition holds, `otherwise` where it does not, missing where the condition is missing."""
    return call("where", condition, value, otherwise)


def is_in(value: Expr, *values: object) -> Expr:
    """Whether the value is one of the constants."""
    return call("is_in", value, *values)


def is_missing(value: Expr) -> Expr:
    """Whether the value is missing; never missing itself."""
    return call("is_missing", value)


def log(value: object) -> Expr:
    """Natural logarithm; missing for numbers that are not above zero."""
    return call("log", value)


def log10(value: object) -> Expr:
    """Decimal logarithm; missing for numbers that are not above zero."""
    return call("log10", value)


def log1p(value: object) -> Expr:
    """Natural logarithm of one plus the number; missing at or below -1."""
    return call("log1p", value)


def exp(value: object) -> Expr:
    """e to the power of the number; missing where it overflows."""
    return call("exp", value)


def sqrt(value: object) -> Expr:
    """Square root; missing for negative numbers."""
    return call("sqrt", value)


def floor(value: object) -> Expr:
    """The largest whole number not above it, as a float."""
    return call("floor", value)


def ceil(value: object) -> Expr:
    """The smallest whole number not below it, as a float."""
    return call("ceil", value)


def round_(value: object, digits: int = 0) -> Expr:
    """Rounded to decimal digits, ties to even, computed as `rint(x * 10**digits) / 10**digits`.

    Where that is too large for a float, it is the number itself: floats of that size have no digits to round.
    """
    if not -15 <= digits <= 15:
        raise FlowError("Rounding takes -15 to 15 digits.", seen=str(digits))
    return call("round", value, digits)


def least(a: object, b: object) -> Expr:
    """The smaller of the two; missing if either is."""
    return call("least", a, b)


def greatest(a: object, b: object) -> Expr:
    """The larger of the two; missing if either is."""
    return call("greatest", a, b)


def clip(value: object, low: object, high: object) -> Expr:
    """The value, held between low and high."""
    return call("clip", value, low, high)


def as_number(condition: Expr) -> Expr:
    """1 where the condition holds, 0 where not."""
    return call("as_number", condition)


def units(amount: Expr) -> Expr:
    """Money as a plain number of minor units (cents)."""
    return call("units", amount)


def seconds(duration: Expr) -> Expr:
    """A duration as a number of seconds."""
    return call("seconds", duration)


def hours(duration: Expr) -> Expr:
    """A duration as a number of hours."""
    return call("hours", duration)


def days(duration: Expr) -> Expr:
    """A duration as a number of days of 24 hours."""
    return call("days", duration)


def _part(op: str, time: Expr, zone: str) -> Expr:
    from zoneinfo import available_timezones

    if zone != "UTC" and zone not in (known := available_timezones()):
        do = meant(zone, sorted(known)) or "Write, for example, 'Europe/Berlin'."
        raise FlowError("This is not an IANA time zone.", seen=repr(zone), do=do)
    return call(op, literal(time), option=zone)


def hour(time: Expr, zone: str = "UTC") -> Expr:
    """Hour of the day, 0 to 23, in the IANA time zone."""
    return _part("hour", time, zone)


def minute(time: Expr, zone: str = "UTC") -> Expr:
    """Minute of the hour, 0 to 59, in the IANA time zone."""
    return _part("minute", time, zone)


def weekday(time: Expr, zone: str = "UTC") -> Expr:
    """Day of the week, Monday 0 to Sunday 6, in the IANA time zone."""
    return _part("weekday", time, zone)


def day(time: Expr, zone: str = "UTC") -> Expr:
    """Day of the month, 1 to 31, in the IANA time zone."""
    return _part("day", time, zone)


def month(time: Expr, zone: str = "UTC") -> Expr:
    """Month, 1 to 12, in the IANA time zone."""
    return _part("month", time, zone)


def year(time: Expr, zone: str = "UTC") -> Expr:
    """Calendar year in the IANA time zone."""
    return _part("year", time, zone)


def lower(text: Expr) -> Expr:
    """The text in lower case."""
    return call("lower", text)


def upper(text: Expr) -> Expr:
    """The text in upper case."""
    return call("upper", text)


def length(text: Expr) -> Expr:
    """How many characters (code points) the text has."""
    return call("length", text)


def starts_with(text: Expr, start: str) -> Expr:
    """Whether the text starts so."""
    return call("starts_with", text, start)


def ends_with(text: Expr, end: str) -> Expr:
    """Whether the text ends so."""
    return call("ends_with", text, end)


def contains(text: Expr, part: str) -> Expr:
    """Whether the text has this part."""
    return call("contains", text, part)

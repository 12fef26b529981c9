"""One field of a file at a time: its canonical series, and the rows in which it is wrong, each with why."""

from dataclasses import dataclass, field

import polars as pl

from tidegate.connectors import files_money, files_times, files_values
from tidegate.connectors.files_spelling import Spelling, likely_format
from tidegate.events.contract_faults import pointer
from tidegate.events.currency import DECIMALS
from tidegate.events.event import FieldContract
from tidegate.events.field_values import money_limits

_MOST_SIGNS = 5
"""How many different signs, and words for no value, are named; rows with others are refused in general words."""

_NO_VALUE = (
    "n/a", "#n/a", "na", "nan", "null", "none", "nil", "missing", "unknown", "-", "--", "–", ".", "?", "\\n",
)  # fmt: skip
"""What files write where they have no value, in small letters."""

_COMMA = r"^\s*[+-]?\d+(\.\d{3})*,\d+"


@dataclass
class Found:
    """One field's canonical series and the rows in which it is wrong, in the order in which reasons count."""

    series: list[pl.Series]
    wrong: list[tuple[pl.Series, str, str]] = field(default_factory=list)

    def refuse(self, mask: pl.Series, where: str, reason: str) -> None:
        """Set aside the rows of a mask; a null in it is no."""
        if mask.any():
            self.wrong.append((mask.fill_null(False), where, reason))


def unread(source: pl.Series, found: Found) -> pl.Series:
    """Where there was something and nothing could be made of it."""
    made = found.series[0]
    if made.null_count() == source.null_count():
        return pl.Series([False])
    return made.is_null() & source.is_not_null()


def bounds(found: Found, where: str, name: str, low: float | None, high: float | None) -> None:
    """Set aside the rows whose number lies outside its bounds."""
    made = found.series[0]
    if low is not None:
        found.refuse(made < low, where, f"{name} is negative." if low == 0 else f"{name} is below {low}.")
    if high is not None:
        found.refuse(made > high, where, f"{name} is above {high}.")


def told_missing(name: str, source: pl.Series, found: Found) -> None:
    """Say of refused texts that often stand for no value how to name them, before any other reason."""
    if not found.wrong or not files_values.is_text(source):
        return
    refused = pl.DataFrame(
        [mask.alias(str(n)) for n, (mask, _, _) in enumerate(found.wrong) if len(mask) == len(source)]
    )
    if not refused.width:
        return
    texts = source.cast(pl.String).str.strip_chars()
    known = [
        word for word in _NO_VALUE if word != "nan" or not found.series[0].dtype.is_float()
    ]  # there it is a number
    frame = pl.DataFrame({"t": texts, "bad": refused.select(pl.any_horizontal(pl.all())).to_series()})
    words = frame.select(pl.when(pl.col("bad") & pl.col("t").str.to_lowercase().is_in(known)).then("t"))["t"]
    for word in words.drop_nulls().unique(maintain_order=True).head(_MOST_SIGNS):
        said = f"{name} is {word!r}. If that stands for no value, say so with `--default '{name}.missing={word}'`."
        found.wrong.insert(0, ((words == word).fill_null(False), pointer(name), said))


def times(name: str, source: pl.Series, how: Spelling, *, first: bool) -> tuple[Found, int]:
    """Times, and how many could be either of two since a clock was put back over them."""
    where, read = pointer(name), files_times.times(name, source, how, first=first)
    found = Found([read.us])
    if read.numbers is not None:
        said = f"{name} is a number. Say what it counts since 1970 with `--default {name}.unit=s`, ms or us."
        found.refuse(read.numbers, where, said)
    if read.zoneless is not None:
        said = f"{name} is not a time with its zone. Say which with `--default {name}.zone=Europe/Berlin`."
        found.refuse(read.zoneless, where, said)
    if read.skipped is not None:
        said = f"{name} is a time that {how.zone} did not have, since clocks were put forward over it."
        found.refuse(read.skipped, where, said)
    lost = unread(source, found)
    said = f"{name} is not a time (RFC 3339)."
    if how.format is not None:
        said = f"{name} is not a time of the form {how.format}."
    elif files_values.is_text(source) and lost.any():
        rest = lost
        for known in (read.numbers, read.zoneless, read.skipped):
            rest = rest if known is None else rest & ~known.fill_null(False)
        if rest.any():
            form = likely_format(str(source.filter(rest)[0]).strip())
            said += f" If the file has its own form, say which with `--default '{name}.format={form}'`."
    found.refuse(lost, where, said)
    return found, read.twice


def truth(name: str, source: pl.Series, how: Spelling) -> Found:
    """True or false."""
    found = Found([files_values.truth(source, how.yes, how.no)])
    said = f"{name} is not true or false. Say which words mean these with `--default {name}.true=ja` and "
    said += f"`--default {name}.false=nein`."
    if (how.yes, how.no) != (Spelling.yes, Spelling.no):
        said = f"{name} is none of {', '.join((*how.yes, *how.no))}."
    found.refuse(unread(source, found), pointer(name), said)
    return found


def number(name: str, one: FieldContract, source: pl.Series, how: Spelling) -> Found:
    """Floats."""
    where, found = pointer(name), Found([files_values.number(source, how.decimal)])
    lost = unread(source, found)
    if how.decimal is None and files_values.is_text(source) and lost.any():
        said = f"{name} is not a number with a decimal point. If a comma is meant, say so with "
        comma = lost & source.cast(pl.String).str.contains(_COMMA + r"\s*$")
        found.refuse(comma, where, f"{said}`--default {name}.decimal=,`.")
    found.refuse(lost, where, f"{name} is not a number.")
    found.refuse(~found.series[0].is_finite(), where, f"{name} is not a finite number.")
    bounds(found, where, name, one.about.ge, one.about.le)
    return found


def money(name: str, one: FieldContract, source: pl.Series, told: pl.Series, unit: str, how: Spelling) -> Found:
    """Amounts and their currencies: `told` is the currency of each row, null where it is not known."""
    where, fixed, plain = pointer(name), one.about.currency, source
    if how.decimal is not None and files_values.is_text(source):
        plain = files_values.pointed(source.cast(pl.String), how.decimal)
    comma = f"If a comma is the decimal sign, say so with `--default {name}.decimal=,`."
    units, currency = files_money.minor_units(plain, told, unit)
    none = source.is_null() if not isinstance(source.dtype, pl.Struct) else units.is_null() & currency.is_null()
    blank = pl.Series([None], dtype=pl.String).new_from_index(0, len(source))
    currency = blank.zip_with(none, currency) if none.any() else currency
    found = Found([units, currency])
    inside = pointer(name, "currency")
    lost = units.is_null() & ~none
    if files_values.is_text(source) and lost.any():
        odd = files_money.signs(source).to_frame("s").with_columns(lost=lost).select(pl.when("lost").then("s"))["s"]
        for sign in odd.drop_nulls().unique(maintain_order=True).head(_MOST_SIGNS):
            said = f"{name} has the sign {sign}, which is no part of an amount. Take it out of the file; the currency "
            found.refuse(odd == sign, where, f"{said}is said with `--default {name}.currency=EUR`.")
    if plain is not source:
        _, odd = files_money.unreadable(source)
        example = f"12{how.decimal}34"
        said = f"{name} cannot be read as an amount such as {example} or {example} EUR."
        found.refuse(odd & lost, where, said)
        said = f"{name} is not an amount with {how.decimal!r} as its decimal sign."
        found.refuse(plain.is_null() & ~none, where, said)
    elif files_values.is_text(source) and lost.any():
        grouped, odd = files_money.unreadable(source)
        said = f"{name} cannot be read as an amount"
        found.refuse(grouped & lost, where, f"{said}: it wants a decimal point and no thousands separators. {comma}")
        found.refuse(odd & lost, where, f"{said} such as 12.34 or 12.34 EUR.")
    untold = f"{name} has no currency. Say which with `--default {name}.currency=EUR`."
    found.refuse(currency.is_null() & ~none, inside, untold)
    unknown = ~currency.is_in(list(DECIMALS) if fixed is None else [fixed])
    found.refuse(unknown, inside, f"{name} is not in {'a currency of ISO 4217' if fixed is None else fixed}.")
    found.refuse(lost, where, f"{name} is not an amount with as many decimals as its currency has.")
    low, high = money_limits(one)
    bounds(found, pointer(name, "units"), name, low, high)
    return found

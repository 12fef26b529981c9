"""Raw columns of money to minor units and currencies, exactly."""

import polars as pl

from tidegate.connectors.files_values import is_text, unfit
from tidegate.errors import TidegateError
from tidegate.events.currency import DECIMALS

_PLACES = 6  # of the decimals that amounts are read with; no currency has more than four
_NEAR = 1e-6  # how far a float may be from a whole number of minor units and still mean it
_MOST_FLOAT = 2.0**53
_UNITS = ("minor", "major")


def unit_of(name: str, said: object, raw: pl.Series, decimals: int, decimal: str | None = None) -> str:
    """Whether a column's numbers are minor units (cents) or major ones (euros).

    Whole numbers in a typed file are minor units. A text that is a whole number could be either, and a wrong guess is
    wrong a hundredfold, so that must be said.
    """
    if said is not None:
        if said not in _UNITS:
            raise TidegateError(f"{name}.unit is 'minor' or 'major'.", seen=repr(said))
        return str(said)
    if not is_text(raw):
        return "minor" if raw.dtype.is_integer() else "major"
    texts = raw.cast(pl.String).drop_nulls().str.strip_chars()
    texts = texts.filter(~unreadable(texts)[1])  # what is no amount says nothing of those that are
    if (
        decimals
        and texts.cast(pl.Int64, strict=False).is_not_null().any()
        and not texts.str.contains_any([decimal or ".", " "]).any()
    ):
        raise TidegateError(
            f"The column {raw.name!r} has whole numbers only; they could be minor units (cents) or major ones.",
            seen=", ".join(texts.head(3)),
            do=f'Say which: `--default {name}.unit=minor` or major (in Python defaults={{"{name}.unit": "minor"}}).',
        )
    return "major"


def _scaled(amounts: pl.Series, places: pl.Series | int) -> pl.Series:
    """Decimals of six places to whole minor units; null where the currency has fewer places than the amount."""
    millionths = amounts.cast(pl.Decimal(38, _PLACES), strict=False).to_physical().cast(pl.Int64, strict=False)
    frame = pl.DataFrame({"m": millionths}).with_columns(p=places)
    step = pl.lit(10, pl.Int64).pow(_PLACES - pl.col("p").cast(pl.Int64)).cast(pl.Int64)
    return frame.select(u=pl.when(pl.col("m") % step == 0).then(pl.col("m") // step))["u"]


def _of_text(texts: pl.Series, places: pl.Series | int) -> pl.Series:
    """Amounts written out: digits, a sign and a point. Other spellings (1e3) are not how amounts are written."""
    fraction = texts.str.len_bytes().cast(pl.Int64) - texts.str.find(".", literal=True).cast(pl.Int64) - 1
    fine = (fraction.fill_null(0) <= _PLACES) & ~texts.str.contains_any(["e", "E"])
    return _scaled(texts.to_frame("t").select(pl.when(fine).then(pl.col("t")))["t"], places)


def _of_floats(amounts: pl.Series, places: pl.Series | int) -> pl.Series:
    frame = pl.DataFrame({"a": amounts.cast(pl.Float64)}).with_columns(p=places)
    scaled = pl.col("a") * pl.lit(10.0).pow(pl.col("p").cast(pl.Float64))
    fits = scaled.is_finite() & ((scaled - scaled.round()).abs() <= _NEAR) & (scaled.abs() <= _MOST_FLOAT)
    return frame.select(u=pl.when(fits).then(scaled.round()))["u"].cast(pl.Int64)


def unreadable(raw: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Which texts are numbers with separators that are not read (`1,200.00`), and which begin with no number at all."""
    texts = raw.cast(pl.String).str.strip_chars()
    grouped = texts.str.contains(r"^[+-]?\d+(\.\d{3})*[,'’]\d")
    return grouped, ~grouped & ~texts.str.contains(r"^[+-]?[0-9.]*[0-9]") & (texts.str.len_bytes() > 0)


def signs(raw: pl.Series) -> pl.Series:
    """The first sign of each text that no amount is written with, as £; null where there is none."""
    return raw.cast(pl.String).str.extract(r"([^\w\s.,'’+-])", 1)


def minor_units(raw: pl.Series, currency: pl.Series, unit: str) -> tuple[pl.Series, pl.Series]:
    """Amounts in minor units and their currencies; null where an amount cannot be read, or is finer than its currency.

    Args:
        raw: whole numbers, decimals, floats (taken within a millionth of a minor unit), text such as `12.34` or
            `12.34 EUR`, or a struct of `units` and `currency`.
        currency: the currency of each row, null where it is not told; one in the text itself goes before.
        unit: `minor` or `major`, of numbers without a currency of their own.
    """
    if isinstance(raw.dtype, pl.Struct):
        names = {field.name for field in raw.dtype.fields}
        if {"units", "currency"} - names:
            raise unfit(raw, "money")
        own = raw.struct.field("currency").cast(pl.String)
        return raw.struct.field("units").cast(pl.Int64, strict=False), own.zip_with(own.is_not_null(), currency)
    majors = raw
    if is_text(raw):
        majors = raw.cast(pl.String)
        if majors.str.contains(" ", literal=True).any():
            parts = majors.str.splitn(" ", 2).struct.unnest().rename({"field_0": "amount", "field_1": "currency"})
            own = parts["currency"]
            majors, currency = parts["amount"], own.zip_with(own.is_not_null(), currency)
            major = own.is_not_null() if unit == "minor" else None
            return _mixed(majors, currency, major), currency
    if unit == "minor":
        places: pl.Series | int = 0
    else:
        only = currency.drop_nulls().unique()
        one = DECIMALS.get(only[0]) if len(only) == 1 else None
        places = currency.replace_strict(DECIMALS, default=0, return_dtype=pl.Int64) if one is None else one
    if is_text(raw):
        return _of_text(majors, places), currency
    if raw.dtype.is_integer() or raw.dtype == pl.Null:
        whole = raw.cast(pl.Int64, strict=False)
        return (whole if unit == "minor" else _scaled(whole, places)), currency
    if isinstance(raw.dtype, pl.Decimal):
        exact = raw.cast(pl.Decimal(38, _PLACES), strict=False)
        same = exact.cast(raw.dtype, strict=False) == raw
        return _scaled(exact.to_frame("t").select(pl.when(same).then(pl.col("t")))["t"], places), currency
    if raw.dtype.is_float():
        return _of_floats(raw, places), currency
    raise unfit(raw, "money")


def _mixed(amounts: pl.Series, currency: pl.Series, major: pl.Series | None) -> pl.Series:
    """Amounts of which some bring their currency and are in major units; all of them, where `major` is None."""
    places = currency.replace_strict(DECIMALS, default=0, return_dtype=pl.Int64)
    return _of_text(amounts, places if major is None else places * major.cast(pl.Int64))

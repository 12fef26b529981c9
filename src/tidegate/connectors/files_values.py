"""Raw columns to canonical ones, a column at a time: texts, numbers and booleans.

Each function gives the canonical series, null where there is no value or none that can be read. What is null there and
not in the raw column is the caller's to refuse.
"""

import polars as pl

from tidegate.errors import TidegateError


def is_text(raw: pl.Series) -> bool:
    """Whether a column holds text in one of the ways files have."""
    return isinstance(raw.dtype, pl.String | pl.Categorical | pl.Enum)


def unfit(raw: pl.Series, wanted: str) -> TidegateError:
    """The error for a column whose type can never give such values."""
    return TidegateError(
        f"The column {raw.name!r} cannot be read as {wanted}.",
        seen=str(raw.dtype),
        do="Name another column with `--column FIELD=COLUMN` (in Python columns={field: column}), or write the file "
        "with another type.",
    )


def _whole(raw: pl.Series) -> pl.Series:
    """Floats that are whole numbers as such; what else there is as null."""
    wide = raw.cast(pl.Float64)
    fits = wide.is_finite() & (wide == wide.floor()) & (wide.abs() <= 2.0**53)
    return wide.to_frame().select(pl.when(fits).then(pl.col(raw.name)))[raw.name].cast(pl.Int64)


def text(raw: pl.Series) -> pl.Series:
    """Text; whole numbers are written as such."""
    if isinstance(raw.dtype, pl.String):
        return raw
    if is_text(raw) or raw.dtype.is_integer() or raw.dtype == pl.Null:
        return raw.cast(pl.String)
    if raw.dtype.is_float():
        return _whole(raw).cast(pl.String)
    raise unfit(raw, "text")


def whole(raw: pl.Series) -> pl.Series:
    """Whole numbers of 64 bits; a float is taken where it is whole, as files write a column that lacks values."""
    if raw.dtype.is_float():
        return _whole(raw)
    if raw.dtype.is_integer() or is_text(raw) or raw.dtype == pl.Null:
        return raw.cast(pl.Int64, strict=False)
    raise unfit(raw, "whole numbers")


def pointed(texts: pl.Series, decimal: str) -> pl.Series:
    """Numbers written out, with a point before the fraction and nothing between thousands.

    Args:
        texts: as they stand; what is no number stays as it is, and what has its signs in wrong places becomes null.
        decimal: `.` or `,`; the other one may stand between thousands.
    """
    between = "," if decimal == "." else "."
    number, rest = r"^\s*([+-]?)([\d.,]+)", r"\s*(.*)$"
    grouped = rf"^\s*[+-]?\d{{1,3}}([{between}]\d{{3}})+([{decimal}]\d+)?(\s.*)?$"
    plain = rf"^\s*[+-]?\d+([{decimal}]\d+)?(\s.*)?$"
    good = texts.str.contains(grouped) | texts.str.contains(plain) | ~texts.str.contains(number + rest)
    head = texts.str.extract(r"^\s*([+-]?[\d.,]+)", 1)
    mended = head.str.replace_all(between, "", literal=True).str.replace(decimal, ".", literal=True)
    tail = texts.str.replace(r"^\s*[+-]?[\d.,]+", "")
    frame = pl.DataFrame({"t": texts, "m": mended, "r": tail, "g": good})
    whole = pl.when(pl.col("m").is_null()).then(pl.col("t")).otherwise(pl.col("m") + pl.col("r"))
    return frame.select(pl.when(pl.col("g")).then(whole).alias("t"))["t"].alias(texts.name)


def number(raw: pl.Series, decimal: str | None = None) -> pl.Series:
    """Floats; a decimal gives the nearest one. -0.0 becomes the 0.0 that it equals."""
    if raw.dtype.is_numeric() or raw.dtype == pl.Null:
        return _one_zero(raw.cast(pl.Float64))
    if is_text(raw):
        texts = raw.cast(pl.String)
        return _one_zero((texts if decimal is None else pointed(texts, decimal)).cast(pl.Float64, strict=False))
    raise unfit(raw, "numbers")


def _one_zero(floats: pl.Series) -> pl.Series:
    """Without -0.0. Adding 0.0 would do by IEEE 754, but Polars leaves that out as if it changed nothing."""
    one = pl.col(floats.name)
    return floats.to_frame().select(pl.when(one == 0.0).then(0.0).otherwise(one).alias(floats.name))[floats.name]


def truth(raw: pl.Series, yes: tuple[str, ...] = ("true", "1"), no: tuple[str, ...] = ("false", "0")) -> pl.Series:
    """Booleans; of numbers 1 and 0 are true and false, of texts these words, in capitals or not."""
    if raw.dtype in (pl.Boolean, pl.Null):
        return raw.cast(pl.Boolean)
    if raw.dtype.is_numeric():
        ways = {0: False, 1: True}
        return raw.cast(pl.Int64, strict=False).replace_strict(ways, default=None, return_dtype=pl.Boolean)
    if is_text(raw):
        words = dict.fromkeys(yes, True) | dict.fromkeys(no, False)
        return raw.cast(pl.String).str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    raise unfit(raw, "true or false")

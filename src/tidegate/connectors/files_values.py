"""Raw columns to canonical ones, a column at a time: texts, numbers, booleans and times.

Each function gives the canonical series, null where there is no value or none that can be read. What is null there and
not in the raw column is the caller's to refuse.
"""

import polars as pl

from tidegate.errors import TidegateError

EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The times of the years 1 to 9999, in microseconds since 1970 UTC."""

_RFC3339 = "%Y-%m-%dT%H:%M:%S%.f%#z"
_PLAIN = "%Y-%m-%dT%H:%M:%S%.f"


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


def number(raw: pl.Series) -> pl.Series:
    """Floats; a decimal gives the nearest one. Adding 0.0 makes -0.0 the 0.0 that it equals."""
    if raw.dtype.is_numeric() or raw.dtype == pl.Null:
        return raw.cast(pl.Float64) + 0.0
    if is_text(raw):
        return raw.cast(pl.String).cast(pl.Float64, strict=False) + 0.0
    raise unfit(raw, "numbers")


def truth(raw: pl.Series) -> pl.Series:
    """Booleans; 0 and 1 are false and true, and so are these words."""
    if raw.dtype in (pl.Boolean, pl.Null):
        return raw.cast(pl.Boolean)
    if raw.dtype.is_numeric():
        ways = {0: False, 1: True}
        return raw.cast(pl.Int64, strict=False).replace_strict(ways, default=None, return_dtype=pl.Boolean)
    if is_text(raw):
        words = {"true": True, "false": False, "1": True, "0": False}
        return raw.cast(pl.String).str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    raise unfit(raw, "true or false")


def check_zone(zone: str) -> None:
    """Refuse what is not a time zone."""
    _placed(pl.Series([0]).cast(pl.Datetime("us")), zone)


def _placed(times: pl.Series, zone: str) -> pl.Series:
    """Times without a zone as those of a zone, in UTC. A time that a clock shows twice is the earlier one."""
    try:
        there = times.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    except pl.exceptions.ComputeError:
        raise TidegateError("This is not a time zone.", seen=repr(zone), do="Write 'UTC' or 'Europe/Berlin'.") from None
    return there.dt.convert_time_zone("UTC")


def _plain_times(texts: pl.Series) -> pl.Series:
    """Times written without a zone. Without fractions of a second it is four times as fast, so that is tried first."""
    whole_seconds = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
    if whole_seconds.null_count() == texts.null_count():
        return whole_seconds
    return texts.str.to_datetime(_PLAIN, time_unit="us", strict=False)


def _read_times(raw: pl.Series, zone: str | None) -> pl.Series:
    """Times written out. Most files write all of theirs in one way, so each way is tried on what is left."""
    for suffix in ("Z", "+00:00"):
        if raw.str.ends_with(suffix).all():
            return _plain_times(raw.str.strip_suffix(suffix)).dt.replace_time_zone("UTC")
    tidy = raw.str.to_uppercase().str.replace(" ", "T", literal=True)
    times = tidy.str.to_datetime(_RFC3339, time_unit="us", time_zone="UTC", strict=False)
    if zone is not None:
        times = times.zip_with(times.is_not_null(), _placed(_plain_times(tidy), zone))
    millis = raw.cast(pl.Int64, strict=False)
    if millis.is_not_null().any():
        times = times.zip_with(times.is_not_null(), _of_millis(millis).cast(pl.Datetime("us", "UTC")))
    return times


def _of_millis(millis: pl.Series) -> pl.Series:
    fits = millis.is_between(EARLIEST // 1000, LATEST // 1000)
    return millis.to_frame().select(pl.when(fits).then(pl.col(millis.name) * 1000))[millis.name]


def time(raw: pl.Series, zone: str | None) -> pl.Series:
    """Times in microseconds since 1970 UTC: from times, whole numbers of milliseconds since 1970, or RFC 3339.

    Args:
        raw: the column.
        zone: where times without a zone are; for a column of times UTC unless told, while text must tell its own.
    """
    dtype = raw.dtype
    if isinstance(dtype, pl.Date):
        raw, dtype = raw.cast(pl.Datetime("us")), pl.Datetime("us")
    if isinstance(dtype, pl.Datetime):
        raw = raw.dt.cast_time_unit("us")
        us = (_placed(raw, zone) if dtype.time_zone is None and zone else raw).to_physical()
    elif dtype.is_integer() or dtype == pl.Null:
        us = _of_millis(raw.cast(pl.Int64, strict=False))
    elif is_text(raw):
        us = _read_times(raw.cast(pl.String), zone).to_physical()
    else:
        raise unfit(raw, "times")
    inside = us.is_between(EARLIEST, LATEST)
    return us.to_frame().select(pl.when(inside).then(pl.col(us.name)))[us.name] if not inside.all() else us

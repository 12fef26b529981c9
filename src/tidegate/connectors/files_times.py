"""Raw columns of times to microseconds since 1970 UTC, exactly, and what is wrong with those that cannot be read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from tidegate.connectors.files_spelling import TIME_UNITS, Spelling
from tidegate.connectors.files_values import is_text, unfit
from tidegate.errors import TidegateError

EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The times of the years 1 to 9999, in microseconds since 1970 UTC."""

_RFC3339 = "%Y-%m-%dT%H:%M:%S%.f%#z"
_PLAIN = "%Y-%m-%dT%H:%M:%S%.f"
_NUMBER = r"^\s*[+-]?\d+(\.\d+)?\s*$"


@dataclass(frozen=True)
class Times:
    """A column of times.

    Args:
        us: microseconds since 1970 UTC, null where there is none or none that can be read.
        skipped: rows with a time that no clock of their zone shows, since it was put forward over it.
        twice: how many times a clock of their zone shows twice, since it was put back.
        numbers: rows with a number of which it was not told what it counts.
        zoneless: rows with a time without a zone, of which it was not told either.
    """

    us: pl.Series
    skipped: pl.Series | None = None
    twice: int = 0
    numbers: pl.Series | None = None
    zoneless: pl.Series | None = None


def times(name: str, raw: pl.Series, how: Spelling, *, first: bool) -> Times:
    """A column of times of whatever kind.

    Args:
        name: the field's.
        raw: times, texts (RFC 3339, or of a told format), or numbers since 1970 of a told unit.
        how: as what they are to be read. Without a zone, a column of times is in UTC, while text must tell its own.
        first: whether nothing of the file was read yet, so that it can still be refused as a whole.

    Raises:
        TidegateError: all are numbers and it was not told what they count.
    """
    if how.unit is not None and how.unit not in TIME_UNITS:
        raise TidegateError(f"{name}.unit is 's', 'ms' or 'us'.", seen=repr(how.unit))
    dtype = raw.dtype
    if isinstance(dtype, pl.Date):
        raw, dtype = raw.cast(pl.Datetime("us")), pl.Datetime("us")
    if isinstance(dtype, pl.Datetime):
        raw = raw.dt.cast_time_unit("us")
        found = _placed(raw, how) if dtype.time_zone is None and how.zone else Times(raw.to_physical())
    elif dtype.is_numeric():
        if how.unit is None and raw.null_count() < raw.len():
            raise _untold(name, raw)
        found = Times(_counted(raw, how.unit or "us"))
    elif dtype == pl.Null:
        found = Times(raw.cast(pl.Int64))
    elif is_text(raw):
        found = _of_text(name, raw.cast(pl.String), how, first=first)
    else:
        raise unfit(raw, "times")
    inside = found.us.is_between(EARLIEST, LATEST)
    if inside.all():
        return found
    kept = found.us.to_frame().select(pl.when(inside).then(pl.col(found.us.name)))[found.us.name]
    return Times(kept, found.skipped, found.twice, found.numbers, found.zoneless)


def _of_text(name: str, raw: pl.Series, how: Spelling, *, first: bool) -> Times:
    numbers = raw.str.contains(_NUMBER).fill_null(False) if how.format is None else None
    if numbers is not None and not numbers.any():
        numbers = None
    if numbers is not None and how.unit is None:
        if first and int(numbers.sum() or 0) == raw.len() - raw.null_count():
            raise _untold(name, raw)
        found = _written(raw, how)
        return Times(found.us, found.skipped, found.twice, numbers, found.zoneless)
    found = _written(raw, how)
    if numbers is None:
        return found
    counted = _counted(raw.str.strip_chars(), how.unit or "us")
    return Times(counted.zip_with(numbers, found.us), found.skipped, found.twice, None, found.zoneless)


def _written(raw: pl.Series, how: Spelling) -> Times:
    """Times written out. Most files write all of theirs in one way, so each way is tried on what is left."""
    if how.format is not None:
        read = raw.str.strip_chars().str.to_datetime(how.format, time_unit="us", strict=False)
        if isinstance(read.dtype, pl.Datetime) and read.dtype.time_zone is not None:
            return Times(read.to_physical())
        return _placed(read, how)
    for suffix in ("Z", "+00:00"):
        if raw.str.ends_with(suffix).all():
            return Times(_plain_times(raw.str.strip_suffix(suffix)).to_physical())
    tidy = raw.str.to_uppercase().str.replace(" ", "T", literal=True)
    own = tidy.str.to_datetime(_RFC3339, time_unit="us", time_zone="UTC", strict=False).to_physical()
    if own.null_count() == raw.null_count():
        return Times(own)
    plain = _plain_times(tidy)
    if how.zone is None:
        return Times(own, zoneless=plain.is_not_null() & own.is_null())
    there = _placed(
        plain.zip_with(own.is_null(), pl.Series([None], dtype=plain.dtype).new_from_index(0, len(raw))), how
    )
    return Times(own.zip_with(own.is_not_null(), there.us), there.skipped, there.twice)


def _plain_times(texts: pl.Series) -> pl.Series:
    """Times written without a zone. Without fractions of a second it is four times as fast, so that is tried first."""
    whole_seconds = texts.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
    if whole_seconds.null_count() == texts.null_count():
        return whole_seconds
    return texts.str.to_datetime(_PLAIN, time_unit="us", strict=False)


def _placed(local: pl.Series, how: Spelling) -> Times:
    """Times without a zone as those of a zone."""
    zone = how.zone or "UTC"
    early, late = (
        local.dt.replace_time_zone(zone, ambiguous=which, non_existent="null").dt.convert_time_zone("UTC").to_physical()
        for which in ("earliest", "latest")
    )
    us = early if how.fold == "first" else late
    skipped = local.is_not_null() & us.is_null()
    return Times(us, skipped if skipped.any() else None, int((early != late).sum() or 0))


def _counted(raw: pl.Series, unit: str) -> pl.Series:
    """Numbers since 1970 as microseconds, to the nearest; null where one is none, or of no year from 1 to 9999."""
    scale = TIME_UNITS[unit]
    low, high = EARLIEST // scale, LATEST // scale
    frame = pl.DataFrame({"whole": raw.cast(pl.Int64, strict=False), "any": raw.cast(pl.Float64, strict=False)})
    if raw.dtype.is_float():
        frame = frame.with_columns(whole=pl.lit(None, pl.Int64))
    return frame.select(
        pl.when(pl.col("whole").is_between(low, high))
        .then(pl.col("whole") * scale)
        .when(pl.col("whole").is_null() & pl.col("any").is_between(low, high))
        .then((pl.col("any") * scale).round(0).cast(pl.Int64, strict=False))
        .alias(raw.name)
    )[raw.name]


def _untold(name: str, raw: pl.Series) -> TidegateError:
    """The error for a column of numbers that may count anything."""
    some = raw.drop_nulls().head(3).cast(pl.String).to_list()
    return TidegateError(
        f"The column {raw.name!r} has numbers; they could be seconds, milliseconds or microseconds since 1970.",
        seen=", ".join(some),
        do=f"Say which: `--default {name}.unit=s`, ms or us{_as_each(some[0])} "
        f'(in Python defaults={{"{name}.unit": "s"}}).',
    )


def _as_each(text: str) -> str:
    """What the first number would be in each unit, as far as it would be a time."""
    said = []
    for unit, scale in TIME_UNITS.items():
        try:
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(float(text) * scale))
        except (OverflowError, ValueError):
            continue
        said.append(f"{at:%Y-%m-%d %H:%M} in {unit}")
    return f"; the first would be {', '.join(said)}" if said else ""

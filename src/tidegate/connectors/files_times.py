"""Raw columns of times to microseconds since 1970 UTC, exactly, and what is wrong with those that cannot be read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from tidegate.connectors.files_spelling import TIME_UNITS, Spelling
from tidegate.connectors.files_values import is_text, unfit
from tidegate.errors import TidegateError

EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The times of the years 1 to 9999, in microseconds since 1970 UTC."""
DAY = 86_400_000_000
"""A day in microseconds."""

_RFC3339 = "%Y-%m-%dT%H:%M:%S%.f%#z"
_PLAIN = "%Y-%m-%dT%H:%M:%S%.f"
_TIDY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]"
_SHAPE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?$"
"""How times are written, with or without a zone, as they are over HTTP; the parser alone would take more."""
_QUICK = (
    (_TIDY + "Z$", "%Y-%m-%dT%H:%M:%SZ"),
    (_TIDY + r"\+00:00$", "%Y-%m-%dT%H:%M:%S+00:00"),
    (_TIDY + r"\.[0-9]{1,6}Z$", "%Y-%m-%dT%H:%M:%S%.fZ"),
    (_TIDY + r"\.[0-9]{1,6}\+00:00$", "%Y-%m-%dT%H:%M:%S%.f+00:00"),
)
"""The spellings that most files keep to, each as what all texts are then like, and its format."""
_HALF = r"\.[0-9]{6}[5-9]"
_LONGEST_EXACT = len("2026-01-01T00:00:00.123456")
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
    if isinstance(dtype, pl.Date | pl.Datetime):
        found = _typed(raw, dtype, how)
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


def _typed(raw: pl.Series, dtype: pl.Date | pl.Datetime, how: Spelling) -> Times:
    """A column of times or dates; what is finer than a microsecond is rounded as texts are."""
    counts, half = raw.to_physical().cast(pl.Int64), None
    if isinstance(dtype, pl.Date):
        us = _scaled(counts, DAY)
    elif dtype.time_unit == "ns":
        us = counts // 1000
        half = counts - us * 1000 >= 500
    else:
        us = _scaled(counts, TIME_UNITS[dtype.time_unit])
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        found = Times(us)
    else:
        found = _placed(us.cast(pl.Datetime("us")), how) if how.zone else Times(us)
    return found if half is None else _rounded(found, half)


def _rounded(found: Times, half: pl.Series) -> Times:
    """Times whose fractions were cut off after microseconds, to the nearest one; half a microsecond counts up."""
    if not half.any():
        return found
    return Times(found.us + half.cast(pl.Int64), found.skipped, found.twice, found.numbers, found.zoneless)


def _of_text(name: str, raw: pl.Series, how: Spelling, *, first: bool) -> Times:
    quick = _quick(raw) if how.format is None else None
    if quick is not None:
        return Times(quick)
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


def _quick(raw: pl.Series) -> pl.Series | None:
    """Times that are all written in one of the usual ways; None where one is not, or says what no time is."""
    first = raw.drop_nulls().head(1)
    for like, form in _QUICK if first.len() else ():
        if first.str.contains(like).all() and raw.str.contains(like).all():
            read = raw.str.to_datetime(form, time_unit="us", strict=False)
            return read.to_physical() if read.null_count() == raw.null_count() else None
    return None


def _written(raw: pl.Series, how: Spelling) -> Times:
    """Times written out, each read by itself: what its neighbours look like makes no difference."""
    if how.format is not None:
        texts = raw.str.strip_chars()
        read = texts.str.to_datetime(how.format, time_unit="us", strict=False)
        own = isinstance(read.dtype, pl.Datetime) and read.dtype.time_zone is not None
        found = Times(read.to_physical()) if own else _placed(read, how)
        return _rounded(found, texts.str.contains(_HALF)) if "%.f" in how.format else found
    shaped = raw.to_frame("t").select(pl.when(pl.col("t").str.contains(_SHAPE)).then(pl.col("t")))["t"]
    tidy = shaped.str.to_uppercase().str.replace(" ", "T", literal=True)
    us = tidy.str.to_datetime(_RFC3339, time_unit="us", time_zone="UTC", strict=False).to_physical()
    found = Times(us)
    if us.null_count() > raw.null_count():
        plain = tidy.str.to_datetime(_PLAIN, time_unit="us", strict=False)
        if how.zone is None:
            found = Times(us, zoneless=plain.is_not_null())
        else:
            there = _placed(plain, how)
            found = Times(us.zip_with(us.is_not_null(), there.us), there.skipped, there.twice)
    longest = raw.str.len_bytes().max()
    fine = isinstance(longest, int) and longest > _LONGEST_EXACT
    return _rounded(found, tidy.str.contains(_HALF)) if fine else found


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


def _scaled(counts: pl.Series, scale: int) -> pl.Series:
    """Whole numbers of so many microseconds each, as microseconds; null where it is of no year from 1 to 9999."""
    if scale == 1:
        return counts
    inside = counts.is_between(EARLIEST // scale, LATEST // scale)
    return counts.to_frame("c").select(pl.when(inside).then(pl.col("c") * scale))["c"].alias(counts.name)


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

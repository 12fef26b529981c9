"""Rows that are no events, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec
import polars as pl

from tidegate.connectors.files_sources import EXTRA, Rows
from tidegate.connectors.files_times import DAY, EARLIEST, LATEST
from tidegate.events.contract_faults import shown

MOST_OTHERS = 20
"""How many faults of a row are told beside its first."""


@dataclass(frozen=True)
class Refused:
    """A row that is not an event: its line, which field is at fault (a JSON Pointer), why, and the row as it stood.

    `others` are the faults of its other fields, each a pointer and a reason.
    """

    line: int
    pointer: str
    reason: str
    original: str
    others: tuple[tuple[str, str], ...] = ()


def placed(refused: list[Refused], rows: Rows) -> list[Refused]:
    """The refused rows of CSV, which were counted as if each had one line, where they stand in their file.

    Of one that has fewer values than there are columns that is said before what is missing for it; one that has more
    is told as it stands, since no column has what is too many.
    """
    places, found = rows.places() if rows.places is not None else None, []
    columns, lines = rows.frame.width - 1, rows.lines().to_list()
    if places is None or len(places.widths) < rows.before + rows.frame.height:
        return refused
    for one in refused:
        here = one.line - rows.first_line
        width = places.widths[rows.before + here]
        if 0 < width < columns:
            others = ((one.pointer, one.reason), *one.others)[:MOST_OTHERS]
            one = replace(one, pointer="", reason=f"The line has {width} of {columns} columns.", others=others)
        elif width > columns:
            one = replace(one, original=places.text(rows.before + here))
        found.append(replace(one, line=lines[here]))
    return found


def original(row: dict[str, object]) -> str:
    """A row of columns as it stood, as JSON."""
    return msgspec.json.encode({k: v for k, v in row.items() if k != EXTRA}, enc_hook=str).decode(errors="replace")


def as_they_stood(rows: pl.DataFrame) -> list[dict[str, object]]:
    """Rows of columns as values of Python; a column with a time of a year that Python does not know, as its numbers."""
    return pl.DataFrame([_tellable(column) for column in rows.get_columns()]).to_dicts()


def _tellable(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if not isinstance(dtype, pl.Date | pl.Datetime):
        return column
    counts = column.to_physical()
    each = DAY if isinstance(dtype, pl.Date) else {"ns": None, "us": 1, "ms": 1000}[dtype.time_unit]
    known = each is None or counts.is_between(EARLIEST // each, LATEST // each).all()
    return column if known else counts


def _seen(value: object, reason: str) -> str:
    """What stood there, after a reason; nothing where it says what to type, since it is counted with that."""
    return "" if value is None or "`--" in reason or reason.endswith(" is missing.") else f" Seen: {shown(value)}."


def set_aside(
    raw: pl.DataFrame,
    any_bad: pl.Series,
    bad: pl.DataFrame,
    wrong: list[tuple[pl.Series, str, str]],
    first_line: int,
    shows: Mapping[str, str],
) -> list[Refused]:
    """The bad rows of a frame, each with the first reason that holds for each of its fields.

    `shows` are the fields of which a reason says what was seen, each with its column; a currency (`amount/currency`)
    with its own, if it has one.
    """
    at = any_bad.arg_true()
    rows = as_they_stood(raw[at])
    found = []
    for line, holds, row in zip(at.to_list(), bad[at].iter_rows(), rows, strict=True):
        faults: dict[str, tuple[str, str]] = {}
        for (_, where, reason), here in zip(wrong, holds, strict=True):
            if here:
                field = where.split("/")[1] if where else ""
                column = shows.get(where[1:], shows.get(field, ""))
                faults.setdefault(field, (where, reason + _seen(row.get(column), reason)))
        first, *others = faults.values()
        found.append(Refused(first_line + line, *first, original(row), tuple(others[:MOST_OTHERS])))
    return found

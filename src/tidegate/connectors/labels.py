"""Labels that lie in a table of their own: what events turned out to be, by id."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from tidegate.connectors import files_sources as sources
from tidegate.errors import TidegateError
from tidegate.events.depth import plain_values

_CHUNK = 100_000
_WRITE = 'Write an id and its label a line: {"id": "p1", "fraud": true}.'
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def read_labels(path: Path, label: str) -> dict[str, bool]:
    """Labels by event id; rows without one are left out.

    Args:
        path: .parquet, .csv or .ndjson with a column `id` and one for the label.
        label: that column's name.

    Raises:
        TidegateError: no such file or column, or a value that is neither true nor false.
    """
    found: dict[str, bool] = {}
    for number, id, value in _pairs(path, label):
        known = _truth(value)
        if known is None and value not in (None, ""):
            raise TidegateError(
                f"{path}, line {number}: {label} is no label.", seen=repr(value), do="A label is true or false, 1 or 0."
            )
        if known is not None:
            found[id] = known
    return found


def _truth(value: Any) -> bool | None:
    if isinstance(value, (bool, int, float)):
        return bool(value) if value in (0, 1) else None
    return _WORDS.get(str(value).strip().lower())


def _object(path: Path, line: sources.Line) -> dict[str, Any]:
    """What a line of JSON holds by name.

    Raises:
        TidegateError: it is no JSON object, or cannot be read as it is.
    """
    try:
        row = plain_values(line.body)
    except (ValueError, RecursionError) as error:
        raise TidegateError(
            f"{path}, line {line.number} is not JSON that can be read.",
            seen=f"more than {sources.MOST_LINE:,} bytes" if line.cut else str(error),
            do=_WRITE,
        ) from None
    if not isinstance(row, dict):
        raise TidegateError(
            f"{path}, line {line.number} is no JSON object.", seen=f"{type(row).__name__} {row!r:.100}", do=_WRITE
        )
    return row


def _pairs(path: Path, label: str) -> Iterator[tuple[int, str, Any]]:
    """Line, id and label of every row."""
    form = sources.form(path)
    if form == "ndjson":
        for line in sources.lines(path):
            row = _object(path, line)
            yield line.number, str(row.get("id")), row.get(label)
        return
    for rows in (sources.parquet if form == "parquet" else sources.comma_separated)(path, _CHUNK):
        _check(rows.frame, path, label)
        pairs = zip(rows.frame["id"].cast(pl.String).to_list(), rows.frame[label].to_list(), strict=True)
        for number, (id, value) in zip(rows.lines().to_list(), pairs, strict=True):
            yield number, id, value


def _check(frame: pl.DataFrame, path: Path, label: str) -> None:
    for name in ("id", label):
        if name not in frame.columns:
            raise TidegateError(
                f"{path} has no column {name!r}.",
                seen=", ".join(frame.columns),
                do="Labels are a table with the column `id` and one for the label, named with --label.",
            )

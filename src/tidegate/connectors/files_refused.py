"""Rows that are no events, and why."""

from dataclasses import dataclass

import msgspec
import polars as pl

from tidegate.connectors.files_sources import EXTRA


@dataclass(frozen=True)
class Refused:
    """A row that is not an event: its line, which field is at fault (a JSON Pointer), why, and the row as it stood."""

    line: int
    pointer: str
    reason: str
    original: str


def original(row: dict[str, object]) -> str:
    """A row of columns as it stood, as JSON."""
    return msgspec.json.encode({k: v for k, v in row.items() if k != EXTRA}, enc_hook=str).decode(errors="replace")


def set_aside(
    raw: pl.DataFrame, any_bad: pl.Series, bad: pl.DataFrame, wrong: list[tuple[pl.Series, str, str]], first_line: int
) -> list[Refused]:
    """The bad rows of a frame, each with the first reason that holds for it."""
    at = any_bad.arg_true()
    rows = raw[at].to_dicts()
    first = bad[at].transpose().select(pl.all().arg_max()).row(0) if bad.width > 1 else [0] * len(rows)
    return [
        Refused(
            first_line + line,
            wrong[reason][1],
            wrong[reason][2],
            original(row),
        )
        for line, reason, row in zip(at.to_list(), first, rows, strict=True)
    ]

"""Rows that are no events, and why."""

from dataclasses import dataclass

import msgspec
import polars as pl

from tidegate.connectors.files_sources import EXTRA

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


def original(row: dict[str, object]) -> str:
    """A row of columns as it stood, as JSON."""
    return msgspec.json.encode({k: v for k, v in row.items() if k != EXTRA}, enc_hook=str).decode(errors="replace")


def set_aside(
    raw: pl.DataFrame, any_bad: pl.Series, bad: pl.DataFrame, wrong: list[tuple[pl.Series, str, str]], first_line: int
) -> list[Refused]:
    """The bad rows of a frame, each with the first reason that holds for each of its fields."""
    at = any_bad.arg_true()
    rows = raw[at].to_dicts()
    found = []
    for line, holds, row in zip(at.to_list(), bad[at].iter_rows(), rows, strict=True):
        faults: dict[str, tuple[str, str]] = {}
        for (_, where, reason), here in zip(wrong, holds, strict=True):
            if here:
                faults.setdefault(where.split("/")[1] if where else "", (where, reason))
        first, *others = faults.values()
        found.append(Refused(first_line + line, *first, original(row), tuple(others[:MOST_OTHERS])))
    return found

"""Rows as they stood in their file, found again by their lines: only for the few that were refused after reading."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tidegate.connectors import files_sources as sources
from tidegate.connectors.files_refused import as_they_stood, original

_CHUNK = 100_000


def originals(given: Path | pl.DataFrame, lines: Sequence[int], encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """The lines of a file, or the rows of a frame, with what stands there, in the order of the file.

    Args:
        given: what `files.read` was given.
        lines: which, counted as there.
        encoding: of its text.

    Raises:
        TidegateError: the file can no longer be read.
    """
    wanted = set(lines)
    if isinstance(given, pl.DataFrame):
        yield from _rows(given, 1, wanted)
        return
    kind = sources.form(given)
    if kind == "ndjson":
        for line in sources.lines(given, encoding):
            if line.number in wanted:
                yield line.number, line.body.decode(errors="replace")
        return
    found = sources.parquet(given, _CHUNK) if kind == "parquet" else sources.comma_separated(given, _CHUNK, encoding)
    for rows in found:
        yield from _rows(rows.frame, rows.first_line, wanted)


def _rows(frame: pl.DataFrame, first: int, wanted: set[int]) -> Iterator[tuple[int, str]]:
    here = [line for line in range(first, first + frame.height) if line in wanted]
    if here:
        yield from zip(here, map(original, as_they_stood(frame[[line - first for line in here]])), strict=True)

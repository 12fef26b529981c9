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
        yield from _rows(sources.Rows(given, 1), wanted)
        return
    kind = sources.form(given)
    if kind == "ndjson":
        for line in sources.lines(given, encoding):
            if line.number in wanted:
                yield line.number, line.body.decode(errors="replace")
        return
    found = sources.parquet(given, _CHUNK) if kind == "parquet" else sources.comma_separated(given, _CHUNK, encoding)
    for rows in found:
        yield from _rows(rows, wanted)


def _rows(rows: sources.Rows, wanted: set[int]) -> Iterator[tuple[int, str]]:
    here = [(place, line) for place, line in enumerate(rows.lines().to_list()) if line in wanted]
    if here:
        texts = map(original, as_they_stood(rows.frame[[place for place, _ in here]]))
        yield from zip([line for _, line in here], texts, strict=True)

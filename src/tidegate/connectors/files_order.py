"""A file's events put in order of time, with a bounded number of them in memory."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from tidegate.connectors.files_merge import merge_batches
from tidegate.events.event import Event

MOST_IN_MEMORY = 1_000_000
"""How many events are sorted at once; a file of more is sorted in runs that are kept on the disk and then merged."""


def in_order(frames: Iterable[pl.DataFrame], *, most: int = MOST_IN_MEMORY) -> Iterator[pl.DataFrame]:
    """The rows of frames in order of `at`; those of the same time stay in the order in which they came.

    An external merge sort: runs of about `most` rows are sorted in memory, written to a temporary folder, and merged
    a piece of each at a time.

    Args:
        frames: in canonical columns.
        most: how many rows are sorted at once.
    """
    with ExitStack() as stack:
        folder: Path | None = None
        runs: list[Path] = []
        held: list[pl.DataFrame] = []
        rows = 0
        for frame in frames:
            held.append(frame)
            rows += frame.height
            if rows >= most:
                folder = folder or Path(stack.enter_context(TemporaryDirectory(prefix="tidegate-sort-")))
                runs.append(folder / f"{len(runs)}.arrow")
                _sorted(held).write_ipc(runs[-1])
                held, rows = [], 0
        if not runs:
            yield from [_sorted(held)] if held else []
            return
        piece = max(1000, most // (len(runs) + 1))
        streams = [_pieces(run, piece) for run in runs] + ([_sorted(held).iter_slices(piece)] if held else [])
        for batch in merge_batches([(Event, stream) for stream in streams]):
            yield _sorted([frame for _, frame in batch.parts if frame.height])


def _pieces(run: Path, piece: int) -> Iterator[pl.DataFrame]:
    for frame in pl.scan_ipc(run).collect_batches(chunk_size=piece, maintain_order=True):
        yield from frame.iter_slices(piece)


def _sorted(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames).sort("at", maintain_order=True)

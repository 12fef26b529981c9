"""Several files in one order of time, with no more of each in memory than a piece."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tidegate.events.event import Event


@dataclass(frozen=True)
class Batch:
    """Events of several types in the order in which they are to be read.

    Args:
        parts: for each source its event type and rows, in order; none of the rows is in two batches.
        source: for each event of the batch, which of the parts its next row is in (int64).
    """

    parts: tuple[tuple[type[Event], pl.DataFrame], ...]
    source: np.ndarray


class _Source:
    """One stream of frames. Its key is the latest time so far, so that a late event stays in its file's order."""

    def __init__(self, frames: Iterable[pl.DataFrame]) -> None:
        self._frames, self.frame, self.key = iter(frames), pl.DataFrame(), np.empty(0, np.int64)
        self._latest = np.iinfo(np.int64).min
        self.fill()

    def fill(self) -> None:
        """Have rows, unless there are no more."""
        while not self.key.size:
            frame = next(self._frames, None)
            if frame is None:
                return
            at = frame["at"].to_numpy()
            if at.size:
                self.frame, self.key = frame, np.maximum(np.maximum.accumulate(at), self._latest)
                self._latest = int(self.key[-1])

    def take(self, n: int) -> tuple[pl.DataFrame, np.ndarray]:
        """The first n rows and their keys."""
        taken, key = self.frame[:n], self.key[:n]
        self.frame, self.key = self.frame[n:], self.key[n:]
        return taken, key


def merge_batches(sources: Sequence[tuple[type[Event], Iterable[pl.DataFrame]]]) -> Iterator[Batch]:
    """The events of several sources by time; at the same time in the order of the sources, and within one in its own.

    Each source should be in order of time; an event that is late in its source comes where it stands there.

    Args:
        sources: an event type and its frames in canonical columns, for each.
    """
    streams = [_Source(frames) for _, frames in sources]
    while any(stream.key.size for stream in streams):
        # Nothing that a source has yet to give is before its last key here; the first source to run out sets the bound.
        last = [int(stream.key[-1]) if stream.key.size else np.iinfo(np.int64).max for stream in streams]
        bound, first = min(last), last.index(min(last))
        taken = [
            stream.take(int(np.searchsorted(stream.key, bound, side="right" if i <= first else "left")))
            for i, stream in enumerate(streams)
        ]
        keys = np.concatenate([key for _, key in taken])
        which = np.repeat(np.arange(len(streams)), [key.size for _, key in taken])
        order = np.argsort(keys, kind="stable")
        parts = tuple((event, frame) for (event, _), (frame, _) in zip(sources, taken, strict=True))
        yield Batch(parts, which[order])
        for stream in streams:
            stream.fill()

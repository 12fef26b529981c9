"""Rows on their way through the stages of a flow: their cells, and what of the event they carry along.

A row is the head, the shard it goes to in each stage, and the cells that a flow carries, all as 64-bit words; and a
payload of bytes. Many rows as bytes, little-endian:

    8 bytes   number of rows n
    8 bytes   words of a row w
    n·w·8     the words, row by row
    n·8       where each payload ends, from the start of the payloads
    …         the payloads, one after another
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import SnapshotError

AT, SOURCE, OFFSET, KIND, FLAGS, STAGE, SHARD = range(7)
"""Words of the head: time; topic and partition; offset; number of the event type; flags; stage and shard it goes to."""

HEAD = 7
ON = 8
"""Flag of a row, beside those of a decider: it goes on to the next stage; without it, it is there to be learned."""

LATE, HISTORY, TOMBSTONE, AHEAD = 16, 32, 64, 128
"""Flags of a row at the intake: the watermark had passed its time; it was taken before, and is there to be learned; its
message had no value; its time was too far ahead of the clock."""

Words = NDArray[np.int64]


@dataclass
class Rows:
    """Some rows: `words` is a matrix, one row each; `payloads` are as many."""

    words: Words
    payloads: list[bytes]

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def none(cls, width: int = HEAD) -> Self:
        """No rows, of so many words."""
        return cls(np.zeros((0, width), np.int64), [])

    def take(self, places: NDArray[np.int64]) -> "Rows":
        """Those at some places."""
        return Rows(self.words[places], [self.payloads[place] for place in places.tolist()])

    def ordered(self) -> "Rows":
        """In the total order: by time, then topic and partition, then offset."""
        return self.take(np.lexsort((self.words[:, OFFSET], self.words[:, SOURCE], self.words[:, AT])))

    def pack(self) -> bytes:
        """As bytes."""
        ends = np.cumsum(np.fromiter(map(len, self.payloads), np.int64, len(self.payloads)), dtype=np.int64)
        shape = np.array(self.words.shape, np.int64)
        return b"".join((shape.tobytes(), np.ascontiguousarray(self.words).tobytes(), ends.tobytes(), *self.payloads))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """What `pack` gave; the words are a view of the bytes and cannot be written to.

        Raises:
            SnapshotError: these are no rows.
        """
        if len(data) < 16:
            raise SnapshotError("These are no rows.", seen=f"{len(data)} bytes")
        n, width = np.frombuffer(data, np.int64, 2).tolist()
        start = 16 + 8 * n * (width + 1)
        if n < 0 or width < HEAD or len(data) < start:
            raise SnapshotError("These are no rows.", seen=f"{n} rows of {width} words in {len(data)} bytes")
        words = np.frombuffer(data, np.int64, n * width, 16).reshape(n, width)
        ends = np.frombuffer(data, np.int64, n, 16 + 8 * n * width).tolist()
        if ends and len(data) != start + ends[-1]:
            raise SnapshotError("These rows were cut.", seen=f"{len(data)} bytes, of {start + ends[-1]}")
        starts = [0, *ends[:-1]] if ends else []
        return cls(words, [data[start + a : start + b] for a, b in zip(starts, ends, strict=True)])


def joined(parts: Sequence[Rows], width: int) -> Rows:
    """Several rows as one."""
    some = [part for part in parts if len(part)]
    if not some:
        return Rows.none(width)
    if len(some) == 1:
        return some[0]
    return Rows(np.concatenate([part.words for part in some]), [p for part in some for p in part.payloads])

"""The redo log: what a store appends is on the disk here while SQLite still works on it, so that nobody waits twice.

A batch is written in one piece to `<store>.redo`, past the page cache, and SQLite's own log takes it at the same time
without a sync. Where power is lost, SQLite may have kept less than was acknowledged; the rest is appended again from
here by the next who opens the store to write. What is appended again has the same seals, as a seal is of the content.

The file is used from its begin to its end, and from its begin again once SQLite's log was synced, so it always has all
that came since. It is there only while a server runs, or after one that ended without saying so. A batch in it:

    8 bytes   TIDEREDO
    8 bytes   number of the batch, from 1
    8 bytes   bytes of content
    16 bytes  XXH3-128 of the 24 bytes before and of all after
    content   MessagePack: size of the log of records before, that of refusals, root after, rows, refusals

in blocks of 4096 bytes; numbers little-endian.
"""

import logging
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import xxhash

from tidegate.connectors.direct_file import BLOCK, MOST, DirectFile
from tidegate.evidence.merkle import Range
from tidegate.evidence.record import Entry, Refusal, Row, entry_of, seal

SIZE = 16 << 20
"""Bytes of the file: some 500 batches of a busy server."""
_MAGIC = b"TIDEREDO"
_HEADER = struct.Struct("<8sQQ")
_HEAD = _HEADER.size + 16

_LOG = logging.getLogger("tidegate.store")

Start = tuple[int, int]
"""Sizes of a store's logs, of records and of refusals, before a batch."""


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """What one transaction appends; `root` is that of the log of records after it."""

    records: int
    refused: int
    root: bytes
    rows: Sequence[tuple[object, ...]]
    refusals: Sequence[Refusal]


class RedoLog:
    """Writes batches. One thread begins; any thread waits.

    Args:
        path: of the file, made anew.

    Raises:
        OSError: it cannot be made, or the system has no such way of writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = DirectFile(path, SIZE)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self._encode = msgspec.msgpack.Encoder().encode_into
        self._content = bytearray(_HEAD)
        self._number = self._place = self._last = 0

    def begin(self, start: Start, root: bytes, rows: Sequence[Row], refusals: Sequence[Refusal]) -> bool:
        """Begin to write a batch.

        Args:
            start: of the batch.
            root: of the log of records after it.
            rows: records as they are kept.
            refusals: kept with them.

        Returns:
            Whether there was room. If not, `rewind` once all before is safe elsewhere; what is larger than `MOST` bytes
            never has room.

        Raises:
            OSError: the disk failed; nothing more can be written here.
        """
        content = self._content
        self._encode((*start, root, rows, refusals), content, _HEAD)
        whole = len(content) + -len(content) % BLOCK
        if whole > MOST or self._place + whole > SIZE:
            return False
        self._number += 1
        _HEADER.pack_into(content, 0, _MAGIC, self._number, len(content) - _HEAD)
        content[_HEADER.size : _HEAD] = bytes(16)
        content[_HEADER.size : _HEAD] = xxhash.xxh3_128_digest(content)
        self._last = self._place
        self._file.begin(self._number, content, self._place)
        self._place += whole
        return True

    def rewind(self) -> None:
        """Begin again at the begin of the file: all that was written is safe elsewhere."""
        self._place = 0

    def void(self) -> None:
        """Take back the batch that was begun last: it is not to be appended again.

        Raises:
            OSError: the disk failed, so it might be.
        """
        self.wait()  # two writes to one place may overtake each other
        self._number += 1
        self._file.begin(self._number, bytes(BLOCK), self._last)
        self.wait()

    def wait(self) -> None:
        """Wait until all that was begun is on the disk.

        Raises:
            OSError: the disk failed.
        """
        self._file.wait(self._number)

    def close(self) -> None:
        """Let go of the file; it stays where it is."""
        self._file.close()


def beside(store: Path) -> Path:
    """The redo log of a store."""
    return store.with_name(store.name + ".redo")


def batches(path: Path) -> dict[Start, Batch]:
    """What a redo log holds, by where each batch follows on; empty if there is none, or none that is whole.

    Of two with one start the later counts: the earlier was never committed.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    found: dict[int, Batch] = {}
    place = 0
    while place < len(data):
        head = data[place : place + _HEAD]
        size = 0
        if len(head) == _HEAD and head[:8] == _MAGIC:
            _, number, size = _HEADER.unpack_from(head)
            piece = bytearray(data[place : place + _HEAD + size])
            piece[_HEADER.size : _HEAD] = bytes(16)
            if len(piece) == _HEAD + size and xxhash.xxh3_128_digest(piece) == head[_HEADER.size :]:
                found[number] = msgspec.msgpack.decode(piece[_HEAD:], type=Batch)
            else:
                size = 0
        place += max(_HEAD + size + -(_HEAD + size) % BLOCK, BLOCK)
    return {(batch.records, batch.refused): batch for _, batch in sorted(found.items())}


def _end(found: dict[Start, Batch]) -> int:
    return max((one.records + len(one.rows) for one in found.values()), default=0)


def tell_of(store: Path, size: int) -> None:
    """Say so if a store of so many records, which nobody writes, lacks some that its redo log has."""
    last = _end(batches(beside(store)))
    if last > size:
        _LOG.warning(
            "Power was lost while %s was written: records %d to %d are in %s only, until the store is next opened to"
            " write (as `tidegate serve` does).", store, size + 1, last, beside(store),
        )  # fmt: skip


def take_up(
    store: Path,
    logs: Callable[[], tuple[Range, Range]],
    append: Callable[[Sequence[Entry], Sequence[Refusal]], object],
) -> bool:
    """Append what the redo log of a process that ended without saying so has beyond the last commit.

    Args:
        store: its path.
        logs: the edges of its logs, of records and of refusals, as of its last commit.
        append: its method.

    Returns:
        Whether there is a redo log that is of no more use. One that does not follow on the store is moved aside.
    """
    path = beside(store)
    if not path.exists():
        return False
    found, before = batches(path), logs()[0].size
    while batch := found.get((logs()[0].size, logs()[1].size)):
        entries = [entry_of(row) for row in batch.rows]
        tree = logs()[0].copy()
        tree.extend(seal(entries, tree.size)[1])
        if tree.root() != batch.root:
            break
        append(entries, batch.refusals)
    size, last = logs()[0].size, _end(found)
    if last > size:
        aside = path.with_name(path.name + ".other")
        path.rename(aside)
        _LOG.warning(
            "The redo log of %s has records up to %d, which do not follow on its %d: an older copy was put back, or"
            " another store. It was moved to %s.", store, last, size, aside,
        )  # fmt: skip
        return False
    if size > before:
        _LOG.warning(
            "The last %d records of %s had not come to its disk when power was lost; its redo log had them.",
            size - before, store,
        )  # fmt: skip
    return True

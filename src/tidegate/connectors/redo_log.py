"""The redo log: what a store appends is on the disk here while SQLite still works on it, so that nobody waits twice.

A batch is written in one piece to `<store>.redo`, past the page cache, and SQLite's own log takes it at the same time
without a sync. Where power is lost, SQLite may have kept less than was acknowledged; the rest is appended again from
here by the next who opens the store to write. What is appended again has the same seals, as a seal is of the content.

The file is used from its begin to its end, and from its begin again once SQLite's log was synced, so it always has all
that came since. It is there only while a server runs, or after one that ended without saying so. A batch in it:

    8 bytes   TIDERED1, the last the edition of this format
    8 bytes   number of the batch, from 1
    8 bytes   bytes of content
    16 bytes  XXH3-128 of the 24 bytes before and of all after
    content   MessagePack: see `Batch`

in blocks of 4096 bytes; numbers little-endian. A *length* is of both logs of a store: records and refusals.
"""

import logging
import sqlite3
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import xxhash

from tidegate.connectors.direct_file import BLOCK, MOST, DirectFile
from tidegate.errors import StoreError
from tidegate.evidence.merkle import Range
from tidegate.evidence.record import Entry, Refusal, Row, entry_of, seal

SIZE = 16 << 20
"""Bytes of the file: some 500 batches of a busy server."""
_MAGIC = b"TIDERED1"
_HEADER = struct.Struct("<8sQQ")
_HEAD = _HEADER.size + 16

_LOG = logging.getLogger("tidegate.store")

Start = tuple[int, int]
"""Sizes of a store's logs, of records and of refusals, before a batch."""


class Batch(msgspec.Struct, array_like=True, frozen=True):
    """What one transaction appends.

    Attributes:
        records, refused: the sizes of the store's logs before.
        durable: the length that was acknowledged, or could have been, when it was begun.
        root: of the log of records after it.
        rows: records, as they are kept.
        refusals: kept with them.
    """

    records: int
    refused: int
    durable: int
    root: bytes
    rows: Sequence[tuple[object, ...]]
    refusals: Sequence[Refusal]

    @property
    def length(self) -> int:
        """Of the store after it."""
        return self.records + self.refused + len(self.rows) + len(self.refusals)


class RedoLog:
    """Writes batches. One thread begins; any thread waits.

    Args:
        path: of the file, made anew.
        mode: who may read and write it, as `chmod` has it.

    Raises:
        OSError: it cannot be made, or the system has no such way of writing.
    """

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        self.path = path
        try:
            self._file = DirectFile(path, SIZE, mode)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        self._encode = msgspec.msgpack.Encoder().encode_into
        self._content = bytearray(_HEAD)
        self._number = self._place = 0
        self._begun = -1  # where the batch lies that is neither committed nor taken back

    def begin(self, start: Start, durable: int, root: bytes, rows: Sequence[Row], refusals: Sequence[Refusal]) -> bool:
        """Begin to write a batch.

        Args:
            start: of the batch.
            durable, root, rows, refusals: see `Batch`.

        Returns:
            Whether there was room. If not, `rewind` once all before is safe elsewhere; what is larger than `MOST` bytes
            never has room.

        Raises:
            OSError: the disk failed; nothing more can be written here.
        """
        content = self._content
        self._encode((*start, durable, root, rows, refusals), content, _HEAD)
        whole = len(content) + -len(content) % BLOCK
        if whole > MOST or self._place + whole > SIZE:
            return False
        self._number += 1
        _HEADER.pack_into(content, 0, _MAGIC, self._number, len(content) - _HEAD)
        content[_HEADER.size : _HEAD] = bytes(16)
        content[_HEADER.size : _HEAD] = xxhash.xxh3_128_digest(content)
        self._begun = self._place  # first: an interrupt may come at any time
        self._file.begin(self._number, content, self._place)
        self._place += whole
        return True

    def settle(self) -> bool:
        """Note that what was begun is committed; gives whether anything was."""
        begun, self._begun = self._begun, -1
        return begun >= 0

    def rewind(self) -> None:
        """Begin again at the begin of the file: all that was written is safe elsewhere."""
        self._place = 0

    def void(self) -> None:
        """Take back what was begun and is not committed: it is not to be appended again.

        Raises:
            OSError: the disk failed, so it might be.
        """
        if self._begun >= 0:
            self._file.overwrite(self._begun, bytes(BLOCK))
            self._begun = -1

    def wait(self) -> None:
        """Wait until all that was begun is on the disk, in the file of this name.

        Raises:
            OSError: the disk failed, or the file was deleted.
        """
        self._file.wait(self._number)
        self._file.require_name()

    def remove(self) -> None:
        """Delete the file: the store has all of it. One of the same name that another process made is left alone.

        Raises:
            StoreError: it cannot be deleted.
        """
        if self._file.lies_at(self.path):
            remove(self.path)

    def close(self) -> None:
        """Let go of the file; it stays where it is."""
        self._file.close()


def beside(store: Path) -> Path:
    """The redo log of a store."""
    return store.with_name(store.name + ".redo")


def batches(store: Path) -> dict[Start, Batch]:
    """What the redo log of a store holds, by where each batch follows on; empty if there is none, or nothing whole.

    Of two with one start the later counts: the earlier was never committed.

    Raises:
        StoreError: it cannot be read, or another edition of this format wrote it.
    """
    path = beside(store)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(
            f"The redo log {path} cannot be read; it may have records that were acknowledged.",
            seen=str(error.strerror), do="Give this user the right to read it, or look at its disk.",
        ) from error  # fmt: skip
    found: dict[int, Batch] = {}
    place = 0
    while place < len(data):
        head = data[place : place + _HEAD]
        # Of the first block alone: others may begin with anything, as they may be the rest of an older batch.
        if not place and head[: len(_MAGIC) - 1] == _MAGIC[:-1] and head[: len(_MAGIC)] != _MAGIC:
            raise StoreError(
                f"The redo log {path} is of another version of Tidegate.", seen=repr(head[: len(_MAGIC)]),
                do="Start the version that wrote it on this store once, and stop it.",
            )  # fmt: skip
        size = 0
        if len(head) == _HEAD and head.startswith(_MAGIC):
            _, number, size = _HEADER.unpack_from(head)
            size = min(size, MOST)
            piece = bytearray(data[place : place + _HEAD + size])
            piece[_HEADER.size : _HEAD] = bytes(16)
            if len(piece) == _HEAD + size and xxhash.xxh3_128_digest(piece) == head[_HEADER.size :]:
                found[number] = msgspec.msgpack.decode(piece[_HEAD:], type=Batch)
            else:
                size = 0
        place += _HEAD + size + -(_HEAD + size) % BLOCK
    return {(batch.records, batch.refused): batch for _, batch in sorted(found.items())}


def remove(path: Path) -> None:
    """Delete a redo log whose store has all of it.

    Raises:
        StoreError: it cannot be deleted.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"The redo log {path} cannot be deleted.", seen=str(error.strerror),
            do="Give this user the right to write the folder it lies in.",
        ) from error  # fmt: skip


def longest(store: Path) -> int:
    """The length of a store with all that its redo log holds; 0 without one."""
    return max((batch.length for batch in batches(store).values()), default=0)


def take_up(
    store: Path,
    logs: Callable[[], tuple[Range, Range]],
    append: Callable[[Sequence[Entry], Sequence[Refusal]], object],
) -> None:
    """Append what the redo log of a process that ended without saying so has beyond the last commit.

    Args:
        store: its path.
        logs: the edges of its logs, of records and of refusals, as of its last commit.
        append: its method.

    Raises:
        StoreError: the store lacks what was acknowledged, and the redo log does not have it either; or `append` does.
    """
    found, before = batches(store), logs()[0].size
    while batch := found.get((logs()[0].size, logs()[1].size)):
        entries = [entry_of(row) for row in batch.rows]
        tree = logs()[0].copy()
        tree.extend(seal(entries, tree.size)[1])
        if tree.root() != batch.root:
            break  # of another history
        try:
            append(entries, batch.refusals)
        except StoreError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                break  # it was refused then as well, and its process ended before it took it back
            raise
    size, refused = logs()[0].size, logs()[1].size
    if size > before:
        _LOG.warning("The last %d records of %s came from its redo log.", size - before, store)
    durable = max((batch.durable for batch in found.values()), default=0)
    if size + refused < durable:
        raise StoreError(
            f"The store {store} lacks what it acknowledged, and its redo log does not follow on it.",
            seen=f"{size} records and {refused} refusals, of {durable} in all",
            do=f"If an older copy of the store was put back, or another, move {beside(store)} away: what came since is "
            "lost then. Else put back the store with the -wal and the .redo that belong to it.",
        )
    if max((batch.length for batch in found.values()), default=0) > size + refused:
        _LOG.warning("What the redo log of %s has beyond that was begun, and not acknowledged: it is left out.", store)

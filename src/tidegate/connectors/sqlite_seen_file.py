"""The filter of a store's ids in a file beside it, so that a start need not read every id anew.

The file is `<store>.seen`, numbers little-endian, words as the machine has them:

    8 bytes   TIDESEEN
    8 bytes   how many records' ids are in it, the first ones
    32 bytes  root of the log at that many records, which says of which history they are
    words     of the filter (see `SeenIds`), a power of two of 8 bytes each
    16 bytes  XXH3-128 of everything before

It is of use, never of need: one that is damaged, missing or of another history is passed over, and made anew.
"""

import os
import sys
from array import array
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import xxhash

from tidegate.connectors.sqlite_seen import MOST_WORDS, SeenIds
from tidegate.evidence.record import TreeHead

MAGIC = b"TIDESEEN" if sys.byteorder == "little" else b"NEESEDIT"  # words are written as they lie in memory
_HEADER = 48
_CHECK = 16


class KeptSeen(NamedTuple):
    """A filter that was kept, and how many of the first records' ids are in it."""

    seen: SeenIds
    size: int


def beside(store: Path) -> Path:
    """The file of a store."""
    return store.with_name(store.name + ".seen")


def read(path: Path, root_at: Callable[[int], bytes | None]) -> KeptSeen | None:
    """The filter in a file; None if there is none that is whole and of this history.

    Args:
        path: the file.
        root_at: the root of the store's log at a number of records, None where no commit ended there.
    """
    try:
        content = memoryview(path.read_bytes())
    except OSError:
        return None
    size = int.from_bytes(content[8:16], "little")
    many = (len(content) - _HEADER - _CHECK) // 8
    if (
        content[:8] != MAGIC
        or many <= 0
        or many & (many - 1)
        or many > MOST_WORDS
        or content[-_CHECK:] != xxhash.xxh3_128_digest(content[:-_CHECK])
    ):
        return None
    if bytes(content[16:_HEADER]) != root_at(size):
        return None
    words = array("Q")
    words.frombytes(content[_HEADER:-_CHECK])
    return KeptSeen(SeenIds(words), size)


def write(path: Path, seen: SeenIds, head: TreeHead) -> None:
    """Keep a filter that holds the ids of all records up to a tree head, and may hold more.

    It need not be synced: what a loss of power leaves of it is told by its check. Where it cannot be written the next
    start takes longer, and that is all.
    """
    unfinished = path.with_name(path.name + ".new")
    check = xxhash.xxh3_128()
    try:
        with open(unfinished, "wb") as file:
            for part in (MAGIC + head.size.to_bytes(8, "little") + head.root, bytes(seen.words)):
                check.update(part)
                file.write(part)
            file.write(check.digest())
        os.replace(unfinished, path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)

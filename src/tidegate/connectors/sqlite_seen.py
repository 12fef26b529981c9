"""Which ids a store has certainly not seen, without asking its disk."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import NamedTuple, Self

import numpy as np
import xxhash
from numpy.typing import NDArray

LEAST_WORDS = 1 << 20
MOST_WORDS = 1 << 23
MOST_LOAD = 2
"""Ids a word that a filter holds at most when a process begins; twice as many will fit."""

_FEW = 8
"""Ids that are looked for one by one in any case."""
_MOST = 65_536
"""Ids, at most, that are hashed at once."""

_PAIRS = [1 << (i & 63) | 1 << (i >> 6) for i in range(4096)]
_hash = xxhash.xxh3_64_intdigest

_Keys = NDArray[np.uint64]


class Kernels(NamedTuple):
    """What looks for many ids at once: see `sqlite_seen_kernels`."""

    any_held: Callable[[_Keys, _Keys], bool]
    hold: Callable[[_Keys, _Keys], None]


_kernels: list[Kernels] = []


def look_with(kernels: Kernels) -> None:
    """Have many ids looked for by these. What decides says so, which has Numba loaded: to load it for looks alone takes
    longer than they do."""
    _kernels[:] = [kernels]


def _key(id: str) -> int:
    return _hash(id.encode("utf-8", "surrogatepass"))


def _keys(ids: Sequence[str]) -> _Keys:
    """What `_key` gives, of many."""
    try:
        return np.fromiter(map(_hash, map(str.encode, ids)), np.uint64, len(ids))
    except UnicodeEncodeError:  # one of them holds half a surrogate pair
        return np.fromiter(map(_key, ids), np.uint64, len(ids))


class SeenIds:
    """A Bloom filter of 64-bit blocks: an id it does not know was never added; one it knows may have been.

    Each id sets two bits of one word, so a look is one memory access. With 16 bits an id it sends some 2 % of new ids
    to the disk for nothing; beyond the most memory it takes (64 MiB, 33 million ids at that rate) that share grows, and
    nothing else changes. The hash is the same in every process, so the filter can be kept (see `seen_file`).

    Args:
        words: of an earlier filter, or zeros; a power of two of them.
    """

    def __init__(self, words: "array[int]") -> None:
        self._take(words)

    def _take(self, words: "array[int]") -> None:
        self.words, self._array = words, np.frombuffer(words, dtype=np.uint64)
        self._mask = len(words) - 1
        self._asked: tuple[list[str], _Keys] = ([], np.empty(0, np.uint64))

    @classmethod
    def room_for(cls, expected: int) -> Self:
        """An empty filter into which so many ids will be put at once; twice as many will fit."""
        words = LEAST_WORDS
        while words < MOST_WORDS and words * MOST_LOAD < expected:
            words *= 2
        return cls(array("Q", bytes(words * 8)))

    def grow(self, expected: int) -> None:
        """Make room for so many ids, those that are in it included.

        A filter put behind itself denies no id that it knew: whichever half its longer mask leads to holds its bits.
        """
        words = self.words
        while len(words) < MOST_WORDS and len(words) * MOST_LOAD < expected:
            words = words * 2
        self._take(words)

    def add(self, ids: Iterable[str]) -> None:
        """Remember these ids; those that were just asked for are not hashed again."""
        ids = list(ids)
        if len(ids) >= _FEW and _kernels:
            asked, keys = self._asked
            _kernels[0].hold(self._array, keys if asked == ids else _keys(ids))
            return
        words, mask, pairs = self.words, self._mask, _PAIRS
        for key in map(_key, ids):
            words[key & mask] |= pairs[key >> 40 & 4095]

    def add_all(self, ids: Iterable[str]) -> None:
        """Remember very many ids, which need not be in memory all at once."""
        pairs = np.array(_PAIRS, dtype=np.uint64)
        mask, high, pair = np.uint64(self._mask), np.uint64(40), np.uint64(4095)
        rest = iter(ids)
        while part := list(islice(rest, _MOST)):
            keys = _keys(part)
            np.bitwise_or.at(self._array, keys & mask, pairs[keys >> high & pair])

    def maybe(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that may have been added."""
        if _FEW <= len(ids) <= _MOST and _kernels:
            keys = _keys(ids)
            self._asked = list(ids), keys
            if not _kernels[0].any_held(self._array, keys):
                return []
        words, mask, pairs = self.words, self._mask, _PAIRS
        found = []
        for name in ids:
            key = _key(name)
            pair = pairs[key >> 40 & 4095]
            if words[key & mask] & pair == pair:
                found.append(name)
        return found

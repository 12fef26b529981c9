"""Which ids a store has certainly not seen, without asking its disk."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Self

import numpy as np
import xxhash

LEAST_WORDS = 1 << 20
MOST_WORDS = 1 << 23
MOST_LOAD = 2
"""Ids a word that a filter holds at most when a process begins; twice as many will fit."""

_PAIRS = [1 << (i & 63) | 1 << (i >> 6) for i in range(4096)]
_hash = xxhash.xxh3_64_intdigest


class SeenIds:
    """A Bloom filter of 64-bit blocks: an id it does not know was never added; one it knows may have been.

    Each id sets two bits of one word, so a look is one memory access. With 16 bits an id it sends some 2 % of new ids
    to the disk for nothing; beyond the most memory it takes (64 MiB, 33 million ids at that rate) that share grows, and
    nothing else changes. The hash is the same in every process, so the filter can be kept (see `seen_file`).

    Args:
        words: of an earlier filter, or zeros; a power of two of them.
    """

    def __init__(self, words: "array[int]") -> None:
        self.words = words
        self._mask = len(words) - 1

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
        while len(self.words) < MOST_WORDS and len(self.words) * MOST_LOAD < expected:
            self.words = self.words * 2
        self._mask = len(self.words) - 1

    def add(self, ids: Iterable[str]) -> None:
        """Remember these ids."""
        words, mask, pairs = self.words, self._mask, _PAIRS
        for name in ids:
            key = _hash(name.encode("utf-8", "surrogatepass"))
            words[key & mask] |= pairs[key >> 40 & 4095]

    def add_all(self, ids: Iterable[str]) -> None:
        """Remember very many ids: several times faster than `add` where they come by the thousand."""
        words = np.frombuffer(self.words, dtype=np.uint64)
        pairs = np.array(_PAIRS, dtype=np.uint64)
        mask, high, pair = np.uint64(self._mask), np.uint64(40), np.uint64(4095)
        hashes = (_hash(name.encode("utf-8", "surrogatepass")) for name in ids)
        while True:
            keys = np.fromiter(islice(hashes, 65536), dtype=np.uint64)
            if not len(keys):
                return
            np.bitwise_or.at(words, keys & mask, pairs[keys >> high & pair])

    def maybe(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that may have been added."""
        words, mask, pairs = self.words, self._mask, _PAIRS
        found = []
        for name in ids:
            key = _hash(name.encode("utf-8", "surrogatepass"))
            pair = pairs[key >> 40 & 4095]
            if words[key & mask] & pair == pair:
                found.append(name)
        return found

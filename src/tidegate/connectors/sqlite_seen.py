"""Which ids a store has certainly not seen, without asking its disk."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

LEAST_WORDS = 1 << 20
MOST_WORDS = 1 << 23

_PAIRS = [1 << (i & 63) | 1 << (i >> 6) for i in range(4096)]


class SeenIds:
    """A Bloom filter of 64-bit blocks: an id it does not know was never added; one it knows may have been.

    Each id sets two bits of one word, so a look is one memory access. With 16 bits an id it sends some 2 % of new ids
    to the disk for nothing; beyond the most memory it takes (64 MiB, 33 million ids at that rate) that share grows, and
    nothing else changes. It lives as long as the process, so Python's own string hash will do, which is kept with the
    string.

    Args:
        expected: how many ids will be added at once at the start; twice as many will fit.
    """

    def __init__(self, expected: int) -> None:
        words = LEAST_WORDS
        while words < MOST_WORDS and words * 4 < expected * 2:
            words *= 2
        self._words = array("Q", bytes(words * 8))
        self._mask = words - 1

    def add(self, ids: Iterable[str]) -> None:
        """Remember these ids."""
        words, mask, pairs = self._words, self._mask, _PAIRS
        for name in ids:
            key = hash(name)
            words[key & mask] |= pairs[key >> 40 & 4095]

    def add_all(self, ids: Iterable[str]) -> None:
        """Remember very many ids: several times faster than `add` where they come by the thousand."""
        words = np.frombuffer(self._words, dtype=np.uint64)
        pairs = np.array(_PAIRS, dtype=np.uint64)
        hashes = map(hash, ids)
        while True:
            keys = np.fromiter(islice(hashes, 65536), dtype=np.int64)
            if not len(keys):
                return
            np.bitwise_or.at(words, keys & self._mask, pairs[keys >> 40 & 4095])

    def maybe(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that may have been added."""
        words, mask, pairs = self._words, self._mask, _PAIRS
        found = []
        for name in ids:
            key = hash(name)
            pair = pairs[key >> 40 & 4095]
            if words[key & mask] & pair == pair:
                found.append(name)
        return found

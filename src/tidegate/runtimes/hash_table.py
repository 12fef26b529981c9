"""Hash tables of 64-bit keys over flat arrays: what a replay knows of millions of ids and texts, 16 bytes a slot."""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tidegate.expressions.words import MISSING
from tidegate.features.kernels.words import NEVER
from tidegate.kernels.compiled import compiled

NEW, REPEATED, REUSED, LATE = 0, 1, 2, 3
"""What becomes of an event: taken; seen before; seen before with other content; older than the flow's memory."""

_EMPTY = MISSING
_START = 1 << 12


@nb.njit(inline="always")
def _slot(keys, key):  # type: ignore[no-untyped-def]
    """The slot that holds the key, or the empty one where it would go; linear probing from a multiplied hash."""
    mask = len(keys) - 1
    stirred = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    at = np.int64(stirred >> np.uint64(20)) & mask
    while keys[at] != key and keys[at] != _EMPTY:
        at = (at + 1) & mask
    return at


@compiled("i8(i8[::1], i8[::1], i8[::1], i8[::1])")
def _find(keys, values, wanted, found):  # type: ignore[no-untyped-def]
    missed = 0
    for i in range(len(wanted)):
        at = _slot(keys, wanted[i])
        if keys[at] == _EMPTY:
            missed += 1
            found[i] = _EMPTY
        else:
            found[i] = values[at]
    return missed


@compiled("i8(i8[::1], i8[::1], i8[::1], i8[::1])")
def _put(keys, values, new_keys, new_values):  # type: ignore[no-untyped-def]
    added = 0
    for i in range(len(new_keys)):
        if new_keys[i] == _EMPTY:
            continue
        at = _slot(keys, new_keys[i])
        added += keys[at] == _EMPTY
        keys[at], values[at] = new_keys[i], new_values[i]
    return added


@compiled("i8(i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8, i8[::1], i8[::1])")
def _admit(keys, values, ids, contents, at, lateness, clock, verdict):  # type: ignore[no-untyped-def]
    """In order of arrival, exactly as an engine does it: what came before, what is too late, and the clock."""
    added = 0
    for i in range(len(ids)):
        slot = _slot(keys, ids[i])
        if keys[slot] != _EMPTY:
            verdict[i] = 1 if values[slot] == contents[i] else 2
        elif at[i] < clock[0] - lateness:
            verdict[i] = 3
        else:
            verdict[i] = 0
            clock[0] = max(clock[0], at[i])
            keys[slot], values[slot] = ids[i], contents[i]
            added += 1
    return added


class HashTable:
    """64-bit keys to 64-bit values; grows as it fills."""

    def __init__(self) -> None:
        self._keys = np.full(_START, _EMPTY, np.int64)
        self._values = np.zeros(_START, np.int64)
        self.count = 0

    def room(self, more: int) -> None:
        """Make room for so many more keys: at most three of five slots are ever taken."""
        size = len(self._keys)
        while (self.count + more) * 5 > size * 3:
            size *= 2
        if size != len(self._keys):
            keys, values = self._keys, self._values
            self._keys, self._values = np.full(size, _EMPTY, np.int64), np.zeros(size, np.int64)
            _put(self._keys, self._values, keys, values)

    def find(self, wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
        """The values of the keys, MISSING for those that are not there, and how many are not."""
        found = np.empty(len(wanted), np.int64)
        return found, int(_find(self._keys, self._values, wanted, found))

    def put(self, keys: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        """Add keys, or give them other values."""
        self.room(len(keys))
        self.count += int(_put(self._keys, self._values, keys, values))

    def has(self, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the keys are there, whatever their values."""
        found = np.empty(len(wanted), np.int64)
        _find(self._keys, self._keys, wanted, found)
        there: NDArray[np.bool_] = found != _EMPTY
        return there

    def items(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The keys that are there, and their values."""
        there = self._keys != _EMPTY
        return self._keys[there], self._values[there]


class Admission(HashTable):
    """Decides which events are taken: every id once, none older than the flow's memory.

    Ids and contents are known by 64-bit hashes. Two ids of the same hash would look like one used twice; among ten
    million the odds of one such pair are about 1 in 400,000.

    Args:
        lateness: microseconds that an event may lie behind the newest one.
    """

    def __init__(self, lateness: int) -> None:
        super().__init__()
        self._lateness = lateness
        self._clock = np.full(1, NEVER)

    def admit(self, ids: NDArray[np.int64], contents: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
        """NEW, REPEATED, REUSED or LATE for each event, in order of arrival."""
        self.room(len(ids))
        verdict = np.empty(len(ids), np.int64)
        self.count += int(_admit(self._keys, self._values, ids, contents, at, self._lateness, self._clock, verdict))
        return verdict

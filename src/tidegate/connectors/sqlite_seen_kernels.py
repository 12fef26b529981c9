"""Looks for many ids in a store's filter as machine code, for processes that have Numba loaded anyway."""

import numpy as np

from tidegate.connectors.sqlite_seen import Kernels
from tidegate.kernels.compiled import compiled

_ONE, _LOW, _HIGH, _SIX, _PAIR = (np.uint64(number) for number in (1, 63, 40, 6, 4095))


@compiled("u8(u8)")
def _bits(key):  # type: ignore[no-untyped-def]
    """The two bits of an id in its word."""
    pair = key >> _HIGH & _PAIR
    return _ONE << (pair & _LOW) | _ONE << (pair >> _SIX)


@compiled("b1(u8[::1], u8[::1])")
def any_held(words, keys):  # type: ignore[no-untyped-def]
    """Whether a filter holds any of the ids with these hashes."""
    mask = np.uint64(len(words) - 1)
    for key in keys:
        bits = _bits(key)
        if words[key & mask] & bits == bits:
            return True
    return False


@compiled("void(u8[::1], u8[::1])")
def hold(words, keys):  # type: ignore[no-untyped-def]
    """Put ids into a filter."""
    mask = np.uint64(len(words) - 1)
    for key in keys:
        words[key & mask] |= _bits(key)


KERNELS = Kernels(any_held, hold)

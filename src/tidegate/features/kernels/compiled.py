"""Kernels that Python calls: compiled once for given argument types, kept on disk, loaded when asked for."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


@cache
def _sources() -> str:
    """A digest of every file of this package: a kernel contains what it calls, so any change outdates it."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Kernel:
    """A function of words that is machine code after `load`. Calling it skips Numba's dispatch on argument types."""

    def __init__(self, function: Callable[..., int], signature: str) -> None:
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        self._signature = signature
        self._dispatcher: Any = njit(nogil=True, error_model="numpy", cache=True)(function)
        self._entry: Callable[..., int] | None = None

    def load(self) -> Callable[..., int]:
        """The compiled entry: from disk, or compiled now and put there."""
        if self._entry is None:
            # Numba looks at the date of one file only; a digest of all of them takes its place.
            file = getattr(getattr(self._dispatcher, "_cache", None), "_cache_file", None)
            if file is not None and hasattr(file, "_source_stamp"):
                file._source_stamp = _sources()
            self._dispatcher.compile(self._signature)
            (found,) = self._dispatcher.overloads.values()
            self._entry = found.entry_point
        return self._entry


def kernel(signature: str) -> Callable[[Callable[..., int]], Kernel]:
    """Make a function of words a kernel of this Numba signature."""
    return lambda function: Kernel(function, signature)

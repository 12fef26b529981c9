"""How the kernels of this package are compiled: once, for fixed types, and kept on disk until any source changes."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

__all__ = ["STEP", "fixed", "inlined"]

STEP = "void(int64[::1], float64[::1], float64[:, ::1], int64, int64)"
"""A family of operations: code, numbers, registers[register, row], place of the operation, rows."""


@cache
def _sources() -> str:
    """A digest of every file with kernels: a kernel contains what it calls, so any change outdates it."""
    digest, here = hashlib.blake2b(digest_size=16), Path(__file__).parent
    others = (here.parent / "operations.py", here.parent.parent / "kernels.py", here.parent.parent / "layout.py")
    for path in (*sorted(here.glob("*.py")), *others):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def fixed(signature: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a function machine code for one Numba signature, from disk or compiled now."""

    def compiled(function: Callable[..., Any]) -> Any:
        dispatcher: Any = njit(nogil=True, error_model="numpy", cache=True)(function)
        # Numba looks at the date of one file only; a digest of all of them takes its place.
        file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
        if file is not None and hasattr(file, "_source_stamp"):
            file._source_stamp = _sources()
        dispatcher.compile(signature)
        dispatcher.disable_compile()
        return dispatcher

    return compiled


def inlined(function: Callable[..., Any]) -> Any:
    """A function that becomes part of those that call it."""
    return njit(inline="always", error_model="numpy")(function)

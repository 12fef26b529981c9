"""How the kernels of this package are compiled: for fixed types, a division by zero being infinite or NaN."""

from collections.abc import Callable
from typing import Any

from numba import njit

from tidegate.kernels.compiled import compiled

__all__ = ["STEP", "fixed", "inlined"]

STEP = "void(int64[::1], float64[::1], float64[:, ::1], int64, int64)"
"""A family of operations: code, numbers, registers[register, row], place of the operation, rows."""


def fixed(signature: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a function machine code for one Numba signature."""
    return compiled(signature, error_model="numpy")


def inlined(function: Callable[..., Any]) -> Any:
    """A function that becomes part of those that call it."""
    return njit(inline="always", error_model="numpy")(function)

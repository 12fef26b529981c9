"""Functions that Numba makes machine code of, once for fixed types; the code is kept on disk (see `kept`)."""

from collections.abc import Callable
from typing import Any, Literal

from numba import extending, njit

from tidegate.kernels.kept import KeptCode

__all__ = ["compiled", "entry_of", "intrinsic", "kernel_of"]

intrinsic: Callable[[Callable[..., Any]], Any] = extending.intrinsic
"""Makes a function that kernels call of one that says what it is in LLVM's terms.

Its callers leave its first argument out, which the type that it has in Numba does not know."""

ErrorModel = Literal["python", "numpy"]


def kernel_of(function: Callable[..., Any], error_model: ErrorModel = "python") -> Any:
    """A dispatcher that takes what it compiles from disk where it can, and puts it there."""
    dispatcher: Any = njit(nogil=True, error_model=error_model)(function)
    dispatcher._cache = KeptCode(function)
    return dispatcher


def compiled(signature: str, *, error_model: ErrorModel = "python") -> Callable[[Callable[..., Any]], Any]:
    """Make a function machine code for one Numba signature, from disk or compiled now.

    Args:
        signature: the types, as Numba writes them: `"int64(int64, float64[::1])"`. No others are taken.
        error_model: "numpy" makes a division by zero infinite or NaN; "python" raises.
    """

    def made(function: Callable[..., Any]) -> Any:
        dispatcher = kernel_of(function, error_model)
        dispatcher.compile(signature)
        dispatcher.disable_compile()
        return dispatcher

    return made


def entry_of(kernel: Any) -> Callable[..., Any]:
    """What Python calls of a kernel made for one signature, past Numba's look at the types of what it is given.

    The look takes longer than a small kernel. Whoever goes past it gives arguments of the very types, each time.
    """
    (found,) = kernel.overloads.values()
    entry: Callable[..., Any] = found.entry_point
    return entry

"""Kernels that Python calls: compiled once for given argument types, kept on disk, loaded when asked for."""

from collections.abc import Callable
from typing import Any

from tidegate.kernels.compiled import entry_of, kernel_of


class Kernel:
    """A function of words that is machine code after `load`. Calling it skips Numba's dispatch on argument types."""

    def __init__(self, function: Callable[..., int], signature: str) -> None:
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        self._signature = signature
        self._dispatcher: Any = kernel_of(function, error_model="numpy")
        self._entry: Callable[..., int] | None = None

    def load(self) -> Callable[..., int]:
        """The compiled entry: from disk, or compiled now and put there."""
        if self._entry is None:
            self._dispatcher.compile(self._signature)
            self._entry = entry_of(self._dispatcher)
        return self._entry

    @property
    def dispatcher(self) -> Any:
        """What Numba made, for other kernels to call; loaded, or compiled."""
        self.load()
        return self._dispatcher


def kernel(signature: str) -> Callable[[Callable[..., int]], Kernel]:
    """Make a function of words a kernel of this Numba signature."""
    return lambda function: Kernel(function, signature)

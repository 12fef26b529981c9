"""Steps over the rows of a batch that one call from Python takes, one after another.

A call from Python takes longer than a small kernel, and every array among its arguments longer still. So a step is a
kernel of two whole numbers: the address of a table that holds all that never changes, and how many rows there are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.np.numpy_support import carray
from numpy.typing import NDArray

from tidegate.kernels.compiled import compiled, entry_of, intrinsic

__all__ = ["STEP", "Chain", "Native", "Step", "grid_at", "row_at"]

STEP = "int64(int64, int64)"
"""The signature of a kernel that takes a step: a table's address and a number of rows to 0, or another number where
Python has to end the step."""


_word = types.int64
_pointer: Any = types.CPointer
_if_unlikely: Any = cgutils.if_unlikely


@intrinsic
def _words(typing: Any, address: int) -> Any:
    """An address as a pointer to words."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return _pointer(_word)(_word), codegen


@njit(inline="always")
def row_at(address: int, n: int) -> Any:
    """The `n` words at an address, as an array."""
    return carray(_words(address), (n,))


@njit(inline="always")
def grid_at(address: int, rows: int, columns: int) -> Any:
    """The words at an address, as an array of two dimensions."""
    return carray(_words(address), (rows, columns))


@intrinsic
def _call(typing: Any, function: int, table: int, n: int) -> Any:
    """Call the kernel whose machine code lies at an address; what it raises is raised."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        convention = context.call_conv
        shape = convention.get_function_type(_word, (_word, _word))
        callee = builder.inttoptr(args[0], shape.as_pointer())
        status, result = convention.call_function(builder, callee, _word, (_word, _word), args[1:])
        with _if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return result

    return _word(_word, _word, _word), codegen


@compiled("int64(int64, int64, int64, int64)")
def _run(steps: int, first: int, end: int, n: int) -> int:
    """Take steps until one stops or has no kernel, or none is left; the number of the one to go on from."""
    pairs = grid_at(steps, end, 2)
    for i in range(first, end):
        if pairs[i, 0] == 0 or _call(pairs[i, 0], pairs[i, 1], n) != 0:
            return i
    return end


class Native:
    """A kernel of the signature `STEP`, and its table.

    Args:
        kernel: the kernel, made for that signature alone.
        table: its table, which may change while it is not run.
        kept: what the table holds addresses of.
    """

    def __init__(self, kernel: Any, table: NDArray[np.int64], kept: object = None) -> None:
        ((takes, found),) = kernel.overloads.items()
        if (takes, found.signature.return_type) != ((_word, _word), _word):
            raise TypeError(f"The kernel is {found.signature}, not {STEP}.")
        self.code: int = found.library.get_pointer_to_function(found.fndesc.llvm_func_name)
        self.table: int = table.ctypes.data
        self._kept = (kernel, table, kept)

    @classmethod
    def of(cls, kernel: Any, *given: int | NDArray[Any]) -> "Native":
        """A kernel whose table holds numbers as they are, and arrays as their address and their dimensions."""
        words: list[int] = []
        for one in given:
            if not (isinstance(one, int) or (one.flags.c_contiguous and one.dtype.kind in "if" and one.itemsize == 8)):
                raise TypeError(f"A kernel reads words that lie one after another, not {one.dtype} {one.strides}.")
            words += [one] if isinstance(one, int) else [one.ctypes.data, *one.shape]
        return cls(kernel, np.array(words, np.int64), given)


def _unreached(n: int) -> None:
    raise AssertionError(f"A kernel stopped, of {n} rows, that never does.")


class Step:
    """One step: a kernel takes it, or Python, or Python ends what a kernel began.

    Args:
        native: the kernel, None if there is none.
        take: takes the step for so many rows; after a kernel that stopped, only what that left.
    """

    def __init__(self, native: Native | None = None, take: Callable[[int], object] = _unreached) -> None:
        self.native, self.take = native, take


class Chain:
    """Steps that are taken in this order by as few calls from Python as can be.

    Args:
        steps: the steps.
        capacity: the most rows that they have room for.
    """

    def __init__(self, steps: Sequence[Step], capacity: int) -> None:
        self._steps, self._capacity = tuple(steps), capacity
        kernels = [one.native for one in steps]
        pairs = [(one.code, one.table) if one is not None else (0, 0) for one in kernels]
        self._pairs = np.array(pairs, np.int64).reshape(-1, 2)
        self._address, self._end, self._run = self._pairs.ctypes.data, len(pairs), entry_of(_run)

    def run(self, n: int) -> None:
        """Take all steps for the first `n` rows. Raises ValueError if there are not so many."""
        if not 0 <= n <= self._capacity:
            raise ValueError(f"{n} rows asked for, {self._capacity} given")
        end = self._end
        at = self._run(self._address, 0, end, n)
        while at < end:
            self._steps[at].take(n)
            at = self._run(self._address, at + 1, end, n)

"""The kernel that runs a program over one row, all that it works on being told by one address."""

from typing import Any

import numpy as np
from numba import types
from numba.np.numpy_support import carray

from tidegate.kernels.compiled import intrinsic
from tidegate.models.pmml.kernels.compiled import fixed
from tidegate.models.pmml.kernels.run import steps

__all__ = ["run_one"]


@intrinsic
def _words(typing: Any, address: Any) -> Any:
    """An address as a pointer to integers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.int64)(types.int64), generate  # type: ignore[no-untyped-call]


@intrinsic
def _floats(typing: Any, address: Any) -> Any:
    """An address as a pointer to floats."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.float64)(types.int64), generate  # type: ignore[no-untyped-call]


@fixed("int64(int64)")
def run_one(table):  # type: ignore[no-untyped-def]
    """Run a whole program over the row that the table at an address tells of (see `one_row`).

    Gives 1 if the first outputs, as many as the table says, are all known, and 0 if any is missing or invalid.
    """
    words = carray(_words(table), 13)
    code, numbers = carray(_words(words[0]), words[1]), carray(_floats(words[2]), words[3])
    registers = carray(_floats(words[4]), (words[5], 1))
    many, outputs = words[7], words[9]
    inputs, to = carray(_words(words[6]), 2 * many), carray(_words(words[8]), outputs)
    given, answers = carray(_floats(words[10]), many), carray(_floats(words[11]), outputs)
    for k in range(many):
        value = given[k]
        if value != value:
            value = np.nan  # a NaN of the caller's says nothing more
        elif inputs[many + k]:
            value = np.float64(np.float32(value))
        registers[inputs[k], 0] = value
    steps(code, numbers, registers, 0, len(code), 1)
    for k in range(outputs):
        answers[k] = registers[to[k], 0]
    for k in range(words[12]):
        if answers[k] != answers[k]:
            return 0
    return 1

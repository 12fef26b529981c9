"""Python's part in a program: functions of texts, called between two runs of the kernels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tidegate.models.pmml import operations as o
from tidegate.models.pmml.answers import decoded
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.scope import HostCall
from tidegate.models.pmml.texts import Vocabulary

__all__ = ["call", "places_of"]


def places_of(code: Code) -> list[int]:
    """Where Python is called."""
    found, at = list[int](), 0
    while at < len(code):
        if code[at] == o.HOST:
            found.append(at)
        at += code[at + 1]
    return found


def call(
    host: Sequence[tuple[HostCall, tuple[str, ...], str, float]], code: NDArray[np.int64], at: int,
    registers: NDArray[np.float64], words: Vocabulary,
) -> None:  # fmt: skip
    """Run a function of texts over a block of rows."""
    function, kinds, _, fault = host[int(code[at + 2])]
    to, given = int(code[at + 3]), code[at + 5 : at + 5 + int(code[at + 4])]
    for row in range(registers.shape[1]):
        numbers = registers[given, row]
        absent = np.flatnonzero(np.isnan(numbers))
        if len(absent):
            registers[to, row] = numbers[absent[0]]
            continue
        arguments = [decoded(number, one, words) for number, one in zip(numbers.tolist(), kinds, strict=True)]
        value = function(*arguments)
        if isinstance(value, str):
            registers[to, row] = words.code(value)
        else:
            registers[to, row] = fault if value is None else value

"""A program: a model as operations over registers (see `operations`), and the builder that writes one."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegate.documents.xml import Element, line_of
from tidegate.errors import DocumentError
from tidegate.models.pmml import operations as o

__all__ = ["MOST_WORDS", "Code", "Program", "ProgramBuilder", "reason_of"]

MOST_WORDS = 20_000_000
"""The most words of a program: what is larger is refused rather than given all memory."""
MOST_REGISTERS = 400_000

Code = list[int]
"""Operations of a scope, in order."""

_INVALID = 0x7FF8_0000_0000_0000


@dataclass(frozen=True, slots=True)
class Program:
    """What the kernels run, and what its invalid values mean.

    Attributes:
        code: the operations.
        numbers: the pool of constants and tables.
        registers: how many there are.
        faults: why a value is invalid, by the number in it.
    """

    code: NDArray[np.int64]
    numbers: NDArray[np.float64]
    registers: int
    faults: tuple[str, ...]


class ProgramBuilder:
    """Hands out registers and places in the pool, and keeps both within bounds."""

    def __init__(self) -> None:
        self.numbers: list[float] = []
        self.faults: list[str] = [""]
        self.registers = 0
        self._places: dict[bytes, int] = {}
        self._numbered: dict[str, int] = {}
        self._words = 0
        self._laid: list[tuple[int, NDArray[np.int64]]] = []
        self.missing = self.number(math.nan)

    def register(self, count: int = 1) -> int:
        """The first of `count` new registers in a row."""
        self.registers += count
        if self.registers > MOST_REGISTERS:
            raise DocumentError(
                "The model is too large.", seen=f"over {MOST_REGISTERS:,} values to be kept for a row", do="Split it."
            )
        return self.registers - count

    def number(self, value: float) -> int:
        """The place of a constant."""
        key = struct.pack("<d", value)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.numbers)
            self.numbers.append(value)
        return place

    def table(self, values: Sequence[float]) -> int:
        """The place of the first of several constants."""
        self.numbers.extend(values)
        if len(self.numbers) > MOST_WORDS:
            raise DocumentError("The model is too large.", seen=f"over {MOST_WORDS:,} numbers", do="Split it.")
        return len(self.numbers) - len(values)

    def words(self, laid: NDArray[np.int64]) -> int:
        """The place of an array of words, which starts on a line of the cache (64 bytes)."""
        self.table([0.0] * (-len(self.numbers) % 8))
        place = self.table([0.0] * len(laid))
        self._laid.append((place, laid))
        return place

    def fault(self, words: str, element: Element) -> int:
        """The place of an invalid value that says these words and the element's line."""
        said = f"{words} (line {line_of(element)})"
        number = self._numbered.setdefault(said, len(self.faults))
        if number == len(self.faults):
            self.faults.append(said)
        (value,) = struct.unpack("<d", struct.pack("<Q", _INVALID | number))
        return self.number(value)

    def emit(self, code: Code, operation: int, *operands: int) -> None:
        """Add an operation."""
        size = len(operands) + 2
        self._words += size
        if self._words > MOST_WORDS:
            raise DocumentError("The model is too large.", seen=f"over {MOST_WORDS:,} words of program", do="Split it.")
        code.append(operation)
        code.append(size)
        code.extend(operands)

    def unless(self, code: Code, condition: int, body: Code) -> None:
        """Add operations that are skipped where the condition holds for no row; not if Python has a part in them."""
        if o.HOST not in _operations(body):
            self.emit(code, o.UNLESS, condition, 4 + len(body))
        code.extend(body)

    def built(self, code: Code) -> Program:
        """The program, finished."""
        space = np.empty(len(self.numbers) + 8)
        start = (-space.ctypes.data // 8) % 8
        numbers = space[start : start + len(self.numbers)]
        numbers[:] = self.numbers
        for place, laid in self._laid:
            numbers.view(np.int64)[place : place + len(laid)] = laid
        return Program(np.array(code, np.int64), numbers, self.registers, tuple(self.faults))


def _operations(code: Code) -> set[int]:
    found, at = set[int](), 0
    while at < len(code):
        found.add(code[at])
        at += code[at + 1]
    return found


def reason_of(value: float, faults: Sequence[str]) -> str:
    """Why a NaN is invalid; empty if it is just missing."""
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    number = bits & 0xFFFFFFFF
    return faults[number] if 0 < number < len(faults) else ""

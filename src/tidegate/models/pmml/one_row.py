"""One row through a program with as few steps of Python as can be: what never changes is prepared once.

A row's values are packed into memory that the kernel already knows the address of, so a call hands over one number. The
memory is lent to one call at a time: taking a piece off a list and putting it back are single steps of Python, so calls
of several threads never share one.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.kernels.compiled import entry_of
from tidegate.models.pmml.fields import Input
from tidegate.models.pmml.program import Program

__all__ = ["OneRow"]

_NUMBERS = ("double", "float", "integer")
_NOT_PLAIN = (struct.error, TypeError, ValueError, OverflowError)
_pairs = zip  # of as many names as answers; `zip(strict=True)` would take longer than the dict

_Memory = tuple[int, bytearray, bytearray, object]
"""The address of its table, the values, the answers, and all that the table points to, to keep it alive."""


class OneRow:
    """The quick way of a program for rows whose values are plain: numbers, and texts that the model knows.

    Args:
        program: what is run; no function of texts may have a part in it.
        inputs: the model's inputs.
        wanted: the registers to answer with.
        known: how many of the first answers must be known for an answer to be whole.
        codes: the codes of the model's texts.
        names: of the answers behind the first, if a whole answer is just these numbers by name; else none.
    """

    def __init__(
        self,
        program: Program,
        inputs: Sequence[Input],
        wanted: NDArray[np.int64],
        known: int,
        codes: Mapping[str, int],
        names: tuple[str, ...] = (),
    ) -> None:
        from tidegate.models.pmml.kernels.single import run_one

        self._of = (program, inputs, wanted, known, codes, names)
        self._program, self._wanted, self._known, self._names = program, wanted, known, names
        self._run: Callable[[int], int] = entry_of(run_one)
        self._take = itemgetter(*[one.name for one in inputs])
        self._alone = len(inputs) == 1
        self._texts = [place for place, one in enumerate(inputs) if one.kind == "string"]
        self._codes = codes
        self._pack = struct.Struct(f"{len(inputs)}d").pack_into
        self._unpack = struct.Struct(f"{len(wanted)}d").unpack
        self._behind = struct.Struct(f"8x{len(wanted) - 1}d").unpack
        singles = [int(one.kind == "float") for one in inputs]
        self._reads = np.array([one.register for one in inputs] + singles, np.int64)
        self._free: list[_Memory] = []

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy has memory of its own."""
        return OneRow, self._of

    @staticmethod
    def fits(inputs: Sequence[Input]) -> bool:
        """Whether there is a quick way for a model's inputs."""
        return bool(inputs) and all(one.kind == "string" or one.kind in _NUMBERS for one in inputs)

    def __call__(self, row: Mapping[str, Any]) -> dict[str, float] | tuple[float, ...] | None:
        """The answer by name if it is whole and has names; else the wanted registers; None if a value is not plain.
        Raises KeyError if one is not there."""
        given = (self._take(row),) if self._alone else self._take(row)
        if self._texts:
            given = self._coded(given)
            if given is None:
                return None
        try:
            memory = self._free.pop()
        except IndexError:
            memory = self._memory()
        try:
            self._pack(memory[1], 0, *given)
            if self._run(memory[0]) and self._names:
                return dict(_pairs(self._names, self._behind(memory[2])))
            return self._unpack(memory[2])
        except _NOT_PLAIN:
            return None
        finally:
            self._free.append(memory)

    def _coded(self, given: tuple[Any, ...]) -> list[Any] | None:
        """The values with codes for texts; None if one is no text, or one that the model does not know."""
        values, codes = list(given), self._codes
        for place in self._texts:
            text = values[place]
            code = codes.get(text) if type(text) is str else None
            if code is None:
                return None
            values[place] = code
        return values

    def _memory(self) -> _Memory:
        program, inputs = self._program, len(self._reads) // 2
        registers = np.zeros(program.registers)
        values, answers = bytearray(8 * inputs), bytearray(8 * len(self._wanted))
        parts = [np.frombuffer(values, np.float64), np.frombuffer(answers, np.float64)]
        at = [
            part.ctypes.data for part in (program.code, program.numbers, registers, self._reads, self._wanted, *parts)
        ]
        table = np.array(
            [
                at[0], len(program.code), at[1], len(program.numbers), at[2], program.registers, at[3], inputs,
                at[4], len(self._wanted), at[5], at[6], self._known,
            ],
            np.int64,
        )  # fmt: skip
        return table.ctypes.data, values, answers, (table, registers, parts)

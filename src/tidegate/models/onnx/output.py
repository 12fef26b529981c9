"""Which number of what a model gives is the score: a column of a tensor, or an entry of the maps that ZipMap makes."""

import difflib
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.onnx.document import OnnxFile, Tensor

__all__ = ["Score", "score_of"]

_FLOATS = ("float", "double")
_PART = re.compile(r"(?P<name>.*)\[(?P<part>[^\[\]]*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Score:
    """An output and what of it is the score: `part` is a column, or the key of a map; "" while it is not known."""

    output: Tensor
    part: str = ""

    @property
    def named(self) -> str:
        """As an author writes it."""
        return f"{self.output.name}[{self.part}]" if self.part else self.output.name

    def resolved(self, answer: Any, what: str) -> "Score":
        """With the part that is meant, seen an answer for one row: the only column, or of two the second.

        Raises:
            ModelError: there are more, or the one that was named is not there.
        """
        if self.output.maps:
            keys = [str(key) for key in sorted(answer[0])] if len(answer) else []
        else:
            keys = [str(k) for k in range(np.asarray(answer).size)]
        if not self.part and len(keys) == 1:
            return Score(self.output, keys[0])
        part = self.part or (keys[1] if len(keys) == 2 else "")
        if part not in keys:
            raise ModelError(
                f"{what} gives {len(keys)} numbers for a row in {self.output.name!r}, and one of them is the score.",
                seen=self.named if self.part else ", ".join(keys[:20]),
                do=f"Name one, as in {self.output.name}[{keys[-1] if keys else 0}].",
            )
        return Score(self.output, part)

    def read(self, answer: Any, rows: int) -> NDArray[np.float64]:
        """The scores of so many rows, NaN where there is none."""
        if answer is None:
            return np.full(rows, math.nan)
        if self.output.maps:
            key = int(self.part) if self.output.maps == "int64" else self.part
            return np.array([one.get(key, math.nan) for one in answer], np.float64)
        numbers = np.asarray(answer, np.float64)
        if numbers.size % rows or (numbers.ndim and numbers.shape[0] != rows):
            return np.full(rows, math.nan)
        column = numbers.reshape(rows, -1)[:, int(self.part)]
        return np.where(np.isfinite(column), column, math.nan)


def score_of(file: OnnxFile, said: str = "") -> Score:
    """The output that is meant by what an author said; unsaid, the only one that is of floats.

    Raises:
        ModelError: there is no such output, or unsaid there are none or several of floats.
    """
    floats = [one for one in file.outputs if one.element in _FLOATS]
    if not said:
        if len(floats) == 1:
            return Score(floats[0])
        raise ModelError(
            f"One output of {file.what} is the score.",
            seen=", ".join(f"{one.name} ({one.element})" for one in file.outputs) or "no outputs at all",
            do="Name one of floats with --output, or output= in a flow."
            if floats
            else "Export a model that gives a float.",
        )
    found = next((Score(one) for one in floats if one.name == said), None)
    parts = _PART.fullmatch(said)
    if found is None and parts is not None:
        found = next((Score(one, parts["part"]) for one in floats if one.name == parts["name"]), None)
    if found is None:
        names = [one.name for one in floats]
        near = difflib.get_close_matches(said, names, n=1)
        raise ModelError(
            f"{file.what} gives no floats {said!r}.",
            seen=", ".join(f"{one.name} ({one.element})" for one in file.outputs),
            do=f"Did you mean {near[0]!r}?" if near else "Name one of those.",
        )
    return found

"""Which of what a model gives is the answer: a column of a tensor, or an entry of the maps that ZipMap makes.

It is a number, or a text of a tensor of texts, as a classifier's labels are: its place among those that the file names.
"""

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.onnx.document import OnnxFile, Tensor

__all__ = ["Score", "label_of", "score_of"]

_FLOATS = ("float", "double")
_NAMED = (*_FLOATS, "int64", "int32", "bool", "string")
_PART = re.compile(r"(?P<name>.*)\[(?P<part>[^\[\]]*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Score:
    """An output and what of it is the answer: `part` is a column, or the key of a map; "" while it is not known.

    `texts` are the file's texts and their places, of an output of texts.
    """

    output: Tensor
    part: str = ""
    texts: Mapping[str, int] | None = None

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
            return replace(self, part=keys[0])
        part = self.part or (keys[1] if len(keys) == 2 else "")
        if part not in keys:
            raise ModelError(
                f"{what} gives {len(keys)} numbers for a row in {self.output.name!r}, and one of them is the score.",
                seen=self.named if self.part else ", ".join(keys[:20]),
                do=f"Name one, as in {self.output.name}[{keys[-1] if keys else 0}].",
            )
        return replace(self, part=part)

    def read(self, answer: Any, rows: int) -> NDArray[np.float64]:
        """The scores of so many rows, NaN where there is none."""
        if answer is None:
            return np.full(rows, math.nan)
        if self.output.maps:
            key = int(self.part) if self.output.maps == "int64" else self.part
            return np.array([one.get(key, math.nan) for one in answer], np.float64)
        if self.texts is not None:
            places, found = self.texts, np.asarray(answer, object)
            flat = [places.get(text, math.nan) if isinstance(text, str) else math.nan for text in found.ravel()]
            answer = np.array(flat, np.float64).reshape(found.shape)
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
    labels = [one.name for one in file.outputs if one.element == "string"]
    if not said:
        if len(floats) == 1:
            return Score(floats[0])
        raise ModelError(
            f"One output of {file.what} is the score.",
            seen=", ".join(f"{one.name} ({one.element})" for one in file.outputs) or "no outputs at all",
            do="Name one of floats with --output, or output= in a flow."
            if floats
            else f'Name {labels[0]} with --output; or write otherwise="…", a text, in a flow.'
            if labels
            else "Export a model that gives a float, or name an output with --output.",
        )
    given = [one for one in file.outputs if one.element in _NAMED and not (one.maps and one.element == "string")]
    texts = {text: place for place, text in enumerate(file.texts)}
    parts = _PART.fullmatch(said)
    wanted = [(said, ""), *([(parts["name"], parts["part"])] if parts is not None else [])]
    found = next(
        (Score(one, part, texts if one.element == "string" else None)
         for name, part in wanted for one in given if one.name == name), None,
    )  # fmt: skip
    if found is None:
        names = [one.name for one in given]
        near = difflib.get_close_matches(said, names, n=1)
        raise ModelError(
            f"{file.what} has no output {said!r}.",
            seen=", ".join(f"{one.name} ({one.element})" for one in file.outputs),
            do=f"Did you mean {near[0]!r}?" if near else "Name one of those.",
        )
    return found


def label_of(file: OnnxFile) -> str:
    """The name of the only output that is a text.

    Raises:
        ModelError: there are none, or several.
    """
    texts = [one.name for one in file.outputs if one.element == "string" and not one.maps]
    if len(texts) == 1:
        return texts[0]
    raise ModelError(
        f"One output of {file.what} is the label.",
        seen=", ".join(f"{one.name} ({one.element})" for one in file.outputs) or "no outputs at all",
        do='Name one of texts with output="…".' if texts else "Write otherwise=0.0, a number: it gives no text.",
    )

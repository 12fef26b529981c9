"""A PMML model as a flow asks it: features from a batch's cells, one output as the score."""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.explanation import Reason
from tidegate.models.kernels import MISSING
from tidegate.models.pmml.model import PmmlModel
from tidegate.models.scoring import CellKind

__all__ = ["PmmlBinding", "PmmlScorer"]

UNKNOWN = -1.0
"""The code of a text that the model does not name: valid only where any text is."""
_NUMBERS = ("double", "float", "integer")
_MOST_REASONS = 4


class PmmlScorer:
    """A PMML model with one of its outputs chosen as the score.

    Args:
        model: the model.
        digest: what names its stored content.
        output: the output's name; may be left out where the model gives just one number.

    Raises:
        ModelError: there is no such output, it is no number, or several might be meant.
    """

    def __init__(self, model: PmmlModel, *, digest: str = "", output: str = "") -> None:
        self.pmml, self.digest = model, digest
        self.files: Mapping[str, bytes] = {}
        self.features = tuple(one.name for one in model.inputs)
        numbers = [one.name for one in model.outputs if one.kind in _NUMBERS]
        if not output and len(numbers) == 1:
            output = numbers[0]
        if output not in numbers:
            near = difflib.get_close_matches(output, numbers, n=1)
            raise ModelError(
                "One output of the model is the score." if not output else f"The model gives no number {output!r}.",
                seen=", ".join(numbers) or "no numbers at all",
                do=f"Did you mean {near[0]!r}?" if near else "Name one with --output.",
            )
        self.output = next(one for one in model.outputs if one.name == output)
        if model.computes_texts:
            raise ModelError(
                "The model computes with texts, which a flow keeps only as hashes.", seen=model.kind,
                do="Have the flow give it the text that it makes.",
            )  # fmt: skip

    def require(self, features: Sequence[str], reference: str = "") -> None:
        """Raise ModelError, naming the first difference, unless the model reads just these features in this order.

        A field of an event, `Payment.amount` to the flow, is `amount` to a model that does not call it otherwise.
        """
        features = [name if name in self.features else name.rpartition(".")[2] for name in features]
        if tuple(features) == self.features:
            return
        absent = [name for name in self.features if name not in features]
        extra = [name for name in features if name not in self.features]
        name = extra[0] if extra else absent[0] if absent else ""
        known = self.features if extra else features
        near = difflib.get_close_matches(name, known, n=1)
        wrong = (
            f"it does not read {name!r}"
            if extra
            else f"it also reads {name!r}"
            if absent
            else "they are in another order"
        )
        raise ModelError(
            f"{reference or 'The model'} is of other features than the flow gives it: {wrong}.",
            seen=", ".join(features),
            do=(f"Did you mean {near[0]!r}? " if near else "") + f"Give {', '.join(self.features)}, in this order.",
        )

    def bind(
        self,
        columns: Sequence[int],
        kinds: Sequence[CellKind],
        out: int,
        *,
        hash_of: Callable[[str], int] | None = None,
    ) -> "PmmlBinding":
        """Tie the inputs to columns of a batch's cells. Raises ModelError where a text meets a number."""
        for one, kind in zip(self.pmml.inputs, kinds, strict=True):
            if (one.kind == "string") != (kind == "text"):
                raise ModelError(
                    f"The model reads {one.name!r} as {one.kind}.", seen="a text" if kind == "text" else "a number",
                    do="Give it a feature of that type.",
                )  # fmt: skip
        codes: dict[int, float] = {}
        if hash_of is not None:
            codes = {hash_of(text): float(code) for code, text in enumerate(self.pmml.texts)}
        return PmmlBinding(self, tuple(columns), tuple(kinds), out, codes)


class PmmlBinding:
    """A PMML model tied to columns of a batch's cells."""

    def __init__(
        self, model: PmmlScorer, columns: tuple[int, ...], kinds: tuple[CellKind, ...], out: int,
        codes: dict[int, float],
    ) -> None:  # fmt: skip
        self.model, self.columns, self.kinds, self.out = model, columns, kinds, out
        self._codes = codes

    def score(self, cells: NDArray[np.int64], start: int, stop: int) -> None:
        """Write the answers for rows start..stop into the bound column, NaN where the model has none."""
        answers = self.model.pmml.numbers(self._values(cells, start, stop), [self.model.output.register])
        cells.view(np.float64)[self.out, start:stop] = np.where(np.isnan(answers).any(axis=1), math.nan, answers[:, 1])

    def reasons(
        self, cells: NDArray[np.int64], row: int, descriptions: Mapping[str, str], say: Callable[[int, Any], str] | None
    ) -> tuple[Reason, ...]:
        """A scorecard's reason codes, with the points that each weighs; other models give none."""
        pairs = self.model.pmml.reason_registers[:_MOST_REASONS]
        if not pairs:
            return ()
        wanted = [register for pair in pairs for register in pair]
        numbers = self.model.pmml.numbers(self._values(cells, row, row + 1), wanted)[0, 1:].tolist()
        found = []
        for code, points in zip(numbers[::2], numbers[1::2], strict=True):
            if code == code and points > 0.0:
                word = self.model.pmml.texts[int(code)]
                found.append(Reason(word, None, points, f"{descriptions.get(word, word)}: {points:g} points"))
        return tuple(found)

    def _values(self, cells: NDArray[np.int64], start: int, stop: int) -> NDArray[np.float64]:
        values = np.empty((stop - start, len(self.columns)))
        for place, (column, kind) in enumerate(zip(self.columns, self.kinds, strict=True)):
            taken = cells[column, start:stop]
            if kind == "float":
                floats = taken.view(np.float64)
                values[:, place] = np.where(np.isnan(floats), math.nan, floats)
            elif kind == "int":
                values[:, place] = np.where(taken == MISSING, math.nan, taken)
            else:
                values[:, place] = [
                    math.nan if cell == MISSING else self._codes.get(cell, UNKNOWN) for cell in taken.tolist()
                ]
        return values

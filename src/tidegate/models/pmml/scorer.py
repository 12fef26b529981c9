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
from tidegate.models.pmml.program import reason_of
from tidegate.models.scoring import CellKind
from tidegate.models.signature import ModelInput, require_names

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
        units: of inputs by name, where they are said beside the document.

    Raises:
        ModelError: there is no such output, it is no number, or several might be meant.
    """

    def __init__(
        self, model: PmmlModel, *, digest: str = "", output: str = "", units: Mapping[str, str] | None = None
    ) -> None:
        self.pmml, self.digest, self._units = model, digest, dict(units or {})
        self.files: Mapping[str, bytes] = {}
        self._reads = tuple(one for one in model.inputs if one.needed)
        self.features = tuple(one.name for one in self._reads)
        numbers = [one.name for one in model.outputs if one.kind in _NUMBERS]
        meant = [one.name for one in model.outputs if one.kind in _NUMBERS and one.declared] or numbers
        if not output and len(meant) == 1:
            output = meant[0]
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

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """What it reads, as its data dictionary and mining schema say."""
        return tuple(
            ModelInput(
                one.name, "text" if one.kind == "string" else "number", one.values,
                self._units.get(one.name, one.unit),
                one.treatment.missing != "returnInvalid",
            )
            for one in self._reads
        )  # fmt: skip

    def require(self, features: Sequence[str], reference: str = "") -> None:
        """Raise ModelError, naming the first difference, unless the model reads just these features in this order."""
        require_names(self.features, features, reference)

    def bind(
        self,
        columns: Sequence[int],
        kinds: Sequence[CellKind],
        out: int,
        *,
        hash_of: Callable[[str], int] | None = None,
        names: Sequence[str] = (),
    ) -> "PmmlBinding":
        """Tie the inputs to columns of a batch's cells, with the kernels ready: what is served never waits for them.

        Raises ModelError where a text meets a number.
        """
        self.pmml.make_ready()
        for one, kind in zip(self._reads, kinds, strict=True):
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

    def unanswered(self, cells: NDArray[np.int64], row: int) -> str:
        """Why the model has no answer for a row, with the line of the document."""
        status, answer = self.model.pmml.numbers(self._values(cells, row, row + 1), [self.model.output.register])[0]
        faults = self.model.pmml.program.faults
        return reason_of(status, faults) or reason_of(answer, faults) or "the model gives no number"

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

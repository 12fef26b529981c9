"""A PMML model as a flow asks it: features from a batch's cells, one output as the answer, a number or a text."""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models import shares
from tidegate.models.explanation import Words
from tidegate.models.kernels import MISSING
from tidegate.models.pmml.model import PmmlModel
from tidegate.models.pmml.outputs import Output
from tidegate.models.pmml.program import reason_of
from tidegate.models.pmml.texts import is_text
from tidegate.models.reason import ModelReason
from tidegate.models.scoring import CellKind
from tidegate.models.signature import ModelInput, require_names

__all__ = ["PmmlBinding", "PmmlScorer"]

UNKNOWN = -1.0
"""The code of a text that the model does not name: valid only where any text is."""
_NUMBERS = ("double", "float", "integer")
_MOST_REASONS = 4


class PmmlScorer:
    """A PMML model with one of its outputs chosen as the answer.

    Args:
        model: the model.
        digest: what names its stored content.
        output: the output's name; may be left out where the model gives just one number, or just one text.
        units: of inputs by name, where they are said beside the document.
        text: whether a text is meant where no output is named.
        typical: a typical value by feature, which reasons are told against where the model has no exact ones.

    Raises:
        ModelError: there is no such output, it is neither number nor text, or several might be meant.
    """

    def __init__(
        self, model: PmmlModel, *, digest: str = "", output: str = "", units: Mapping[str, str] | None = None,
        text: bool = False, typical: Mapping[str, float | str] | None = None,
    ) -> None:  # fmt: skip
        self.pmml, self.digest, self._units = model, digest, dict(units or {})
        self.files: Mapping[str, bytes] = {}
        self._reads = tuple(one for one in model.inputs if one.needed)
        self.features = tuple(one.name for one in self._reads)
        self.output = _meant(model, output, text)
        self.texts: tuple[str, ...] | None = tuple(model.texts) if is_text(self.output.kind) else None
        self.choices = tuple(model.texts[int(code)] for code in self.output.values) if self.texts is not None else ()
        summed = self.output.additive
        used = () if summed is None else summed.trees.registers
        explained = summed is not None and all(one in model.treated for one in used)
        self._explained = summed if explained else None
        self._used = [self.features.index(model.treated[one]) for one in used] if explained else []
        self.typical = self._row_of(typical) if typical else None
        if model.computes_texts:
            raise ModelError(
                "The model computes with texts, which a flow keeps only as hashes.", seen=model.kind,
                do="Have the flow give it the text that it makes.",
            )  # fmt: skip

    def _row_of(self, values: Mapping[str, float | str]) -> NDArray[np.float64]:
        codes = {text: float(code) for code, text in enumerate(self.pmml.texts)}
        given = [values[name] for name in self.features]
        return np.array([codes.get(one, UNKNOWN) if isinstance(one, str) else float(one) for one in given])

    @property
    def gives_reasons(self) -> bool:
        """Whether the document says why by itself: by reason codes, or a sum of trees whose records are counted."""
        if self.pmml.reason_registers:
            return True
        return self.contributions(np.full((1, len(self.features)), math.nan)) is not None

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

    @property
    def categories(self) -> Mapping[str, Sequence[str]]:
        """The texts of inputs that are texts, by their codes."""
        return {one.name: self.pmml.texts for one in self._reads if one.kind == "string"}

    def contributions(self, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Exact path-dependent Shapley values of rows, one column per feature and the bias last.

        They are of what the trees add up to, of the log odds where the score is a probability. None if the score is no
        sum of trees, or the document does not say how many records reached each of their nodes (`recordCount`).
        """
        if self._explained is None:
            return None
        trees, scale = self._explained.trees, self._explained.scale
        parts = trees.contributions(self.pmml.numbers(values, trees.registers)[:, 1:])
        if parts is None:
            return None
        found = np.zeros((len(values), len(self.features) + 1))
        found[:, self._used], found[:, -1] = scale * parts[:, :-1], scale * parts[:, -1]
        return found

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
        hashes = [] if hash_of is None else [hash_of(text) for text in self.pmml.texts]
        return PmmlBinding(self, tuple(columns), tuple(kinds), out, hashes)


def _meant(model: PmmlModel, output: str, text: bool) -> Output:
    """The output that is the answer: the one named, else the only number, or the only text."""
    kinds = ("string",) if text and not output else _NUMBERS if not output else ("string", *_NUMBERS)
    there = {one.name: one for one in model.outputs if one.kind in kinds}
    if output in there:
        return there[output]
    meant = [one for one in there.values() if one.declared] or list(there.values())
    if not output and text and len(meant) > 1:
        meant = [one for one in meant if one.feature == "predictedValue"]
    if not output and len(meant) == 1:
        return meant[0]
    texts = [one.name for one in model.outputs if one.kind == "string"]
    near = difflib.get_close_matches(output, list(there), n=1)
    do = f"Did you mean {near[0]!r}?" if near else "Name one with --output, or output= in a flow."
    if not there and texts and not output:
        do = f'It gives texts: {", ".join(texts)}. Name one with --output, or write otherwise="…", a text, in a flow.'
    what = "text" if text else "number"
    raise ModelError(
        f"The model gives no number or text {output!r}." if output
        else "One output of the model is the " + ("label." if text else "score."),
        seen=", ".join(there) or f"no {what}s at all",
        do=do,
    )  # fmt: skip


class PmmlBinding:
    """A PMML model tied to columns of a batch's cells."""

    def __init__(
        self, model: PmmlScorer, columns: tuple[int, ...], kinds: tuple[CellKind, ...], out: int,
        hashes: Sequence[int],
    ) -> None:  # fmt: skip
        self.model, self.columns, self.kinds, self.out = model, columns, kinds, out
        self._codes = {cell: float(code) for code, cell in enumerate(hashes)}
        self._hashes = np.array([*hashes, MISSING], np.int64)  # a text that the model does not name is missing

    def _answers(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of each row, NaN where the model has none."""
        answers = self.model.pmml.numbers(rows, [self.model.output.register])
        return np.where(np.isnan(answers).any(axis=1), math.nan, answers[:, 1])

    def native(self, cells: NDArray[np.int64]) -> None:
        """None: it is not a single kernel that scores."""
        return

    def score(self, cells: NDArray[np.int64], start: int, stop: int) -> None:
        """Write the answers for rows start..stop into the bound column, missing where the model has none."""
        answers = self.model.pmml.numbers(self._values(cells, start, stop), [self.model.output.register])
        failed = np.isnan(answers).any(axis=1)
        if self.model.texts is None:
            cells.view(np.float64)[self.out, start:stop] = np.where(failed, math.nan, answers[:, 1])
        else:
            codes = np.where(failed, UNKNOWN, answers[:, 1]).astype(np.int64)
            cells[self.out, start:stop] = self._hashes[codes]

    def unanswered(self, cells: NDArray[np.int64], row: int) -> str:
        """Why the model has no answer for a row, with the line of the document."""
        status, answer = self.model.pmml.numbers(self._values(cells, row, row + 1), [self.model.output.register])[0]
        faults = self.model.pmml.program.faults
        why = reason_of(status, faults) or reason_of(answer, faults)
        if why or self.model.texts is None:
            return why or "the model gives no number"
        return "the model gives a text that it does not name" if answer == UNKNOWN else "the model gives no text"

    @property
    def explained(self) -> PmmlScorer:
        """The model."""
        return self.model

    def reasons(self, cells: NDArray[np.int64], rows: Sequence[int], words: Words) -> list[tuple[ModelReason, ...]]:
        """A scorecard's reason codes with the points that each weighs; of a sum of trees, what weighs most of its exact
        contributions (see `PmmlScorer.contributions`); of other models, what each feature did against a typical row,
        if one was said (`shares`)."""
        return [self._reasons(cells, row, words) for row in rows]

    def _reasons(self, cells: NDArray[np.int64], row: int, words: Words) -> tuple[ModelReason, ...]:
        pairs = self.model.pmml.reason_registers[:_MOST_REASONS]
        if not pairs:
            values = self._values(cells, row, row + 1)
            parts = self.model.contributions(values)
            if parts is None and self.model.typical is not None and self.model.texts is None:
                apart = shares.contributions(self._answers, values[0], self.model.typical)
                return shares.against(words, values[0], apart, self.model.typical.tolist())
            return () if parts is None else words.reasons(values[0], parts[0])
        wanted = [register for pair in pairs for register in pair]
        numbers = self.model.pmml.numbers(self._values(cells, row, row + 1), wanted)[0, 1:].tolist()
        found = []
        for code, points in zip(numbers[::2], numbers[1::2], strict=True):
            if code == code and points > 0.0:
                word = self.model.pmml.texts[int(code)]
                said = words.descriptions.get(word, word)
                found.append(ModelReason(word, None, points, f"{said}: {points:g} points"))
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

"""A model in ONNX, ready to answer: from a matrix, or from the cells of a batch."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models import kernels
from tidegate.models.explanation import Words
from tidegate.models.onnx.asking import Asking
from tidegate.models.onnx.document import read_onnx
from tidegate.models.onnx.kernel import read_single
from tidegate.models.onnx.said import Said, said_in
from tidegate.models.reason import ModelReason
from tidegate.models.scoring import CellKind
from tidegate.models.shares import against, contributions
from tidegate.models.signature import InputKind, ModelInput, require_names

__all__ = ["OnnxBinding", "OnnxModel"]

Floats = NDArray[np.float64]
UNKNOWN = -1.0
"""The place of a text that the model does not know."""
_KINDS: dict[str, InputKind] = {"int64": "whole", "int32": "whole", "bool": "truth", "string": "text"}
_CODES: dict[str, int] = {"int": kernels.INPUT_INT, "float": kernels.INPUT_FLOAT}


class OnnxModel:
    """A model in ONNX with one of its outputs chosen as the answer.

    Args:
        content: the file's bytes.
        what: what it is called in messages.
        digest: what names its stored content.
        said: what its author says of it.

    Raises:
        ModelError: the file is damaged or holds what is not run, ONNX Runtime is not there or does not take it, or
            which number is the score cannot be told.
    """

    def __init__(self, content: bytes, what: str = "the model", *, digest: str = "", said: Said | None = None) -> None:
        self.file, self.digest = read_onnx(content, what), digest
        self.said = said if said is not None else said_in(self.file)
        if self.said.missing not in ("", "pass"):
            raise ModelError(
                "missing= is what the model is to do about missing values.", seen=repr(self.said.missing),
                do='Write "pass" if it answers then, or nothing if it does not.',
            )  # fmt: skip
        names = tuple(one.name for one in self.said.features)
        self.files: Mapping[str, bytes] = {}
        self.asking = Asking(self.file, content, names, self.said.output, passes=self.said.missing == "pass")
        self.score, columns = self.asking.score, self.asking.columns
        self.texts = self.file.texts if self.score.texts is not None else None
        self.features = tuple(one.name for one in columns)
        self.positional = not (names and self.said.named) and any(name.endswith("]") for name in self.features)
        texts = self.file.texts
        self.categories = {one.name: texts for one in columns if one.element == "string"}
        self.choices: tuple[str, ...] = () if self.texts is None or self.categories else self.texts
        units = [one.unit for one in self.said.features] or [""] * len(columns)
        self.inputs = tuple(
            ModelInput(
                one.name,
                _KINDS.get(one.element, "number"),
                unit=unit,
                answers_missing=self.said.missing == "pass" and one.element not in ("int64", "int32", "bool"),
            )
            for one, unit in zip(columns, units, strict=True)
        )
        self.typical = self._typical()

    def _typical(self) -> Floats | None:
        """A typical row, a text as its place; none if not said of every feature."""
        found = []
        places = {text: float(place) for place, text in enumerate(self.file.texts)}
        for one, name in zip(self.said.features, self.features, strict=False):
            if one.typical is None or isinstance(one.typical, str) != (name in self.categories):
                return None
            found.append(places.get(one.typical, UNKNOWN) if isinstance(one.typical, str) else float(one.typical))
        return np.array(found) if found else None

    def require(self, features: Sequence[str], reference: str = "") -> None:
        """Raise ModelError, naming the first difference, unless the model reads just these features in this order.

        Of a file that does not name the columns of its one tensor, only how many there are is known.
        """
        if not self.positional:
            require_names(self.features, features, reference)
        elif len(features) != len(self.features):
            raise ModelError(
                f"{reference or 'The model'} reads {len(self.features)} features.", seen=f"{len(features)} features",
                do="Give it as many, in the order of its training.",
            )  # fmt: skip

    def predict(self, matrix: Floats) -> Floats:
        """The answer for each row of a matrix with one column per feature, NaN where the model has none.

        A text is its place among `texts`.
        """
        return self.asking.answers(matrix)

    def contributions(self, row: Floats) -> Floats:
        """What each feature did to the score of a row, against the typical one (`method_of` says how).

        Raises:
            ModelError: no typical row was said.
        """
        if self.typical is None:
            raise ModelError(
                "Without a typical row there are no reasons.", do="Say it with --typical, or typical= in a flow."
            )
        return contributions(lambda rows: self.asking.answers(rows, at_once=True), row, self.typical)

    def bind(
        self,
        columns: Sequence[int],
        kinds: Sequence[CellKind],
        out: int,
        *,
        hash_of: Callable[[str], int] | None = None,
        names: Sequence[str] = (),
    ) -> "OnnxBinding":
        """Tie the features to columns of a batch's cells. Raises ModelError where a text meets a number.

        Args:
            names: what the flow calls the features, for reasons, where the file has no names for them.
        """
        for one, kind in zip(self.inputs, kinds, strict=True):
            if (one.kind == "text") != (kind == "text"):
                raise ModelError(
                    f"The model reads {one.name!r} as a {one.kind}.", seen="a text" if kind == "text" else "a number",
                    do="Give it a feature of that type.",
                )  # fmt: skip
        hashes = [] if hash_of is None else [hash_of(text) for text in self.file.texts]
        return OnnxBinding(self, tuple(columns), tuple(kinds), out, hashes, tuple(names) if self.positional else ())


class OnnxBinding:
    """A model tied to columns of a batch's cells."""

    def __init__(
        self, model: OnnxModel, columns: tuple[int, ...], kinds: tuple[CellKind, ...], out: int,
        hashes: Sequence[int], names: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.model, self.out = model, out
        self.features: tuple[str, ...] = names or model.features
        self.categories = {
            name: texts
            for name, own in zip(self.features, model.features, strict=True)
            if (texts := model.categories.get(own))
        }
        self._columns, self._kinds = columns, kinds
        self._codes = {cell: float(place) for place, cell in enumerate(hashes)}
        self._hashes = np.array([*hashes, kernels.MISSING], np.int64)
        self._single = model.asking.single()
        self._texts = [place for place, kind in enumerate(kinds) if kind == "text"]
        inputs = [word for c, k in zip(columns, kinds, strict=True) for word in (c, _CODES.get(k, 0), 0, 0)]
        self._inputs = np.array(inputs, np.int64)

    def native(self, cells: NDArray[np.int64]) -> None:
        """None: it is not a single kernel that scores."""
        return

    def score(self, cells: NDArray[np.int64], start: int, stop: int) -> None:
        """Write the answers for rows start..stop into the bound column, missing where the model has none."""
        if self.model.texts is not None:
            places = self.model.predict(self._rows(cells, start, stop))
            cells[self.out, start:stop] = self._hashes[np.where(np.isnan(places), UNKNOWN, places).astype(np.int64)]
            return
        asking, scores = self.model.asking, cells.view(np.float64)[self.out]
        single = self._single
        if stop - start > 1 and (asking.row_exact or asking.together > 1 or single is None):
            scores[start:stop] = self.model.predict(self._rows(cells, start, stop))
            return
        for row in range(start, stop):
            filled = single is not None and read_single(self._inputs, cells, row, single.tensor)
            found = single.answer() if single is not None and filled else None
            if found is None:  # a value is missing or out of range, or is no float; or another row was at fault
                found = self.model.predict(self._row(cells, row)[None])[0]
            scores[row] = found

    def unanswered(self, cells: NDArray[np.int64], row: int) -> str:
        """Why the model has no answer for a row, in words."""
        what = "number" if self.model.texts is None else "text that it names"
        return self.model.asking.given.why_not(self._row(cells, row), self.features) or f"the model gives no {what}"

    @property
    def explained(self) -> "OnnxBinding":
        """Itself: the flow's names stand in where the file has none."""
        return self

    def reasons(self, cells: NDArray[np.int64], rows: Sequence[int], words: Words) -> list[tuple[ModelReason, ...]]:
        """At most four reasons of each row's score against the typical row's; none if no typical row was said."""
        if self.model.typical is None or self.model.texts is not None:
            return [()] * len(rows)
        typical, taken = self.model.typical.tolist(), [self._row(cells, row) for row in rows]
        return [against(words, values, self.model.contributions(values), typical) for values in taken]

    def _row(self, cells: NDArray[np.int64], row: int) -> Floats:
        values = np.empty(len(self._columns))
        kernels.read_cells(self._inputs, cells, row, values)
        for place in self._texts:
            cell = int(cells[self._columns[place], row])
            values[place] = math.nan if cell == kernels.MISSING else self._codes.get(cell, UNKNOWN)
        return values

    def _rows(self, cells: NDArray[np.int64], start: int, stop: int) -> Floats:
        values = np.empty((stop - start, len(self._columns)))
        for place, (column, kind) in enumerate(zip(self._columns, self._kinds, strict=True)):
            values[:, place] = self._column(cells[column, start:stop], kind)
        return values

    def _column(self, taken: NDArray[np.int64], kind: CellKind) -> Any:
        if kind == "float":
            return taken.view(np.float64)
        if kind == "int":
            return np.where(taken == kernels.MISSING, math.nan, taken)
        return [math.nan if cell == kernels.MISSING else self._codes.get(cell, UNKNOWN) for cell in taken.tolist()]

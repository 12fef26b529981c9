"""A model made of trees, ready to answer: from a matrix, or from the cells of a batch."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.kernels.chain import Native
from tidegate.models import kernels, shapley
from tidegate.models.explanation import Words
from tidegate.models.layout import layout
from tidegate.models.lightgbm import Forest, read_forest
from tidegate.models.reason import ModelReason
from tidegate.models.scoring import CellKind
from tidegate.models.signature import ModelInput

__all__ = ["Binding", "CellKind", "TreeModel"]

_CODES: dict[str, int] = {"int": kernels.INPUT_INT, "float": kernels.INPUT_FLOAT, "text": kernels.INPUT_TEXT}


class TreeModel:
    """A forest, the names of its features, and the categories that their codes stand for.

    Args:
        forest: the trees.
        digest: what names this content, sha256 in hex; empty for a model that was not stored.
        features: the features' names in order; the forest's own if not given.
        categories: per categorical feature its texts; a text's code is its place in the list. A text that is not there,
            like any category that training did not see, counts as missing.
        units: of each feature, as its author wrote it; see `signature.ModelInput`.
    """

    def __init__(
        self,
        forest: Forest,
        *,
        digest: str = "",
        features: Sequence[str] = (),
        categories: Mapping[str, Sequence[str]] | None = None,
        units: Sequence[str] = (),
    ) -> None:
        self.forest, self.digest = forest, digest
        self.features = tuple(features) or forest.features
        self.categories = {name: tuple(texts) for name, texts in (categories or {}).items()}
        if len(self.features) != len(forest.features):
            raise ModelError(
                f"The model's trees read {len(forest.features)} features.", seen=f"{len(self.features)} names",
                do="Give one name per feature, in the order of training.",
            )  # fmt: skip
        for name in self.categories.keys() - set(self.features):
            raise ModelError(
                f"Categories are given for {name!r}, which the model does not read.", do=self._nearest(name)
            )
        self._units = tuple(units) or ("",) * len(self.features)
        self.files: Mapping[str, bytes] = {}
        self.laid = layout(forest)
        self._shares: shapley.Shares | None = None

    @classmethod
    def read(cls, path: str | Path) -> "TreeModel":
        """A bare LightGBM text file. Raises ModelError if it cannot be used."""
        return cls(read_forest(path))

    @property
    def texts(self) -> None:
        """None: trees answer with a number."""
        return None

    @property
    def inputs(self) -> tuple[ModelInput, ...]:
        """What it reads: numbers, and categories by their texts or codes; what is missing goes its own way."""
        return tuple(
            ModelInput(name, "any" if name in self.categories else "number", self.categories.get(name, ()), unit)
            for name, unit in zip(self.features, self._units, strict=True)
        )

    def require(self, features: Sequence[str], reference: str = "") -> None:
        """Raise ModelError, naming the first difference, unless the model reads just these features in this order.

        `reference` is how a flow names the model, for the message. A field of an event, `Payment.amount` to the flow,
        is `amount` to a model that does not call it otherwise.
        """
        bare = [name.rpartition(".")[2] for name in features]
        known = [last if last in self.features else name for name, last in zip(features, bare, strict=True)]
        try:
            self._require([name if name in self.features else one for name, one in zip(features, known, strict=True)])
        except ModelError as error:
            if not reference:
                raise
            raise ModelError(
                f"{reference} is of other features than the flow gives it: {error.wrong}",
                seen=error.seen,
                do=f"{error.do} If the flow is right, train again: tidegate features FLOW FILE, then "
                "tidegate train FLOW features.parquet --promote.",
            ) from None

    def _require(self, features: Sequence[str]) -> None:
        for place, (given, own) in enumerate(zip(features, self.features, strict=False), start=1):
            if given != own:
                moved = given in self.features
                do = f"Give the features as the model was trained: {', '.join(self.features)}."
                raise ModelError(
                    f"Feature {place} of the model is {own!r}.", seen=repr(given),
                    do=do if moved else f"{self._nearest(given)} {do}",
                )  # fmt: skip
        if len(features) < len(self.features):
            raise ModelError(
                f"The model also reads {self.features[len(features)]!r}.", seen=f"{len(features)} features",
                do=f"Give all {len(self.features)}: {', '.join(self.features)}.",
            )  # fmt: skip
        if len(features) > len(self.features):
            extra = features[len(self.features)]
            raise ModelError(
                f"The model does not read {extra!r}.", seen=f"{len(features)} features",
                do=f"Give its {len(self.features)}: {', '.join(self.features)}.",
            )  # fmt: skip

    def predict(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """The answer for each row of a matrix with one column per feature (a probability if trained on yes and no)."""
        return self._predict(matrix, raw=False)

    def raw(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of the leaves (log odds, for a probability): what `contributions` add up to."""
        return self._predict(matrix, raw=True)

    def _predict(self, matrix: NDArray[np.float64], *, raw: bool) -> NDArray[np.float64]:
        rows = self._checked(matrix)
        out = np.empty(len(rows))
        kernels.predict_matrix(self.laid, rows, out, raw)
        return out

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Exact path-dependent Shapley values: one column per feature and the bias last; a row adds up to `raw`."""
        return self.contributions_of(self._checked(matrix))

    def contributions_of(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same of a matrix that is known to have a column per feature, in C order."""
        shares = self.shares
        out = np.empty((len(rows), len(self.features) + 1))
        out[:, -1] = shares.bias
        shapley.contributions_matrix(self.laid, *shares.tables, rows, out)
        return out

    @property
    def shares(self) -> shapley.Shares:
        """What contributions need, made when first asked for. Raises ModelError if the leaves' counts are unknown."""
        if self._shares is None:
            self._shares = shapley.tabulate(self.forest, self.laid)
        return self._shares

    def bind(
        self,
        columns: Sequence[int],
        kinds: Sequence[CellKind],
        out: int,
        *,
        hash_of: Callable[[str], int] | None = None,
        names: Sequence[str] = (),
    ) -> "Binding":
        """Tie the features to columns of a batch's cells.

        Args:
            columns: the column of each feature, in the model's order.
            kinds: of those cells: "int" (also times, money, truth values and integer categories), "float", or "text".
            out: the float column that takes the answer.
            hash_of: the 64-bit hash that a text has in a cell, as a signed integer; needed if a kind is "text".
        """
        if len(columns) != len(self.features) or len(kinds) != len(self.features):
            raise ModelError(
                f"The model reads {len(self.features)} features.",
                seen=f"{len(columns)} columns and {len(kinds)} kinds", do="Bind one column per feature, in order.",
            )  # fmt: skip
        inputs, dictionaries = list[int](), list[int]()
        for name, column, kind in zip(self.features, columns, kinds, strict=True):
            inputs += [column, _CODES[kind], len(columns) * kernels.INPUT_WORDS + len(dictionaries), 0]
            if kind == "text":
                pairs = self._dictionary(name, hash_of)
                inputs[-1] = len(pairs)
                dictionaries += [key for key, _ in pairs] + [code for _, code in pairs]
        return Binding(self, np.array(inputs + dictionaries, np.int64), max(*columns, out) if columns else out, out)

    def _dictionary(self, name: str, hash_of: Callable[[str], int] | None) -> list[tuple[int, int]]:
        if name not in self.categories or hash_of is None:
            raise ModelError(
                f"The model was not trained on texts for {name!r}.", seen="a text column",
                do="Bind a number, or train with the texts' categories.",
            )  # fmt: skip
        pairs = sorted((hash_of(text), code) for code, text in enumerate(self.categories[name]))
        for (one, a), (other, b) in pairwise(pairs):
            if one == other:
                texts = self.categories[name]
                raise ModelError(f"Two categories of {name!r} look the same.", seen=f"{texts[a]!r} and {texts[b]!r}")
        return pairs

    def _checked(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = np.ascontiguousarray(matrix, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.features):
            raise ModelError(
                f"The model reads a matrix of {len(self.features)} columns.", seen=f"shape {rows.shape}",
                do=f"Give one column per feature: {', '.join(self.features)}.",
            )  # fmt: skip
        return rows

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.features, n=1)
        return f"Did you mean {json.dumps(near[0])}?" if near else "No feature has a name like it."


class Binding:
    """A model tied to columns of a batch's cells."""

    __slots__ = ("_last_column", "inputs", "laid", "model", "out")

    def __init__(self, model: TreeModel, inputs: NDArray[np.int64], last_column: int, out: int) -> None:
        self.model, self.inputs, self.out = model, inputs, out
        self.laid = model.laid
        self._last_column = last_column

    def score(self, cells: NDArray[np.int64], start: int, stop: int) -> None:
        """Write the answers for rows start..stop into the bound column of cells int64[columns, capacity], C order."""
        self._require(cells)
        if not 0 <= start <= stop <= cells.shape[1]:
            raise IndexError(f"rows {start}..{stop} of cells of shape {cells.shape}")
        kernels.score_cells(self.laid, self.inputs, cells, start, stop, self.out)

    def native(self, cells: NDArray[np.int64]) -> Native:
        """The kernel that scores the first rows of these cells, as `score` does."""
        self._require(cells)
        return Native.of(kernels.score_step, self.laid, self.inputs, cells, self.out)

    def _require(self, cells: NDArray[np.int64]) -> None:
        if self._last_column >= cells.shape[0]:
            raise IndexError(f"column {self._last_column} of cells of shape {cells.shape}")

    def values(self, cells: NDArray[np.int64], row: int) -> NDArray[np.float64]:
        """The row's feature values as the model sees them: NaN is missing, a category is its code."""
        values = np.empty(len(self.model.features))
        kernels.read_cells(self.inputs, cells, row, values)
        return values

    def contributions(self, cells: NDArray[np.int64], row: int) -> NDArray[np.float64]:
        """The contributions of one row, the bias last, as `TreeModel.contributions`."""
        parts: NDArray[np.float64] = self.model.contributions(self.values(cells, row)[None])[0]
        return parts

    def unanswered(self, cells: NDArray[np.int64], row: int) -> str:
        """Why the model has no answer for a row: trees always have one, but for sums that are no number."""
        return "the model gives no number"

    @property
    def explained(self) -> TreeModel:
        """The model."""
        return self.model

    def reasons(self, cells: NDArray[np.int64], rows: Sequence[int], words: Words) -> list[tuple[ModelReason, ...]]:
        """At most four reasons of each row's score, by its exact contributions, which are worked out together."""
        values = np.empty((len(rows), len(self.model.features)))
        for own, row in zip(values, rows, strict=True):
            kernels.read_cells(self.inputs, cells, row, own)
        return words.of_rows(values, self.model.contributions_of(values))

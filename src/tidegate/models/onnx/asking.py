"""A model in ONNX that is asked rows of numbers."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.onnx.document import OnnxFile
from tidegate.models.onnx.inputs import Inputs, columns_of
from tidegate.models.onnx.output import Score, score_of
from tidegate.models.onnx.session import Session

__all__ = ["Asking", "Single"]

Floats = NDArray[np.float64]
_BLOCK = 1024


class Asking:
    """A file's features as columns, one of its numbers as the score.

    Args:
        file: what was looked into.
        content: its bytes.
        names: of the columns of its one tensor, if they are known.
        output: which number is the score, as its author wrote it.
        passes: whether a missing value is passed on.

    Raises:
        ModelError: ONNX Runtime is not there or does not take the model, or which number is the score cannot be told.
    """

    def __init__(
        self, file: OnnxFile, content: bytes, names: Sequence[str] = (), output: str = "", *, passes: bool = False
    ) -> None:
        self.columns = columns_of(file, tuple(names))
        self.given = Inputs(file, self.columns, passes=passes)
        meant = score_of(file, output)
        self._session = Session(content, file.what)
        self._single = any(one.dims[:1] == (1,) for one in file.inputs)
        self._block = _BLOCK if file.row_exact and not self._single else 1
        answer = self._session.run(meant.output.name, self.given.feed(np.zeros((1, len(self.columns)))))
        if answer is None:
            raise ModelError(
                f"ONNX Runtime cannot run {file.what}.", seen="a row of zeros",
                do="Try it where it was made; it may take too much memory, or declare what is not so.",
            )  # fmt: skip
        self.score = meant.resolved(answer, file.what)
        self.row_exact = self._block > 1
        only = file.inputs[0]
        plain = len(file.inputs) == 1 and only.element == "float" and len(only.dims) == 2
        self._only = only.name if plain and not self.score.output.maps else ""

    def single(self) -> "Single | None":
        """A row to be filled and asked in place, if a tensor of floats is all that the model reads."""
        if not self._only:
            return None
        tensor = np.zeros((1, len(self.columns)), np.float32)
        return Single(self._session, {self._only: tensor}, tensor, self.score)

    def answers(self, rows: Floats, *, at_once: bool = False) -> Floats:
        """The score of each row, NaN where the model has none.

        Rows go one by one, except where the model's operators answer a row alike whatever is beside it: a decision does
        not depend on which events came with it. `at_once` says that the rows are always the same ones together.
        """
        out = np.full(len(rows), math.nan)
        asked = np.flatnonzero(self.given.answerable(rows))
        block = self._block if self._single or not at_once else max(1, len(rows))
        for first in range(0, len(asked), block):
            places = asked[first : first + block]
            answer = self._session.run(self.score.output.name, self.given.feed(rows[places]))
            out[places] = self.score.read(answer, len(places))
        return out


class Single:
    """One row of a model, filled and asked over and over: of one binding, as two must not fill it at once."""

    __slots__ = ("_feed", "_output", "_place", "_session", "tensor")

    def __init__(
        self, session: Session, feed: dict[str, NDArray[np.float32]], tensor: NDArray[np.float32], score: Score
    ) -> None:
        self._session, self._feed, self.tensor = session, feed, tensor
        self._place, self._output = int(score.part), score.output.name

    def answer(self) -> float:
        """The score of the row that is in the tensor, NaN if there is none."""
        found = self._session.run(self._output, self._feed)
        score = math.nan if found is None else float(found.item(self._place))
        return score if math.isfinite(score) else math.nan

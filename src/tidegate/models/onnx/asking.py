"""A model in ONNX that is asked rows of numbers."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.onnx.document import OnnxFile
from tidegate.models.onnx.inputs import Inputs, columns_of
from tidegate.models.onnx.output import Score, score_of
from tidegate.models.onnx.session import Session

__all__ = ["TOGETHER", "Asking", "Single"]

Floats = NDArray[np.float64]
_BLOCK = 1024
TOGETHER = 16
"""How many rows a model is asked at once, always, whose answers could be other bits among more or fewer rows.

As many as a vector of single floats holds, so that no step of a vectorised function has a rest to be done otherwise.
"""


class Asking:
    """A file's features as columns, one of its outputs as the answer; a text is its place among the file's.

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
        only_one = any(one.dims[:1] == (1,) for one in file.inputs)
        answer = self._session.run(meant.output.name, self.given.feed(np.zeros((1, len(self.columns)))))
        if answer is None:
            raise ModelError(
                f"ONNX Runtime cannot run {file.what}.", seen="a row of zeros",
                do="Try it where it was made; it may take too much memory, or declare what is not so.",
            )  # fmt: skip
        self.score = meant.resolved(answer, file.what)
        self.row_exact = file.row_exact and not only_one
        self.together = 1
        if not self.row_exact and file.rows_apart and not only_one and self._keeps_rows_apart(file):
            self.together = TOGETHER
        only = file.inputs[0]
        plain = len(file.inputs) == 1 and only.element == "float" and len(only.dims) == 2
        self._only = only.name if plain and not self.score.output.maps and self.score.texts is None else ""
        self._one = only_one

    def single(self) -> "Single | None":
        """A row to be filled and asked in place, if a tensor of floats is all that the model reads."""
        if not self._only:
            return None
        tensor = np.zeros((self.together, len(self.columns)), np.float32)
        return Single(self._session, {self._only: tensor}, tensor, self.score)

    def answers(self, rows: Floats, *, at_once: bool = False) -> Floats:
        """The score of each row, NaN where the model has none.

        A decision does not depend on which events came with it: rows go in blocks only where the model's operators
        answer a row alike whatever is beside it, else among always as many rows, or one by one. `at_once` says that the
        rows are always the same ones together.
        """
        out = np.full(len(rows), math.nan)
        asked = np.flatnonzero(self.given.answerable(rows))
        if not self.row_exact and self.together > 1 and not at_once:
            if len(asked):
                out[asked] = self._among_as_many(rows[asked])
            return out
        block = 1 if self._one else _BLOCK if self.row_exact else max(1, len(rows)) if at_once else 1
        for first in range(0, len(asked), block):
            places = asked[first : first + block]
            answer = self._session.run(self.score.output.name, self.given.feed(rows[places]))
            out[places] = self.score.read(answer, len(places))
        return out

    def _among_as_many(self, rows: Floats) -> Floats:
        """The scores of rows, asked in blocks that are filled up with copies of their last row.

        Where ONNX Runtime fails on a block, each of its rows is asked among copies of itself: another's failure is not
        its own.
        """
        size, many = self.together, len(rows)
        filled = rows if many % size == 0 else np.vstack([rows, np.repeat(rows[-1:], -many % size, axis=0)])
        feed, name = self.given.feed(filled), self.score.output.name
        found = np.empty(len(filled))
        for first in range(0, len(filled), size):
            answer = self._session.run(name, {key: one[first : first + size] for key, one in feed.items()})
            if answer is None:
                for row in range(first, first + size):
                    alone = {key: np.repeat(one[row : row + 1], size, axis=0) for key, one in feed.items()}
                    found[row] = self.score.read(self._session.run(name, alone), size)[0]
            else:
                found[first : first + size] = self.score.read(answer, size)
        return found[:many]

    def _keeps_rows_apart(self, file: OnnxFile) -> bool:
        """Whether a row among as many is answered by the same bits wherever it stands and whatever else is asked.

        Tried with rows made up, turned round and beside copies of one of them; and the answers must be about those to
        the rows alone, which they are not where a model compares the rows with each other.
        """
        place = np.arange(TOGETHER * len(self.columns)).reshape(TOGETHER, -1)
        whole = np.array([one.element in ("int64", "int32", "string") for one in self.columns])
        truth = np.array([one.element == "bool" for one in self.columns])
        wave = 2.0 * np.sin(1.7 * place) * 10.0 ** (place % 3 - 1)
        rows = np.where(truth, place % 2, np.where(whole, place % max(2, min(7, len(file.texts))), wave))

        def asked(some: Floats) -> Floats | None:
            answer = self._session.run(self.score.output.name, self.given.feed(some))
            return None if answer is None else self.score.read(answer, len(some))

        usual = asked(rows)
        alone = [asked(rows[k : k + 1]) for k in range(TOGETHER)]
        if usual is None or any(one is None for one in alone):
            return False
        ones = np.array([one[0] for one in alone if one is not None])
        near = 0.0 if self.score.texts is not None else 1e-3  # places of texts are alike or not
        if not np.allclose(usual, ones, rtol=near, atol=1e-5, equal_nan=True):
            return False
        for turn in (1, 2, 5, 8, 11, 15):
            turned = asked(np.roll(rows, turn, axis=0))
            if turned is None or not np.array_equal(np.roll(turned, -turn), usual, equal_nan=True):
                return False
        for row in (0, 6, 15):
            copies = asked(np.repeat(rows[row : row + 1], TOGETHER, axis=0))
            if copies is None or not np.array_equal(copies, np.repeat(usual[row], TOGETHER), equal_nan=True):
                return False
        return True


class Single:
    """A row of a model, filled and asked over and over: of one binding, as two must not fill it at once.

    It is the first of the tensor; the others are zeros, which are there to be as many.
    """

    __slots__ = ("_feed", "_output", "_place", "_session", "tensor")

    def __init__(
        self, session: Session, feed: dict[str, NDArray[np.float32]], tensor: NDArray[np.float32], score: Score
    ) -> None:
        self._session, self._feed, self.tensor = session, feed, tensor
        self._place, self._output = int(score.part), score.output.name

    def answer(self) -> float | None:
        """The score of the row that is in the tensor, NaN if there is none; None if ONNX Runtime fails."""
        found: Any = self._session.run(self._output, self._feed)
        if found is None:
            return None
        score = float(found.item(self._place))
        return score if math.isfinite(score) else math.nan

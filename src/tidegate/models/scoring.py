"""What a flow needs of a model, whichever format it was read from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tidegate.kernels.chain import Native
from tidegate.models.explanation import Explained, Words
from tidegate.models.reason import ModelReason
from tidegate.models.signature import ModelInput

__all__ = ["BoundModel", "CellKind", "ScoringModel"]

CellKind = Literal["int", "float", "text"]
"""What is in a batch's cells: "int" (also times, money, truth values), "float", or "text"."""


class BoundModel(Protocol):
    """A model tied to columns of a batch's cells."""

    @property
    def model(self) -> "ScoringModel":
        """The model."""
        ...

    def score(self, cells: NDArray[np.int64], start: int, stop: int) -> None:
        """Write the answers for rows start..stop into the bound column, missing where there is none."""
        ...

    def native(self, cells: NDArray[np.int64]) -> Native | None:
        """The kernel that does what `score` does of the first rows of these cells, and stops where an answer is
        missing; None if no single kernel does."""
        ...

    @property
    def explained(self) -> Explained:
        """Whose features its reasons are of."""
        ...

    def reasons(self, cells: NDArray[np.int64], rows: Sequence[int], words: Words) -> list[tuple[ModelReason, ...]]:
        """At most four reasons of each row's score, heaviest first."""
        ...

    def unanswered(self, cells: NDArray[np.int64], row: int) -> str:
        """Why the model has no answer for a row, in words."""
        ...


class ScoringModel(Protocol):
    """A model that scores rows of a flow."""

    digest: str
    files: Mapping[str, bytes]

    @property
    def texts(self) -> Sequence[str] | None:
        """Every text that it may answer with, of a model whose answer is a text; None if it is a number."""
        ...

    @property
    def inputs(self) -> Sequence[ModelInput]:
        """What it reads, in order."""
        ...

    def require(self, features: Sequence[str], reference: str = "") -> None:
        """Raise ModelError, naming the first difference, unless the model reads just these features in this order."""
        ...

    def bind(
        self,
        columns: Sequence[int],
        kinds: Sequence[CellKind],
        out: int,
        *,
        hash_of: Callable[[str], int] | None = None,
        names: Sequence[str] = (),
    ) -> BoundModel:
        """Tie the features to columns of a batch's cells, and the answer to a column, of floats or of texts.

        `names` is what the flow calls the features, for a model that has no names for them.
        """
        ...

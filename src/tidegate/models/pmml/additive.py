"""Answers that are sums of trees, which is what exact contributions are of (see `tidegate.models.shapley`)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models import shapley
from tidegate.models.layout import layout
from tidegate.models.lightgbm import Forest

__all__ = ["Additive", "TreeSum"]


class TreeSum:
    """The trees of one segmentation, laid out.

    Args:
        forest: the trees; their leaves say how many records reached them if the document does.
        registers: of the fields that they read, in the order of the forest's features.
        divisor: what the sum is divided by; 1 unless it is an average.
    """

    def __init__(self, forest: Forest, registers: tuple[int, ...], divisor: float) -> None:
        self.forest, self.registers, self.divisor = forest, registers, divisor
        self.laid = layout(forest)

    @cached_property
    def shares(self) -> shapley.Shares | None:
        """What contributions need; None if the document does not say how many records reached each node."""
        try:
            return shapley.tabulate(self.forest, self.laid)
        except ModelError:
            return None

    def contributions(self, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """One column per feature and the bias last: a row adds up to the trees' answer. None if there are no shares."""
        shares = self.shares
        if shares is None:
            return None
        out = np.empty((len(values), len(self.registers) + 1))
        out[:, -1] = shares.bias
        shapley.contributions_matrix(self.laid, *shares.tables, np.ascontiguousarray(values), out)
        return out / self.divisor


@dataclass(frozen=True, slots=True)
class Additive:
    """A number that is a sum of trees times a scale and plus a constant, or rises with one that is.

    As for LightGBM's own files, contributions are to that number: for a probability, the log odds.
    """

    trees: TreeSum
    scale: float = 1.0

    def times(self, factor: float) -> "Additive | None":
        """The number times a factor; None if nothing is left of it."""
        return Additive(self.trees, self.scale * factor) if factor else None

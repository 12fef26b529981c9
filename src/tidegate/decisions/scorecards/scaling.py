"""How points stand for odds: so many points double them, from a base (Siddiqi, Credit Risk Scorecards, 2006, ch. 6)."""

from dataclasses import dataclass
from math import exp, isfinite, log

from tidegate.errors import FlowError

STEEPEST = 700.0
"""Where a float64 still holds e to the power of it."""


@dataclass(frozen=True)
class Scaling:
    """Points as a line over the logarithm of the odds of good to bad: `points = offset + factor * ln(odds)`.

    `factor = pdo / ln 2` and `offset = base_points - factor * ln(base_odds)`.

    Args:
        pdo: the points that double the odds; below zero where more points are worse.
        base_points: the points at the base odds.
        base_odds: good to bad, as in 50 for 50 : 1.

    Raises:
        FlowError: the points to double the odds are zero, the odds not above zero, or either no number.
    """

    pdo: float
    base_points: float
    base_odds: float

    def __post_init__(self) -> None:
        for name in ("pdo", "base_points", "base_odds"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
                raise FlowError(f"{name} is a number.", seen=repr(value), do="Write Scaling(20, 600, 50).")
        if self.pdo == 0:
            raise FlowError("No points double no odds.", seen="pdo = 0", do="Write, for example, pdo=20.")
        if self.base_odds <= 0:
            raise FlowError("Odds are above zero.", seen=repr(self.base_odds), do="50 : 1 is base_odds=50.")

    @property
    def factor(self) -> float:
        """Points per unit of the logarithm of the odds."""
        return self.pdo / log(2)

    @property
    def offset(self) -> float:
        """Points at even odds."""
        return self.base_points - self.factor * log(self.base_odds)

    def points(self, probability: float) -> float:
        """The points at which the chance of the event (of bad) is `probability`, between 0 and 1.

        Raises:
            FlowError: it is not between 0 and 1.
        """
        if not 0 < probability < 1:
            raise FlowError("A probability lies between 0 and 1.", seen=repr(probability))
        return self.offset + self.factor * log((1 - probability) / probability)

    def probability(self, points: float) -> float:
        """The chance of the event (of bad) at these points."""
        return probability_at(points, self.factor, self.offset)


def probability_at(points: float, factor: float, offset: float) -> float:
    """The chance of the event at these points: `1 / (1 + odds)`."""
    return 1 / (1 + exp(max(-STEEPEST, min(STEEPEST, (points - offset) / factor))))


__all__ = ["STEEPEST", "Scaling", "probability_at"]

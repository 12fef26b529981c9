"""A model's score as a node of the expression graph."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from tidegate.errors import FlowError
from tidegate.events.types import FLOAT
from tidegate.expressions.node import Expr


class ModelScore(Expr):
    """What a model says of the given features; `otherwise` where it cannot answer."""

    __slots__ = ("default", "reference")

    def __init__(self, reference: str, of: tuple[Expr, ...], default: float) -> None:
        twice = [part for place, part in enumerate(of) if part.key in {other.key for other in of[:place]}]
        if twice:
            raise FlowError(
                "A model is given each feature once.", seen=f"{twice[0]} twice", do="Leave one of them out."
            )
        self.reference, self.args, self.default, self.type = reference, of, default, FLOAT

    def _own_key(self) -> tuple[Any, ...]:
        return ("model", self.reference, self.default)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """The same model over other features."""
        return ModelScore(self.reference, args, self.default)

    def write(self, inner: Any) -> str:
        """The text form."""
        return f"model({self.reference!r}, of=[{', '.join(inner(a) for a in self.args)}], otherwise={self.default!r})"


def model(reference: str, *, of: Sequence[Expr], otherwise: float) -> Expr:
    """The score of a stored model, named `name@alias`, over features in this order.

    Args:
        reference: which model, as in `"card-risk@champion"`.
        of: the features it is given.
        otherwise: the score to use, and to record, when the model cannot answer (it is not there, or gives no number).

    Raises:
        FlowError: no features, something that is not an expression among them, or one of them twice.
    """
    if not of or not all(isinstance(part, Expr) for part in of):
        raise FlowError(
            "A model is given a list of features.", seen=repr(of), do="Write of=[times_usual, payments_10m]."
        )
    if isinstance(otherwise, bool) or not isinstance(otherwise, (int, float)) or not isfinite(otherwise):
        raise FlowError("otherwise= is a number.", seen=repr(otherwise))
    return ModelScore(reference, tuple(of), float(otherwise))

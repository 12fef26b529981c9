"""A model's score as a node of the expression graph."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from tidegate.errors import FlowError
from tidegate.events.types import FLOAT, TEXT, Type
from tidegate.expressions.immutable import fill
from tidegate.expressions.node import Expr

if TYPE_CHECKING:
    from tidegate.models.artefact import Artefact
    from tidegate.models.scoring import ScoringModel


class ModelScore(Expr):
    """What a model says of the given features, a number or a text; `otherwise`, which is such, where it cannot answer.

    Attributes:
        reference: which model, as `name@alias`; of one that is a file, the file's name and what its content comes to.
        artefact: of one that is a file, the file's content and what is known of it.
    """

    __slots__ = ("_scoring", "artefact", "default", "reference")
    reference: str
    default: float | str
    artefact: "Artefact | None"
    _scoring: "ScoringModel | None"

    def __init__(
        self, reference: str, of: tuple[Expr, ...], default: float | str, artefact: "Artefact | None" = None
    ) -> None:
        twice = [part for place, part in enumerate(of) if part.key in {other.key for other in of[:place]}]
        if twice:
            raise FlowError(
                "A model is given each feature once.", seen=f"{twice[0]} twice", do="Leave one of them out."
            )
        fill(self, "reference", reference)
        fill(self, "args", of)
        fill(self, "default", default)
        fill(self, "artefact", artefact)
        fill(self, "_scoring", None)
        fill(self, "type", self._answered() if isinstance(default, str) else FLOAT)

    @property
    def scoring(self) -> "ScoringModel | None":
        """The model, ready to answer, of one that is a file; read when first asked for."""
        if self._scoring is None and self.artefact is not None:
            fill(self, "_scoring", self.artefact.model())
        return self._scoring

    def _answered(self) -> Type:
        """The type of a text that it answers; one of a file that lists its texts says which there are."""
        choices = tuple(getattr(self.scoring, "choices", ()))
        return replace(TEXT, choices=tuple(dict.fromkeys([*choices, str(self.default)]))) if choices else TEXT

    def _own_key(self) -> tuple[Any, ...]:
        return ("model", self.reference, self.default)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """The same model over other features."""
        made = ModelScore(self.reference, args, self.default, self.artefact)
        fill(made, "_scoring", self._scoring)
        return made

    def write(self, inner: Any) -> str:
        """The text form; a file by its content, so that it tells what a flow's digest must know."""
        content = f", {self.artefact.digest!r}" if self.artefact is not None else ""
        given = ", ".join(inner(a) for a in self.args)
        return f"model({self.reference!r}{content}, of=[{given}], otherwise={self.default!r})"


def given(of: Sequence[Expr]) -> tuple[Expr, ...]:
    """The features that a model is given.

    Raises:
        FlowError: there are none, or something else than expressions among them.
    """
    if not of or not all(isinstance(part, Expr) for part in of):
        raise FlowError(
            "A model is given a list of features.", seen=repr(of), do="Write of=[times_usual, payments_10m]."
        )
    return tuple(of)


def said_otherwise(otherwise: float | str) -> float | str:
    """What is used where a model has no answer: a number of one that gives numbers, a text of one that gives texts.

    Raises:
        FlowError: it is neither.
    """
    if isinstance(otherwise, str) and otherwise:
        return otherwise
    if isinstance(otherwise, (bool, str)) or not isinstance(otherwise, (int, float)) or not isfinite(otherwise):
        raise FlowError(
            "otherwise= is a number, or a text where the model answers with one.", seen=repr(otherwise),
            do='Write otherwise=0.0, or otherwise="unknown".',
        )  # fmt: skip
    return float(otherwise)

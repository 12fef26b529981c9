"""A scorecard as a part of a flow: its points are a node of the expression graph."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tidegate.decisions.scorecards.card import Card, made
from tidegate.decisions.scorecards.scaling import STEEPEST
from tidegate.decisions.scorecards.written import WrittenCard
from tidegate.errors import FlowError
from tidegate.events.types import FLOAT, Kind
from tidegate.expressions.functions import clip, exp
from tidegate.expressions.immutable import fill
from tidegate.expressions.node import Expr

if TYPE_CHECKING:
    from tidegate.decisions.decision import ScorecardUse


class Scorecard(Expr):
    """A scorecard tied to a flow's features. It is a number, its points, and missing where a value falls into no bin.

    Attributes:
        card: its characteristics and bins.
    """

    __slots__ = ("_currency", "_evaluator", "_written", "card")
    card: Card
    _written: WrittenCard
    _currency: str | None
    _evaluator: Any

    def __init__(self, card: Card, args: tuple[Expr, ...], written: WrittenCard, currency: str | None) -> None:
        fill(self, "card", card)
        fill(self, "args", args)
        fill(self, "type", FLOAT)
        fill(self, "_written", written)
        fill(self, "_currency", currency)
        fill(self, "_evaluator", None)

    def _own_key(self) -> tuple[Any, ...]:
        return ("scorecard", self.card.digest)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """The same scorecard over other features, its bins read again if their types differ."""
        if all(a.type == b.type for a, b in zip(args, self.args, strict=True)):
            return Scorecard(self.card, args, self._written, self._currency)
        names = [part.name for part in self.card.characteristics]
        return tied(self._written, dict(zip(names, args, strict=True)), self._currency)

    @property
    def probability(self) -> Expr:
        """The chance of the event (of bad) at its points, as an expression: `1 / (1 + odds)`.

        Raises:
            FlowError: the scorecard has no scale.
        """
        scale = self.card.scaling
        if scale is None:
            raise FlowError(
                f"The points of {self.card.name} stand for no odds.",
                do="Give it scaling=Scaling(pdo=20, base_points=600, base_odds=50).",
            )
        return 1.0 / (1.0 + exp(clip((self - scale.offset) / scale.factor, -STEEPEST, STEEPEST)))

    def evaluate(self, inputs: Mapping[str, Any]) -> "ScorecardUse":
        """The scorecard's answer to plain values, by characteristic, with the bins and reasons: to try it out.

        Raises:
            FlowError: a value is of another type or unit than the scorecard's, or is of none of its characteristics.
        """
        if self._evaluator is None:
            from tidegate.decisions.scorecards.evaluator import Evaluator  # whose kernel an author need not wait for

            fill(self, "_evaluator", Evaluator(self.card))
        answer: ScorecardUse = self._evaluator.evaluate(inputs)
        return answer

    def write(self, inner: Any) -> str:
        """The text form: the scorecard by its content, so that it tells what a flow's digest must know."""
        given = ", ".join(inner(arg) for arg in self.args)
        return f"scorecard({self.card.name!r}, {self.card.digest!r}, of=[{given}])"

    @property
    def currencies(self) -> dict[str, str]:
        """The currencies of the amounts in its bins, by the characteristic that is of money."""
        columns = [part.column for part in self.card.characteristics]
        return {c.name: c.line.currency for c in columns if c.type.kind is Kind.MONEY and c.line.currency}


def tied(written: WrittenCard, of: Mapping[str, Expr], currency: str | None = None) -> Scorecard:
    """The scorecard over the given expressions.

    Raises:
        FlowError: a bin is not of its characteristic's type or unit, two bins hold for one value or none for a value
            between them, or a characteristic is not given or given as something else than an expression.
    """
    for name, expr in of.items():
        if not isinstance(expr, Expr):
            raise FlowError(
                f"The scorecard {written.told} is given {name} as {expr!r}.",
                do="Give each characteristic an expression: of={'age': Application.age}.",
            )
    from tidegate.decisions.scorecards.findings import refuse_unclear  # needs NumPy, as its words do

    card = made(written, {name: expr.type for name, expr in of.items()}, currency)
    refuse_unclear(card)
    return Scorecard(card, tuple(of[part.name] for part in card.characteristics), written, currency)


__all__ = ["Scorecard", "tied"]

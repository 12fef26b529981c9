"""Whether a flow gives its models what they read: seen when the class is made, for models that are files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tidegate.errors import FlowError, ModelError
from tidegate.events.types import Kind, Type
from tidegate.expressions.node import Expr
from tidegate.models.score import ModelScore
from tidegate.models.signature import require_answer, require_types

__all__ = ["fit_model"]


def fit_model(
    node: ModelScore, names: Sequence[str], features: Mapping[str, Expr], flow: str, currency: str | None
) -> None:
    """Make sure that a model that is a file is given what it declares; of a stored one nothing is known yet.

    Args:
        names: what the flow calls what it gives.
        features: the flow's, to tell the line of the model.
        currency: that amounts of open currency are read in.

    Raises:
        FlowError: it is of other names, types or units; with the line of the flow.
    """
    scoring = node.scoring
    if scoring is None:
        return
    line = next((name for name, one in features.items() if one.key == node.key), "")
    said = f"{flow}.{line} asks" if line else f"{flow} asks"
    model = node.reference.partition("@")[0]
    try:
        require_answer(scoring.texts, node.default, model)
    except ModelError as error:
        raise FlowError(f"{said} {error.wrong}", seen=error.seen, do=error.do) from None
    types = [_of_currency(part.type, currency) for part in node.args]
    try:
        scoring.require(names)
        require_types(scoring.inputs, types, model)
    except ModelError as error:
        raise FlowError(
            f"{said} {model} of what it does not read: {error.wrong}", seen=error.seen, do=error.do
        ) from None


def _of_currency(kind: Type, currency: str | None) -> Type:
    return replace(kind, currency=kind.currency or currency) if kind.kind is Kind.MONEY else kind

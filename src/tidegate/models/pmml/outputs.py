"""The Output element: what of a prediction is given back, under which name."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.additive import Additive
from tidegate.models.pmml.expressions import EXPRESSIONS, cast, data_type, expression
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.prediction import Prediction, TargetField
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, flag, optional, required, whole
from tidegate.models.pmml.scope import Field, Scope, Value
from tidegate.models.pmml.texts import is_text

__all__ = ["Output", "Said", "outputs"]

_AFFINITIES = ("affinity", "entityAffinity", "clusterAffinity")
_ENTITIES = ("entityId", "clusterId")
_SUPPORTED = (
    "predictedValue", "predictedDisplayValue", "probability", "confidence", "reasonCode", "ruleValue",
    "transformedValue", "decision", "residual", "standardError", "warning", *_AFFINITIES, *_ENTITIES,
)  # fmt: skip


Said = tuple[TargetField, Prediction]
"""A target and what is said of it."""


@dataclass(frozen=True, slots=True)
class Output:
    """Something that the model gives back: its name, data type, what it is of the prediction, and its register.

    `declared` tells whether an OutputField says so; else it is a target, which every model gives. `values` are those
    that the data dictionary lists, of an output that is the value predicted; `additive` is the sum of trees that it is,
    or rises with, if it is one.
    """

    name: str
    kind: str
    feature: str
    register: int
    declared: bool = True
    values: tuple[float, ...] = ()
    additive: Additive | None = None


def outputs(model: Element, each: Sequence[Said], scope: Scope, code: Code) -> list[tuple[Output, bool]]:
    """The output fields of a model, each with whether it is a final one; later ones and later models can name them.

    Args:
        each: the model's targets. An output that names none is of the first.
    """
    held = child(model, "Output")
    by_name = {target.name: (target, said) for target, said in each}
    for target, said in each:
        if target.name:
            scope.fields[target.name] = Field(
                target.name, said.value.register, said.value.kind, "", target.values, said.additive
            )
    made = list[tuple[Output, bool]]()
    for element in children(held, "OutputField") if held is not None else ():
        name = required(element, "name")
        feature = choice(element, "feature", _SUPPORTED, "predictedValue")
        target, said = _meant(element, by_name)
        value = _value(element, feature, said, target, scope, code)
        if element.get("dataType") is not None:
            kind = data_type(element)
            if is_text(kind) != is_text(value.kind):
                value = cast(value, kind, scope, code, element)
            else:
                value = Value(value.register, kind)
        values = target.values if value.register == said.value.register and value.kind == target.kind else ()
        summed = _summed(element, feature, said, target, scope)
        scope.fields[name] = Field(name, value.register, value.kind, additive=summed)
        output = Output(name, value.kind, feature, value.register, values=values, additive=summed)
        made.append((output, flag(element, "isFinalResult", True)))
    return made


def _summed(element: Element, feature: str, said: Prediction, target: TargetField, scope: Scope) -> Additive | None:
    """The sum of trees that an output is, or rises with."""
    if element.get("segmentId") is not None or element.get("rank", "1") != "1":
        return None
    if feature == "predictedValue":
        return said.additive
    if feature == "probability" and element.get("value") is not None:
        return said.odds.get(scope.document.texts.constant(str(element.get("value")), target.kind, element))
    return None


def _meant(element: Element, by_name: dict[str, Said]) -> Said:
    """The target that an output is of: the one that it names, or the first."""
    wanted, first = optional(element, "targetField"), next(iter(by_name))
    if not wanted or not first:
        return by_name[first]
    if wanted not in by_name:
        raise refuse(element, f"{wanted!r} is no target of the model.", "Name one.", seen=", ".join(by_name))
    return by_name[wanted]


def _value(
    element: Element, feature: str, prediction: Prediction, target: TargetField, scope: Scope, code: Code
) -> Value:  # fmt: skip
    segment = element.get("segmentId")
    if segment is not None:
        if str(segment) not in prediction.segments:
            near = difflib.get_close_matches(str(segment), list(prediction.segments), n=1)
            raise refuse(element, f"There is no segment {segment!r}.", f"Did you mean {near[0]!r}?" if near else "")
        prediction = prediction.segments[str(segment)]
    if flag(element, "isMultiValued", False) or element.get("rankBasis") is not None:
        raise refuse(element, "An output of many values is not supported.", "Ask for each by its rank.")
    if feature in ("transformedValue", "decision"):
        made = [part for part in children(element) if name_of(part) in EXPRESSIONS]
        if not made and segment is not None:
            return prediction.value
        if len(made) != 1:
            raise refuse(element, f"An output of the feature {feature} has one expression.", seen=f"{len(made)}")
        kind = data_type(element) if element.get("dataType") is not None else ""
        return expression(made[0], scope, code, want=kind)
    rank = whole(element, "rank", 1)
    if rank < 1:
        raise refuse(element, "Ranks count from 1.", seen=f'rank="{rank}"')
    if feature == "predictedValue":
        return prediction.value if rank == 1 else _ranked(element, prediction, target, rank, scope, code)[0]
    if feature == "warning":  # what goes wrong is no warning but the reason why there is no answer
        return scope.document.constant(math.nan, "string")
    if feature == "residual":
        return _residual(element, prediction, target, scope, code)
    if feature == "standardError":
        if prediction.error is None:
            raise refuse(element, "The model has no standard errors.", "They need a PCovMatrix of a linear regression.")
        return Value(prediction.error, "double")
    if feature == "predictedDisplayValue":
        return _displayed(prediction, target, scope, code)
    if feature == "reasonCode":
        if rank <= len(prediction.reasons):
            return Value(prediction.reasons[rank - 1], "string")
        if prediction.reasons:
            return scope.document.constant(math.nan, "string")
        raise refuse(element, "The model gives no reason codes.", 'Set useReasonCodes="true" in a Scorecard.')
    if feature == "ruleValue":
        choice(element, "ruleFeature", ("ruleId", "rule"), "ruleId")
    if feature in _ENTITIES or feature == "ruleValue":
        if prediction.affinities and 1 < rank <= len(prediction.affinities) and len(prediction.entities) < rank:
            return _nth(prediction.affinities, rank, prediction.smaller, "string", scope, code)[0]
        if rank > len(prediction.entities):
            raise refuse(element, f"The model names no entity of rank {rank}.", seen=f'feature="{feature}"')
        return Value(prediction.entities[rank - 1], "string")
    if feature == "probability" and not prediction.probabilities:
        raise refuse(element, "The model gives no probabilities.", seen='feature="probability"')
    return _weight(element, feature, prediction, target, rank, scope, code)


def _weight(
    element: Element, feature: str, prediction: Prediction, target: TargetField, rank: int, scope: Scope, code: Code
) -> Value:  # fmt: skip
    """The probability, confidence or affinity of a category named, or of the one predicted."""
    by = prediction.affinities if feature in _AFFINITIES else prediction.probabilities
    if feature == "confidence":
        by = prediction.confidences or ({} if prediction.confidence is not None else prediction.probabilities)
    kind = "string" if feature in _AFFINITIES else target.kind
    text = element.get("value")
    if text is not None:
        wanted = scope.document.texts.constant(str(text), kind, element)
        if wanted not in by:
            if wanted in target.values and by:
                return scope.document.constant(0.0, "double")
            raise refuse(element, f"The model knows nothing of {text!r}.", seen=f'value="{text}"')
        return Value(by[wanted], "double")
    if feature == "confidence" and prediction.confidence is not None and rank == 1:
        return Value(prediction.confidence, "double")
    if not by:
        raise refuse(element, f"The model has no output of the feature {feature}.")
    smaller = prediction.smaller and feature in _AFFINITIES
    if rank == 1 and feature not in _AFFINITIES:
        return Value(_of_value(by, prediction.value, scope, code), "double")
    return _nth(by, rank, smaller, kind, scope, code)[1]


def _residual(element: Element, prediction: Prediction, target: TargetField, scope: Scope, code: Code) -> Value:
    """Actual less predicted; of a category, that which `value` names or the one predicted, 1 or 0 for whether it is
    the actual one, less its probability."""
    make = scope.actual.get(target.name)
    if make is None:
        raise refuse(element, "A residual is of an outermost model's target.", seen=target.name)
    actual, builder, predicted = make(), scope.builder, prediction.value.register
    scope.actual[target.name] = lambda: actual  # several residuals are of one input
    to, due = builder.register(), actual.register
    if target.function == "classification":
        if not prediction.probabilities:
            raise refuse(element, "The model gives no probabilities, so it has no residuals.")
        due, text = builder.register(), element.get("value")
        label = None if text is None else scope.document.texts.constant(str(text), target.kind, element)
        of = predicted if label is None else scope.document.constant(label, target.kind).register
        builder.emit(code, o.EQUAL, due, actual.register, of, builder.missing)
        if label is None:
            predicted = _of_value(prediction.probabilities, prediction.value, scope, code)
        else:
            predicted = _weight(element, "probability", prediction, target, 1, scope, code).register
    builder.emit(code, o.SUBTRACT, to, due, predicted, builder.missing)
    return Value(to, "double")


def _of_value(by: dict[float, int], value: Value, scope: Scope, code: Code) -> int:
    """Of several registers the one whose label is the value."""
    pairs, builder = list[int](), scope.builder
    for label, register in by.items():
        same = builder.register()
        constant = scope.document.constant(label, value.kind)
        builder.emit(code, o.EQUAL, same, value.register, constant.register, builder.missing)
        pairs += [same, register]
    to = builder.register()
    builder.emit(code, o.CHOOSE, to, 0, len(by), *pairs, value.register if not by else -1)
    return to


def _ranked(
    element: Element, prediction: Prediction, target: TargetField, rank: int, scope: Scope, code: Code
) -> tuple[Value, Value]:  # fmt: skip
    by = prediction.probabilities
    if not by:
        raise refuse(element, "Only categories with probabilities have ranks.", seen=f'rank="{rank}"')
    return _nth(by, rank, False, target.kind, scope, code)


def _nth(
    by: dict[float, int], rank: int, smaller: bool, kind: str, scope: Scope, code: Code
) -> tuple[Value, Value]:  # fmt: skip
    """The label and the weight of a rank; `smaller` tells whether the smallest weight is the first."""
    value, weight, builder = scope.builder.register(), scope.builder.register(), scope.builder
    builder.emit(code, o.RANKED, value, weight, rank, int(smaller), len(by), builder.table(list(by)), *by.values())
    return Value(value, kind), Value(weight, "double")


def _displayed(prediction: Prediction, target: TargetField, scope: Scope, code: Code) -> Value:
    """The value's display value: the Target's, else the data dictionary's, else the model's, else the value."""
    texts, builder = scope.document.texts, scope.builder
    shown = prediction.displays | dict(zip(target.values, target.displays, strict=True))
    for line in children(target.element, "TargetValue") if target.element is not None else ():
        if line.get("displayValue") is not None:
            value = texts.constant(optional(line, "value"), target.kind, line)
            shown[value] = optional(line, "displayValue")
    if not shown:
        return prediction.value
    table = [number for value in sorted(shown) for number in (value, texts.code(shown[value]))]
    to = builder.register()
    builder.emit(code, o.LOOKUP, to, builder.missing, 1, len(shown), builder.table(table), prediction.value.register)
    return Value(to, "string")

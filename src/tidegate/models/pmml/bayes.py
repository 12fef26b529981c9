"""NaiveBayesModel: counts and distributions by category, multiplied as logarithms."""

import math

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.expressions import derived
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.prediction import Prediction, TargetField, winner
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import number, required
from tidegate.models.pmml.scope import Field, Scope

__all__ = ["bayes"]


def bayes(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A NaiveBayesModel."""
    builder = scope.builder
    threshold = number(model, "threshold")
    least = max(threshold, 5e-324)  # of zero there is no logarithm
    output, held = child(model, "BayesOutput"), child(model, "BayesInputs")
    counts = _counts(child(output, "TargetValueCounts") if output is not None else None, model, scope, target)
    labels = list(counts)
    words = list[int]()
    inputs = list(children(held, "BayesInput")) if held is not None else []
    for element in inputs:
        words += _input(element, labels, least, scope, target)
    to = builder.register(len(labels))
    total = sum(counts.values())
    priors = [math.log(count / total) if count > 0.0 else math.log(5e-324) for count in counts.values()]
    builder.emit(code, o.BAYES, to, len(labels), builder.number(least), builder.table(priors), len(inputs), *words)
    probabilities = {label: to + k for k, label in enumerate(labels)}
    return Prediction(winner(probabilities, target.kind, scope, code), probabilities)


def _counts(held: Element | None, owner: Element, scope: Scope, target: TargetField) -> dict[float, float]:
    found = dict[float, float]()
    for part in children(held, "TargetValueCount") if held is not None else ():
        found[scope.document.texts.constant(required(part, "value"), target.kind, part)] = number(part, "count")
    if not found:
        raise refuse(owner, f"{name_of(owner)} has TargetValueCounts.")
    return found


def _input(
    element: Element, labels: list[float], least: float, scope: Scope, target: TargetField
) -> list[int]:  # fmt: skip
    builder, name = scope.builder, required(element, "fieldName")
    made = child(element, "DerivedField")
    field: Field = scope.find(name, element) if made is None else derived(made, scope)
    statistics = child(element, "TargetValueStats")
    if statistics is not None:
        return [1, field.register, 0, 0, builder.table(_distributions(statistics, labels, scope, target))]
    by_value = dict[float, dict[float, float]]()
    for pair in children(element, "PairCounts"):
        value = scope.document.texts.constant(required(pair, "value"), field.kind, pair)
        by_value[value] = _counts(child(pair, "TargetValueCounts"), pair, scope, target)
    if not by_value:
        raise refuse(element, "A BayesInput has PairCounts or TargetValueStats.")
    totals = {label: sum(counts.get(label, 0.0) for counts in by_value.values()) for label in labels}
    table = [
        math.log(counts[label] / totals[label]) if counts.get(label, 0.0) > 0.0 else math.log(least)
        for counts in by_value.values()
        for label in labels
    ]
    return [0, field.register, len(by_value), builder.table(list(by_value)), builder.table(table)]


def _distributions(held: Element, labels: list[float], scope: Scope, target: TargetField) -> list[float]:
    """Per category the kind of its distribution and two parameters."""
    found = dict[float, list[float]]()
    for part in children(held, "TargetValueStat"):
        label = scope.document.texts.constant(required(part, "value"), target.kind, part)
        for inner in children(part):
            name = name_of(inner)
            if name == "GaussianDistribution":
                found[label] = [0.0, number(inner, "mean"), number(inner, "variance")]
                if found[label][2] <= 0.0:
                    raise refuse(inner, "A variance is above zero.", seen=f'variance="{inner.get("variance")}"')
            elif name == "PoissonDistribution":
                found[label] = [1.0, number(inner, "mean"), 0.0]
                if found[label][1] <= 0.0:
                    raise refuse(inner, "A mean of counts is above zero.", seen=f'mean="{inner.get("mean")}"')
            elif name == "UniformDistribution":
                found[label] = [2.0, number(inner, "lower"), number(inner, "upper")]
                if found[label][2] <= found[label][1]:
                    raise refuse(inner, "The upper end lies above the lower.")
            else:
                raise refuse(inner, f"{name} says nothing of probabilities, and is not supported.")
    absent = [label for label in labels if label not in found]
    if absent:
        raise refuse(held, "Each category has a distribution.", seen=f"{len(found)} of {len(labels)}")
    return [item for label in labels for item in found[label]]

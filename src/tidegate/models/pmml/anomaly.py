"""AnomalyDetectionModel: what an inner model says, as a measure of how unlike the rest a row is."""

import math
from collections.abc import Callable

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml import reading
from tidegate.models.pmml.grammar import MODELS, refuse
from tidegate.models.pmml.prediction import Prediction
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number
from tidegate.models.pmml.scope import Field, Scope, Value

__all__ = ["anomaly"]

_ALGORITHMS = ("iforest", "ocsvm", "clusterMeanDist", "other")
Inner = Callable[[Element, Scope], tuple[Prediction, Code, dict[str, Field]]]


def anomaly(model: Element, scope: Scope, code: Code, inner: Inner) -> Prediction:
    """An AnomalyDetectionModel.

    An isolation forest's mean depth d of samples of n rows becomes 2 ** (-d / c), with c the mean depth of a search
    that finds nothing among n (Liu, Ting and Zhou 2008).
    """
    algorithm = choice(model, "algorithmType", _ALGORITHMS)
    models = [part for part in children(model) if name_of(part) in MODELS]
    if len(models) != 1:
        raise refuse(model, "An AnomalyDetectionModel holds one model.", seen=f"{len(models)} of them")
    said, body, _ = inner(models[0], scope)
    code.extend(body)
    builder, register = scope.builder, said.value.register
    if algorithm == "iforest":
        n = number(model, "sampleDataSize")
        if n < 2:
            raise refuse(model, "An isolation forest was trained on samples of two rows or more.", seen=f"{n:g}")
        mean = 2.0 * (math.log(n - 1.0) + 0.5772156649015329) - 2.0 * (n - 1.0) / n if n > 2 else 1.0
        scaled, to = builder.register(), builder.register()
        factor = scope.document.constant(-math.log(2.0) / mean, "double").register
        builder.emit(code, o.MULTIPLY, scaled, register, factor, builder.missing)
        builder.emit(code, o.EXP, to, scaled, builder.missing)
        register = to
    elif algorithm == "clusterMeanDist":
        register = _relative(model, said, scope, code)
    return Prediction(Value(register, "double"), entities=said.entities, affinities=said.affinities)


def _relative(model: Element, said: Prediction, scope: Scope, code: Code) -> int:
    """The distance to the nearest cluster, in units of the cluster's mean distance."""
    held = child(model, "MeanClusterDistances")
    array = child(held, "Array") if held is not None else None
    means = reading.numbers(array) if array is not None else []
    if len(means) != len(said.affinities) or not means or any(mean <= 0.0 for mean in means):
        raise refuse(model, "MeanClusterDistances has a distance above zero per cluster.", seen=f"{len(means)}")
    builder, pairs = scope.builder, list[int]()
    for (name, register), mean in zip(said.affinities.items(), means, strict=True):
        same, scaled = builder.register(), builder.register()
        label, size = scope.document.constant(name, "string"), scope.document.constant(mean, "double")
        builder.emit(code, o.EQUAL, same, said.value.register, label.register, builder.missing)
        builder.emit(code, o.DIVIDE, scaled, register, size.register, builder.missing)
        pairs += [same, scaled]
    to = builder.register()
    builder.emit(code, o.CHOOSE, to, 1, len(means), *pairs, -1)
    return to

"""ClusteringModel: the cluster whose center is nearest."""

from tidegate.documents.xml import Element, child, children
from tidegate.models.pmml import operations as o
from tidegate.models.pmml import reading
from tidegate.models.pmml.distances import FUNCTIONS, Compared, distances, measure_of, table_of
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.prediction import Prediction, TargetField
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, optional, required
from tidegate.models.pmml.scope import Scope, Value

__all__ = ["clustering"]


def clustering(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A ClusteringModel of centers."""
    if choice(model, "modelClass", ("centerBased", "distributionBased")) != "centerBased":
        raise refuse(model, "Clusters given by distributions are not supported.", seen='modelClass="distributionBased"')
    measure = measure_of(model)
    elements = [part for part in children(model, "ClusteringField") if reading.flag(part, "isCenterField", True)]
    if not elements:
        raise refuse(model, "A ClusteringModel has fields.")
    weights = child(model, "MissingValueWeights")
    array = child(weights, "Array") if weights is not None else None
    missing = reading.numbers(array) if array is not None else [1.0] * len(elements)
    if len(missing) != len(elements):
        raise refuse(weights if weights is not None else model, f"There are {len(elements)} fields.")
    fields = list[Compared]()
    for part, when_missing in zip(elements, missing, strict=True):
        field = scope.find(required(part, "field"), part)
        function = choice(part, "compareFunction", FUNCTIONS, measure.function)
        scale = number(part, "similarityScale", 1.0)
        if scale == 0.0:
            raise refuse(part, "A similarityScale is not zero.")
        table = table_of(part, field) if function == "table" else ()
        fields.append(Compared(field, function, number(part, "fieldWeight", 1.0), scale, table, when_missing))
    clusters = list(children(model, "Cluster"))
    rows = [_center(cluster, fields, scope) for cluster in clusters]
    if not clusters:
        raise refuse(model, "A ClusteringModel has clusters.")
    nearest, _, every = distances(measure, fields, rows, 1, True, scope, code)
    texts, builder = scope.document.texts, scope.builder
    names = [texts.code(optional(cluster, "id", str(place))) for place, cluster in enumerate(clusters, start=1)]
    to = builder.register()
    builder.emit(code, o.GATHER, to, 1, nearest, builder.table(names), 1)
    prediction = Prediction(Value(to, "string"), entities=[to], smaller=not measure.largest)
    prediction.affinities = {name: every + k for k, name in enumerate(names)}
    prediction.displays = {
        name: optional(cluster, "name", optional(cluster, "id", texts.texts[int(name)]))
        for name, cluster in zip(names, clusters, strict=True)
    }
    return prediction


def _center(cluster: Element, fields: list[Compared], scope: Scope) -> list[float]:
    array = child(cluster, "Array")
    if array is None:
        raise refuse(cluster, "A cluster has an Array: its center.")
    words = reading.words(array)
    if len(words) != len(fields):
        raise refuse(array, f"A center has {len(fields)} entries.", seen=f"{len(words)}")
    texts = scope.document.texts
    return [
        texts.constant(word, "double" if field.field.kind in ("integer", "float") else field.field.kind, array)
        for word, field in zip(words, fields, strict=True)
    ]

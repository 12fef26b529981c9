"""NearestNeighborModel: the k training instances nearest to a row, and what they say together."""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.documents.xml import Element, child, children
from tidegate.models.pmml import operations as o
from tidegate.models.pmml import reading
from tidegate.models.pmml.distances import FUNCTIONS, Compared, distances, measure_of
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.prediction import Prediction, TargetField, winner
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, flag, number, optional, required, whole
from tidegate.models.pmml.scope import Field, Scope, Value

__all__ = ["neighbours", "neighbours_of"]

_CONTINUOUS = ("average", "median", "weightedAverage")
_CATEGORICAL = ("majorityVote", "weightedMajorityVote")


def neighbours(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A NearestNeighborModel."""
    return neighbours_of(model, scope, code, [target])[target.name]


def neighbours_of(
    model: Element, scope: Scope, code: Code, targets: Sequence[TargetField]
) -> dict[str, Prediction]:  # fmt: skip
    """A NearestNeighborModel of targets by name: one search, whose neighbours say something of each."""
    measure = measure_of(model)
    held = child(model, "TrainingInstances")
    inputs = child(model, "KNNInputs")
    if held is None or inputs is None:
        raise refuse(model, "The model has TrainingInstances and KNNInputs.")
    transformed = flag(held, "isTransformed", False)
    listed = child(held, "InstanceFields")
    columns = {
        required(part, "field"): reading.column(optional(part, "column", required(part, "field")))
        for part in (children(listed, "InstanceField") if listed is not None else ())
    }
    cells = reading.rows(child(held, "InlineTable"), held)
    k = min(whole(model, "numberOfNeighbors"), len(cells))
    if k < 1:
        raise refuse(held, "The model has neighbours.", seen=f"{len(cells)} instances")
    fields, columns_of = list[Compared](), list[str]()
    for part in children(inputs, "KNNInput"):
        field = scope.find(required(part, "field"), part)
        if field.name not in columns:
            if field.name not in scope.document.data and not transformed:
                raise refuse(held, "Instances that are yet to be transformed are not supported.", seen=field.name)
            raise refuse(part, f"The instances do not hold {field.name}.", seen=", ".join(columns))
        function = choice(part, "compareFunction", FUNCTIONS[:4], measure.function)
        fields.append(Compared(field, function, number(part, "fieldWeight", 1.0)))
        columns_of.append(columns[field.name])
    rows = [
        [_cell(row, column, one.field, held, scope) for column, one in zip(columns_of, fields, strict=True)]
        for row in cells
    ]
    nearest, measured, _ = distances(measure, fields, rows, k, False, scope, code)
    entities = _names(model, columns, cells, nearest, k, scope, code)
    found = _Nearest(nearest, measured, k, cells, columns, entities)
    return {target.name: _said(model, held, found, target, scope, code) for target in targets}


@dataclass(frozen=True, slots=True)
class _Nearest:
    """The first registers of the k nearest and of their measures, and the instances that they are among."""

    places: int
    measures: int
    k: int
    cells: list[dict[str, str]]
    columns: dict[str, str]
    entities: list[int]


def _said(
    model: Element, held: Element, found: _Nearest, target: TargetField, scope: Scope, code: Code
) -> Prediction:  # fmt: skip
    """What the neighbours say of a target: whose name it is, their mean, or their votes."""
    builder, columns, entities = scope.builder, found.columns, found.entities
    if target.function == "clustering":
        return Prediction(Value(entities[0], "string"), entities=entities)
    if target.name not in columns:
        raise refuse(held, f"The instances do not hold the target {target.name}.", seen=", ".join(columns))
    known = Field(target.name, 0, target.kind)
    values = [_cell(row, columns[target.name], known, held, scope) for row in found.cells]
    threshold = builder.number(number(model, "threshold", 0.001))
    if target.function == "classification":
        labels = list(dict.fromkeys([*target.values, *values]))
        how = 3 + _CATEGORICAL.index(choice(model, "categoricalScoringMethod", _CATEGORICAL, "majorityVote"))
        to = builder.register(len(labels))
        builder.emit(
            code, o.NEIGHBOURS, to, how, found.k, found.places, found.measures, builder.table(values), threshold,
            len(labels), builder.table(labels),
        )  # fmt: skip
        probabilities = {label: to + place for place, label in enumerate(labels)}
        return Prediction(winner(probabilities, target.kind, scope, code), probabilities, entities=entities)
    how, to = _CONTINUOUS.index(choice(model, "continuousScoringMethod", _CONTINUOUS, "average")), builder.register()
    builder.emit(
        code, o.NEIGHBOURS, to, how, found.k, found.places, found.measures, builder.table(values), threshold, 0, 0
    )
    return Prediction(Value(to, "double"), entities=entities)


def _cell(row: dict[str, str], column: str, field: Field, held: Element, scope: Scope) -> float:
    if column not in row:
        raise refuse(held, f"An instance lacks the column {column}.", seen=", ".join(row))
    return scope.document.texts.constant(row[column], field.kind, held)


def _names(
    model: Element, columns: dict[str, str], cells: list[dict[str, str]], nearest: int, k: int, scope: Scope, code: Code
) -> list[int]:  # fmt: skip
    """Registers with the names of the neighbours: the instanceIdVariable's, or their places from 1."""
    texts, builder = scope.document.texts, scope.builder
    name = model.get("instanceIdVariable")
    if name is not None and str(name) not in columns:
        raise refuse(model, f"The instances do not hold {name}.", seen=", ".join(columns))
    words = [
        row.get(columns[str(name)], "") if name is not None else str(place) for place, row in enumerate(cells, start=1)
    ]
    table, to = builder.table([texts.code(word) for word in words]), builder.register(k)
    for place in range(k):
        builder.emit(code, o.GATHER, to + place, 1, nearest + place, table, 1)
    return [to + place for place in range(k)]

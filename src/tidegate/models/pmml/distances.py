"""What ClusteringModel and NearestNeighborModel share: comparison measures, and distances to many rows at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml import reading
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number
from tidegate.models.pmml.scope import Field, Scope

__all__ = ["Compared", "Measure", "distances", "measure_of"]

_MEASURES = (
    "euclidean", "squaredEuclidean", "cityBlock", "chebychev", "minkowski", "simpleMatching", "jaccard", "tanimoto",
    "binarySimilarity",
)  # fmt: skip
FUNCTIONS = ("absDiff", "gaussSim", "delta", "equal", "table")
_BINARY = ("c00", "c01", "c10", "c11", "d00", "d01", "d10", "d11")


@dataclass(frozen=True, slots=True)
class Measure:
    """A ComparisonMeasure: which, its parameters, the fields' usual comparison, and whether larger means more alike."""

    kind: int
    parameters: tuple[float, ...]
    function: str
    largest: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """A field that is compared: how, and with what weights."""

    field: Field
    function: str
    weight: float = 1.0
    scale: float = 1.0
    table: tuple[tuple[float, ...], ...] = ()
    when_missing: float = 1.0


def measure_of(model: Element) -> Measure:
    """The ComparisonMeasure of a model."""
    held = child(model, "ComparisonMeasure")
    inner = list(children(held)) if held is not None else []
    if held is None or len(inner) != 1:
        raise refuse(model, "The model has one ComparisonMeasure.")
    kind = _MEASURES.index(name_of(inner[0]))
    parameters: tuple[float, ...] = (0.0,)
    if kind == 4:
        parameters = (number(inner[0], "p-parameter"),)
        if parameters[0] <= 0.0:
            raise refuse(inner[0], "The exponent of a minkowski measure is above zero.")
    if kind == 8:
        parameters = tuple(number(inner[0], f"{name}-parameter") for name in _BINARY)
    largest = choice(held, "kind", ("distance", "similarity")) == "similarity"
    return Measure(kind, parameters, choice(held, "compareFunction", FUNCTIONS, "absDiff"), largest)


def table_of(element: Element, field: Field) -> tuple[tuple[float, ...], ...]:
    """A comparison table, by the places of a field's values in the data dictionary."""
    held = child(element, "Comparisons")
    inner = child(held, "Matrix") if held is not None else None
    if inner is None:
        raise refuse(element, "A field that is compared by a table has Comparisons.")
    rows = reading.matrix(inner)
    if not field.values or len(rows) != len(field.values) or any(len(row) != len(rows) for row in rows):
        raise refuse(
            inner, f"The table is of the {len(field.values)} values of {field.name}.", seen=f"{len(rows)} rows"
        )
    return tuple(tuple(row) for row in rows)


def placed(field: Field, register: int, scope: Scope, code: Code) -> int:
    """A register with the place of a field's value among its values."""
    pairs = sorted((value, float(place)) for place, value in enumerate(field.values))
    to, builder = scope.builder.register(), scope.builder
    builder.emit(
        code, o.LOOKUP, to, builder.missing, 1, len(pairs), builder.table([x for pair in pairs for x in pair]), register
    )
    return to


def distances(
    measure: Measure, fields: Sequence[Compared], rows: Sequence[Sequence[float]], k: int, every: bool, scope: Scope,
    code: Code,
) -> tuple[int, int, int]:  # fmt: skip
    """Registers with the places of the k nearest of the rows, with their measures, and with all measures or -1."""
    builder, words = scope.builder, list[int]()
    flat = [list(row) for row in rows]
    for at, one in enumerate(fields):
        register, table, side = one.field.register, 0, 0
        if one.function == "table":
            register = placed(one.field, register, scope, code)
            place = {value: float(number_) for number_, value in enumerate(one.field.values)}
            for row in flat:
                row[at] = place.get(row[at], float("nan"))
            table, side = builder.table([x for line in one.table for x in line]), len(one.table)
        words += [register, FUNCTIONS.index(one.function), builder.number(one.weight), builder.number(one.scale)]
        words += [table, side, builder.number(one.when_missing)]
    nearest, measures = builder.register(k), builder.register(k)
    all_ = builder.register(len(rows)) if every else -1
    builder.emit(
        code, o.DISTANCES, nearest, k, measures, all_, len(rows), len(fields), measure.kind, int(measure.largest),
        builder.table(measure.parameters), builder.table([x for row in flat for x in row]), *words,
    )  # fmt: skip
    return nearest, measures, all_

"""The data dictionary and mining schemas: which values are valid, and what becomes of those that are not there."""

import math
from dataclasses import dataclass, replace
from functools import partial

from tidegate.documents.xml import Element, child, children
from tidegate.errors import DocumentError
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.expressions import data_type, interval
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.reading import choice, number, optional, required
from tidegate.models.pmml.scope import Document, Field, Scope

__all__ = ["ACTIVE", "Input", "Treatment", "open_scope", "treatment_of"]

_OPTIONAL = ("supplementary", "group", "order", "frequencyWeight", "analysisWeight")
"""Usages of fields that need not be given to apply a model, unless an expression of it names one."""
ACTIVE = ("active", *_OPTIONAL)
"""Usages of fields that a model can read."""
_PREDICTED = ("predicted", "target")
_OUTLIERS = ("asIs", "asMissingValues", "asExtremeValues")
_MISSING = ("asIs", "asMean", "asMode", "asMedian", "asValue", "returnInvalid")
_INVALID = ("returnInvalid", "asIs", "asMissing", "asValue")


@dataclass(frozen=True, slots=True)
class Treatment:
    """What a mining field says of missing, invalid and outlying values; replacements as they are written."""

    missing: str = "asIs"
    missing_value: str | None = None
    invalid: str = "returnInvalid"
    invalid_value: str | None = None
    outliers: str = "asIs"
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True, slots=True)
class Input:
    """A field that the model must be given.

    Attributes:
        kind: its PMML data type.
        values: the valid values as texts, if they are listed.
        intervals: the valid ranges, as mathematics writes them.
        treatment: of values that are missing, invalid or outlying.
        register: where the program expects it.
        importance: as the mining schema has it, from 0 to 1.
        unit: what an Extension of the name "unit" in its DataField says; empty if there is none.
        needed: whether it must be given. The actual value of a target, which residuals are of, need not.
        absent: texts that stand for a missing value in a field of another type, as `NA` among numbers.
    """

    name: str
    kind: str
    optype: str
    values: tuple[str, ...]
    intervals: tuple[str, ...]
    treatment: Treatment
    register: int
    importance: float | None = None
    unit: str = ""
    needed: bool = True
    absent: frozenset[str] = frozenset()

    @property
    def blank(self) -> bool:
        """Whether an empty text is one of its valid values, so that an empty cell of a table is no missing one."""
        return self.kind == "string" and "" in self.values


def treatment_of(element: Element) -> Treatment:
    """A MiningField's treatment of values."""
    outliers = choice(element, "outliers", _OUTLIERS, "asIs")
    if outliers != "asIs" and (element.get("lowValue") is None or element.get("highValue") is None):
        raise refuse(element, "A field whose outliers are treated has a lowValue and a highValue.")
    missing = choice(element, "missingValueTreatment", _MISSING, "asIs")
    invalid = choice(element, "invalidValueTreatment", _INVALID, "returnInvalid")
    value, instead = element.get("missingValueReplacement"), element.get("invalidValueReplacement")
    if invalid == "asValue" and instead is None:
        raise refuse(element, "A field whose invalid values are replaced has an invalidValueReplacement.")
    if invalid == "asIs" and instead is not None:
        invalid = "asValue"  # as PMML 4.3 and before wrote it
    return Treatment(
        missing, str(value) if value is not None else None, invalid, str(instead) if instead is not None else None,
        outliers, number(element, "lowValue", -1e308), number(element, "highValue", 1e308),
    )  # fmt: skip


def open_scope(model: Element, document: Document, parent: Scope | None) -> tuple[Scope, list[Input], list[Element]]:
    """The scope of a model with its mining schema in it, the inputs of a first model, and its targets' elements."""
    schema = child(model, "MiningSchema")
    if schema is None:
        raise refuse(model, "A model has a MiningSchema.")
    scope = Scope(document, parent)
    inputs, targets = list[Input](), list[Element]()
    seen = set[str]()
    for element in children(schema, "MiningField"):
        name = required(element, "name")
        usage = choice(element, "usageType", (*ACTIVE, *_PREDICTED), "active")
        if name in seen:
            raise refuse(element, f"The mining schema has {name!r} twice.")
        seen.add(name)
        if usage in _PREDICTED:
            targets.append(element)
            if parent is None:
                scope.actual[name] = partial(_actual, element, name, scope, inputs)
        elif usage in _OPTIONAL:
            if parent is None:
                scope.unused[name] = partial(_taken, element, name, scope, inputs)
        elif parent is None:
            inputs.append(_first(element, name, scope))
        else:
            _again(element, name, scope, parent)
    local = child(model, "LocalTransformations")
    for part in children(local, "DerivedField") if local is not None else ():
        scope.pending[required(part, "name")] = part
    return scope, inputs, targets


def _taken(element: Element, name: str, scope: Scope, inputs: list[Input]) -> None:
    inputs.append(_first(element, name, scope))


def _actual(element: Element, name: str, scope: Scope, inputs: list[Input]) -> Field:
    """The actual value of a target, as an input that need not be given."""
    said = scope.fields.get(name)
    inputs.append(replace(_first(element, name, scope), needed=False))
    field = scope.fields.pop(name)
    if said is not None:
        scope.fields[name] = said
    return field


def _first(element: Element, name: str, scope: Scope) -> Input:
    """A field of the outermost model: its value comes from outside and is validated."""
    document = scope.document
    declared = document.data.get(name)
    if declared is None:
        raise refuse(element, f"The data dictionary has no field {name!r}.", f"Declare it. It has {_some(document)}.")
    kind = data_type(declared)
    register = scope.builder.register()
    optype = optional(element, "optype", optional(declared, "optype", "continuous"))
    treatment = treatment_of(element)
    field, values, intervals = _treated(element, declared, Field(name, register, kind, optype), treatment, scope)
    scope.fields[name] = field
    importance = number(element, "importance") if element.get("importance") is not None else None
    said = (part for part in children(declared, "Extension") if part.get("name") == "unit")
    unit = next((optional(part, "value") for part in said), "")
    marks = (part for part in children(declared, "Value") if kind != "string" and part.get("property") == "missing")
    absent = frozenset(required(part, "value") for part in marks)
    return Input(name, kind, optype, values, intervals, treatment, register, importance, unit, absent=absent)


def _some(document: Document) -> str:
    return ", ".join(list(document.data)[:12]) or "none"


def _again(element: Element, name: str, scope: Scope, parent: Scope) -> None:
    """A field of a model inside another: what it is there, treated once more if the schema says so."""
    field, treatment = parent.find(name, element), treatment_of(element)
    if treatment.missing_value is not None or treatment.outliers != "asIs" or treatment.missing == "returnInvalid":
        field = Field(name, _operation(element, field, treatment, [], [], [], [], scope), field.kind, field.optype,
                      field.values)  # fmt: skip
    scope.fields[name] = field


def _treated(
    element: Element, declared: Element, field: Field, treatment: Treatment, scope: Scope
) -> tuple[Field, tuple[str, ...], tuple[str, ...]]:
    if declared.get("isCyclic", "0") != "0":
        raise refuse(declared, "A DataField that isCyclic is not supported.")
    texts, kind = scope.document.texts, field.kind
    lists: dict[str, list[float]] = {"valid": [], "missing": [], "invalid": []}
    named = list[str]()
    for part in children(declared, "Value"):
        text, group = required(part, "value"), choice(part, "property", tuple(lists), "valid")
        try:
            lists[group].append(texts.constant(text, kind, part))
        except DocumentError:
            if group == "valid":
                raise
            continue  # a mark such as "NA" in a field of numbers: it is no number, see `Input.absent`
        if group == "valid":
            named.append(text)
    found = list(children(declared, "Interval"))
    ranges = [bound for part in found for bound in interval(part, kind, scope)]
    register = field.register
    plain = treatment.missing_value is None and treatment.missing != "returnInvalid" and treatment.outliers == "asIs"
    if not (
        plain
        and treatment.invalid in ("returnInvalid", "asIs")
        and kind != "integer"
        and not ranges
        and not any(lists.values())
    ):
        register = _operation(
            element, field, treatment, lists["missing"], lists["invalid"], lists["valid"], ranges, scope
        )
    valid = Field(field.name, register, kind, field.optype, tuple(lists["valid"]))
    return valid, tuple(named), tuple(_written(part) for part in found)


def _written(part: Element) -> str:
    ends = required(part, "closure")
    left, right = optional(part, "leftMargin", "-∞"), optional(part, "rightMargin", "∞")
    return f"{'[' if ends.startswith('closed') else '('}{left}, {right}{']' if ends.endswith('Closed') else ')'}"


def _operation(
    element: Element,
    field: Field,
    treatment: Treatment,
    missing: list[float],
    invalid: list[float],
    valid: list[float],
    ranges: list[float],
    scope: Scope,
) -> int:
    builder, texts = scope.builder, scope.document.texts
    to = builder.register()
    name, code = field.name, scope.code

    def value(text: str | None) -> int:
        return builder.missing if text is None else builder.number(texts.constant(text, field.kind, element))

    if_missing = 2 if treatment.missing == "returnInvalid" else 1 if treatment.missing_value is not None else 0
    lists = [sorted(set(missing)), sorted(set(invalid)), sorted(set(valid))]
    builder.emit(
        code, o.FIELD, to, field.register, int(field.kind == "integer"), _INVALID.index(treatment.invalid),
        builder.fault(f"an invalid value of {name}", element), value(treatment.invalid_value),
        if_missing, value(treatment.missing_value), builder.fault(f"no value of {name}", element),
        _OUTLIERS.index(treatment.outliers), builder.number(treatment.low), builder.number(treatment.high),
        len(lists[0]), len(lists[1]), len(lists[2]), len(ranges) // 3,
        builder.table([*lists[0], *lists[1], *lists[2], *ranges]),
    )  # fmt: skip
    return to

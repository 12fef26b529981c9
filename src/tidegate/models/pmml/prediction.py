"""What a model says, as registers; and the target it says it of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tidegate.documents.xml import Element, child, children
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.additive import Additive
from tidegate.models.pmml.expressions import data_type
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, optional, required
from tidegate.models.pmml.scope import Scope, Value
from tidegate.models.pmml.texts import is_text
from tidegate.models.pmml.texts import single as narrowed

__all__ = ["FUNCTIONS", "Prediction", "TargetField", "finished", "function_of", "target_fields", "winner"]

FUNCTIONS = ("regression", "classification", "clustering", "mixed", "anomalyDetection")
_CASTS = ("", "round", "ceiling", "floor")


@dataclass(slots=True)
class Prediction:
    """What a model says of a row.

    Attributes:
        value: the number or the category predicted.
        probabilities: by category, the register of its probability; in the order in which categories are compared.
        confidences: likewise; empty where a model has none of its own.
        affinities: by entity (the code of its name), the register of its affinity.
        smaller: whether a smaller affinity is the nearer one.
        entities: registers with the names of entities (leaf, cluster, rule, neighbours), nearest first.
        reasons: registers with the reason codes of a scorecard, the most weighty first.
        points: with what each of those weighs.
        confidence: of the value, where it is not one of `confidences`.
        error: the value's standard error, where a model has one.
        segments: by the name of a segment, what it says.
        apart: whether segments answer each for itself, so that none of them is the answer.
        parts: by name, what a value is made of: partial scores of characteristics.
        targets: by name of a target, what is said of it, where a model has several.
        displays: by value, what is shown for it, where the model says so: a cluster's name.
        additive: the sum of trees that the value is, or rises with, if it is one.
        odds: by category, the sum of trees that its probability rises with.
    """

    value: Value
    probabilities: dict[float, int] = field(default_factory=dict)
    confidences: dict[float, int] = field(default_factory=dict)
    affinities: dict[float, int] = field(default_factory=dict)
    smaller: bool = False
    entities: list[int] = field(default_factory=list)
    reasons: list[int] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    confidence: int | None = None
    error: int | None = None
    segments: dict[str, "Prediction"] = field(default_factory=dict)
    apart: bool = False
    parts: dict[str, int] = field(default_factory=dict)
    targets: dict[str, "Prediction"] = field(default_factory=dict)
    displays: dict[float, str] = field(default_factory=dict)
    additive: Additive | None = None
    odds: dict[float, Additive] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetField:
    """What is predicted: its name and type, its values as the data dictionary lists them, and its Target element.

    `function` is how it is predicted: the model's mining function, or its own where there are several targets.
    """

    name: str
    kind: str
    values: tuple[float, ...]
    displays: tuple[str, ...]
    element: Element | None
    optype: str = ""
    function: str = ""


def function_of(model: Element) -> str:
    """A model's mining function."""
    return choice(model, "functionName", FUNCTIONS)


def target_fields(
    model: Element, targets: Sequence[Element], scope: Scope, around: TargetField | None = None
) -> list[TargetField]:
    """The targets of a model, one at least, which has no name if the model does not say what it predicts.

    Args:
        around: the target of the model that this one is part of. A model that names no target has that one.
    """
    held = child(model, "Targets")
    about = list(children(held, "Target")) if held is not None else []
    names = [required(one, "name") for one in targets]
    if not names:
        names = [optional(one, "field") for one in about] or [""]
    by_name = dict[str, Element]()
    for one in about:
        name = optional(one, "field", names[0])
        if name not in names or name in by_name:
            wrong = "has two Target elements" if name in by_name else "is no target of the model"
            raise refuse(one, f"The field {name!r} {wrong}.", seen=", ".join(names))
        by_name[name] = one
    return [_target(name, by_name.get(name), model, len(names) > 1, scope, around) for name in names]


def _target(
    name: str, about: Element | None, model: Element, several: bool, scope: Scope, around: TargetField | None
) -> TargetField:  # fmt: skip
    function = function_of(model)
    declared = scope.document.data.get(name)
    if declared is None:
        same = around is not None and around.function == function == "classification"
        if not name and around is not None and same:
            return replace(around, name="", element=about)
        kind = "string" if function in ("classification", "clustering") else "double"
        return TargetField(name, kind, (), (), about, "", function)
    kind, optype = data_type(declared), optional(declared, "optype")
    values, displays = list[float](), list[str]()
    for part in children(declared, "Value"):
        if choice(part, "property", ("valid", "invalid", "missing"), "valid") == "valid":
            values.append(scope.document.texts.constant(optional(part, "value"), kind, part))
            displays.append(optional(part, "displayValue", optional(part, "value")))
    if several or function == "mixed":
        function = "classification" if is_text(kind) or optype in ("categorical", "ordinal") else "regression"
    if function == "regression" and is_text(kind):
        kind = "double"
    return TargetField(name, kind, tuple(values), tuple(displays), about, optype, function)


def winner(probabilities: dict[float, int], kind: str, scope: Scope, code: Code) -> Value:
    """The category of the largest probability, the first of equals."""
    to, builder = scope.builder.register(), scope.builder
    table = builder.table(list(probabilities))
    builder.emit(code, o.ARGMAX, to, len(probabilities), table, *probabilities.values())
    return Value(to, kind)


def finished(prediction: Prediction, target: TargetField, scope: Scope, code: Code, *, single: bool = False) -> None:
    """Apply the Target element: a value in place of none, bounds, scale, whole numbers."""
    builder, element = scope.builder, target.element
    if element is not None:
        lines = list(children(element, "TargetValue"))
        if prediction.probabilities or is_text(prediction.value.kind):
            _default_category(prediction, target, lines, scope, code)
        else:
            cast = _CASTS.index(choice(element, "castInteger", _CASTS, ""))
            defaults = [number(line, "defaultValue") for line in lines if line.get("defaultValue") is not None]
            to = builder.register()

            def place(value: float) -> int:
                return builder.number(narrowed(value) if single else value)

            builder.emit(
                code, o.TARGET, to, prediction.value.register, place(number(element, "min", -math.inf)),
                place(number(element, "max", math.inf)), place(number(element, "rescaleFactor", 1.0)),
                place(number(element, "rescaleConstant", 0.0)), cast, place(defaults[0] if defaults else math.nan),
            )  # fmt: skip
            prediction.value = Value(to, prediction.value.kind)
            rises = not any(element.get(name) is not None for name in ("min", "max", "castInteger"))
            by = number(element, "rescaleFactor", 1.0) if rises else 0.0
            prediction.additive = prediction.additive.times(by) if prediction.additive is not None else None
    if single and not is_text(prediction.value.kind):
        for register in {prediction.value.register, *prediction.probabilities.values()}:
            builder.emit(code, o.TO_FLOAT, register, register, builder.missing)


def _default_category(
    prediction: Prediction, target: TargetField, lines: list[Element], scope: Scope, code: Code
) -> None:  # fmt: skip
    """Where nothing is predicted, the prior probabilities, and the category that is likeliest by these."""
    priors = {
        scope.document.texts.constant(optional(line, "value"), target.kind, line): number(line, "priorProbability")
        for line in lines
        if line.get("priorProbability") is not None
    }
    if not priors:
        return
    builder = scope.builder
    absent = builder.register()
    builder.emit(code, o.IS_MISSING, absent, prediction.value.register, builder.missing)

    def instead(register: int, constant: Value) -> int:
        to = builder.register()
        builder.emit(code, o.CHOOSE, to, 0, 1, absent, constant.register, register)
        return to

    likeliest = max(priors, key=priors.__getitem__)
    document = scope.document
    value = instead(prediction.value.register, document.constant(likeliest, target.kind))
    prediction.value = Value(value, prediction.value.kind)
    for label, prior in priors.items():
        register = prediction.probabilities.get(label, -1)
        prediction.probabilities[label] = instead(register, document.constant(prior, "double"))

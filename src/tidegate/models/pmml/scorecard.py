"""Scorecard: partial scores of characteristics, and the reason codes that tell where points were lost."""

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.expressions import EXPRESSIONS, expression
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.predicates import Items, predicate_of, programs
from tidegate.models.pmml.prediction import Prediction, TargetField
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, flag, number, optional
from tidegate.models.pmml.scope import Scope, Value

__all__ = ["scorecard"]

_METHODS = ("max", "min", "mean", "neutral", "other")
_ATTRIBUTE = 7  # words: an item, a register or -1, a number, a reason


def scorecard(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A Scorecard. `baselineMethod` only tells how the baseline scores, which are given, were found."""
    builder = scope.builder
    uses = flag(model, "useReasonCodes", True) and _reasoned(model)
    choice(model, "baselineMethod", _METHODS, "other")
    sign = (
        1
        if choice(model, "reasonCodeAlgorithm", ("pointsAbove", "pointsBelow"), "pointsBelow") == "pointsAbove"
        else -1
    )
    held = child(model, "Characteristics")
    parts = list(children(held, "Characteristic")) if held is not None else []
    if not parts:
        raise refuse(model, "A Scorecard has Characteristics.")
    names = dict[str, int]()
    heads, predicates, rest = list[int](), list[Items](), list[tuple[int, int, int]]()
    for part in parts:
        baseline = number(part, "baselineScore", number(model, "baselineScore", float("nan")))
        if uses and baseline != baseline:
            raise refuse(part, "A characteristic that reasons are ranked by has a baselineScore.")
        lost = builder.fault(f"none of the attributes of {optional(part, 'name', 'a characteristic')} applies", part)
        heads += [len(predicates), builder.number(baseline), lost]
        for attribute in children(part, "Attribute"):
            predicates.append(predicate_of(attribute, scope))
            rest.append((*_partial(attribute, scope, code), _reason(attribute, part, names, uses)))
    reasons = max(len(names), 1)
    to, partials = builder.register(), builder.register(len(parts))
    codes, points = builder.register(reasons), builder.register(reasons)
    base = 13 + len(heads) + _ATTRIBUTE * len(predicates)
    items, program, depth = programs(predicates, base)
    words = [word for item, three in zip(items, rest, strict=True) for word in (*item, *three)]
    table = builder.table([scope.document.texts.code(name) for name in names] or [0.0])
    builder.emit(
        code, o.SCORECARD, to, partials, builder.number(number(model, "initialScore", 0.0)), sign if uses else 0,
        reasons, codes, points, table, depth, len(parts), len(predicates), *heads, *words, *program,
    )  # fmt: skip
    prediction = Prediction(Value(to, "double"))
    prediction.parts = {optional(part, "name", str(k + 1)): partials + k for k, part in enumerate(parts)}
    if uses:
        prediction.reasons = [codes + k for k in range(reasons)]
        prediction.points = [points + k for k in range(reasons)]
    return prediction


def _reasoned(model: Element) -> bool:
    """Whether reasons are given or asked for at all: a scorecard without a single code is taken for a score alone."""
    parts = (part for part in model.iter() if isinstance(part.tag, str))
    return any(part.get("reasonCode") is not None or part.get("feature") == "reasonCode" for part in parts)


def _partial(attribute: Element, scope: Scope, code: Code) -> tuple[int, int]:
    """The register of a complex partial score, or -1; and the place of a plain one."""
    complex_ = child(attribute, "ComplexPartialScore")
    if complex_ is None:
        return -1, scope.builder.number(number(attribute, "partialScore"))
    made = [part for part in children(complex_) if name_of(part) in EXPRESSIONS]
    if len(made) != 1:
        raise refuse(complex_, "A complex partial score is one expression.", seen=f"{len(made)} of them")
    return expression(made[0], scope, code, want="double").register, scope.builder.missing


def _reason(attribute: Element, characteristic: Element, names: dict[str, int], uses: bool) -> int:
    reason = attribute.get("reasonCode") or characteristic.get("reasonCode")
    if reason is None:
        if uses:
            raise refuse(
                attribute, "An attribute of a scorecard that gives reasons has a reasonCode, or its characteristic."
            )
        return 0
    return names.setdefault(str(reason), len(names))

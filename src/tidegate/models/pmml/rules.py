"""RuleSetModel: rules, and how one of those that fire is chosen."""

import math

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.predicates import Items, predicate_of, programs
from tidegate.models.pmml.prediction import Prediction, TargetField
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, optional, required
from tidegate.models.pmml.scope import DEEPEST, Scope, Value

__all__ = ["rules"]

_CRITERIA = ("firstHit", "weightedSum", "weightedMax")
MOST_ITEMS = 2_000_000


def rules(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A RuleSetModel; the first of its selection methods is used."""
    held = child(model, "RuleSet")
    if held is None:
        raise refuse(model, "A RuleSetModel has a RuleSet.")
    method = child(held, "RuleSelectionMethod")
    if method is None:
        raise refuse(held, "A RuleSet has a RuleSelectionMethod.")
    criterion = _CRITERIA.index(choice(method, "criterion", _CRITERIA))
    builder, texts = scope.builder, scope.document.texts
    found = _simple(held, scope)
    labels = {value: k for k, value in enumerate(target.values)}
    table, names = list[float](), list[float]()
    for place, (element, _) in enumerate(found, start=1):
        score = texts.constant(required(element, "score"), target.kind, element)
        table += [float(labels.setdefault(score, len(labels))), number(element, "confidence", 1.0)]
        table.append(number(element, "weight", 1.0))
        names.append(texts.code(optional(element, "id", str(place))))
    default, sure = held.get("defaultScore"), math.nan
    score = math.nan
    if default is not None:
        score = texts.constant(str(default), target.kind, held)
        labels.setdefault(score, len(labels))
        sure = number(held, "defaultConfidence", math.nan) if held.get("defaultConfidence") is not None else math.nan
    to, confidence, which = builder.register(), builder.register(), builder.register()
    items, program, depth = programs([items for _, items in found], 12 + o.ITEM * len(found))
    scores = [score, sure, *labels]
    each = [builder.register() for _ in labels] if _asks_each(model) else []
    words = [word for item in items for word in item]
    builder.emit(
        code, o.RULES, to, confidence, which, criterion, depth, len(found), builder.table(scores), max(len(labels), 1),
        builder.table(table or [0.0]), each[0] if each else -1, *words, *program,
    )  # fmt: skip
    prediction = Prediction(Value(to, target.kind), confidence=confidence)
    prediction.confidences = dict(zip(labels, each, strict=False))
    entity = builder.register()
    builder.emit(code, o.GATHER, entity, 1, which, builder.table(names or [0.0]), 1)
    prediction.entities = [entity]
    return prediction


def _asks_each(model: Element) -> bool:
    """Whether the model, or one around it, gives the confidence of a category other than the one predicted."""
    around: Element | None = model
    while around is not None:
        held = child(around, "Output")
        for part in children(held, "OutputField") if held is not None else ():
            named = part.get("value") is not None or part.get("rank", "1") != "1"
            if part.get("feature") == "confidence" and named:
                return True
        around = around.getparent()
    return False


def _simple(held: Element, scope: Scope) -> list[tuple[Element, Items]]:
    """The simple rules in order, each with its predicate and those of the compound rules that it is part of."""
    found, total = list[tuple[Element, Items]](), 0
    todo: list[tuple[Element, list[Items], int]] = [
        (part, [], 0) for part in reversed(list(children(held, "SimpleRule", "CompoundRule")))
    ]
    while todo:
        element, around, depth = todo.pop()
        own = predicate_of(element, scope)
        if name_of(element) == "SimpleRule":
            joined = [item for items in (*around, own) for item in items]
            if around:
                joined.append((o.P_AND, 0, 0, len(around) + 1))
            total += len(joined)
            if total > MOST_ITEMS:
                raise refuse(element, "The rules are too many.", seen=f"over {MOST_ITEMS:,} predicates")
            found.append((element, joined))
            continue
        if depth > DEEPEST:
            raise refuse(element, f"Rules are nested more than {DEEPEST} deep.")
        below = list(children(element, "SimpleRule", "CompoundRule"))
        todo += [(part, [*around, own], depth + 1) for part in reversed(below)]
    return found

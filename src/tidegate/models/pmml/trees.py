"""TreeModel: laid out node by node, children side by side; see the kernels' `trees`."""

import math
from dataclasses import dataclass, field, replace

from tidegate.documents.xml import Element, child, children
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.predicates import Items, predicate_of, programs
from tidegate.models.pmml.prediction import Prediction, TargetField, function_of, winner
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, required
from tidegate.models.pmml.scope import Scope, Value

__all__ = ["Nodes", "nodes_of", "tree"]

_UNKNOWN = ("none", "lastPrediction", "nullPrediction", "defaultChild", "weightedConfidence", "aggregateNodes")
_NO_CHILD = ("returnNullPrediction", "returnLastPrediction")


@dataclass(slots=True)
class Nodes:
    """A tree's nodes, level by level: predicates, and per node its element and where its children are."""

    elements: list[Element] = field(default_factory=list)
    predicates: list[Items] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)
    default: list[int] = field(default_factory=list)


def nodes_of(model: Element, scope: Scope) -> Nodes:
    """The nodes of a TreeModel. Raises DocumentError at a node that cannot be read."""
    root = child(model, "Node")
    if root is None:
        raise refuse(model, "A TreeModel has a Node.")
    defaults = model.get("missingValueStrategy") == "defaultChild"  # other strategies never look at it
    nodes = Nodes()
    nodes.elements.append(root)
    for element in nodes.elements:  # grows as it is read
        below = list(children(element, "Node"))
        nodes.predicates.append(predicate_of(element, scope))
        nodes.first.append(len(nodes.elements))
        nodes.children.append(len(below))
        nodes.elements += below
        wanted, default = element.get("defaultChild"), -1
        for place, node in enumerate(below):
            if wanted is not None and node.get("id") == wanted:
                default = nodes.first[-1] + place
        if wanted is not None and default < 0 and below and defaults:
            raise refuse(element, "The default child is none of the node's.", seen=f'defaultChild="{wanted}"')
        nodes.default.append(default)
    return nodes


def _laid(nodes: Nodes, before: int) -> tuple[list[int], int]:
    """The words of the nodes and their programs, `before` being the words of the operation before them."""
    size = len(nodes.elements) * o.NODE
    items, program, depth = programs(nodes.predicates, before + size)
    words = [
        word
        for item, first, count, default in zip(items, nodes.first, nodes.children, nodes.default, strict=True)
        for word in (*item, first, count, default)
    ]
    return words + program, depth


def tree(model: Element, scope: Scope, code: Code, target: TargetField) -> Prediction:
    """A TreeModel."""
    strategy = choice(model, "missingValueStrategy", _UNKNOWN, "none")
    last = _NO_CHILD.index(choice(model, "noTrueChildStrategy", _NO_CHILD, "returnNullPrediction"))
    classifies = function_of(model) == "classification"
    penalty = number(model, "missingValuePenalty", 1.0)
    nodes, builder = nodes_of(model, scope), scope.builder
    if strategy in ("weightedConfidence", "aggregateNodes"):
        return _spread(model, nodes, strategy, last, scope, code, target, classifies)
    node, missed = builder.register(), builder.register() if penalty != 1.0 else -1
    words, depth = _laid(nodes, 7)
    builder.emit(code, o.TREE, node, missed, _UNKNOWN.index(strategy), last, depth, *words)
    prediction = _answered(nodes, node, scope, code, target, classifies)
    if missed >= 0 and prediction.confidences:
        factor = builder.register()
        base = scope.document.constant(penalty, "double")
        builder.emit(code, o.POWER, factor, base.register, missed, builder.missing)
        for label, register in prediction.confidences.items():
            prediction.confidences[label] = builder.register()
            builder.emit(code, o.MULTIPLY, prediction.confidences[label], register, factor, builder.missing)
    return prediction


def _gathered(table: list[float], width: int, node: int, scope: Scope, code: Code) -> int:
    """Registers with the node's row of a table."""
    to, builder = scope.builder.register(width), scope.builder
    builder.emit(code, o.GATHER, to, width, node, builder.table(table), width)
    return to


def _answered(
    nodes: Nodes, node: int, scope: Scope, code: Code, target: TargetField, classifies: bool
) -> Prediction:  # fmt: skip
    texts = scope.document.texts
    ids = [element.get("id") for element in nodes.elements]
    # Nodes without a name are known by their place, the root being 1.
    names = [texts.code(str(name) if name is not None else str(place)) for place, name in enumerate(ids, start=1)]
    kind = target.kind if classifies else "double"
    scores = [
        texts.constant(required(element, "score"), kind, element) if element.get("score") is not None else math.nan
        for element in nodes.elements
    ]
    prediction = Prediction(Value(_gathered(scores, 1, node, scope, code), kind))
    prediction.entities = [_gathered(names, 1, node, scope, code)]
    if not classifies:
        return prediction
    labels = _labels(nodes, scope, target)
    shares, sure = list[float](), list[float]()
    given = False
    for element, score in zip(nodes.elements, scores, strict=True):
        counts, probabilities, confidences = _distribution(element, labels, scope, target)
        total = sum(counts)
        if not any(value == value for value in probabilities):
            if total > 0.0:
                probabilities = [count / total for count in counts]
            else:  # a node that says only its score is sure of it
                probabilities = [1.0 if label == score else 0.0 for label in labels]
                probabilities = probabilities if score == score else [math.nan] * len(labels)
        given |= any(value == value for value in confidences)
        shares += [value if value == value or score != score else 0.0 for value in probabilities]
        sure += [c if c == c else p for c, p in zip(confidences, probabilities, strict=True)]
    first = _gathered(shares, len(labels), node, scope, code)
    prediction.probabilities = {label: first + k for k, label in enumerate(labels)}
    first = _gathered(sure, len(labels), node, scope, code)
    prediction.confidences = {label: first + k for k, label in enumerate(labels)}
    if any(score != score for score in scores):
        best = winner(prediction.probabilities, kind, scope, code)
        to = scope.builder.register()
        scope.builder.emit(code, o.DEFAULT, to, prediction.value.register, best.register, scope.builder.missing)
        prediction.value = Value(to, kind)
    return prediction


def _labels(nodes: Nodes, scope: Scope, target: TargetField) -> list[float]:
    """The target's values, and whatever else the nodes name, in the order of the document."""
    found = dict.fromkeys(target.values)
    for element in nodes.elements:
        for part in children(element, "ScoreDistribution"):
            found.setdefault(scope.document.texts.constant(required(part, "value"), target.kind, part))
        if element.get("score") is not None:
            found.setdefault(scope.document.texts.constant(str(element.get("score")), target.kind, element))
    return list(found)


def _distribution(
    element: Element, labels: list[float], scope: Scope, target: TargetField
) -> tuple[list[float], list[float], list[float]]:
    """Counts, probabilities and confidences of a node by label; the latter NaN where they are not said."""
    counts = dict.fromkeys(labels, 0.0)
    probabilities, confidences = dict.fromkeys(labels, math.nan), dict.fromkeys(labels, math.nan)
    for part in children(element, "ScoreDistribution"):
        label = scope.document.texts.constant(required(part, "value"), target.kind, part)
        counts[label] = number(part, "recordCount", 0.0)
        if part.get("probability") is not None:
            probabilities[label] = number(part, "probability")
        if part.get("confidence") is not None:
            confidences[label] = number(part, "confidence")
    return list(counts.values()), list(probabilities.values()), list(confidences.values())


def _spread(
    model: Element, nodes: Nodes, strategy: str, last: int, scope: Scope, code: Code, target: TargetField,
    classifies: bool,
) -> Prediction:  # fmt: skip
    """Trees that follow every way that is not barred once a value is missing; a row that lacks none has one leaf."""
    builder, weighing = scope.builder, int(strategy == "weightedConfidence")
    node, (words, depth) = builder.register(), _laid(nodes, 7)
    builder.emit(code, o.TREE, node, -1, _UNKNOWN.index("nullPrediction"), last, depth, *words)
    plain = _answered(nodes, node, scope, code, target, classifies)
    labels = list(plain.probabilities) if classifies else [0.0]
    counts, values = _counts(nodes, strategy), list[float]()
    for element, records in zip(nodes.elements, counts, strict=True):
        if not classifies:
            score = number(element, "score", math.nan) if element.get("score") is not None else 0.0
            values += [score, 1.0] if weighing else [score * records, records]
            continue
        own, probabilities, confidences = _distribution(element, labels, scope, target)
        total = sum(own)
        if weighing:
            said = [c if c == c else p for c, p in zip(confidences, probabilities, strict=True)]
            own = [value if value == value else (count / total if total else 0.0)
                   for value, count in zip(said, own, strict=True)]  # fmt: skip
        values += own
    width = len(labels) if classifies else 2
    to = builder.register(width)
    words, depth = _laid(nodes, 10)
    builder.emit(
        code, o.SPREAD, to, width, weighing, last, depth, builder.table(counts), builder.table(values),
        len(nodes.elements), *words,
    )  # fmt: skip

    def known(register: int, otherwise: int) -> int:
        chosen = builder.register()
        builder.emit(code, o.DEFAULT, chosen, register, otherwise, builder.missing)
        return chosen

    if not classifies:
        mean = builder.register()
        builder.emit(code, o.DIVIDE, mean, to, to + 1, builder.fault("a tree of no records", model))
        return replace(plain, value=Value(known(plain.value.register, mean), "double"))
    builder.emit(code, o.NORMALIZE, to, width, 2) if not weighing else None
    best = winner({label: to + k for k, label in enumerate(labels)}, target.kind, scope, code)
    plain.value = Value(known(plain.value.register, best.register), target.kind)
    for by in (plain.probabilities, plain.confidences):
        by.update({label: known(by[label], to + k) for k, label in enumerate(labels)})
    return plain


def _counts(nodes: Nodes, strategy: str) -> list[float]:
    """How many records each node is of: what it says, what its distribution comes to, or its children together."""
    counts = list[float]()
    for element in nodes.elements:
        shares = [number(part, "recordCount", 0.0) for part in children(element, "ScoreDistribution")]
        counts.append(number(element, "recordCount", sum(shares) if shares else math.nan))
    for place in reversed(range(len(counts))):  # children come after their parents
        first, many = nodes.first[place], nodes.children[place]
        if counts[place] != counts[place] and many:
            counts[place] = sum(counts[first : first + many])
        if counts[place] != counts[place] and place:
            raise refuse(nodes.elements[place], f"The strategy {strategy} needs the recordCount of every node.")
    return counts

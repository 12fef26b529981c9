"""Sums and averages of many trees, laid out as one forest where their trees are plain enough.

A tree is plain if it is a TreeModel of a regression in which every node is a split in two on a number or a set, with a
known way for missing values, and every leaf has a score. It says the same either way; as a forest it is much faster,
because a step of the walk has no branch to guess (see `tidegate.models.layout`), and small trees need no walk (see
`tidegate.models.ranked`). All other trees take the general way.
"""

import math

import numpy as np

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.lightgbm import Forest, Tree
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.additive import Additive, TreeSum
from tidegate.models.pmml.fields import treatment_of
from tidegate.models.pmml.predicates import Item
from tidegate.models.pmml.prediction import Prediction
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import number, optional
from tidegate.models.pmml.scope import Scope, Value
from tidegate.models.pmml.trees import Nodes, nodes_of
from tidegate.models.ranked import ranked

__all__ = ["forest"]

_FEWEST = 4
_LARGEST_SET = 4096
_NUMERIC = (o.P_LESS, o.P_LESS_EQUAL, o.P_GREATER, o.P_GREATER_EQUAL)
_SETS = (o.P_IN, o.P_NOT_IN, o.P_EQUAL, o.P_NOT_EQUAL)
_OPPOSITE = {
    o.P_LESS: o.P_GREATER_EQUAL, o.P_LESS_EQUAL: o.P_GREATER, o.P_GREATER: o.P_LESS_EQUAL,
    o.P_GREATER_EQUAL: o.P_LESS, o.P_IN: o.P_NOT_IN, o.P_NOT_IN: o.P_IN, o.P_EQUAL: o.P_NOT_EQUAL,
    o.P_NOT_EQUAL: o.P_EQUAL,
}  # fmt: skip


class _NotPlainError(Exception):
    """A tree takes the general way."""


def forest(held: Element, how: str, scope: Scope, code: Code) -> Prediction | None:
    """What a segmentation's trees say together, or None if they are not all plain."""
    segments = list(children(held, "Segment"))
    if len(segments) < _FEWEST or how not in ("sum", "average", "weightedSum", "weightedAverage"):
        return None
    features, trees, weights = dict[int, int](), list[Tree](), list[float]()
    try:
        for segment in segments:
            model = child(segment, "TreeModel")
            if child(segment, "True") is None or model is None:
                return None
            weight = number(segment, "weight", 1.0) if how.startswith("weighted") else 1.0
            weights.append(weight)
            trees.append(_Plain(model, scope, features, weight).tree())
    except _NotPlainError:
        return None
    names = tuple(str(k) for k in range(len(features)))
    divisor = sum(weights) if how in ("average", "weightedAverage") else 1.0
    summed = TreeSum(Forest(names, tuple(trees), "", "identity", 1.0, False), tuple(features), divisor)
    to, builder, laid, ranks = scope.builder.register(), scope.builder, summed.laid, ranked(summed.forest)
    by_rank = (builder.words(ranks), len(ranks)) if ranks is not None else (0, 0)
    builder.emit(
        code, o.FOREST, to, builder.number(divisor), builder.words(laid), len(laid), *by_rank, len(features), *features
    )  # fmt: skip
    return Prediction(Value(to, "double"), additive=Additive(summed))


class _Plain:
    """One tree on its way to LightGBM's shape: splits and leaves by number, sets as bits."""

    def __init__(self, model: Element, scope: Scope, features: dict[int, int], weight: float) -> None:
        allowed = {"MiningSchema", "Node"}
        if any(isinstance(part.tag, str) and name_of(part) not in allowed for part in children(model)):
            raise _NotPlainError
        if model.get("functionName") != "regression" or model.get("x-mathContext") not in (None, "double"):
            raise _NotPlainError
        schema = child(model, "MiningSchema")
        for part in children(schema, "MiningField") if schema is not None else ():
            how = treatment_of(part)
            if how.missing_value is not None or how.outliers != "asIs" or how.missing == "returnInvalid":
                raise _NotPlainError
        self.numbers, self.features, self.weight = scope.builder.numbers, features, weight
        self.inputs = _inputs(scope)
        self.strategy = optional(model, "missingValueStrategy", "none")
        self.last = model.get("noTrueChildStrategy") == "returnLastPrediction"
        self.nodes: Nodes = nodes_of(model, scope)
        self.splits: list[tuple[int, float, bool, int, int]] = []  # feature, threshold, default left, children
        self.sets: list[list[int]] = []
        self.leaves: list[float] = []
        self.reached: list[float] = []  # by leaf and by split, how many records, NaN if the document does not say
        self.passed: list[float] = []

    def tree(self) -> Tree:
        """The tree. Raises _NotPlainError if it is not plain."""
        if [item[0] for item in self.nodes.predicates[0]] != [o.P_TRUE]:
            raise _NotPlainError
        order: list[tuple[int, int, bool]] = [(0, -1, False)]  # node, split above, whether it is the left child
        links: dict[tuple[int, bool], int] = {}
        for node, above, left in order:  # grows as it is read
            own = self._place(node, order)
            if above >= 0:
                links[above, left] = own
        ints, counted = np.int64, not any(math.isnan(count) for count in (*self.reached, *self.passed))
        return Tree(
            feature=np.array([split[0] for split in self.splits], ints),
            threshold=np.array([split[1] for split in self.splits], np.float64),
            missing=np.full(len(self.splits), 2, ints),
            default_left=np.array([split[2] for split in self.splits], np.bool_),
            left=np.array([links[k, True] for k in range(len(self.splits))], ints),
            right=np.array([links[k, False] for k in range(len(self.splits))], ints),
            set_of=np.array([split[3] for split in self.splits], ints),
            categories=tuple(np.array(words, ints) for words in self.sets),
            leaf_value=np.array(self.leaves),
            leaf_count=np.array(self.reached) if counted else np.zeros(0),
            split_count=np.array(self.passed) if counted else np.zeros(0),
        )  # fmt: skip

    def _count(self, node: int) -> float:
        """How many records a node is of; NaN if it does not say."""
        element = self.nodes.elements[node]
        return number(element, "recordCount") if element.get("recordCount") is not None else math.nan

    def _leaf(self, node: int, records: float) -> int:
        score = self.nodes.elements[node].get("score")
        if score is None:
            raise _NotPlainError
        self.leaves.append(number(self.nodes.elements[node], "score") * self.weight)
        self.reached.append(records)
        return ~(len(self.leaves) - 1)

    def _place(self, node: int, order: list[tuple[int, int, bool]]) -> int:
        """The number of the split or leaf that a node is; its children are put into the queue."""
        if node < 0:  # what a node says itself where none of its children applies
            return self._leaf(~node, max(self._count(~node) - self._count(self.nodes.first[~node]), 0.0))
        first, count = self.nodes.first[node], self.nodes.children[node]
        if count == 0:
            return self._leaf(node, self._count(node))
        if count > 2 or any(len(self.nodes.predicates[first + k]) != 1 for k in range(count)):
            raise _NotPlainError
        item = self.nodes.predicates[first][0]
        if count == 1:
            if not self.last or self.strategy not in ("none", "lastPrediction"):
                raise _NotPlainError
            other, default_first = ~node, False
        else:
            second = self.nodes.predicates[first + 1][0]
            default_first = self._default_first(node, item, second)
            other = first + 1
        swapped, feature, threshold, set_of = self._look(item)
        split = len(self.splits)
        self.splits.append((feature, threshold, default_first != swapped, set_of, 0))
        self.passed.append(self._count(node))
        if set_of >= 0 and default_first != swapped:
            raise _NotPlainError  # a set always sends the missing to the right
        order += [(first, split, not swapped), (other, split, swapped)]
        return split

    def _default_first(self, node: int, item: Item, second: Item) -> bool:
        """Whether a missing value goes to the first of two children, whose predicates leave nothing between them."""
        always = second[0] == o.P_TRUE
        if not always and not (
            _OPPOSITE.get(item[0]) == second[0] and item[1] == second[1] and self._values(item) == self._values(second)
        ):
            raise _NotPlainError
        if self.strategy == "defaultChild" and self.nodes.default[node] >= 0:
            return self.nodes.default[node] == self.nodes.first[node]
        if self.strategy == "none" and always:
            return False
        raise _NotPlainError

    def _values(self, item: Item) -> list[float]:
        return self.numbers[item[2] : item[2] + item[3]]

    def _look(self, item: Item) -> tuple[bool, int, float, int]:
        """Whether the first child is the right one; the feature; the threshold; the set, or -1."""
        kind, register, place, _ = item
        if register not in self.inputs or kind not in (*_NUMERIC, *_SETS):
            raise _NotPlainError
        feature = self.features.setdefault(register, len(self.features))
        if kind in _NUMERIC:
            limit = self.numbers[place]
            if kind in (o.P_LESS, o.P_GREATER_EQUAL):  # below a number is at most the one before it
                limit = math.nextafter(limit, -math.inf)
            return kind in (o.P_GREATER, o.P_GREATER_EQUAL), feature, limit, -1
        values = self._values(item)
        if not self.inputs[register] or not values or not all(0 <= v < _LARGEST_SET for v in values):
            raise _NotPlainError
        words = [0] * (int(max(values)) // 32 + 1)
        for value in values:
            words[int(value) // 32] |= 1 << (int(value) % 32)
        self.sets.append(words)
        return kind in (o.P_NOT_IN, o.P_NOT_EQUAL), feature, 0.0, len(self.sets) - 1


def _inputs(scope: Scope) -> dict[int, bool]:
    """The registers of fields that come from outside, and whether they hold texts."""
    outermost = scope
    while outermost.parent is not None:
        outermost = outermost.parent
    data = scope.document.data
    return {
        field.register: field.kind == "string" for name, field in outermost.fields.items() if name in data
    }  # fmt: skip

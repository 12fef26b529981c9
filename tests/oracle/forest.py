"""A forest as its splits read: one node after another, as the LightGBM text says it (Tree::Decision)."""

import itertools
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.oracle.real import Real, UndecidedError, applied, compared, divided, error, real

ZERO: float = struct.unpack("f", struct.pack("f", 1e-35))[0]
"""What is nearer to zero than this, LightGBM reads as zero."""
NONE, AS_ZERO, AS_NAN = range(3)
"""What a split takes for missing: nothing (missing is zero), zero and missing, missing alone."""


@dataclass(frozen=True)
class Leaf:
    value: float
    rows: int


@dataclass(frozen=True)
class Split:
    """A numeric split goes left at `threshold` and below; one with `codes` goes left for these categories."""

    feature: int
    left: "Node"
    right: "Node"
    threshold: float = 0.0
    missing: int = NONE
    default_left: bool = False
    codes: frozenset[int] | None = None

    @property
    def rows(self) -> int:
        """How many rows of training came by."""
        return self.left.rows + self.right.rows

    def goes_left(self, value: Any) -> bool:
        """Where a value goes, None for a missing one."""
        if value is not None and nearer(value, ZERO):
            value = Real(0.0)
        if self.codes is not None:
            # the fraction is cut off, so -0.5 is category 0
            code = None if value is None else applied(lambda x: float(math.trunc(x)), value, step=True)
            return code is not None and int(code) in self.codes
        if value is None and self.missing != AS_NAN:
            value = Real(0.0)
        if value is None or (self.missing == AS_ZERO and value == 0.0):
            return self.default_left
        return compared(value, self.threshold) <= 0


Node = Leaf | Split


@dataclass(frozen=True)
class Forest:
    """Trees whose leaves are added up in order; `categories` holds, by feature, the texts that codes stand for."""

    trees: tuple[Node, ...]
    link: str = "identity"
    sigmoid: float = 1.0
    average: bool = False
    categories: tuple[tuple[str, ...] | None, ...] = ()

    def score(self, values: Sequence[Any]) -> Real | None:
        """The answer to values as expressions have them, None for missing ones."""
        given = [self._number(place, value) for place, value in enumerate(values)]
        total: Real | None = Real(0.0)
        for tree in self.trees:
            total = applied(lambda a, b: a + b, total or 0.0, leaf_of(tree, given))
        if total is not None and self.average:
            total = divided(total, len(self.trees))
        if total is None or self.link == "identity":
            return total
        if self.link == "logistic":
            return applied(lambda x: 1.0 / (1.0 + math.exp(-self.sigmoid * x)), total, ulps=2)
        return applied(math.exp, total, ulps=2)

    def contributions(self, values: Sequence[Any]) -> list[Fraction]:
        """What each feature added to the sum of the leaves: its Shapley value (Shapley 1953), by the definition.

        What is not known of a row is taken to be spread over the leaves as the rows of training were. The sum is not
        divided where the answer is an average, as LightGBM does not (`pred_contrib` adds up to `raw_score`).
        """
        given = [self._number(place, value) for place, value in enumerate(values)]
        found = [Fraction(0)] * len(given)
        for tree in self.trees:
            used = sorted(_features(tree))
            for feature in used:
                others = [other for other in used if other != feature]
                for size in range(len(used)):
                    weight = Fraction(
                        math.factorial(size) * math.factorial(len(others) - size), math.factorial(len(used))
                    )
                    for known in itertools.combinations(others, size):
                        gain = _expected(tree, given, {*known, feature}) - _expected(tree, given, set(known))
                        found[feature] += weight * gain
        return found

    def _number(self, place: int, value: Any) -> Real | None:
        if value is None or not isinstance(value, str):
            return None if value is None else real(value)
        texts = self.categories[place] or ()
        return Real(texts.index(value)) if value in texts else None


def leaf_of(node: Node, given: Sequence[Real | None]) -> float:
    """The leaf's value that a row comes to."""
    while isinstance(node, Split):
        node = node.left if node.goes_left(given[node.feature]) else node.right
    return node.value


def _features(node: Node) -> set[int]:
    return {node.feature} | _features(node.left) | _features(node.right) if isinstance(node, Split) else set()


def _expected(node: Node, given: Sequence[Real | None], known: set[int]) -> Fraction:
    """What a tree is expected to say of a row of which only these features are known."""
    if isinstance(node, Leaf):
        return Fraction(node.value)
    if node.feature in known:
        return _expected(node.left if node.goes_left(given[node.feature]) else node.right, given, known)
    left, right = _expected(node.left, given, known), _expected(node.right, given, known)
    return (left * node.left.rows + right * node.right.rows) / node.rows


def leaves_of(node: Node) -> list[float]:
    """The values of a tree's leaves."""
    return [node.value] if isinstance(node, Leaf) else leaves_of(node.left) + leaves_of(node.right)


def nearer(value: Real, limit: float) -> bool:
    """Whether a value is nearer to zero than a limit."""
    if error(value) and abs(abs(float(value)) - limit) <= error(value):
        raise UndecidedError
    return abs(float(value)) <= limit

"""Shapley values from their definition: every subset of the features, in plain Python. Only for tests."""

import itertools
import math

import numpy as np

from tidegate.models.lightgbm import Tree


def expectation(tree: Tree, node: int, goes_left: dict[int, bool], known: frozenset[int]) -> float:
    """What the tree is expected to say if only the known features decide and rows are spread as in training."""
    if node < 0:
        return float(tree.leaf_value[~node])
    left, right = int(tree.left[node]), int(tree.right[node])
    if int(tree.feature[node]) in known:
        return expectation(tree, left if goes_left[node] else right, goes_left, known)

    def rows(child: int) -> float:
        return float(tree.split_count[child] if child >= 0 else tree.leaf_count[~child])

    share = rows(left) / rows(node)
    return share * expectation(tree, left, goes_left, known) + (1 - share) * expectation(tree, right, goes_left, known)


def shapley_values(tree: Tree, goes_left: dict[int, bool], features: int) -> np.ndarray:
    """One value per feature (Shapley 1953)."""
    start = 0 if len(tree.feature) else -1
    used = sorted(set(tree.feature.tolist()))
    values = np.zeros(features)
    for feature in used:
        others = [other for other in used if other != feature]
        for size in range(len(used)):
            weight = math.factorial(size) * math.factorial(len(used) - size - 1) / math.factorial(len(used))
            for subset in itertools.combinations(others, size):
                known = frozenset(subset)
                gain = expectation(tree, start, goes_left, known | {feature})
                values[feature] += weight * (gain - expectation(tree, start, goes_left, known))
    return values

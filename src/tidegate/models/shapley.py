"""Exact path-dependent Shapley values of a forest: LightGBM's `predict(pred_contrib=True)`, many times faster.

TreeSHAP (Lundberg, Erion and Lee 2018, Algorithm 2) sums over the subsets of a path's features. Here the sum is an
integral: the Shapley value is the integral from 0 to 1 of the gradient of the game's multilinear extension along the
diagonal (Owen 1972). For a leaf of value v, with features j on its path of which a share z_j of the training rows
passes and which the row itself passes (o_j = 1) or not (o_j = 0), that is::

    phi_i = v * integral over t of  (o_i - z_i) * product over j != i of (z_j + t (o_j - z_j))

The integrand is a polynomial of degree d - 1 in t for d distinct features, so Gauss-Legendre points, exact to degree
2 n - 1, give the integral itself and no approximation of it. Products are carried from the root down and sums over
leaves from the leaves up, as in Linear TreeSHAP (Yu, Bifet, Read, Xu 2022).

At a split whose feature the row has passed so far, let z be the share of the feature's last edge above (1 if none),
f = z + t (1 - z) that edge's factor, and c the share of the feature's path that goes where the row does not. Going
there multiplies by c (1 - t) / f, going with the row by the rest of 1. With H and C the sums over the leaves below the
two ways, free of factors from above, and P the product above, both edges, and what they correct of the edge above,
come to::

    D = c / f (H - C)        phi += integral of P D / f        sum over all leaves below = H - (1 - t) D

If the row has failed the feature above, the split says nothing new: both ways are weighed by their training rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.kernels.compiled import compiled
from tidegate.models.kernels import fill_slots, read_cells
from tidegate.models.layout import FEATURE_COUNT, NODES, SLOT_COUNT, level_order
from tidegate.models.lightgbm import Forest, Tree
from tidegate.models.vectors import add4, choose4, load4, multiply4, splat4, store4, subtract4

__all__ = ["Shares", "contributions_cells", "contributions_matrix", "tabulate"]

POINTS = 4  # handled together, see `vectors`
TREE_WORDS = 5  # first node, first split, splits, blocks of points, first of its rows in `points`
SPLIT_WORDS = 4  # place in its tree; feature; place of the node below the feature's last edge above, or 0; factors
SPLIT_SHARES = 3  # the left way's share and the right way's of the feature's path; the right way's of the split's rows


@dataclass(frozen=True, slots=True)
class Shares:
    """What the kernel needs beside the forest's layout; `bias` is the expected raw score over the training rows.

    `splits` and `shares` go by split in level order, the children of a tree's j-th lying in places 1 + 2 j and 2 + 2 j;
    `leaves` are the leaves' places. `points` has, per block of points, a row of 1 - t and a row of weights, then a row
    of ones and a row of zeros. `factors` has rows of 1 / f; the first is ones.
    """

    trees: NDArray[np.int64]
    splits: NDArray[np.uint64]
    leaves: NDArray[np.uint64]
    shares: NDArray[np.float64]
    points: NDArray[np.float64]
    factors: NDArray[np.float64]
    bias: float

    @property
    def tables(self) -> tuple[Any, Any, Any, Any, Any, Any]:
        """The arrays in the order in which the kernels take them."""
        return self.trees, self.splits, self.leaves, self.shares, self.points, self.factors


def tabulate(forest: Forest) -> Shares:
    """The tables of a forest. Raises ModelError if the file does not say how many rows reached each leaf."""
    trees, splits, leaves, shares = list[int](), list[int](), list[int](), list[float]()
    points, factors = list[NDArray[np.float64]](), [np.ones((1, POINTS))]
    rules: dict[int, tuple[int, NDArray[np.float64]]] = {}  # by blocks: the first row in `points`, and t
    node, rows, bias = 0, 1, forest.start
    for k, tree in enumerate(forest.trees):
        if len(tree.leaf_count) != len(tree.leaf_value) or tree.leaf_count.sum() <= 0.0:
            raise ModelError(
                "The model cannot be explained: it does not say how many training rows reached each leaf.",
                seen=f"no leaf_count or internal_count in tree {k}", do="Save the model with Booster.save_model.",
            )  # fmt: skip
        first = len(splits) // SPLIT_WORDS
        distinct, old = _tabulate_tree(tree, splits, leaves, shares)
        blocks = max(1, -(-distinct // (2 * POINTS)))
        if blocks not in rules:
            x, w = np.polynomial.legendre.leggauss(blocks * POINTS)
            t, weights = (((x + 1.0) / 2.0).reshape(blocks, POINTS), (w / 2.0).reshape(blocks, POINTS))
            rules[blocks] = 4 * sum(len(rule) for rule in points), t
            points.append(np.stack([1.0 - t, weights, np.ones_like(t), np.zeros_like(t)], axis=1))
        row, t = rules[blocks]
        for split, z in old.items():
            splits[SPLIT_WORDS * (first + split) + 3] = rows
            factors.append(1.0 / (z + t * (1.0 - z)))
            rows += blocks
        trees += [node, first, len(tree.feature), blocks, row]
        node += 2 * len(tree.feature) + 1
        bias += float(tree.leaf_count @ tree.leaf_value) / float(tree.leaf_count.sum())
    return Shares(
        trees=np.array(trees, np.int64),
        splits=np.array(splits, np.uint64),
        leaves=np.array(leaves, np.uint64),
        shares=np.array(shares),
        points=np.concatenate(points).ravel(),
        factors=np.concatenate(factors).ravel(),
        bias=bias,
    )


def _tabulate_tree(
    tree: Tree, splits: list[int], leaves: list[int], shares: list[float]
) -> tuple[int, dict[int, float]]:
    """Append the tree's; the most features on a path, and z of the splits whose feature was met above."""
    order = level_order(tree)
    rows = [float(tree.split_count[node]) if node >= 0 else float(tree.leaf_count[~node]) for node in order]
    old = dict[int, float]()
    above: list[dict[int, int]] = [{}]  # per node: the last edge on its path for each feature, named by its lower node
    share = [1.0]  # per node: of its edge's feature, from the root
    for place, node in enumerate(order):
        if node < 0:
            leaves.append(place)
            continue
        feature, child = int(tree.feature[node]), len(above)
        last = above[place].get(feature, 0)
        left = rows[child] / rows[place] if rows[place] > 0.0 else 0.5
        if last:
            old[child // 2] = share[last]
        splits += [place, feature, last, 0]
        share += [share[last] * left, share[last] * (1.0 - left)]
        shares += [*share[-2:], 1.0 - left]
        above += [{**above[place], feature: child}, {**above[place], feature: child + 1}]
    return max(len(path) for path in above), old


@compiled(
    "void(int64[::1], int64[::1], uint64[::1], uint64[::1], float64[::1], float64[::1], float64[::1], float64[::1],"
    " float64[::1])",
)
def _explain(forest, trees, splits, leaves, shares, points, factors, slots, out):  # type: ignore[no-untyped-def]
    """Add every tree's contributions to `out`, one per feature. Unsigned, as in `kernels._step`."""
    laid = forest[forest[NODES] :].view(np.uint64)
    numbers = laid.view(np.float64)
    largest = 1
    for k in range(0, len(trees), TREE_WORDS):
        largest = max(largest, 2 * trees[k + 2] + 1)
    passed = np.empty(largest, np.uint64)  # per node: has the row passed its edge's feature so far
    went = np.empty(largest, np.uint64)  # per split: the child that the row goes to
    # Four numbers per node: the product above, the sum below. Per split: what the way not taken is multiplied by, and
    # what H - C is multiplied by to give the contribution.
    product, below = np.empty(largest * POINTS), np.empty(largest * POINTS)
    aside, gain = np.empty(largest * POINTS), np.empty(largest * POINTS)
    totals = np.zeros(len(out) * POINTS)
    u1, u2, u3, u4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    leaf = np.uint64(0)
    for k in range(0, len(trees), TREE_WORDS):
        first, start, count = np.uint64(trees[k]), np.uint64(trees[k + 1]), np.uint64(trees[k + 2])
        for n in range(count + u1):
            place = leaves[leaf + np.uint64(n)]
            store4(below, place * u4, splat4(numbers[u2 * (first + place)]))
        leaf += count + u1
        for block in range(trees[k + 3]):
            rule = np.uint64((trees[k + 4] + 4 * block) * POINTS)
            passed[0] = 1
            store4(product, np.uint64(0), splat4(1.0))
            for n in range(count):
                j = np.uint64(n)
                split, child = u4 * (start + j), u1 + u2 * j
                place, row = splits[split], splits[split + u3]
                at = u2 * (first + place)
                live = passed[splits[split + u2]]  # the root's is 1
                right = np.uint64(slots[laid[at + u1] >> np.uint64(32)] > numbers[at]) & live
                passed[child] = live & (u1 - right)
                passed[child + u1] = live & right
                went[j] = right
                factor = (row + (np.uint64(block) if row else np.uint64(0))) * u4 * live
                share = splat4(shares[u3 * (start + j) + (u2 - live - right)])
                constants = rule + np.uint64(8) * (u1 - live)
                f, above = load4(factors, factor), load4(product, place * u4)
                scale = multiply4(share, f)
                away = multiply4(scale, load4(points, constants))
                part = multiply4(above, away)
                store4(aside, j * u4, away)
                store4(gain, j * u4, multiply4(multiply4(above, f), multiply4(scale, load4(points, constants + u4))))
                rest = subtract4(above, part)
                store4(product, child * u4, choose4(right, part, rest))
                store4(product, (child + u1) * u4, choose4(right, rest, part))
            for n in range(count):
                j = count - u1 - np.uint64(n)
                split = u4 * (start + j)
                total, child = splits[split + u1] * u4, (u1 + u2 * j) * u4
                left, right = load4(below, child), load4(below, child + u4)
                hot = choose4(went[j], right, left)
                difference = subtract4(hot, choose4(went[j], left, right))
                store4(below, splits[split] * u4, subtract4(hot, multiply4(load4(aside, j * u4), difference)))
                more = multiply4(load4(gain, j * u4), difference)
                store4(totals, total, add4(load4(totals, total), more))
    for f in range(len(out)):
        out[f] += totals[4 * f] + totals[4 * f + 1] + totals[4 * f + 2] + totals[4 * f + 3]


_TABLES = "int64[::1], int64[::1], uint64[::1], uint64[::1], float64[::1], float64[::1], float64[::1]"


@compiled(f"void({_TABLES}, float64[:, ::1], float64[:, ::1])")
def contributions_matrix(forest, trees, splits, leaves, shares, points, factors, matrix, out):  # type: ignore[no-untyped-def]
    """Contributions to the raw score, per row and feature. The bias, the last column, is left alone."""
    slots = np.empty(forest[SLOT_COUNT])
    features = forest[FEATURE_COUNT]
    for i in range(len(matrix)):
        fill_slots(forest, matrix[i], slots)
        out[i, :features] = 0.0
        _explain(forest, trees, splits, leaves, shares, points, factors, slots, out[i, :features])


@compiled(f"void({_TABLES}, int64[::1], int64[:, ::1], int64, float64[::1])")
def contributions_cells(  # type: ignore[no-untyped-def]
    forest, trees, splits, leaves, shares, points, factors, inputs, cells, row, out
):
    """The same for one row of a batch's cells."""
    features = forest[FEATURE_COUNT]
    values, slots = np.empty(features), np.empty(forest[SLOT_COUNT])
    read_cells(inputs, cells, row, values)
    fill_slots(forest, values, slots)
    out[:features] = 0.0
    _explain(forest, trees, splits, leaves, shares, points, factors, slots, out[:features])

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
from tidegate.models.kernels import fill_slots
from tidegate.models.layout import FEATURE_COUNT, NODES, SLOT_COUNT, level_order
from tidegate.models.lightgbm import Forest, Tree
from tidegate.models.vectors import (
    LANES,
    POINTS,
    ROWS,
    above,
    add,
    choose,
    load,
    load_flags,
    multiply,
    new_lanes,
    repeat,
    splat,
    store,
    store_flags,
    subtract,
    without,
)

__all__ = ["Shares", "contributions_matrix", "tabulate"]

PASS_WORDS = 5  # first split, splits, first leaf; of its points: their place in `points`, what it adds to a split's row
SPLIT_WORDS = 5  # place in its tree; of the node below the feature's last edge above, or 0; of factors, slot, feature
SPLIT_NUMBERS = 4  # threshold; the left way's share and the right way's of the feature's path; the right's of its rows
NODE = 2 * LANES  # numbers that the kernel has per node, and per split
RULE = 2 * POINTS  # numbers per four points


@dataclass(frozen=True, slots=True)
class Shares:
    """What the kernel reads, in the order in which it is read; `bias` is the expected raw score over the training rows.

    A pass is of one tree and of four points. `splits` and `numbers` go by split in level order, the children of a
    tree's j-th lying in places 1 + 2 j and 2 + 2 j; `leaves` are the leaves' places, and `values` what they give.
    `points` has per four points 1 - t and the weights. `factors` has rows of 1 / f, for each four points of a tree one;
    the first are ones, for splits whose feature was not met above. All places are those in the kernel's own arrays.
    """

    passes: NDArray[np.int64]
    splits: NDArray[np.uint32]
    leaves: NDArray[np.uint32]
    numbers: NDArray[np.float64]
    values: NDArray[np.float64]
    points: NDArray[np.float64]
    factors: NDArray[np.float64]
    bias: float

    @property
    def tables(self) -> tuple[Any, Any, Any, Any, Any, Any, Any]:
        """The arrays in the order in which the kernels take them."""
        return self.passes, self.splits, self.leaves, self.numbers, self.values, self.points, self.factors


def tabulate(forest: Forest, laid: NDArray[np.int64]) -> Shares:
    """The tables of a forest that is laid out (`layout.layout`).

    Raises ModelError if the file does not say how many rows reached each leaf.
    """
    passes, splits, leaves, numbers, values = list[int](), list[int](), list[int](), list[float](), list[float]()
    most = max(1, -(-len(forest.features) // (2 * POINTS)))  # blocks of points that a path may need
    points, factors = list[NDArray[np.float64]](), [np.ones((most, POINTS))]
    rules: dict[int, tuple[int, NDArray[np.float64]]] = {}  # by blocks: the place in `points`, and t
    nodes, rows, bias = laid[laid[NODES] :], most, forest.start
    for k, tree in enumerate(forest.trees):
        if len(tree.leaf_count) != len(tree.leaf_value) or tree.leaf_count.sum() <= 0.0:
            raise ModelError(
                "The model cannot be explained: it does not say how many training rows reached each leaf.",
                seen=f"no leaf_count or internal_count in tree {k}", do="Save the model with Booster.save_model.",
            )  # fmt: skip
        first, first_leaf, count = len(splits) // SPLIT_WORDS, len(leaves), len(tree.feature)
        distinct, old = _tabulate_tree(tree, nodes, splits, leaves, numbers, values)
        nodes = nodes[2 * (2 * count + 1) :]
        blocks = max(1, -(-distinct // (2 * POINTS)))
        if blocks not in rules:
            x, w = np.polynomial.legendre.leggauss(blocks * POINTS)
            t, weights = (((x + 1.0) / 2.0).reshape(blocks, POINTS), (w / 2.0).reshape(blocks, POINTS))
            rules[blocks] = RULE * sum(len(rule) for rule in points), t
            points.append(np.stack([1.0 - t, weights], axis=1))
        rule, t = rules[blocks]
        for split, z in old.items():
            splits[SPLIT_WORDS * (first + split) + 2] = POINTS * rows
            factors.append(1.0 / (z + t * (1.0 - z)))
            rows += blocks
        for block in range(blocks):
            passes += [first, count, first_leaf, rule + RULE * block, POINTS * block]
        bias += float(tree.leaf_count @ tree.leaf_value) / float(tree.leaf_count.sum())
    return Shares(
        passes=np.array(passes, np.int64),
        splits=np.array(splits, np.uint32),
        leaves=np.array(leaves, np.uint32),
        numbers=np.array(numbers),
        values=np.array(values),
        points=np.concatenate(points).ravel(),
        factors=np.concatenate(factors).ravel(),
        bias=bias,
    )


def _tabulate_tree(
    tree: Tree,
    nodes: NDArray[np.int64],
    splits: list[int],
    leaves: list[int],
    numbers: list[float],
    values: list[float],
) -> tuple[int, dict[int, float]]:
    """Append the tree's, laid out in `nodes`; the most features on a path, and z of the splits whose feature was met
    above."""
    order = level_order(tree)
    laid: list[float] = nodes[: 2 * len(order) : 2].view(np.float64).tolist()
    slots: list[int] = (nodes[1 : 2 * len(order) : 2] >> 32).tolist()
    rows = [float(tree.split_count[node]) if node >= 0 else float(tree.leaf_count[~node]) for node in order]
    old = dict[int, float]()
    above: list[dict[int, int]] = [{}]  # per node: the last edge on its path for each feature, named by its lower node
    share = [1.0]  # per node: of its edge's feature, from the root
    for place, node in enumerate(order):
        if node < 0:
            leaves.append(NODE * place)
            values.append(laid[place])
            continue
        feature, child = int(tree.feature[node]), len(above)
        last = above[place].get(feature, 0)
        left = rows[child] / rows[place] if rows[place] > 0.0 else 0.5
        if last:
            old[child // 2] = share[last]
        splits += [NODE * place, NODE * last, 0, LANES * slots[place], LANES * feature]
        share += [share[last] * left, share[last] * (1.0 - left)]
        numbers += [laid[place], *share[-2:], 1.0 - left]
        above += [{**above[place], feature: child}, {**above[place], feature: child + 1}]
    return max(len(path) for path in above), old


_TABLES = "int64[::1], uint32[::1], uint32[::1], float64[::1], float64[::1], float64[::1], float64[::1]"
_1, _2, _3, _4 = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)  # unsigned, as in `kernels._step`
_LANES, _NODE, _SPLIT_WORDS, _SPLIT_NUMBERS = map(np.uint64, (LANES, NODE, SPLIT_WORDS, SPLIT_NUMBERS))


@compiled(f"void({_TABLES}, float64[::1], float64[::1])")
def _explain(passes, splits, leaves, numbers, values, points, factors, slots, totals):  # type: ignore[no-untyped-def]
    """Add every tree's contributions to `totals`, a group of lanes per feature, of which `slots` has one per slot."""
    largest = 1
    for k in range(0, len(passes), PASS_WORDS):
        largest = max(largest, 2 * passes[k + 1] + 1)
    passed = np.empty(largest * NODE, np.uint8)  # at a node's place: has the row passed its edge's feature so far
    nodes = new_lanes(2 * largest)  # of each node: the product above, the sum below
    ways = new_lanes(largest)  # of each split: what the way not taken is multiplied by; what H - C is, to contribute
    passed[:NODE] = 255
    store(nodes, np.uint64(0), splat(1.0))
    for k in range(0, len(passes), PASS_WORDS):
        first, count, leaf = np.uint64(passes[k]), np.uint64(passes[k + 1]), np.uint64(passes[k + 2])
        for n in range(count + _1):
            at = leaf + np.uint64(n)
            store(nodes, np.uint64(leaves[at]) + _LANES, splat(values[at]))
        rule, block = np.uint64(passes[k + 3]), np.uint64(passes[k + 4])
        to_left, weights = repeat(points, rule), repeat(points, rule + np.uint64(POINTS))
        split, number, way, child = _SPLIT_WORDS * first, _SPLIT_NUMBERS * first, np.uint64(0), _NODE
        for _ in range(count):
            live = load_flags(passed, np.uint64(splits[split + _1]))  # the root's is set
            right = above(live, load(slots, np.uint64(splits[split + _3])), splat(numbers[number]))
            left = without(live, right)
            store_flags(passed, child, left)
            store_flags(passed, child + _NODE, right)
            aside = choose(left, splat(numbers[number + _2]), splat(numbers[number + _3]))
            share = choose(right, splat(numbers[number + _1]), aside)
            f, product = repeat(factors, np.uint64(splits[split + _2]) + block), load(nodes, np.uint64(splits[split]))
            scale = multiply(share, f)
            away = choose(live, multiply(scale, to_left), share)
            store(ways, way, away)
            gain = choose(live, multiply(multiply(product, f), multiply(scale, weights)), splat(0.0))
            store(ways, way + _LANES, gain)
            part = multiply(product, away)
            rest = subtract(product, part)
            store(nodes, child, choose(right, part, rest))
            store(nodes, child + _NODE, choose(right, rest, part))
            split, number, way, child = split + _SPLIT_WORDS, number + _SPLIT_NUMBERS, way + _NODE, child + _2 * _NODE
        for _ in range(count):
            split, way, child = split - _SPLIT_WORDS, way - _NODE, child - _2 * _NODE
            right = load_flags(passed, child + _NODE)
            left_sum, right_sum = load(nodes, child + _LANES), load(nodes, child + _NODE + _LANES)
            hot = choose(right, right_sum, left_sum)
            difference = subtract(hot, choose(right, left_sum, right_sum))
            place, total = np.uint64(splits[split]), np.uint64(splits[split + _4])
            below = subtract(hot, multiply(load(ways, way), difference))
            store(nodes, place + _LANES, below)
            store(totals, total, add(load(totals, total), multiply(load(ways, way + _LANES), difference)))


@compiled(f"void(int64[::1], {_TABLES}, float64[:, ::1], float64[:, ::1])")
def contributions_matrix(  # type: ignore[no-untyped-def]
    forest, passes, splits, leaves, numbers, values, points, factors, matrix, out
):
    """Contributions to the raw score, per row and feature. The bias, the last column, is left alone.

    A row's are the same whichever others it stands with.
    """
    features, width, n = forest[FEATURE_COUNT], forest[SLOT_COUNT], len(matrix)
    own, slots, totals = np.empty(width), new_lanes(width), new_lanes(features)
    for start in range(0, n, ROWS):
        for row in range(ROWS):
            fill_slots(forest, matrix[min(start + row, n - 1)], own)  # the last stands in for one that is not there
            for s in range(width):
                lane = s * LANES + row * POINTS
                slots[lane : lane + POINTS] = own[s]
        totals[:] = 0.0
        _explain(passes, splits, leaves, numbers, values, points, factors, slots, totals)
        for row in range(min(ROWS, n - start)):
            for f in range(features):
                lane = f * LANES + row * POINTS
                out[start + row, f] = totals[lane] + totals[lane + 1] + totals[lane + 2] + totals[lane + 3]

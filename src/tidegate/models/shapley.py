"""Exact path-dependent Shapley values of a forest: LightGBM's `predict(pred_contrib=True)`, some twenty times as fast.

TreeSHAP (Lundberg, Erion and Lee 2018, Algorithm 2) sums over the subsets of a path's features. Here the sum is an
integral: the Shapley value is the integral from 0 to 1 of the gradient of the game's multilinear extension along the
diagonal (Owen 1972). For a leaf of value v, with features j on its path of which a share z_j of the training rows passes
and which the row itself passes (o_j = 1) or not (o_j = 0), that is::

    phi_i = v * integral over t of  (o_i - z_i) * product over j != i of (z_j + t (o_j - z_j))

The integrand is a polynomial of degree d - 1 in t for d distinct features, so Gauss-Legendre points, exact to degree
2 n - 1, give the integral itself and no approximation of it. Products are carried from the root down and sums over leaves
from the leaves up, as in Linear TreeSHAP (Yu, Bifet, Read, Xu 2022), at a few multiplications per edge and point. What a
feature on a path again adds is a correction to its factor and to its share, so nothing is ever unwound.

All that depends on the tree alone is tabulated, eight numbers for each edge and each of its three states.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.kernels import fill_slots, read_cells
from tidegate.models.layout import FEATURE_COUNT, NODES, SLOT_COUNT, level_order
from tidegate.models.lightgbm import Forest, Tree

__all__ = ["Shares", "contributions_cells", "contributions_matrix", "tabulate"]

POINTS = 4  # handled together: one AVX2 register
STATES = 3  # of an edge: 0 the feature had failed above; 1 it fails here; 2 the row passes all its splits so far
TREE_WORDS = 4  # first node, nodes, blocks of points, first entry of its table
EDGE = STATES * 2 * POINTS  # numbers per edge and block


@dataclass(frozen=True, slots=True)
class Shares:
    """What the kernel needs beside the forest's layout; `bias` is the expected raw score over the training rows.

    `trees` holds TREE_WORDS per tree. `nodes` holds two words per node: the feature (-1 for a leaf), and the place in the
    tree of the last edge above that is about the same feature as the edge to this node (0 if none).
    """

    trees: NDArray[np.int64]
    nodes: NDArray[np.int64]
    table: NDArray[np.float64]
    bias: float


def tabulate(forest: Forest) -> Shares:
    """The tables of a forest. Raises ModelError if the file does not say how many rows reached each leaf."""
    trees, nodes, tables = list[int](), list[int](), list[NDArray[np.float64]]()
    first, entry, bias = 0, 0, 0.0
    for k, tree in enumerate(forest.trees):
        if len(tree.leaf_count) != len(tree.leaf_value):
            raise ModelError(
                "The model cannot be explained: it does not say how many training rows reached each leaf.",
                seen=f"no leaf_count and internal_count in tree {k}", do="Save the model with Booster.save_model.",
            )  # fmt: skip
        words, table, blocks = _tabulate_tree(tree)
        trees += [first, len(words) // 2, blocks, entry]
        nodes += words
        tables.append(table)
        first, entry = first + len(words) // 2, entry + len(table)
        bias += float(tree.leaf_count @ tree.leaf_value) / float(tree.leaf_count.sum())
    return Shares(np.array(trees, np.int64), np.array(nodes, np.int64), np.concatenate(tables), bias)


def _tabulate_tree(tree: Tree) -> tuple[list[int], NDArray[np.float64], int]:
    order = level_order(tree)
    rows = [float(tree.split_count[node]) if node >= 0 else float(tree.leaf_count[~node]) for node in order]
    words = [-1, 0]
    above: list[dict[int, int]] = [{}]  # per node: the last edge on its path for each feature, named by its lower node
    share, old = [1.0], [1.0]  # of an edge's feature, from the root to it, and to its last edge above
    for parent, node in enumerate(order):
        if node < 0:
            continue
        feature = int(tree.feature[node])
        words[2 * parent] = feature
        for _ in range(2):
            child = len(above)
            last = above[parent].get(feature, 0)
            words += [-1, last]
            old.append(share[last] if last else 1.0)
            share.append(old[-1] * (rows[child] / rows[parent] if rows[parent] > 0.0 else 0.0))
            above.append({**above[parent], feature: child})
    blocks = -(-max(len(path) for path in above) // (2 * POINTS)) or 1
    z, y = np.array(share)[:, None], np.array(old)[:, None]
    points, weights = np.polynomial.legendre.leggauss(blocks * POINTS)
    t, w = (points + 1.0) / 2.0, weights / 2.0
    passed, passed_above = z + t * (1.0 - z), y + t * (1.0 - y)
    cold, hot, hot_above = -w / (1.0 - t), w * (1.0 - z) / passed, w * (1.0 - y) / passed_above
    table = np.zeros((blocks, len(order), STATES, 2, POINTS))
    for b in range(blocks):
        at = slice(b * POINTS, (b + 1) * POINTS)
        table[b, :, 0, 0] = np.divide(z, y, out=np.zeros_like(z), where=y > 0.0)
        table[b, :, 1, 0] = (z * (1.0 - t) / passed_above)[:, at]
        table[b, :, 1, 1] = (cold - hot_above)[:, at]
        table[b, :, 2, 0] = (passed / passed_above)[:, at]
        table[b, :, 2, 1] = (hot - hot_above)[:, at]
    return words, table.ravel(), blocks


_ROW = "int64[::1], int64[::1], int64[::1], float64[::1], float64[::1], float64[::1]"


@njit(f"void({_ROW})", cache=True, nogil=True)
def _explain(forest, trees, nodes, table, slots, out):  # type: ignore[no-untyped-def]
    """Add every tree's contributions to `out`, one per feature."""
    laid = forest[forest[NODES] :].view(np.uint64)
    numbers = laid.view(np.float64)
    names = nodes.view(np.uint64)
    largest = 1
    for k in range(0, len(trees), TREE_WORDS):
        largest = max(largest, trees[k + 1])
    passes = np.empty(largest, np.uint64)
    product = np.empty(largest * POINTS)
    below = np.empty(largest * POINTS)
    totals = np.zeros(len(out) * POINTS)
    one, two, eight = np.uint64(1), np.uint64(2), np.uint64(2 * POINTS)
    p1, p2, p3 = np.uint64(1), np.uint64(2), np.uint64(3)
    for k in range(0, len(trees), TREE_WORDS):
        first, count = np.uint64(trees[k]), trees[k + 1]
        if count == 1:
            continue
        for block in range(trees[k + 2]):
            base = np.uint64(trees[k + 3] + block * count * EDGE)
            passes[0] = 1
            product[0:POINTS] = 1.0
            child = np.uint64(0)
            for n in range(count):
                node = np.uint64(n)
                at = two * (first + node)
                here = node << two
                if nodes[at] < 0:
                    value = numbers[at]
                    below[here] = value * product[here]
                    below[here + p1] = value * product[here + p1]
                    below[here + p2] = value * product[here + p2]
                    below[here + p3] = value * product[here + p3]
                    continue
                above = np.uint64(slots[laid[at + one] >> np.uint64(32)] > numbers[at])
                for side in range(2):
                    child += one
                    taken = above if side == 1 else one - above
                    before = passes[names[two * (first + child) + one]] & one
                    state = before + (before & taken)
                    edge = base + (child * np.uint64(STATES) + state) * eight
                    passes[child] = (before & taken) | (edge << one)
                    there = child << two
                    product[there] = product[here] * table[edge]
                    product[there + p1] = product[here + p1] * table[edge + p1]
                    product[there + p2] = product[here + p2] * table[edge + p2]
                    product[there + p3] = product[here + p3] * table[edge + p3]
            for n in range(count - 1, -1, -1):
                node = np.uint64(n)
                feature = nodes[two * (first + node)]
                if feature < 0:
                    continue
                here, total = node << two, np.uint64(feature) << two
                right, left = child << two, (child - one) << two
                r, l = (passes[child] >> one) + np.uint64(POINTS), (passes[child - one] >> one) + np.uint64(POINTS)
                child -= two
                for q in range(POINTS):
                    p = np.uint64(q)
                    a, b = below[left + p], below[right + p]
                    below[here + p] = a + b
                    totals[total + p] += table[l + p] * a + table[r + p] * b
    for f in range(len(out)):
        out[f] += totals[4 * f] + totals[4 * f + 1] + totals[4 * f + 2] + totals[4 * f + 3]


@njit("void(int64[::1], int64[::1], int64[::1], float64[::1], float64[:, ::1], float64[:, ::1])", cache=True, nogil=True)
def contributions_matrix(forest, trees, nodes, table, matrix, out):  # type: ignore[no-untyped-def]
    """Contributions to the raw score, per row and feature. The bias, the last column, is left alone."""
    slots = np.empty(forest[SLOT_COUNT])
    features = forest[FEATURE_COUNT]
    for i in range(len(matrix)):
        fill_slots(forest, matrix[i], slots)
        out[i, :features] = 0.0
        _explain(forest, trees, nodes, table, slots, out[i, :features])


@njit(
    "void(int64[::1], int64[::1], int64[::1], float64[::1], int64[::1], int64[:, ::1], int64, float64[::1])",
    cache=True, nogil=True,
)  # fmt: skip
def contributions_cells(forest, trees, nodes, table, inputs, cells, row, out):  # type: ignore[no-untyped-def]
    """The same for one row of a batch's cells."""
    features = forest[FEATURE_COUNT]
    values, slots = np.empty(features), np.empty(forest[SLOT_COUNT])
    read_cells(inputs, cells, row, values)
    fill_slots(forest, values, slots)
    out[:features] = 0.0
    _explain(forest, trees, nodes, table, slots, out[:features])

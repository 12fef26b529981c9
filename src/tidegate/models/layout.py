"""A forest laid out as one flat array of 8-byte words, the data that the fixed kernels walk.

A row is first turned into *slots*, one per way in which its features are looked at; all that a split then does is
compare one slot, so a step of the walk has no branch that a processor could guess wrong:

- a numeric slot has missing values already resolved: NaN stands for "follow the default", and nothing else does;
- a category slot is a word with one bit set (category modulo 64) if the category lies in that word, else zero;
- a set slot is 1 if the category is in a set that needs several words, else 0.

Words of the array::

    header   HEADER words, see the constants below
    slots    4 words each: kind, feature, first (word or offset), length
    roots    8 words per group of 8 trees: the first nodes; then one word: the steps to the deepest leaf
    nodes    2 words each: value (threshold, mask or leaf value), and a packed word, see NODE below
    sets     bitsets, 64 categories a word

NODE: bits 0-31 the left child (the right child is the next node), 32-55 the slot, 60 set if NaN goes right, 61 set if it
is a split, 62 set if categorical. A leaf is its own left child, so shallow trees may be walked as far as deep ones.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tidegate.models.lightgbm import Forest, Tree

__all__ = ["GROUP", "layout"]

GROUP = 8  # trees walked side by side, so that the wait for one node's memory is spent on the others

SLOT_COUNT, FEATURE_COUNT, GROUP_COUNT, SLOTS, ROOTS, NODES, SETS, LINK, SIGMOID, DIVISOR = range(10)
HEADER = 16

NUMERIC_NONE, NUMERIC_ZERO, NUMERIC_NAN, CATEGORY_WORD, CATEGORY_SET = range(5)
LINKS = {"identity": 0, "logistic": 1, "exponential": 2, "signed_square": 3}

NAN_RIGHT, SPLIT, CATEGORICAL = 60, 61, 62


class _Slots:
    """The slots used so far, and where each lies; equal looks at a feature share a slot."""

    def __init__(self) -> None:
        self.found: dict[tuple[object, ...], int] = {}
        self.rows: list[tuple[int, int, int, int]] = []
        self.sets: list[int] = []

    def _slot(self, key: tuple[object, ...], row: Callable[[], tuple[int, int, int, int]]) -> int:
        if key not in self.found:
            self.found[key] = len(self.rows)
            self.rows.append(row())
        return self.found[key]

    def numeric(self, feature: int, missing: int) -> int:
        return self._slot((missing, feature), lambda: (missing, feature, 0, 0))

    def category(self, feature: int, words: tuple[int, ...]) -> tuple[int, int]:
        """The slot, and the mask whose bits it is held against."""
        used = [k for k, word in enumerate(words) if word]
        if len(used) <= 1:
            k = used[0] if used else 0
            mask = words[k] if words else 0
            return self._slot((CATEGORY_WORD, feature, k), lambda: (CATEGORY_WORD, feature, k, 1)), mask

        def add() -> tuple[int, int, int, int]:
            self.sets += words
            return CATEGORY_SET, feature, len(self.sets) - len(words), len(words)

        return self._slot((CATEGORY_SET, feature, words), add), 1


def _words(bitset: NDArray[np.int64]) -> tuple[int, ...]:
    """32-bit words to 64-bit ones."""
    halves = [int(word) for word in bitset] + [0] * (len(bitset) % 2)
    return tuple(low | high << 32 for low, high in zip(halves[::2], halves[1::2], strict=True))


def _signed(word: int) -> int:
    return word - (1 << 64) if word >= 1 << 63 else word


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def _lay_tree(tree: Tree, nodes: list[tuple[int, int]], slots: _Slots) -> tuple[int, int]:
    """Append the tree's nodes, siblings next to each other; its first node and its depth in steps."""
    root = len(nodes)
    nodes.append((0, 0))
    todo = [(root, 0 if len(tree.feature) else -1, 0)]
    deepest = 0
    for place, node, depth in todo:  # grows as it is read: level by level
        if node < 0:
            nodes[place] = (_bits(float(tree.leaf_value[~node])), place)
            deepest = max(deepest, depth)
            continue
        feature, left = int(tree.feature[node]), len(nodes)
        packed = left | 1 << SPLIT
        if (which := int(tree.set_of[node])) >= 0:
            slot, mask = slots.category(feature, _words(tree.categories[which]))
            value = _signed(mask)
            packed |= 1 << CATEGORICAL
        else:
            slot = slots.numeric(feature, int(tree.missing[node]))
            value = _bits(float(tree.threshold[node]))
            packed |= 0 if tree.default_left[node] else 1 << NAN_RIGHT
        nodes[place] = (value, packed | slot << 32)
        nodes += [(0, 0), (0, 0)]
        todo += [(left, int(tree.left[node]), depth + 1), (left + 1, int(tree.right[node]), depth + 1)]
    return root, deepest


def layout(forest: Forest) -> NDArray[np.int64]:
    """The forest as one array of words. Trees keep their order, because the order of a float sum is part of its value."""
    slots, nodes, roots = _Slots(), list[tuple[int, int]](), list[int]()
    trees = [_lay_tree(tree, nodes, slots) for tree in forest.trees]
    zero = len(nodes)
    nodes.append((_bits(0.0), zero))  # fills the last group: adding it changes no sum
    trees += [(zero, 0)] * (-len(trees) % GROUP)
    for first in range(0, len(trees), GROUP):
        group = trees[first : first + GROUP]
        roots += [root for root, _ in group] + [max(depth for _, depth in group)]
    header = [0] * HEADER
    header[SLOT_COUNT], header[FEATURE_COUNT] = len(slots.rows), len(forest.features)
    header[GROUP_COUNT] = len(trees) // GROUP
    header[SLOTS] = HEADER
    header[ROOTS] = HEADER + 4 * len(slots.rows)
    header[NODES] = header[ROOTS] + len(roots)
    header[NODES] += header[NODES] % 2  # a node does not straddle two lines of the cache
    header[SETS] = header[NODES] + 2 * len(nodes)
    header[LINK] = LINKS[forest.link]
    header[SIGMOID] = _bits(forest.sigmoid)
    header[DIVISOR] = _bits(float(len(forest.trees)) if forest.average else 1.0)
    flat = header + [word for row in slots.rows for word in row] + roots
    flat += [0] * (header[NODES] - len(flat)) + [word for node in nodes for word in node]
    flat += [_signed(word) for word in slots.sets]
    return _aligned(np.array(flat, dtype=np.int64))


def _aligned(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """A copy that starts on a line of the cache (64 bytes)."""
    space = np.empty(len(words) + 8, np.int64)
    start = (-space.ctypes.data // 8) % 8
    space[start : start + len(words)] = words
    return space[start : start + len(words)]

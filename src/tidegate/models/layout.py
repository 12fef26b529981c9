"""A forest laid out as one flat array of 8-byte words, the data that the fixed kernels walk.

A row is first turned into *slots*, one per way in which its features are looked at. All that a split then does is
compare one slot with one number, right if above, so a step of the walk has no branch for a processor to guess wrong:

- a numeric slot has missing values resolved: what goes the default way is minus infinity (left) or infinity (right);
- a set slot is 0 if the row's category is in the split's set (left) and 1 if it is not, and the split's number is 1/2;
- the first slot is NaN. A leaf looks at it, is not below it, and so stays where it is: shallow trees may be walked as
  long as deep ones.

Words of the array::

    header   HEADER words, see the constants below
    looks    per numeric slot, ordered by kind: its feature
    blocks   BLOCK_WORDS per categorical feature: feature, first slot, slots, first row, categories, words of a row
    roots    8 words per group of 8 trees: their first nodes; then one word: the steps to the deepest leaf
    nodes    2 words each: the number (threshold, or a leaf's value), and slot << 32 | left child
    rows     per categorical feature and category: a bit per slot, set if the category is outside; then one row
             for all others, and one for a missing value

Nodes are named by their offset in words from the first; the right child lies behind the left one.
"""

import numpy as np
from numpy.typing import NDArray

from tidegate.models.lightgbm import Forest, Tree

__all__ = ["GROUP", "Look", "layout", "level_order", "look_of", "slots_of"]

GROUP = 8  # trees walked side by side, so that the wait for one node's memory is spent on the others

FEATURE_COUNT, SLOT_COUNT, BLOCK_COUNT, GROUP_COUNT, LOOKS, BLOCKS, ROOTS, NODES, LINK, SIGMOID, DIVISOR = range(11)
KINDS = 11  # header[KINDS + k] is the first slot of kind k
SINGLE, START = 18, 19  # floats of 32 bits; what sums begin with
HEADER = 24
BLOCK_WORDS = 6
LARGEST = float(np.finfo(np.float64).max)  # stands for infinity, so that a missing value lies above even that

# What LightGBM calls missing type: none (NaN is zero), zero (zero and NaN are missing), NaN (NaN is missing).
# The last two come in two kinds, by the way that a missing value goes.
NONE, ZERO_LEFT, ZERO_RIGHT, NAN_LEFT, NAN_RIGHT, SET = range(6)
LINKS = {"identity": 0, "logistic": 1, "exponential": 2, "signed_square": 3, "step": 4}

Look = tuple[int, int, tuple[int, ...], bool]  # kind, feature, words of the set, whether a missing value is in it


def look_of(tree: Tree, node: int, *, single: bool) -> Look:
    """How a split looks at its feature."""
    feature, which = int(tree.feature[node]), int(tree.set_of[node])
    if which >= 0:
        return SET, feature, tuple(tree.categories[which].tolist()), single and bool(tree.default_left[node])
    missing = int(tree.missing[node])
    return (0 if missing == 0 else 2 * missing - int(tree.default_left[node])), feature, (), False


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def level_order(tree: Tree) -> list[int]:
    """The tree's nodes level by level, splits >= 0 and leaves < 0: the children of the j-th split listed (from 0) are
    the entries 1 + 2 j and 2 + 2 j."""
    order = [0 if len(tree.feature) else -1]
    for node in order:  # grows as it is read
        if node >= 0:
            order += [int(tree.left[node]), int(tree.right[node])]
    return order


def _lay_tree(tree: Tree, nodes: list[int], slot_of: dict[Look, int], single: bool) -> tuple[int, int]:
    """Append the tree's nodes in level order; the place of its first node and its depth in steps."""
    root, order = len(nodes), level_order(tree)
    depth, splits = [0] * len(order), 0
    for k, node in enumerate(order):
        if node < 0:
            nodes += [_bits(float(tree.leaf_value[~node])), len(nodes)]
            continue
        look, child = look_of(tree, node, single=single), 1 + 2 * splits
        number = 0.5 if look[0] == SET else min(float(tree.threshold[node]), LARGEST)
        nodes += [_bits(number), slot_of[look] << 32 | root + 2 * child]
        depth[child] = depth[child + 1] = depth[k] + 1
        splits += 1
    return root, depth[-1]


def _lay_categories(looks: list[Look]) -> tuple[list[int], list[NDArray[np.int64]]]:
    """Blocks, with rows counted from the first row, and the rows; `looks` starts with the NaN slot's place."""
    blocks, rows, end = list[int](), list[NDArray[np.int64]](), 0
    for feature in sorted({look[1] for look in looks if look[0] == SET}):
        mine = [slot for slot, look in enumerate(looks, start=1) if look[:2] == (SET, feature)]
        codes = max(32 * len(looks[slot - 1][2]) for slot in mine)
        outside = np.ones((codes + 2, -(-len(mine) // 64) * 64), np.uint8)
        for k, slot in enumerate(mine):
            words = np.array(looks[slot - 1][2], dtype="<u4")
            outside[: 32 * len(words), k] = 1 - np.unpackbits(words.view(np.uint8), bitorder="little")
            outside[-1, k] = not looks[slot - 1][3]
        packed = np.packbits(outside, axis=1, bitorder="little").view(np.int64)
        blocks += [feature, mine[0], len(mine), end, codes, packed.shape[1]]
        rows.append(packed.ravel())
        end += packed.size
    return blocks, rows


def slots_of(forest: Forest) -> dict[Look, int]:
    """The slot of each way in which a split looks at its feature, in their order."""
    single = forest.single
    looks = {look_of(tree, node, single=single) for tree in forest.trees for node in range(len(tree.feature))}
    return {look: slot for slot, look in enumerate(sorted(looks), start=1)}


def layout(forest: Forest) -> NDArray[np.int64]:
    """The forest as one array of words. Trees keep their order: the order of a float sum is part of its value."""
    slot_of = slots_of(forest)
    looks = list(slot_of)
    nodes, roots = list[int](), list[int]()
    trees = [_lay_tree(tree, nodes, slot_of, forest.single) for tree in forest.trees]
    zero = len(nodes)
    nodes += [_bits(0.0), zero]  # fills the last group: adding it changes no sum
    trees += [(zero, 0)] * (-len(trees) % GROUP)
    for first in range(0, len(trees), GROUP):
        group = trees[first : first + GROUP]
        roots += [root for root, _ in group] + [max(depth for _, depth in group)]
    blocks, rows = _lay_categories(looks)
    features = [0] + [look[1] for look in looks if look[0] != SET]

    header = [0] * HEADER
    header[FEATURE_COUNT], header[SLOT_COUNT] = len(forest.features), len(looks) + 1
    header[BLOCK_COUNT], header[GROUP_COUNT] = len(blocks) // BLOCK_WORDS, len(trees) // GROUP
    header[LOOKS] = HEADER
    header[BLOCKS] = header[LOOKS] + len(features)
    header[ROOTS] = header[BLOCKS] + len(blocks)
    header[NODES] = header[ROOTS] + len(roots)
    header[NODES] += header[NODES] % 2  # a node does not straddle two lines of the cache
    header[LINK], header[SIGMOID] = LINKS[forest.link], _bits(forest.sigmoid)
    header[DIVISOR] = _bits(float(len(forest.trees)) if forest.average else 1.0)
    header[SINGLE], header[START] = int(forest.single), _bits(forest.start)
    for kind in range(SET + 1):
        header[KINDS + kind] = 1 + sum(look[0] < kind for look in looks)
    for block in range(0, len(blocks), BLOCK_WORDS):
        blocks[block + 3] += header[NODES] + len(nodes)
    front = header + features + blocks + roots
    front += [0] * (header[NODES] - len(front))
    return _aligned(np.concatenate([np.array(front + nodes, dtype=np.int64), *rows]))


def _aligned(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """A copy that starts on a line of the cache (64 bytes)."""
    space = np.empty(len(words) + 8, np.int64)
    start = (-space.ctypes.data // 8) % 8
    space[start : start + len(words)] = words
    return space[start : start + len(words)]

"""A forest by the ranks of its thresholds, and the fixed kernel that finds leaves without a walk down the trees.

A tree's leaves are numbered from left to right. Where a row goes right at a split, the leaves to the split's left are
out of reach; the leaf that the row comes to is the first that no split rules out, whether its way leads by those splits
or not (QuickScorer: Lucchese et al., SIGIR 2015). So the order in which splits are looked at is free: here all that
look at one slot (see `layout`) stand in the order of their thresholds, and a row goes right at just the first so many,
its *rank*. What they rule out in all trees together is written down for every 16th rank, so at most 15 splits are left
to be looked at one by one. Where splits send a missing value different ways, what it rules out is written down too, so
that a feature is still looked at once. A walk down the trees takes a step for each level of the deepest of eight.

The leaves are the same and are added in the same order, so the sum is the same to the bit. Words of the array::

    blocks    their count, then where each begins
    block     TREES trees at most, so that what a row reads of it stays near: trees, looks, first leaf, leaves apart;
              then LOOK_WORDS per look: slot, chunks, first threshold, first split, first sum (in half words), the slot
              that is infinity if the value is missing (or the one that is NaN), which sum is of a missing value
    numbers   per look: every 16th threshold in chunks of 16, then all of them, rising, with infinity to the end
    splits    per look and threshold: tree << 32 | the leaves that are left if the row goes right
    sums      per look and every 16th rank, and a missing value: half a word per tree, what is left of its leaves
    leaves    of each tree, as many apart as the largest tree of the block has
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

from tidegate.kernels.compiled import compiled, intrinsic
from tidegate.models.layout import LARGEST, NAN_LEFT, NAN_RIGHT, SET, Look, look_of, slots_of
from tidegate.models.lightgbm import Forest, Tree

__all__ = ["MOST_LEAVES", "add_leaves", "ranked"]

MOST_LEAVES = 32
TREES = 128
STRIDE_BITS = 4
STRIDE = 1 << STRIDE_BITS
BLOCK_WORDS, LOOK_WORDS = 4, 7
_FEWEST_SPLITS = 8
_ALL = (1 << 32) - 1

_Split = tuple[float, int, int, bool]  # threshold, the leaves that are left right of it, tree, if missing goes right
_Slots = tuple[int, int]  # what a look reads: the value, and the slot that tells whether it is missing, or 0


def ranked(forest: Forest) -> NDArray[np.int64] | None:
    """The forest by ranks; None if a tree has too many leaves or the splits are too few for it to be worth it."""
    slots_by = _slots_by(slots_of(forest))
    splits = sum(len(tree.feature) for tree in forest.trees)
    if forest.single or splits < _FEWEST_SPLITS * len(set(slots_by.values())):
        return None
    if any(len(tree.leaf_value) > MOST_LEAVES or np.isnan(tree.threshold).any() for tree in forest.trees):
        return None
    firsts = range(0, len(forest.trees), TREES)
    words = [len(firsts), *[0] * len(firsts)]
    for block, first in enumerate(firsts):
        words[1 + block] = len(words)
        _lay_block(forest.trees[first : first + TREES], slots_by, words)
    return np.array(words, np.uint64).view(np.int64)


def _slots_by(slot_of: dict[Look, int]) -> dict[Look, _Slots]:
    """What is read for each way to look at a feature: two that differ in the way of a missing value are one."""
    found = {look: (slot, 0) for look, slot in slot_of.items()}
    for look in slot_of:
        other: Look = (NAN_RIGHT, *look[1:])
        if look[0] == NAN_LEFT and other in slot_of:
            found[look] = found[other] = (slot_of[look], slot_of[other])
    return found


def _paired(halves: list[int]) -> list[int]:
    """Halves of words as words, the low half first."""
    return [low | high << 32 for low, high in zip(halves[::2], halves[1::2], strict=True)]


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.uint64))


def _lay_block(trees: tuple[Tree, ...], slots_by: dict[Look, _Slots], words: list[int]) -> None:
    """Append a block."""
    by_slots, leaves = dict[_Slots, list[_Split]](), list[list[float]]()
    for place, tree in enumerate(trees):
        leaves.append(_in_order(tree, place, slots_by, by_slots))
    apart, start = max(map(len, leaves)), len(words)
    words += [len(trees), len(by_slots), 0, apart, *[0] * (LOOK_WORDS * len(by_slots))]
    for k, ((slot, told), splits) in enumerate(sorted(by_slots.items())):
        splits.sort()
        at = start + BLOCK_WORDS + LOOK_WORDS * k
        numbers = [_bits(split[0]) for split in splits]
        coarse = numbers[STRIDE - 1 :: STRIDE]
        words[at : at + 3] = slot, -(-len(coarse) // STRIDE), len(words)
        words += coarse + [_bits(math.inf)] * (-len(coarse) % STRIDE)
        words += numbers + [_bits(math.inf)] * (STRIDE - len(numbers) % STRIDE)
        words[at + 3] = len(words)
        words += [tree_place << 32 | left for _, left, tree_place, _ in splits]
        words[at + 4] = 2 * len(words)
        absent, reached = ([_ALL] * (len(trees) + len(trees) % 2) for _ in range(2))
        for rank, (_, left, tree_place, goes_right) in enumerate(splits):
            if rank % STRIDE == 0:
                words += _paired(reached)
            reached[tree_place] &= left
            absent[tree_place] &= left if goes_right else _ALL
        words += _paired(reached) + _paired(absent)
        words[at + 5 : at + 7] = told, -(-len(splits) // STRIDE) + 1
    words[start + 2] = len(words)
    for values in leaves:
        words += [_bits(value) for value in values + [0.0] * (apart - len(values))]


def _in_order(
    tree: Tree, place: int, slots_by: dict[Look, _Slots], by_slots: dict[_Slots, list[_Split]]
) -> list[float]:
    """The tree's leaves from left to right; its splits are put to those of their slots."""
    leaves, todo = list[float](), [(0 if len(tree.feature) else -1, -1)]
    while todo:  # a node, and where its left leaves begin once these are all told
        node, begun = todo.pop()
        if node < 0:
            leaves.append(float(tree.leaf_value[~node]))
        elif begun < 0:
            todo += [(int(tree.right[node]), -1), (node, len(leaves)), (int(tree.left[node]), -1)]
        else:
            look = look_of(tree, node, single=False)
            number = 0.5 if look[0] == SET else min(float(tree.threshold[node]), LARGEST)
            left = ((1 << len(leaves)) - 1) ^ ((1 << begun) - 1)
            by_slots.setdefault(slots_by[look], []).append((number, _ALL ^ left, place, look[0] == NAN_RIGHT))
    return leaves


@intrinsic
def _first_bit(typing: Any, word: Any) -> Any:
    """The place of the lowest bit of a word that has one."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@intrinsic
def _below(typing: Any, floats: Any, place: Any, x: Any) -> Any:
    """How many of STRIDE numbers from a place on are below x, by one comparison of them all."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        several, whole = ir.VectorType(ir.DoubleType(), STRIDE), ir.IntType(STRIDE)
        start = builder.gep(context.make_array(signature.args[0])(context, builder, arguments[0]).data, [arguments[1]])
        numbers = builder.load(builder.bitcast(start, several.as_pointer()), align=8)
        first = builder.insert_element(ir.Constant(several, ir.Undefined), arguments[2], ir.Constant(ir.IntType(32), 0))
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), STRIDE), [0] * STRIDE)
        same = builder.shuffle_vector(first, ir.Constant(several, ir.Undefined), lanes)
        held = builder.bitcast(builder.fcmp_ordered("<", numbers, same), whole)
        return builder.zext(builder.ctpop(held), ir.IntType(64))

    return types.uint64(floats, types.uint64, types.float64), generate


@compiled("void(int64[::1], int64, float64[::1], float64[::1], int64)")
def add_leaves(words: Any, width: int, slots: Any, sums: Any, n: int) -> None:
    """Add every tree's leaf to each of n rows whose slots, `width` a row, lie one after another; each sum is in the
    trees' order. Unsigned, because Numba spends time on negative indices."""
    one, two, stride = np.uint64(1), np.uint64(2), np.uint64(STRIDE_BITS)
    ints, floats, halves = words.view(np.uint64), words.view(np.float64), words.view(np.uint32)
    left, ranks = np.empty(TREES, np.uint32), np.empty(width, np.uint64)
    for block in range(words[0]):
        at = ints[np.uint64(1 + block)]
        trees, looks, leaves, apart = ints[at], ints[at + one], ints[at + two], ints[at + np.uint64(3)]
        even = trees + (trees & one)
        for row in range(n):
            first, look = np.uint64(row) * np.uint64(width), at + np.uint64(BLOCK_WORDS)
            for t in range(even):
                left[t] = np.uint32(_ALL)
            for k in range(looks):
                x, chunks, numbers, whole = slots[first + ints[look]], ints[look + one], ints[look + two], np.uint64(0)
                for _ in range(chunks):
                    whole += _below(floats, numbers, x)
                    numbers += np.uint64(STRIDE)
                ranks[k] = (whole << stride) + _below(floats, numbers + (whole << stride), x)
                gone = slots[first + ints[look + np.uint64(5)]] == math.inf
                if gone:
                    whole, ranks[k] = ints[look + np.uint64(6)], np.uint64(0)
                if chunks or gone:
                    reached = ints[look + np.uint64(4)] + whole * even
                    for t in range(even):
                        left[t] &= halves[reached + t]
                look += np.uint64(LOOK_WORDS)
            # Apart, since a processor waits where it reads at once what was just written in pieces.
            look = at + np.uint64(BLOCK_WORDS)
            for k in range(looks):
                split, low = ints[look + np.uint64(3)], ranks[k]
                for done in range(low & ~np.uint64(STRIDE - 1), low):
                    one_split = ints[split + done]
                    left[one_split >> np.uint64(32)] &= np.uint32(one_split)
                look += np.uint64(LOOK_WORDS)
            total, leaf = sums[row], leaves
            for t in range(trees):
                total += floats[leaf + _first_bit(np.uint64(left[t]))]
                leaf += apart
            sums[row] = total

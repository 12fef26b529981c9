"""An append-only Merkle log by RFC 9162, section 2.1 (SHA-256).

Nothing here reads or writes anything: a `Range` is the little that must be kept to go on growing a tree, the
functions build roots and proofs from leaf hashes, and the `verify_*` functions are what a third party needs to
check a proof without the store.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

LEAF = b"\x00"
NODE = b"\x01"
EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree `(level, index)`: the leaves from index * 2^level on, 2^level of them."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 || data), RFC 9162 section 2.1.1."""
    return sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right), RFC 9162 section 2.1.1."""
    return sha256(NODE + left + right).digest()


def peaks(size: int) -> list[tuple[int, int]]:
    """The complete subtrees `(level, index)` that a tree of `size` leaves is made of, left to right."""
    found, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            found.append((level, start >> level))
            start += 1 << level
    return found


class Range:
    """The right edge of a growing tree: one hash per complete subtree, so that an append costs O(log n) at worst
    and one inner hash on average.

    Args:
        size: leaves so far.
        hashes: the hashes of `peaks(size)`, left to right.

    Raises:
        ValueError: the number of hashes does not fit the size.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(hashes)}")
        self.size = size
        self.hashes = list(hashes)

    def copy(self) -> "Range":
        """A second range with the same leaves, to grow on its own."""
        return Range(self.size, self.hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf, given its hash."""
        hashes, size = self.hashes, self.size
        while size & 1:
            leaf = sha256(NODE + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def extend(self, leaves: Sequence[bytes], keep_from: int = 64) -> list[tuple[int, int, bytes]]:
        """Add leaves, given their hashes.

        Args:
            leaves: leaf hashes in order.
            keep_from: the lowest level of the completed subtrees to return.

        Returns:
            `(level, index, hash)` of every subtree at `keep_from` or above that these leaves completed.
        """
        hashes, size, kept = self.hashes, self.size, []
        pop, push = hashes.pop, hashes.append
        for leaf in leaves:
            rest, level = size, 0
            size += 1
            while rest & 1:
                leaf = sha256(NODE + pop() + leaf).digest()
                rest >>= 1
                level += 1
                if level >= keep_from:
                    kept.append((level, (size >> level) - 1, leaf))
            push(leaf)
        self.size = size
        return kept

    def root(self) -> bytes:
        """The tree's root hash; SHA-256 of nothing when it has no leaves."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def _span(start: int, end: int, subtree: Subtree) -> bytes:
    """Root over the leaves `start..end-1`, where `start` is a multiple of a power of two no smaller than the span."""
    hashes = [subtree(level, (start >> level) + index) for level, index in peaks(end - start)]
    return Range(end - start, hashes).root()


def _split(size: int) -> int:
    """The largest power of two smaller than `size`, for sizes from 2 on."""
    return 1 << (size - 1).bit_length() - 1


def root_at(size: int, subtree: Subtree) -> bytes:
    """The root that the log had at `size` leaves."""
    return _span(0, size, subtree)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that lead from leaf `index` (from 0) to the root of a tree of `size` leaves (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_span(middle, end, subtree))
            end = middle
        else:
            path.append(_span(start, middle, subtree))
            start = middle
    path.reverse()
    return path


def consistency_proof(first: int, second: int, subtree: Subtree) -> list[bytes]:
    """The hashes that show that the tree of `second` leaves begins with the tree of `first` (RFC 9162 section 2.1.4.1).

    Raises:
        ValueError: not `0 <= first <= second`.
    """
    if not 0 <= first <= second:
        raise ValueError(f"no tree of {second} leaves begins with {first} leaves")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while 0 < first < end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_span(middle, end, subtree))
            end = middle
        else:
            path.append(_span(start, middle, subtree))
            start, whole = middle, False
    if not whole:
        path.append(_span(start, end, subtree))
    path.reverse()
    return path


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf with hash `leaf` is number `index` of the tree `(size, root)`.

    The algorithm of RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            found = node_hash(found, step)
        at >>= 1
        last >>= 1
    return last == 0 and found == root


def verify_consistency(first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree `(second, second_root)` begins with the tree `(first, first_root)`.

    The algorithm of RFC 9162 section 2.1.4.2; the empty tree begins every tree.
    """
    if not 0 <= first <= second:
        return False
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    if first == second:
        return not proof and first_root == second_root
    steps = list(proof)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at >>= 1
        last >>= 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        at >>= 1
        last >>= 1
    return last == 0 and old == first_root and new == second_root

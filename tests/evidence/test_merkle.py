"""The Merkle log against known answers, and against RFC 9162's own recursive definitions."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.evidence.merkle import (
    EMPTY_ROOT,
    Range,
    Subtree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    peaks,
    root_at,
    verify_consistency,
    verify_inclusion,
)


def subtree_of(leaves: Sequence[bytes]) -> Subtree:
    """A `Subtree` over leaf hashes held in memory."""

    def subtree(level: int, index: int) -> bytes:
        span = Range()
        span.extend(leaves[index << level : (index + 1) << level])
        return span.root()

    return subtree


# The leaves and answers that the Certificate Transparency implementations share.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 2): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
LEAVES = [leaf_hash(data) for data in INPUTS]


def tree(size: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(size)]


def plain_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + plain_root(leaves[:k]) + plain_root(leaves[k:])).digest()


def plain_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162 section 2.1.3.1, word for word."""
    if len(leaves) <= 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*plain_path(m, leaves[:k]), plain_root(leaves[k:])]
    return [*plain_path(m - k, leaves[k:]), plain_root(leaves[:k])]


def plain_subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162 section 2.1.4.1, word for word."""
    if m == len(leaves):
        return [] if whole else [plain_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*plain_subproof(m, leaves[:k], whole), plain_root(leaves[k:])]
    return [*plain_subproof(m - k, leaves[k:], False), plain_root(leaves[:k])]


def test_known_roots() -> None:
    grown = Range()
    assert grown.root() == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for size, root in enumerate(ROOTS, 1):
        grown.append(LEAVES[size - 1])
        assert grown.root().hex() == root
        assert root_at(size, subtree_of(LEAVES)).hex() == root


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_known_inclusion_proofs(index: int, size: int) -> None:
    proof = inclusion_proof(index, size, subtree_of(LEAVES))
    assert [step.hex() for step in proof] == INCLUSION[index, size]
    assert verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_known_consistency_proofs(first: int, second: int) -> None:
    proof = consistency_proof(first, second, subtree_of(LEAVES))
    assert [step.hex() for step in proof] == CONSISTENCY[first, second]
    roots = [bytes.fromhex(root) for root in ROOTS]
    assert verify_consistency(first, roots[first - 1], second, roots[second - 1], proof)


@given(st.integers(0, 200), st.data())
def test_a_tree_grown_in_any_pieces_has_the_defined_root(size: int, data: st.DataObject) -> None:
    leaves, grown = tree(size), Range()
    kept: list[tuple[int, int, bytes]] = []
    while grown.size < size:
        piece = data.draw(st.integers(1, size - grown.size))
        kept += grown.extend(leaves[grown.size : grown.size + piece], keep_from=2)
    assert grown.root() == plain_root(leaves)
    assert Range(size, [subtree_of(leaves)(*peak) for peak in peaks(size)]).root() == grown.root()
    assert {(level, index) for level, index, _ in kept} == {
        (level, index) for level in range(2, 9) for index in range(size >> level)
    }
    for level, index, found in kept:
        assert found == plain_root(leaves[index << level : (index + 1) << level])


@given(st.integers(1, 130), st.data())
def test_inclusion_proofs_are_the_defined_ones_and_hold_for_nothing_else(size: int, data: st.DataObject) -> None:
    leaves = tree(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index, size, subtree_of(leaves)), plain_root(leaves)
    assert proof == plain_path(index, leaves)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert verify_inclusion(leaves[index], other, size, proof, root) == (other == index)
    assert verify_inclusion(leaves[other], index, size, proof, root) == (other == index)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not verify_inclusion(leaves[index], size, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(b"another"))
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)


@given(st.integers(1, 130), st.data())
def test_consistency_proofs_are_the_defined_ones_and_hold_for_nothing_else(second: int, data: st.DataObject) -> None:
    leaves = tree(second)
    first = data.draw(st.integers(1, second))
    proof = consistency_proof(first, second, subtree_of(leaves))
    old, new = plain_root(leaves[:first]), plain_root(leaves)
    assert proof == plain_subproof(first, leaves, True)
    assert verify_consistency(first, old, second, new, proof)
    assert not verify_consistency(first, leaf_hash(b"another"), second, new, proof)
    assert not verify_consistency(first, old, second, leaf_hash(b"another"), proof)
    assert not verify_consistency(second + 1, old, second, new, proof)
    if first < second:
        assert not verify_consistency(first, old, second, new, [*proof, old])
        assert not verify_consistency(first, old, second, new, proof[:-1])


def test_the_empty_tree_begins_every_tree() -> None:
    assert consistency_proof(0, 8, subtree_of(LEAVES)) == []
    assert verify_consistency(0, EMPTY_ROOT, 8, bytes.fromhex(ROOTS[7]), [])
    assert not verify_consistency(0, LEAVES[0], 8, bytes.fromhex(ROOTS[7]), [])


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="has no leaf 8"):
        inclusion_proof(8, 8, subtree_of(LEAVES))
    with pytest.raises(ValueError, match="no tree of 3 leaves begins with 4"):
        consistency_proof(4, 3, subtree_of(LEAVES))
    with pytest.raises(ValueError, match="has 2 peaks"):
        Range(3, [EMPTY_ROOT])

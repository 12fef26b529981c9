"""Whoever touches a record is caught, and the first record touched is named."""

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import Fault, Verification, verify
from tidegate.evidence.merkle import Range, verify_consistency, verify_inclusion
from tidegate.evidence.proof import grown, prove, prove_growth, proven
from tidegate.evidence.record import TreeHead, leaf, seal

from ..connectors.entries import entries, entry

SIZE = 700
"""Enough for kept inner hashes and for a commit across a boundary of them."""


REST = "kind, at, flags, outcome, level, score, alarm, digest, flow, body, answer, record, elapsed"
COPY = f"INSERT INTO records SELECT {{}}, 'new', {REST} FROM records WHERE seq = 1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of 700 records: 20 commits of 5, then 6 of 100."""
    with Store.open(tmp_path / "s.db") as store:
        for first in range(1, 100, 5):
            store.append(entries(first, first + 4))
        for first in range(101, SIZE, 100):
            store.append(entries(first, first + 99))
    return tmp_path / "s.db"


def touch(path: Path, *statements: str) -> Verification:
    """What checking finds after someone ran these statements on the file."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("BEGIN", *statements, "COMMIT"):
        connection.execute(statement)
    connection.close()
    with Store.open(path, read_only=True) as store:
        return verify(store)


def fault(found: Verification) -> Fault:
    assert found.fault is not None
    return found.fault


def test_a_store_left_alone_is_whole(path: Path) -> None:
    told: list[tuple[int, int]] = []
    with Store.open(path) as store:
        found = verify(store, progress=lambda done, of: told.append((done, of)))
        assert (found.ok, found.records, found.commits, found.head) == (True, SIZE, 26, store.head())
    assert told[-1] == (SIZE, SIZE)


def test_an_empty_store_is_whole(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        assert verify(store).ok


@pytest.mark.parametrize("row", [1, 57, 256, 257, 700])
@pytest.mark.parametrize(
    "change",
    [
        "body = x'00'",
        "answer = NULL",
        "record = x''",
        "outcome = 'approved'",
        "level = NULL",
        "score = score + 1e-9",
        "alarm = 1 - alarm",
        "at = at + 1",
        "kind = 'payment'",
        "flow = x'00'",
        "digest = CAST(digest AS TEXT) || 'x'",
        "id = 'other' || seq",
        "flags = 0",
        "answer = CAST(answer AS TEXT)",
        "kind = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_changed_column_is_found(path: Path, row: int, change: str) -> None:
    found = touch(path, f"UPDATE records SET {change} WHERE seq >= {row} AND seq % 2 = {row % 2}")
    assert (fault(found).seq, fault(found).how, found.records) == (row, "changed", row - 1)
    assert f"Record {row} (" in fault(found).words


@given(bodies=st.lists(st.binary(max_size=3000), max_size=20), size=st.integers(0, 2**40))
def test_each_record_of_a_batch_has_the_leaf_hash_that_is_checked(bodies: list[bytes], size: int) -> None:
    rows, leaves = seal([entry(number, body=body) for number, body in enumerate(bodies)], size)
    assert leaves == [leaf(row) for row in rows]


def test_how_long_it_took_is_not_sealed(path: Path) -> None:
    assert touch(path, "UPDATE records SET elapsed = x'00'").ok


@pytest.mark.parametrize("row", [1, 256, 699, 700])
def test_a_removed_record_is_found(path: Path, row: int) -> None:
    found = touch(path, f"DELETE FROM records WHERE seq = {row}")
    assert (fault(found).seq, fault(found).how) == (row, "removed")


@pytest.mark.parametrize("row", [1, 42, 300])
def test_a_removed_record_is_found_when_the_others_close_up(path: Path, row: int) -> None:
    found = touch(
        path,
        f"DELETE FROM records WHERE seq = {row}",
        *(f"UPDATE records SET seq = {n - 1} WHERE seq = {n}" for n in range(row + 1, SIZE + 1)),
    )
    assert (fault(found).seq, fault(found).how) == (row, "removed")


def test_an_inserted_record_is_found(path: Path) -> None:
    shift = [f"UPDATE records SET seq = {n + 1} WHERE seq = {n}" for n in range(SIZE, 41, -1)]
    found = touch(path, *shift, COPY.format(42))
    assert (fault(found).seq, fault(found).how, fault(found).id) == (42, "inserted", "new")


@pytest.mark.parametrize("seq", [0, -5, 701, 900])
def test_a_record_outside_the_log_is_found(path: Path, seq: int) -> None:
    found = touch(path, COPY.format(seq))
    assert (fault(found).seq, fault(found).how) == (seq, "inserted")


@pytest.mark.parametrize(("one", "two"), [(1, 2), (99, 107), (250, 690)])
def test_reordered_records_are_found(path: Path, one: int, two: int) -> None:
    swap = [f"UPDATE records SET seq = {a} WHERE seq = {b}" for a, b in ((9999, one), (one, two), (two, 9999))]
    found = touch(path, *swap)
    assert (fault(found).seq, fault(found).how, fault(found).id) == (one, "reordered", f"e{two}")
    assert f"is now {two}" in fault(found).words


def rewrite(path: Path, row: int, *, heads: bool) -> None:
    """Change a record as someone would who knows how it is sealed: its leaf hash too, and perhaps every later head."""
    with Store.open(path, read_only=True) as store:
        commits = list(store.heads())
        sizes = [0, *(commit.size for commit in commits)]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE records SET outcome = 'approve', body = x'00' WHERE seq = ?", (row,))
    tree = Range()
    (changed,) = connection.execute("SELECT * FROM records WHERE seq = ?", (row,)).fetchall()
    for before, commit in zip(sizes, commits, strict=False):
        leaves = [commit.leaves[at : at + 32] for at in range(0, len(commit.leaves), 32)]
        if before < row <= commit.size:
            leaves[row - before - 1] = leaf(changed)
        nodes = tree.extend(leaves, 8)
        root = tree.root() if heads else commit.root
        connection.execute(
            "UPDATE heads SET leaves = ?, root = ? WHERE size = ?", (b"".join(leaves), root, commit.size)
        )
        if heads:
            connection.executemany(
                "UPDATE nodes SET hash = ? WHERE level = ? AND place = ?", [(h, a, b) for a, b, h in nodes]
            )
    connection.close()


@pytest.mark.parametrize(("row", "first"), [(3, 1), (58, 56), (101, 101), (700, 601)])
def test_a_record_changed_with_its_leaf_hash_is_found_by_the_tree_heads(path: Path, row: int, first: int) -> None:
    rewrite(path, row, heads=False)
    found = touch(path)
    assert (fault(found).seq, fault(found).how, found.records) == (first, "rewritten", first - 1)


def test_a_log_written_anew_is_found_by_a_head_kept_elsewhere(path: Path) -> None:
    with Store.open(path) as store:
        kept = store.head()
        tree = Range()
        tree.extend(store.leaves(0, 650))
        middle = TreeHead(650, tree.root())
        store.append(entries(SIZE + 1, SIZE + 10))
        assert verify(store, head=kept).ok and verify(store, head=middle).ok
    rewrite(path, 640, heads=True)
    with Store.open(path) as store:
        assert verify(store).ok
        for head in (kept, middle):
            found = verify(store, head=head)
            assert fault(found).how == "rewritten" and "kept elsewhere" in fault(found).words
            with pytest.raises(StoreError, match="does not begin with"):
                prove_growth(store, head.size, head.root)


def test_a_log_cut_back_is_found_by_a_head_kept_elsewhere(path: Path) -> None:
    with Store.open(path) as store:
        kept = store.head()
    assert touch(path, "DELETE FROM heads WHERE size > 300", "DELETE FROM records WHERE seq > 300").ok
    with Store.open(path, read_only=True) as store:
        assert (fault(verify(store, head=kept)).seq, fault(verify(store, head=kept)).how) == (301, "cut back")


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("DELETE FROM heads WHERE size = 50", 46),
        ("UPDATE heads SET root = x'00' WHERE size = 50", 46),
        ("UPDATE heads SET leaves = x'00' WHERE size = 50", 46),
        ("UPDATE nodes SET hash = x'00' WHERE level = 8 AND place = 1", 501),
        ("DELETE FROM nodes", 201),
    ],
)
def test_a_touched_log_is_found(path: Path, statement: str, first: int) -> None:
    found = touch(path, statement)
    assert not found.ok and fault(found).seq == first and found.records == first - 1


def test_a_store_whose_log_was_touched_is_not_written_to(path: Path) -> None:
    touch(path, "DELETE FROM heads WHERE size = 700")
    with pytest.raises(StoreError, match="do not belong together"):
        Store.open(path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(1, SIZE), byte=st.integers(0, 1000), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_body_is_found(path: Path, row: int, byte: int, bit: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    (body,) = connection.execute("SELECT body FROM records WHERE seq = ?", (row,)).fetchone()
    bad = bytearray(body)
    bad[byte % len(bad)] ^= 1 << bit
    connection.execute("UPDATE records SET body = ? WHERE seq = ?", (bytes(bad), row))
    found = touch(path)
    connection.execute("UPDATE records SET body = ? WHERE seq = ?", (body, row))
    connection.close()
    assert (fault(found).seq, fault(found).how) == (row, "changed")


@pytest.mark.parametrize("row", [1, 2, 255, 256, 257, 512, 513, 700])
def test_any_record_can_be_proven_without_the_store(path: Path, row: int) -> None:
    with Store.open(path, read_only=True) as store:
        proof, head = prove(store, f"e{row}"), store.head()
    assert proven(proof) and proven(proof, head)
    assert not proven(proof, TreeHead(head.size, hashlib.sha256(b"").digest()))
    assert not proven({**proof, "id": "e3"}) and not proven({**proof, "seq": 3})
    steps = proof["proof"]
    assert isinstance(steps, list)
    path_of = [bytes.fromhex(step) for step in steps]
    assert verify_inclusion(bytes.fromhex(str(proof["leaf"])), row - 1, SIZE, path_of, head.root)


wreck: list[Callable[[dict[str, object]], object]] = [
    lambda proof: proof.pop("sealed"),
    lambda proof: proof.update(sealed="%%%"),
    lambda proof: proof.update(sealed=""),
    lambda proof: proof.update(root="zz"),
    lambda proof: proof.update(index="0"),
    lambda proof: proof.update(proof=[1, 2]),
    lambda proof: proof.update(proof=[]),
    lambda proof: proof.update(size=77 // 2),
]


@pytest.mark.parametrize("how", wreck)
def test_a_proof_that_is_not_well_formed_does_not_hold(path: Path, how: Callable[[dict[str, object]], object]) -> None:
    with Store.open(path, read_only=True) as store:
        proof = prove(store, "e77")
    how(proof)
    assert not proven(proof)


def test_what_was_touched_or_never_there_is_not_proven(path: Path) -> None:
    touch(path, "UPDATE records SET body = x'00' WHERE seq = 9")
    with Store.open(path, read_only=True) as store:
        with pytest.raises(StoreError, match="cannot be proven"):
            prove(store, "e9")
        with pytest.raises(StoreError, match="no record of 'nobody'"):
            prove(store, "nobody")


def test_growth_is_proven(path: Path) -> None:
    with Store.open(path) as store:
        old = store.head()
        for first in range(701, 1000, 50):
            new = store.append(entries(first, first + 49))
            proof = prove_growth(store, old.size, old.root)
            assert grown(proof) and grown(proof, old, new)
            assert not grown(proof, TreeHead(old.size, new.root)) and not grown(proof, old, old)
            steps = proof["proof"]
            assert isinstance(steps, list)
            assert verify_consistency(old.size, old.root, new.size, new.root, [bytes.fromhex(step) for step in steps])
            assert prove_growth(store, old.size) == proof
        assert prove_growth(store, new.size)["proof"] == []
        between = prove_growth(store, first + 7)  # where no commit ended
        assert grown(between) and between["first"] == first + 7
        for size in (-1, new.size + 1):
            with pytest.raises(StoreError, match="does not begin with"):
                prove_growth(store, size)


damage: list[Callable[[dict[str, object]], object]] = [
    lambda proof: proof.pop("first_root"),
    lambda proof: proof.update(second_root="zz"),
    lambda proof: proof.update(first="0"),
    lambda proof: proof.update(first=1),
    lambda proof: proof.update(proof=[1]),
    lambda proof: proof.update(proof=[]),
]


@pytest.mark.parametrize("how", damage)
def test_growth_that_is_not_well_formed_does_not_hold(path: Path, how: Callable[[dict[str, object]], object]) -> None:
    with Store.open(path, read_only=True) as store:
        proof = prove_growth(store, 300)
    how(proof)
    assert not grown(proof)

"""Refusals are evidence: whoever touches one is caught, also in stores that did not seal them at first."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import typed
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import Verification, verify
from tidegate.evidence.merkle import Range
from tidegate.evidence.record import Refusal, TreeHead
from tidegate.evidence.refusals import refusal_leaf

from ..connectors.entries import entries

MANY = 12


def refusal(number: int) -> Refusal:
    return Refusal(
        f"e{number % 3}", bytes([number]) * 32, "This id was used before, with other content.", 1000 + number
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with twelve refusals: one by itself, five with records, six by themselves."""
    with Store.open(tmp_path / "s.db") as store:
        store.append([], [refusal(1)])
        store.append(entries(1, 5), [refusal(number) for number in range(2, 7)])
        store.append(entries(6, 9))
        store.append([], [refusal(number) for number in range(7, MANY + 1)])
    return tmp_path / "s.db"


def run(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in ("BEGIN", *statements, "COMMIT"):
        connection.execute(statement)
    connection.close()


def found(path: Path, kept: TreeHead | None = None) -> Verification:
    with Store.open(path, read_only=True) as store:
        return verify(store, refusals=kept)


def test_they_are_sealed_as_the_standard_has_it(path: Path) -> None:
    tree = Range()
    for number in range(1, MANY + 1):
        one = refusal(number)
        tree.append(refusal_leaf((number, one.id, one.digest, one.reason, one.at)))
    checked = found(path)
    assert checked.ok and checked.refusals == TreeHead(MANY, tree.root())
    assert checked.records == 9


def test_a_store_goes_on_where_it_was(path: Path) -> None:
    before = found(path).refusals
    with Store.open(path) as store:
        store.append([], [refusal(13)])
        with pytest.raises(StoreError):
            store.append(entries(1, 1), [refusal(14)])  # an id that is there: nothing of it is kept
        store.append(entries(10, 10), [refusal(15)])
        assert [seq for seq, _ in store.refusals()] == list(range(1, MANY + 3))
    after = found(path, before)
    assert after.ok and after.refusals is not None and after.refusals.size == MANY + 2


@pytest.mark.parametrize("number", [1, 4, 6, 12])
@pytest.mark.parametrize("change", ["id = 'x'", "digest = x'00'", "reason = 'none'", "at = at + 1"])
def test_a_changed_refusal_is_found(path: Path, number: int, change: str) -> None:
    run(path, f"UPDATE refusals SET {change} WHERE seq >= {number}")
    fault = found(path).fault
    assert fault is not None and (fault.log, fault.seq, fault.how) == ("refusals", number, "changed")


@pytest.mark.parametrize("number", [1, 5, 12])
def test_a_removed_refusal_is_found(path: Path, number: int) -> None:
    run(path, f"DELETE FROM refusals WHERE seq = {number}")
    fault = found(path).fault
    assert fault is not None and (fault.log, fault.seq, fault.how) == ("refusals", number, "removed")


@pytest.mark.parametrize("place", [0, -5, 13, 99])
def test_an_inserted_refusal_is_found(path: Path, place: int) -> None:
    run(path, f"INSERT INTO refusals SELECT {place}, id, digest, reason, at FROM refusals WHERE seq = 1")
    fault = found(path).fault
    assert fault is not None and (fault.log, fault.how) == ("refusals", "inserted")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM refusal_heads WHERE size = 6",
        "UPDATE refusal_heads SET root = x'00' WHERE size = 6",
        "UPDATE refusal_heads SET leaves = substr(leaves, 33) WHERE size = 6",
    ],
)
def test_a_touched_head_is_found(path: Path, statement: str) -> None:
    run(path, statement)
    fault = found(path).fault
    assert fault is not None and (fault.log, fault.how) == ("refusals", "rewritten")


def test_a_changed_edge_is_not_built_upon(path: Path) -> None:
    run(path, "UPDATE refusal_heads SET edge = zeroblob(length(edge))")
    with pytest.raises(StoreError, match="log of refusals"):
        Store.open(path)


def test_a_head_kept_elsewhere_catches_what_was_sealed_anew(path: Path) -> None:
    kept = found(path).refusals
    run(path, "DELETE FROM refusals WHERE seq > 6", "DELETE FROM refusal_heads WHERE size > 6")
    fault = found(path, kept).fault
    assert found(path).ok and fault is not None and fault.how == "cut back"
    with Store.open(path) as store:
        store.append([], [refusal(number) for number in range(8, 15)])
    fault = found(path, kept).fault
    assert found(path).ok and fault is not None and (fault.how, fault.seq) == ("rewritten", 1)


def as_version_1(path: Path) -> None:
    """What a store was before refusals were sealed; one of its refusals is gone."""
    run(
        path,
        "DROP TABLE refusal_heads",
        "CREATE TABLE outbox (n INTEGER PRIMARY KEY, topic TEXT NOT NULL, body BLOB NOT NULL, seq INTEGER)",
        "INSERT INTO about (name, value) VALUES ('tables', '1')",
        "DROP TABLE store_revision",
        "DELETE FROM refusals WHERE seq = 3",
    )


def test_an_older_store_is_read_as_it_is_and_brought_up_when_it_is_written(path: Path) -> None:
    as_version_1(path)
    before = found(path)
    assert before.ok and before.records == 9 and before.refusals is None
    Store.open(path).close()
    after = found(path)
    assert after.ok and after.head == before.head
    assert after.refusals is not None and after.refusals.size == MANY - 1
    with Store.open(path) as store:
        numbers = [number for number in range(1, MANY + 1) if number != 3]
        assert store.refusals() == [(seq, refusal(number)) for seq, number in enumerate(numbers, 1)]
        store.append(entries(10, 11), [refusal(20)])
    assert found(path, after.refusals).ok


def test_a_store_that_cannot_be_brought_up_stays_as_it_was(path: Path) -> None:
    as_version_1(path)
    run(path, "CREATE TABLE refusal_heads (size INTEGER)")  # in the way
    for _ in range(2):
        with pytest.raises(StoreError):
            Store.open(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT value FROM about").fetchall() == [("1",)]
    assert connection.execute("SELECT count(*) FROM refusals").fetchone() == (MANY - 1,)
    connection.close()


def test_the_command_tells_of_refusals(path: Path) -> None:
    said = " ".join(typed("verify", "--store", path).stdout.split())
    refusals = found(path).refusals
    assert refusals is not None
    head = f"{MANY}:{refusals.root.hex()}"
    assert f"12 refusals are as they were sealed, tree head {head}" in said
    assert typed("verify", "--store", path, "--refusals", head).exit_code == 0
    run(path, "UPDATE refusals SET reason = '' WHERE seq = 7")
    result = typed("verify", "--store", path)
    assert result.exit_code == 1 and "Touched: refusal 7, e1" in result.stdout
    assert typed("verify", "--store", path, "--refusals", "1").exit_code == 2


@pytest.mark.parametrize("tables", [("refusal_heads",), ("refusals",), ("refusal_heads", "refusals")])
def test_a_table_that_is_gone_is_named(path: Path, tables: tuple[str, ...]) -> None:
    head = found(path).refusals
    assert head is not None
    run(path, *(f"DROP TABLE {table}" for table in tables))
    for kept in (None, head):
        fault = found(path, kept).fault
        assert fault is not None and (fault.log, fault.how) == ("refusals", "removed")
        assert all(f"the table {table}" in fault.words for table in tables)
    with pytest.raises(StoreError, match=rf"nothing is written(.|\n)*lacks the table ({'|'.join(tables)})"):
        Store.open(path)
    said = typed("verify", "--store", path, "--refusals", f"{head.size}:{head.root.hex()}")
    assert said.exit_code == 1 and "Touched" in said.stdout and "not sealed yet" not in said.output


@pytest.mark.parametrize("table", ["records", "heads", "nodes", "artefacts"])
def test_any_other_table_that_is_gone_is_named_too(path: Path, table: str) -> None:
    run(path, f"DROP TABLE {table}")
    fault = found(path).fault
    assert fault is not None and f"the table {table}" in fault.words
    with pytest.raises(StoreError, match=f"the table {table}"):
        Store.open(path)


def test_a_head_that_cannot_be_checked_is_a_fault(path: Path) -> None:
    kept = found(path).refusals
    assert kept is not None
    as_version_1(path)  # as someone would who drops the seals, and then makes the store an old one
    fault = found(path, kept).fault
    assert found(path).ok and fault is not None and (fault.log, fault.how) == ("refusals", "cut back")
    assert typed("verify", "--store", path, "--refusals", f"{kept.size}:{kept.root.hex()}").exit_code == 1


def test_a_head_of_no_refusals_is_the_empty_one(path: Path) -> None:
    fault = found(path, TreeHead(0, bytes(32))).fault
    assert fault is not None and (fault.log, fault.how) == ("refusals", "rewritten")
    assert found(path, TreeHead(0, Range().root())).ok

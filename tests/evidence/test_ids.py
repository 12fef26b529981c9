"""The index of ids is no evidence, but by it is asked what was decided before: where it was damaged, that is found."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import typed
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.fault import Fault
from tidegate.evidence.log import verify
from tidegate.evidence.proof import prove

from ..connectors.entries import entries, entry

MANY = 9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of nine records, at rest in its one file."""
    with Store.open(tmp_path / "s.db") as store:
        store.append(entries(1, MANY))
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return tmp_path / "s.db"


def run(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def edit(path: Path, old: bytes, new: bytes) -> None:
    """Change the page of the index by hand, and no record."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'records_id'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    index = content[(page - 1) * size : page * size]
    assert index.count(old) == 1 and len(old) == len(new)
    content[(page - 1) * size : page * size] = index.replace(old, new)
    path.write_bytes(content)


def without_index(path: Path, *statements: str) -> None:
    """Run statements while SQLite does not know the index, so that it is not kept."""
    connection = sqlite3.connect(path)
    entry = connection.execute("SELECT * FROM sqlite_master WHERE name = 'records_id'").fetchone()
    connection.close()
    hide = "PRAGMA writable_schema = ON"
    run(path, hide, "DELETE FROM sqlite_master WHERE name = 'records_id'")
    run(path, *statements)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(hide)
    connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", entry)
    connection.close()


def fault(path: Path) -> Fault:
    with Store.open(path, read_only=True) as store:
        found = verify(store)
    assert found.fault is not None and found.records >= MANY
    return found.fault


def test_a_changed_entry_is_found_and_then_that_the_id_stands_twice(path: Path) -> None:
    edit(path, b"e9", b"ez")
    found = fault(path)
    assert (found.log, found.how, found.seq, found.id) == ("ids", "changed", 9, "e9")
    assert "does not know its id" in found.words and "tidegate store copy" in found.words
    with Store.open(path) as store:
        assert not store.find(["e9"])
        store.append([entry(9)])
    found = fault(path)
    assert (found.log, found.how, found.seq, found.id) == ("ids", "repeated", MANY + 1, "e9")
    assert "as record 9 and as record 10" in found.words


def test_ids_that_stand_twice_are_found_where_the_index_has_both(path: Path) -> None:
    edit(path, b"e9", b"ez")
    with Store.open(path) as store:
        store.append([entry(9)])
    run(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    edit(path, b"ez", b"e9")
    assert (fault(path).how, fault(path).seq) == ("repeated", MANY + 1)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: edit(path, b"e4", b"5e"), id="out of order"),
        pytest.param(lambda path: edit(path, b"e4\x04", b"e4\x05"), id="another number"),
        pytest.param(lambda path: run(path, "DROP INDEX records_id"), id="dropped"),
        pytest.param(
            lambda path: run(path, "DROP INDEX records_id", "CREATE INDEX records_id ON records (id)"), id="not unique"
        ),
        pytest.param(
            lambda path: run(
                path, "DROP INDEX records_id", "CREATE UNIQUE INDEX records_id ON records (id) WHERE seq <> 4"
            ),
            id="partial",
        ),
    ],
)
def test_damage_is_found_and_mended_by_a_copy(path: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    with Store.open(path, read_only=True) as store:
        head = store.head()
    damage(path)
    assert fault(path).log == "ids" and fault(path).how != "repeated"
    said = typed("verify", "--store", path)
    assert said.exit_code == 1 and "Touched: the i" in said.stdout and "store copy" in said.stdout + said.stderr
    assert typed("store", "copy", path, tmp_path / "new.db").exit_code == 0
    with Store.open(tmp_path / "new.db") as store:
        assert verify(store, head=head).ok and len(store.find([f"e{n}" for n in range(1, MANY + 1)])) == MANY


def test_an_entry_of_no_record_is_found(path: Path) -> None:
    columns = "kind, at, flags, outcome, level, score, alarm, digest, flow, body, answer, record, elapsed"
    run(path, f"INSERT INTO records SELECT 100, 'other', {columns} FROM records WHERE seq = 1")
    without_index(path, "DELETE FROM records WHERE seq = 100")
    assert (fault(path).log, fault(path).how, fault(path).seq) == ("ids", "inserted", 100)


def test_a_store_without_its_index_is_not_written_to(path: Path) -> None:
    run(path, "DROP INDEX records_id")
    with pytest.raises(StoreError, match=r"nothing is written(.|\n)*index of ids \(records_id\) is missing"):
        Store.open(path)


def test_ids_of_every_kind_are_in_order(tmp_path: Path) -> None:
    names = ["", " ", "e", "e\0", "ä", "\uffff", "\U0001f600", "Z", "z" * 3000, *(str(n) for n in range(25_000))]
    with Store.open(tmp_path / "s.db") as store:
        store.append([entry(n, id=name) for n, name in enumerate(names)])
        store.append([entry(1, id="later")])
        assert verify(store).ok


@pytest.mark.parametrize("seq", [0, -5, 10, 99])
def test_what_lies_outside_the_log_is_not_proven_and_explained_as_such(path: Path, seq: int) -> None:
    columns = "kind, at, flags, outcome, level, score, alarm, digest, flow, body, answer, record, elapsed"
    run(path, f"INSERT INTO records SELECT {seq}, 'other', {columns} FROM records WHERE seq = 1")
    with Store.open(path, read_only=True) as store, pytest.raises(StoreError, match="outside the log"):
        prove(store, "other")
    told = typed("explain", "other", "--store", path)
    assert told.exit_code != 0 and "outside the log" in told.stderr and "Traceback" not in told.output


def test_postgres_has_its_index_looked_at_too(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    psycopg = pytest.importorskip("psycopg")
    url = request.getfixturevalue("postgres").room()
    address = f"{url}&files={tmp_path}"

    def ready(yes: bool) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(
                "UPDATE pg_index SET indisready = %s WHERE indexrelid = to_regclass('records_id')", (yes,)
            )

    def found() -> Fault | None:
        with Store.open(address, read_only=True) as store:
            return verify(store).fault

    with Store.open(address) as store:
        store.append(entries(1, MANY))
    assert found() is None
    with Store.open(address) as store:
        ready(False)  # PostgreSQL keeps no index that is not
        store.append(entries(10, 10))
    ready(True)
    fault = found()
    assert fault is not None and (fault.log, fault.how, fault.seq) == ("ids", "changed", 10)
    with Store.open(address) as store:
        store._seen = None
        assert not store.find(["e10"])
        store.append(entries(10, 10))
    fault = found()
    assert fault is not None and (fault.log, fault.how, fault.seq) == ("ids", "repeated", 11)
    with psycopg.connect(url) as connection:
        connection.execute("DROP INDEX records_id")
    with pytest.raises(StoreError, match="index of ids"):
        Store.open(address)
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE refusal_heads")
    fault = found()
    assert fault is not None and fault.log == "ids"

"""A flow or a model that records rest on is missed when it is gone, and told when it is another."""

import sqlite3
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence import artefacts
from tidegate.evidence.artefacts import ArtefactCheck, Program
from tidegate.evidence.log import Verification, verify

from ..connectors.entries import entry

MODEL, OTHER = b"a model's file", b"another model's file"
FLOW = msgspec.msgpack.encode(Program(b"a plan", {"risk@1": sha256(MODEL).digest(), "limit@2": sha256(OTHER).digest()}))
LATER = msgspec.msgpack.encode(Program(b"a later plan", {"risk@1": sha256(MODEL).digest()}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two events that no flow decided on, then 30 decisions of one flow, then 10 of the next."""
    with Store.open(tmp_path / "s.db") as store:
        for kind, body in [("model", MODEL), ("model", OTHER), ("flow", FLOW), ("flow", LATER)]:
            store.put_artefact(kind, body)
        flows = [b""] * 2 + [sha256(FLOW).digest()] * 30 + [sha256(LATER).digest()] * 10
        store.append([entry(number, flow=flow) for number, flow in enumerate(flows, 1)])
    return tmp_path / "s.db"


def after(path: Path, statement: str, values: Iterable[object] = ()) -> Verification:
    """What checking finds after someone ran this statement on the file."""
    with sqlite3.connect(path) as connection:
        connection.execute(statement, tuple(values))
    connection.close()
    with Store.open(path, read_only=True) as store:
        return verify(store)


def test_a_store_with_all_it_rests_on_is_whole(path: Path) -> None:
    with Store.open(path, read_only=True) as store:
        assert verify(store).ok


@pytest.mark.parametrize(
    ("body", "first", "named"),
    [(FLOW, 3, "The flow that"), (LATER, 33, "The flow that"), (MODEL, 3, "model risk@1"), (OTHER, 3, "model limit@2")],
)
@pytest.mark.parametrize(
    ("statement", "how"),
    [
        ("DELETE FROM artefacts WHERE digest = ?", "removed"),
        ("UPDATE artefacts SET body = x'00' WHERE digest = ?", "changed"),
        ("UPDATE artefacts SET body = '' WHERE digest = ?", "changed"),
        ("UPDATE artefacts SET body = 7 WHERE digest = ?", "changed"),
    ],
)
def test_it_is_named_with_the_first_record_that_rests_on_it(
    path: Path, body: bytes, first: int, named: str, statement: str, how: str
) -> None:
    digest = sha256(body).digest()
    found = after(path, statement, [digest])
    assert not found.ok
    fault = found.fault
    assert fault is not None
    assert (fault.log, fault.how, fault.seq, fault.id) == ("artefacts", how, first, f"e{first}")
    assert named in fault.words
    assert digest.hex() in fault.words
    assert found.records == 42  # none of which was touched


def test_all_of_them_gone_is_not_untouched(path: Path) -> None:
    assert not after(path, "DELETE FROM artefacts").ok


def test_what_no_record_rests_on_may_go(path: Path) -> None:
    with Store.open(path) as store:
        spare = store.put_artefact("model", b"never used")
    assert after(path, "DELETE FROM artefacts WHERE digest = ?", [spare]).ok


def test_a_touched_record_is_told_before_an_artefact(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE records SET body = x'00' WHERE seq = 40")
    connection.close()
    fault = after(path, "DELETE FROM artefacts").fault
    assert fault is not None
    assert (fault.log, fault.seq) == ("records", 40)


def test_text_in_an_artefact_is_told_to_who_asks_for_it(path: Path) -> None:
    digest = sha256(FLOW).digest()
    assert not after(path, "UPDATE artefacts SET body = 'text' WHERE digest = ?", [digest]).ok
    with Store.open(path, read_only=True) as store, pytest.raises(StoreError, match="was changed"):
        store.get_artefact(digest)


class Counting:
    """A store of as many flows as are asked for, each with the same model, that counts what was read."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = {sha256(body).digest(): body for body in bodies}
        self.read = 0

    def artefact_as_kept(self, digest: bytes) -> bytes | None:
        self.read += 1
        return self.bodies.get(digest)


def test_each_is_read_once_and_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "MOST_KNOWN", 10)
    flows = [msgspec.msgpack.encode(Program(b"%d" % n, {"risk@1": sha256(MODEL).digest()})) for n in range(50)]
    store = Counting(MODEL, *flows)
    check = ArtefactCheck(store)
    blank = tuple(entry(1).__class__.__struct_fields__)  # as long as a row, its flow set below
    for seq, flow in enumerate(flows, 1):
        row = [seq, f"e{seq}", *blank[2:]]
        row[10] = sha256(flow).digest()
        check.look([tuple(row)] * 100)
        assert len(check._known) <= 10
    assert check.fault is None
    assert 51 <= store.read <= 60

"""Recovery goes by what the store holds: by its records' own flags, and by no snapshot of another history."""

from pathlib import Path

import msgspec
import pytest

from tidegate import Engine, Store
from tidegate.evidence.record import LEARN, READ, Entry

from .test_hard_cases import Counting, n_of, paid


@pytest.mark.parametrize(("flags", "counted"), [(READ, 1), (LEARN, 2), (READ | LEARN, 2)])
def test_what_was_decided_and_not_learned_is_not_learned_later(tmp_path: Path, flags: int, counted: int) -> None:
    """No engine writes READ alone, but the store's format has it, and recovery goes by what the record says."""
    with Store.open(tmp_path / "first.db") as store:
        Engine(Counting, store=store).decide_many([paid("a"), paid("b", 1)])
        kept = [record for id in ("a", "b") if (record := store.get(id)) is not None]
    names = Entry.__struct_fields__
    copies = [Entry(**{name: getattr(record, name) for name in names}) for record in kept]
    copies[1].flags = flags
    with Store.open(tmp_path / "s.db") as store:
        store.append(copies)
    with Store.open(tmp_path / "s.db") as store:
        assert n_of(Engine(Counting, store=store, explain=True).decide(paid("c", 2))) == counted


def test_a_snapshot_of_another_store_is_not_believed(tmp_path: Path) -> None:
    """The store was replaced by another that has more records; nothing about the numbers is wrong."""
    for name, card, many in (("s.db", "c", 3), ("other.db", "d", 5)):
        with Store.open(tmp_path / name) as store:
            engine = Engine(Counting, store=store)
            engine.decide_many([msgspec.structs.replace(paid(f"{name} {i}"), card=card) for i in range(many)])
            engine.save()
    for part in tmp_path.glob("s.db*"):
        if part.is_file():
            part.unlink()
    (tmp_path / "other.db").rename(tmp_path / "s.db")
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Counting, store=store, explain=True)
        assert engine.recovered == 5
        assert "cannot be shown to be of the history" in str(engine.passed_over[0])
        assert n_of(engine.decide(paid("x", 2))) == 0
        engine.save()
    with Store.open(tmp_path / "s.db") as store:
        again = Engine(Counting, store=store)
        assert (again.recovered, list(again.passed_over)) == (0, [])

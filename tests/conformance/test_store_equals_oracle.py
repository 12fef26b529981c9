"""Through a store, closed and opened again anywhere, with snapshots or without: the same answers, and provable.

What is answered is what the oracle says; what is kept is what was answered; each decision can be made again from its
own record, byte for byte; and the log is whole.
"""

import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.answers import check_all, right_answers
from tests.conformance.engines import engine_of, one_by_one, together, untimed
from tests.conformance.generator import Case, cases
from tests.conftest import CASES
from tidegate.connectors.store import Store
from tidegate.decisions.decision import Decision
from tidegate.evidence.log import verify
from tidegate.runtimes.intake import Answer, Learned, Refused
from tidegate.runtimes.remake import remake

_SHARE = settings(max_examples=max(1, CASES // 2))
_MEMORY = Path("/dev/shm")


def folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for one case; in memory where there is such a place, for what is tested is not the disk."""
    return tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)


def through_a_store(case: Case, path: Path, data: st.DataObject) -> list[Answer]:
    """Answers in batches cut anywhere; between two of them the process may end, and a snapshot may be written."""
    found: list[Answer] = []
    Store.open(path).close()  # where nothing comes in, there is a store all the same
    while len(found) < len(case.steps):
        with Store.open(path) as store:
            engine = engine_of(case, store)
            going_on = True
            while going_on and len(found) < len(case.steps):
                size = data.draw(st.integers(1, len(case.steps) - len(found)))
                found += together(engine, case.steps[len(found) : len(found) + size])
                if data.draw(st.integers(0, 3)) == 0:
                    engine.save()
                going_on = data.draw(st.booleans())
    return found


def check_kept(case: Case, store: Store, found: list[Answer]) -> None:
    """What was answered is there once, is what was answered, and comes out again; refusals are there too."""
    first = [one for one in found if not isinstance(one, Refused) and not one.repeated]
    assert verify(store).ok
    assert [event.id for event in store.replay()] == [one.id for one in first], case
    assert len(store.refusals(limit=1000)) == sum(isinstance(one, Refused) for one in found), case
    for one in first:
        kept = store.get(one.id)
        assert kept is not None
        if isinstance(one, Learned):
            assert kept.answer is None
            continue
        assert kept.answer is not None
        assert untimed([msgspec.json.decode(kept.answer, type=Decision)]) == untimed([one]), case
        again = remake(store, one.id)
        assert again.equal, f"{again.difference}\n{case!r}"


@_SHARE
@given(cases(longest=20), st.data())
def test_opened_again_anywhere(case: Case, data: st.DataObject) -> None:
    right = right_answers(case)
    with folder() as place:
        path = Path(place) / "s.db"
        found = through_a_store(case, path, data)
        check_all(case, found, right)
        with Store.open(path, read_only=True) as store:
            check_kept(case, store, found)


@_SHARE
@given(cases(longest=40), st.data())
def test_a_store_changes_no_answer(case: Case, data: st.DataObject) -> None:
    with folder() as place:
        found = through_a_store(case, Path(place) / "s.db", data)
    assert jsonable(found) == jsonable(one_by_one(engine_of(case), case.steps)), case


@_SHARE
@given(cases(longest=40))
def test_what_is_told_briefly_is_the_same(case: Case) -> None:
    """Without every feature's value most decisions are told a column at a time; remaking tells them one by one."""
    with folder() as place, Store.open(Path(place) / "s.db") as store:
        found = together(engine_of(case, store, explain=False), case.steps)
        check_kept(case, store, found)
    right = jsonable(together(engine_of(case), case.steps))
    for one in right:
        one.pop("features", None)
        if one.get("outcome") == "approve" and not one.get("alarm"):
            one.pop("reasons", None)  # told only where everything is explained
    assert jsonable(found) == right, case


def jsonable(answers: list[Answer]) -> list[Any]:
    """Answers as they are kept and sent: a repeated one has been through JSON."""
    return [msgspec.json.decode(msgspec.json.encode(answer)) for answer in untimed(answers)]

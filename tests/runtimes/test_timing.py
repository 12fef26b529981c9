"""An embedded engine's decisions tell how long they took, and are the same decisions for all that."""

import json
from collections.abc import Callable
from operator import ne
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from tidegate import Decision, Engine, Event, Store
from tidegate.decisions.decision import to_json
from tidegate.evidence.elapsed import timing

from .served import Fraud, Login, payment


def event_of(number: int) -> Event:
    read: Callable[[bytes], Event] = Engine(Fraud).readers["Payment"].read
    return read(json.dumps(payment(number)).encode())


def decided(answer: Any) -> Decision:
    assert isinstance(answer, Decision)
    return answer


def test_each_stage_is_told_and_no_longer_than_the_call(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        for engine in (Engine(Fraud), Engine(Fraud, store=store)):
            began = perf_counter()
            told = decided(engine.decide(event_of(1))).timing
            most = (perf_counter() - began) * 1e6
            assert told is not None and list(told) == ["decide", "keep"]
            assert min(told.values()) > 0 and sum(told.values()) <= most


def test_what_is_told_is_what_is_kept_and_nothing_sealed_has_it(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        one = decided(Engine(Fraud, store=store).decide(event_of(1)))
        kept = store.get(one.id)
        assert kept is not None and kept.answer is not None and b"timing" not in kept.answer
        stages = timing(kept.elapsed)
        assert one.timing is not None and stages is not None
        assert stages == {"decide": round(one.timing["decide"], 1)}
        again = decided(Engine(Fraud, store=store).decide(event_of(1)))
        assert again.repeated and again.timing is not None and again.timing != one.timing


def test_those_decided_together_took_together() -> None:
    engine = Engine(Fraud, batch=4)
    login = Login(id="in", at=event_of(1).at, card="c1")
    answers = engine.decide_many([*(event_of(number) for number in range(6)), login])
    told = [id(one.timing) for one in answers if isinstance(one, Decision)]
    assert len(told) == 6 and len(set(told[:4])) == len(set(told[4:])) == 1 and told[0] != told[4]


def test_json_has_it_too_and_one_decision_is_equal_to_itself_made_again() -> None:
    one, other = (decided(Engine(Fraud).decide(event_of(1))) for _ in range(2))
    assert one.timing != other.timing and one == other and hash(one) == hash(other)
    assert not ne(one, other) and one != decided(Engine(Fraud).decide(event_of(2))) and one != "1"
    assert one != msgspec.structs.replace(one, outcome="decline") and one != "approve"
    told = json.loads(Engine(Fraud).decide_json(json.dumps(payment(1)).encode()))
    assert set(told.pop("timing")) == {"decide", "keep"}
    assert told == json.loads(to_json(one))
    many = Engine(Fraud).decide_json_many([json.dumps(payment(number)).encode() for number in range(9)])
    assert all(b'"timing":{"decide":' in each for each in many)

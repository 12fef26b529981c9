"""An event that was learned from, and is to be decided later: `decide` says so, and never gives what is no decision."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tidegate import Decision, Engine, Event, Flow, Learned, Refused, Store, at_most, count, decline, entity, review
from tidegate.decisions.plan import LEARN, READ

Card = entity("card")


class Payment(Event):
    card: Card


class Login(Event):
    card: Card


class Often(Flow[Payment]):
    recent = count(per=Card, last="1h")
    often = review(recent > 0, because="Often")
    learns = (Login,)


AT = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = Payment(id="p1", at=AT, card="c"), Payment(id="p2", at=AT, card="c")


@pytest.fixture(params=["memory", "store"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return Engine(Often, store=Store.open(tmp_path / "s.db") if request.param == "store" else None)


def refused(answer: object) -> Refused:
    assert isinstance(answer, Refused)
    assert (answer.code, answer.pointer) == ("only-learned", "/id")
    return answer


def test_it_is_refused_by_name_however_it_is_asked(engine: Engine) -> None:
    assert engine.learn(ONE) == Learned("p1")
    assert "no decision" in refused(engine.decide(ONE)).reason
    refused(engine.decide_many([TWO, ONE])[1])
    assert b"only-learned" in engine.decide_json(b'{"id":"p1","at":"2026-01-01T00:00:00Z","card":"c"}')
    assert engine.learn(ONE) == Learned("p1", repeated=True)
    other = Payment(id="p1", at=AT, card="d")
    assert getattr(engine.decide(other), "code", "") == "id-reused"


def test_it_changes_nothing_that_was_learned_or_answered(engine: Engine) -> None:
    engine.learn(ONE)
    engine.decide(ONE)
    second = engine.decide(TWO)
    assert isinstance(second, Decision) and second.outcome == "review"
    assert engine.learn(TWO) == Learned("p2", repeated=True)
    again = engine.decide(TWO)
    assert isinstance(again, Decision) and again.repeated and again.rules == second.rules
    third = engine.decide(Payment(id="p3", at=AT, card="c"))
    assert isinstance(third, Decision) and third.rules[0].saw == {"recent": 2}


def test_other_types_are_learned_from_twice_the_same(engine: Engine) -> None:
    login = Login(id="l1", at=AT, card="c")
    assert engine.decide_many([login, login, login]) == [Learned("l1"), *[Learned("l1", repeated=True)] * 2]


def test_the_refusal_is_kept(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(Often, store=store)
        engine.learn(ONE)
        engine.decide(ONE)
    with Store.open(tmp_path / "s.db") as store:
        refused(Engine(Often, store=store).decide(ONE))
        assert [one[1].id for one in store.refusals(limit=9)] == ["p1", "p1"]


def test_it_counts_towards_no_limit() -> None:
    class Limited(Flow[Payment]):
        each = decline(count(per=Card, last="1h") >= 0, because="Each of them")
        limits = at_most(1, "decline", last="1h", then="review")

    engine = Engine(Limited)
    engine.learn(ONE)
    found = [engine.decide(Payment(id=id, at=AT, card="c")) for id in ("p2", "p3")]
    assert [one.outcome for one in found if isinstance(one, Decision)] == ["decline", "review"]


@pytest.mark.parametrize("many", [1, 2, 8])
def test_only_what_is_to_be_decided_is_read_however_many_come_at_once(many: int) -> None:
    rows, login = Engine(Often).rows, Login(id="l1", at=AT, card="c")
    for event, only, right in (
        (ONE, False, READ | LEARN),
        (ONE, True, LEARN),
        (login, False, LEARN),
        (login, True, LEARN),
    ):
        rows.put([event] * many, only)
        assert rows.decider.flags[:many].tolist() == [right] * many

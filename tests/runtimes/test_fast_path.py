"""One event alone takes a way of its own through an engine without a store, and is decided as in any batch."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings

from tests.conformance.engines import engine_of, one_by_one, together, untimed
from tests.conformance.generator import Case, cases
from tests.conftest import CASES
from tidegate import Decision, Engine, Event, Flow, Store, count, entity, last_value, review
from tidegate.errors import StoreError
from tidegate.runtimes.fast_path import FastPath

START = datetime(2026, 1, 1, tzinfo=UTC)
Card = entity("card", str)


class Paid(Event):
    card: Card
    shop: str
    cents: int


class Counting(Flow[Paid]):
    """Three payments of a card within an hour are looked at."""

    before = count(per=Card, last="1h")
    often = review(before >= 2, because="Three within an hour")


class Worded(Flow[Paid]):
    """Gives a text back, so that its wording has to be kept."""

    shop_before = last_value(Paid.shop, per=Card, last="1h")


def paid(number: int, minutes: float = 0.0, **other: Any) -> Paid:
    return Paid(
        id=f"p{number}", at=START + timedelta(minutes=minutes), **({"card": "c", "shop": "s", "cents": 1} | other)
    )


def only_fast(engine: Engine) -> Any:
    return patch.object(engine, "_batch", side_effect=AssertionError("not the fast path"))


@settings(max_examples=max(1, CASES // 4))
@given(cases(longest=60))
def test_it_decides_as_batches_do(case: Case) -> None:
    for explain in (False, True):
        right = untimed(together(engine_of(case, explain=explain), case.steps))
        assert untimed(one_by_one(engine_of(case, explain=explain), case.steps)) == right
        slow = engine_of(case, explain=explain)
        slow._fast = None
        assert untimed(one_by_one(slow, case.steps)) == right


def test_what_is_ordinary_takes_it_and_the_rest_is_answered_as_ever() -> None:
    engine = Engine(Counting)
    with only_fast(engine):
        found = [engine.decide(paid(number, number)) for number in range(3)]
        assert [one.outcome for one in found if isinstance(one, Decision)] == ["approve", "approve", "review"]
        assert engine.timing == found[2].timing and engine.kept == ()
        with pytest.raises(AssertionError):
            engine.decide(paid(1, 1))
    again = engine.decide(paid(1, 1))
    assert isinstance(again, Decision) and again.repeated and again == found[1].__replace__(repeated=True)


def test_it_forgets_as_many_ids_as_batches_do() -> None:
    one, many = Engine(Counting, remember=4, batch=4), Engine(Counting, remember=4, batch=4)
    events = [paid(number % 6, number) for number in range(12)]
    assert [one.decide(event) for event in events] == [many.process([event], timed=True)[0] for event in events]
    assert set(one._past._known) == {f"p{n}" for n in (2, 3, 4, 5)}


def test_flows_whose_wordings_are_kept_and_engines_with_a_store_have_none(tmp_path: Any) -> None:
    assert Engine(Worded)._fast is None
    with Store.open(tmp_path / "s.db") as store:
        assert Engine(Counting, store=store)._fast is None
    assert isinstance(Engine(Counting)._fast, FastPath)


def test_what_ends_in_the_middle_breaks_the_engine_and_what_ends_before_does_not() -> None:
    def stopped() -> datetime:
        raise KeyboardInterrupt

    clocked = Engine(Counting, now=stopped)
    with pytest.raises(KeyboardInterrupt):
        clocked.decide(paid(1))
    with pytest.raises(KeyboardInterrupt):  # and not that it was interrupted
        clocked.decide(paid(1))
    engine = Engine(Counting)
    assert engine._fast is not None
    with patch.object(engine._fast, "_run", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        engine.decide(paid(1))
    with pytest.raises(StoreError, match="interrupted"):
        engine.decide(paid(2))


def test_after_a_decision_what_ends_before_the_next_one_breaks_nothing() -> None:
    engine = Engine(Counting)
    assert engine._fast is not None and isinstance(engine.decide(paid(1)), Decision)
    with patch.object(engine._fast, "_admit", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        engine.decide(paid(2))
    assert isinstance(engine.decide(paid(2)), Decision)


def test_the_future_is_refused_by_the_clock() -> None:
    engine = Engine(Counting, now=lambda: START)
    assert isinstance(engine.decide(paid(1, 4)), Decision)
    refused = engine.decide(paid(2, 6))
    assert (
        not isinstance(refused, Decision)
        and refused.code == "future"
        and engine.clock == paid(1, 4).at.timestamp() * 1e6
    )


def test_the_clock_is_read_once_for_an_event() -> None:
    read: list[datetime] = []

    def now() -> datetime:
        read.append(START)
        return START

    engine = Engine(Counting, now=now)
    for number, minutes, times in ((1, 0, 1), (2, 1, 1), (3, 9, 2), (4, 2, 2)):
        engine.decide(paid(number, minutes))
        assert len(read) == times


def test_a_decision_tells_how_long_it_took_only_where_that_is_asked_for() -> None:
    (untold,) = Engine(Counting).process([paid(1)])
    (told,) = Engine(Counting).process([paid(1)], timed=True)
    assert isinstance(untold, Decision) and untold.timing is None
    assert isinstance(told, Decision) and told.timing is not None


def test_of_events_of_one_time_the_first_is_the_newest() -> None:
    engine = Engine(Counting)
    for number, minute in ((1, 0), (2, 5), (3, 5)):
        engine.decide(paid(number, minute))
    assert engine.snapshot()[1]["newest_event"] == "the Paid 'p2'"


def test_an_event_as_late_as_it_may_be_takes_it_too() -> None:
    class Late(Counting):
        lateness = "5m"

    engine = Engine(Late)
    with only_fast(engine):
        for number, minute in ((1, 5), (2, 0)):
            assert isinstance(engine.decide(paid(number, minute)), Decision)


def test_calls_that_say_more_than_an_event_go_the_way_of_batches() -> None:
    engine = Engine(Counting)
    assert engine._fast is not None
    with patch.object(engine._fast, "decide", side_effect=AssertionError("the fast path")):
        engine.process([paid(1)], learn_only=True)
        engine.process([paid(2)], overdue=[True])
        engine.process([paid(3)], waited=[1.0])
        engine.process([paid(4), paid(5)])
        with pytest.raises(AssertionError, match="the fast path"):
            engine.process([paid(6)])


def test_what_the_last_batch_kept_is_told_no_longer() -> None:
    engine = Engine(Counting)
    engine.kept = (object(),)  # type: ignore[assignment]
    engine.decide(paid(1))
    assert engine.kept == ()


def test_an_engine_that_forgets_goes_on_with_what_it_learns_from_then_on() -> None:
    engine = Engine(Counting)
    engine.decide(paid(1))
    engine.forget()
    for number in range(2, 5):
        engine.decide(paid(number, number))
    assert engine.decider.windows.entities() == [1] and engine.clock == paid(4, 4).at.timestamp() * 1e6


def test_rows_that_there_is_no_room_for_are_refused_whatever_is_asked_of_them() -> None:
    decider = Engine(Counting, batch=8).decider
    for asked in (decider.run, decider.recall, decider.conclude, decider.infer, decider.again):
        with pytest.raises(ValueError, match="9 rows asked for, 8 given"):
            asked(9)

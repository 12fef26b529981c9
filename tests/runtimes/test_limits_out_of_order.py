"""Limits when events come out of order: no interval holds more than is allowed, however they come and are cut."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.test_store_equals_oracle import folder
from tests.conftest import CASES
from tests.oracle.oracle import Oracle
from tidegate import Decision, Engine, Event, Flow, Money, Store, at_most, deadline, decline, entity, eur, review
from tidegate.decisions import limits
from tidegate.evidence.log import verify
from tidegate.runtimes.remake import remake

Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Payment(Event):
    card: Card
    amount: Money


class One(Flow[Payment]):
    big = decline(Payment.amount > eur(10), because="Big")
    middling = review(Payment.amount > eur(5), because="Middling")
    limits: Any = at_most(1, "decline", last="1h")
    lateness = "2h"


class Chained(One):
    limits = (at_most(3, "review", last="30m", then="approve"), at_most(2, "decline", last="1h"))


class Twice(One):
    limits = (at_most(2, "decline", last="10m"), at_most(4, "decline", last="1h", then="approve"))
    lateness = "30m"


class Waiting(Chained):
    limits = (*Chained.limits, deadline("1ms", answer="decline"))


def payment(number: int, minute: int, amount: int) -> Payment:
    return Payment(id=f"p{number}", at=START + timedelta(minutes=minute), card="c", amount=eur(amount))


@st.composite
def streams(draw: st.DrawFn, flow: type[Flow[Any]]) -> list[Payment]:
    """Every event within the flow's lateness, and often as late as that."""
    most, clock, events = flow.plan.lateness // 60_000_000, 0, list[Payment]()
    for number in range(draw(st.integers(1, 40))):
        clock += draw(st.sampled_from([0, 0, 1, 5, 10, 29, 30, 60]))
        late = draw(st.one_of(st.just(0), st.integers(0, most), st.sampled_from([1, 9, 10, 30, most])))
        events.append(payment(number, clock - min(late, most), draw(st.sampled_from([1, 7, 20, 20, 20]))))
    return events


def through_a_store(
    flow: type[Flow[Any]], events: Sequence[Payment], late: Sequence[bool], path: Path, data: st.DataObject
) -> list[Decision]:
    """Decisions in batches cut anywhere; between two the process may end, with a snapshot or without; made again."""
    found: list[Decision] = []
    while len(found) < len(events):
        with Store.open(path) as store:
            engine, going_on = Engine(flow, store=store, batch=8), True
            while going_on and len(found) < len(events):
                end = data.draw(st.integers(len(found) + 1, len(events)))
                for answer in engine.process(events[len(found) : end], overdue=late[len(found) : end]):
                    assert isinstance(answer, Decision)
                    found.append(answer)
                if data.draw(st.booleans()):
                    engine.save()
                going_on = data.draw(st.booleans())
    with Store.open(path, read_only=True) as store:
        assert verify(store).ok
        assert all(remake(store, one.id).equal for one in found)
    return found


def most_at_once(times: Sequence[datetime], last: int) -> int:
    """How many of the times the fullest interval holds."""
    return max((sum(start <= at < start + timedelta(microseconds=last) for at in times) for start in times), default=0)


@pytest.mark.parametrize("flow", [One, Chained, Twice, Waiting])
@given(data=st.data(), forget=st.sampled_from([0, 1024]))
@settings(max_examples=max(1, CASES // 20), deadline=None)
def test_no_interval_holds_more_than_is_allowed(flow: type[Flow[Any]], data: st.DataObject, forget: int) -> None:
    events = data.draw(streams(flow))
    overdue = st.sampled_from([False, False, True]) if flow is Waiting else st.just(False)
    late = data.draw(st.lists(overdue, min_size=len(events), max_size=len(events)))
    # forgetting at once what no event can look back to is not seen in any decision
    with folder() as place, mock.patch.object(limits, "FORGET", forget):
        found = through_a_store(flow, events, late, Path(place) / "s.db", data)
    oracle = Oracle(flow)
    right = [oracle.decide(event, one) for event, one in zip(events, late, strict=True)]
    assert [one.outcome for one in found] == [one.outcome.word for one in right]
    assert [one.limited is not None for one in found] == [one.limited for one in right]
    for cap in flow.definition.caps if flow is not Waiting else ():  # what a deadline answers is not limited
        answered = [event.at for event, one in zip(events, found, strict=True) if one.outcome == cap.outcome.word]
        assert most_at_once(answered, cap.last) <= cap.count


def test_half_an_hour_backwards_has_one_decline() -> None:
    engine = Engine(One)
    answers = engine.decide_many([payment(number, 60 - number, 20) for number in range(30)])
    assert [getattr(one, "outcome", "") for one in answers] == ["decline"] + ["review"] * 29

"""The generator and the oracle hold together before any engine is asked."""

from typing import Any

from hypothesis import given, reject

from tests.conformance.generator import cases
from tests.oracle import Oracle, UndecidedError
from tidegate.decisions.flow import Flow
from tidegate.events.event import Event


@given(cases())
def test_the_oracle_decides_on_whatever_is_generated(case: tuple[type[Flow[Any]], list[Event]]) -> None:
    flow, events = case
    oracle, again = Oracle(flow), Oracle(flow)
    try:
        for event in events:
            if type(event) is not flow.definition.event:
                oracle.learn(event)
                again.learn(event)
                continue
            decision = oracle.decide(event)
            assert decision == again.decide(event)
            assert set(decision.features) == set(flow.definition.features)
            assert not set(decision.fired) & set(decision.unknown)
    except UndecidedError:
        reject()

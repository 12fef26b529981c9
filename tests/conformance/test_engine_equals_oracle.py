"""The engine decides as the oracle does: one at a time, in batches cut anywhere, after a snapshot taken anywhere.

Counts, sums of money, comparisons and decisions are equal exactly; floats to 1e-12 of their size.
"""

import gc
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tests.conformance.generator import cases
from tests.conftest import CASES
from tests.oracle import Oracle, OracleDecision, UndecidedError
from tests.oracle.real import error
from tests.oracle.terms import microseconds
from tidegate.decisions.decision import Decision
from tidegate.decisions.flow import Definition, Flow
from tidegate.events.currency import decimals
from tidegate.events.event import Event
from tidegate.events.money import Money
from tidegate.events.types import Kind, Type
from tidegate.runtimes.engine import Engine

Case = tuple[type[Flow[Any]], list[Event]]
_SHARE = settings(max_examples=max(1, CASES // 2))


def said(flow: type[Flow[Any]], events: Sequence[Event]) -> list[OracleDecision]:
    """The oracle's decisions; cases that no oracle can tell are left out."""
    oracle, found = Oracle(flow), []
    try:
        for event in events:
            if type(event) is flow.definition.event:
                found.append(oracle.decide(event))
            else:
                oracle.learn(event)
    except UndecidedError:
        reject()
    return found


def near(found: float, value: Any, scale: float = 1.0) -> bool:
    """Whether floats are equal as far as they have to be."""
    return abs(found - float(value) / scale) <= max(1e-12 * abs(float(value)), error(value)) / scale


def shows(kind: Type, found: Any, value: Any, currency: str | None) -> bool:
    """Whether the engine shows what the oracle says."""
    if value is None or found is None:
        return value is None and found is None
    if kind.kind is Kind.MONEY:
        code = kind.currency or currency or ""
        if not kind.approx:
            return bool(found == str(Money(value, code)))
        amount, _, shown = found.partition(" ")
        units = float(Decimal(amount).scaleb(decimals(code)))
        return shown == code and abs(units - value) <= 0.5 + max(1e-12 * abs(value), error(value))
    if kind.kind is Kind.DURATION:
        return near(found, value, 1e6)
    if kind.kind is Kind.TIME:
        return microseconds(datetime.fromisoformat(found)) == value
    if kind.is_float:
        return near(found, value)
    return type(found) is type(value) and bool(found == value)


def check(flow: Definition, found: Decision, right: OracleDecision) -> None:
    """Hold one decision to the oracle's."""
    assert found.id == right.id
    wrong = {
        name: (found.features[name], right.features[name])
        for name, node in flow.features.items()
        if found.features is None or not shows(node.type, found.features[name], right.features[name], flow.currency)
    }
    assert not wrong, f"{right.id}: features (engine, oracle) {wrong}"
    assert sorted(rule.rule for rule in found.rules) == sorted(right.fired), right.id
    assert sorted(found.unknown) == sorted(right.unknown), right.id
    assert found.outcome == right.outcome.word, f"{right.id}: engine {found.outcome}, oracle {right.outcome}"
    assert (found.limited is not None) is right.limited, f"{right.id}: limited {found.limited}"
    assert (found.score is None) is (right.score is None), right.id
    assert right.score is None or found.score is None or near(found.score, right.score), right.id
    assert (found.level, found.alarm) == (right.level, right.alarm), right.id


def told(flow: type[Flow[Any]], events: Sequence[Event]) -> str:
    """A case as text, to be read when it fails."""
    return "\n".join([flow.definition.text, *map(repr, events)])


def single(engine: Engine, events: Sequence[Event], decided: type[Event]) -> list[Decision]:
    """One at a time: decided on, or only learned from."""
    found = []
    for event in events:
        if type(event) is decided:
            found.append(engine.decide(event))
        else:
            engine.learn(event)
    return found


def engine_of(flow: type[Flow[Any]]) -> Engine:
    """An engine with small batches, so that long streams need several."""
    gc.unfreeze()  # every engine freezes what is there; here they come by the thousand and have to go again
    return Engine(flow, explain=True, batch=16)


def untimed(decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions without what differs from run to run."""
    return [msgspec.structs.replace(decision, timing=None) for decision in decisions]


@_SHARE
@given(cases())
def test_one_at_a_time(case: Case) -> None:
    flow, events = case
    right = said(flow, events)
    found = single(engine_of(flow), events, flow.definition.event)
    assert len(found) == len(right)
    for one, other in zip(found, right, strict=True):
        try:
            check(flow.definition, one, other)
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}\n{told(flow, events)}") from None


@_SHARE
@given(cases(longest=60), st.data())
def test_in_batches_cut_anywhere(case: Case, data: st.DataObject) -> None:
    flow, events = case
    engine, found = engine_of(flow), []
    rest = events
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        found += [decision for decision in engine.decide_many(rest[:size]) if isinstance(decision, Decision)]
        rest = rest[size:]
    right = single(engine_of(flow), events, flow.definition.event)
    assert untimed(found) == untimed(right), told(flow, events)


@_SHARE
@given(cases(), st.data())
def test_batches_against_the_oracle(case: Case, data: st.DataObject) -> None:
    flow, events = case
    right = said(flow, events)
    engine, cut = engine_of(flow), data.draw(st.integers(0, len(events)))
    halves = [engine.decide_many(part) for part in (events[:cut], events[cut:]) if part]
    found = [decision for half in halves for decision in half if isinstance(decision, Decision)]
    assert len(found) == len(right)
    for one, other in zip(found, right, strict=True):
        try:
            check(flow.definition, one, other)
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}\n{told(flow, events)}") from None


@_SHARE
@given(cases(), st.data())
def test_after_a_snapshot_taken_anywhere(case: Case, data: st.DataObject) -> None:
    flow, events = case
    decided = flow.definition.event
    cut = data.draw(st.integers(0, len(events)))
    one = engine_of(flow)
    before = single(one, events[:cut], decided)
    other = engine_of(flow)
    other.restore(*one.snapshot())
    after = single(other, events[cut:], decided)
    whole = single(engine_of(flow), events, decided)
    assert untimed(before + after) == untimed(whole), told(flow, events)
    assert untimed(single(one, events[cut:], decided)) == untimed(after), told(flow, events)

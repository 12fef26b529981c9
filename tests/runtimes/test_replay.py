"""A replay decides as the engine does, bit for bit, however its batches are cut."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.generator import cases
from tests.conftest import CASES
from tidegate.connectors.files import to_frame
from tidegate.connectors.files_merge import Batch
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import Decision
from tidegate.decisions.encode import Encoder
from tidegate.decisions.flow import Flow
from tidegate.decisions.lists import ListChange
from tidegate.decisions.planner import plan
from tidegate.decisions.rule import Outcome
from tidegate.events.contract import check
from tidegate.events.event import Event
from tidegate.runtimes.columns import kind_columns
from tidegate.runtimes.engine import Engine, Learned, Refused
from tidegate.runtimes.replay import Replay

Case = tuple[type[Flow[Any]], list[Event]]
_SHARE = settings(max_examples=max(1, CASES // 10))


def batch_of(events: Sequence[Event]) -> Batch:
    """Events in this very order, as columns."""
    kinds = list(dict.fromkeys(type(event) for event in events))
    parts = tuple((kind, to_frame([e for e in events if type(e) is kind], kind)) for kind in kinds)
    return Batch(parts, np.array([kinds.index(type(event)) for event in events], np.int64))


def replayed(flow: type[Flow[Any]], batches: Sequence[Sequence[Event]], size: int) -> Any:
    run = Replay(flow, batch=size)
    for events in batches:
        run.take(batch_of(events))
    return run.result()


def bits(value: float | None) -> bytes:
    return np.float64(np.nan if value is None else value).tobytes() if value is not None else b"none"


@_SHARE
@given(cases(longest=60), st.data())
def test_replay_is_the_engine(case: Case, data: st.DataObject) -> None:
    flow, events = case
    # Some come again, some with an id that was used for something else.
    for place in data.draw(st.lists(st.integers(0, len(events) - 1), max_size=3)):
        events = [*events, events[place]]
    answers = Engine(flow).decide_many(events)
    decisions = [answer for answer in answers if isinstance(answer, Decision) and not answer.repeated]
    cut = data.draw(st.integers(0, len(events)))
    halves = [part for part in (events[:cut], events[cut:]) if part]
    found = replayed(flow, halves, data.draw(st.sampled_from([1, 2, 7, 64])))
    assert found.ids.to_list() == [decision.id for decision in decisions]
    assert found.outcome.tolist() == [Outcome[decision.outcome.upper()] for decision in decisions]
    assert [bits(None if s != s else s) for s in found.score.tolist()] == [bits(d.score) for d in decisions]
    assert found.frame()["level"].to_list() == [decision.level for decision in decisions]
    assert found.alarm.tolist() == [decision.alarm for decision in decisions]
    for rule in flow.definition.rules:
        fired = [row for row, d in enumerate(decisions) if any(one.rule == rule for one in d.rules)]
        assert found.fired[rule].tolist() == fired
        assert found.unknown[rule] == sum(rule in decision.unknown for decision in decisions)
    assert found.limited == sum(decision.limited is not None for decision in decisions)
    assert found.counts.decided == len(decisions)
    late = [answer for answer in answers if isinstance(answer, Refused) and answer.code == "before-retention"]
    assert found.counts.late == len(late)
    again = [a for a in answers if isinstance(a, Decision | Learned) and a.repeated]
    assert found.counts.repeated == len(again)
    assert found.counts.reused == sum(isinstance(a, Refused) and a.code == "id-reused" for a in answers)


@_SHARE
@given(cases(longest=40))
def test_columns_are_the_encoder(case: Case) -> None:
    flow, events = case
    made = plan(flow.definition)
    words: dict[int, str] = {}
    ways = kind_columns(made, words)
    encoder = Encoder(made, {}, len(events))
    for number, kind in enumerate(flow.definition.kinds):
        own = [check(event) for event in events if type(event) is kind]
        if not own:
            continue
        decider = Decider(made, capacity=len(events))
        for row, event in enumerate(own):
            encoder.put(row, number, event)
        decider.kinds[: len(own)] = number
        encoder.scatter(decider.cells, decider.kinds, len(own))
        found = ways[number].cells(to_frame(own, kind))
        assert found.tolist() == decider.cells[ways[number].columns, : len(own)].tolist()
    assert words == encoder.words


def test_list_changes_are_seen_by_what_follows() -> None:
    from datetime import UTC, datetime, timedelta

    from tidegate import decline, entity, entity_list

    card = entity("card")

    class Paid(Event):
        card: card  # type: ignore[valid-type]

    blocked = entity_list("blocked", card)

    class Listed(Flow[Paid]):
        stop = decline(blocked.has(Paid.card), because="On the list")

    start = datetime(2025, 1, 1, tzinfo=UTC)
    at = [start + timedelta(seconds=n) for n in range(4)]
    events: list[Event] = [
        Paid(id="a", at=at[0], card="x"),
        ListChange(id="l", at=at[1], list="blocked", key="x", listed=True),
        Paid(id="b", at=at[2], card="x"),
        Paid(id="c", at=at[3], card="y"),
    ]
    found = replayed(Listed, [events], 64)
    assert found.outcome.tolist() == [0, 2, 0]
    assert found.fired["stop"].tolist() == [1]
    assert found.counts.learned == 1

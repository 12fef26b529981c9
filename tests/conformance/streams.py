"""Random streams: events in order of arrival, with everything that real ones do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from tests.conformance.events import CARDS, SHOPS, Draw, Made
from tests.conformance.literals import EPOCH
from tidegate.decisions.definition import Definition
from tidegate.decisions.lists import ListChange
from tidegate.decisions.snooze import Snooze
from tidegate.events.event import Event

_STEPS = st.sampled_from([0, 0, 0, 1, 250_000, 500_000, 500_000, 1_000_000, 1_000_000, 999_999, 2_000_000, 7_000_000])
_BACK = st.sampled_from([1, 250_000, 500_000, 1_000_000, 2_000_000, 3_500_000, 30_000_000])

_BEGINNINGS = st.sampled_from(
    [
        *[EPOCH] * 4,
        datetime(1900, 2, 28, 23, 59, 58, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 57, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
    ]
)
"""When a stream begins: times are counted from 1970, and nothing may hang on which side of it they are."""

_HELD = st.sampled_from([-1_000_000, 0, 1, 250_000, 500_000, 500_000, 1_000_000, 1_000_000, 2_000_000, 7_000_000])


@dataclass(frozen=True)
class Step:
    """An event that comes in: perhaps after its deadline, perhaps only to be learned from."""

    event: Event
    overdue: bool = False
    learn: bool = False


def made_stream(draw: Draw, flow: Definition, decided: Made, others: Sequence[Made], longest: int = 30) -> list[Step]:
    """All kinds mixed, with ties, late events, a few too late; some come again, now and then with other content."""
    beginning = draw(_BEGINNINGS)
    clock, steps = 0, list[Step]()
    for number in range(draw(st.one_of(st.integers(1, longest), st.integers(longest // 2, longest)))):
        clock += draw(_STEPS)
        made = draw(st.sampled_from([decided] * 6 + [*others] * 2 + [_list_change] * (len(flow.lists)) + [_snooze] * 3))
        if steps and draw(st.integers(0, 11)) == 0:
            steps.append(_again(draw, draw(st.sampled_from(steps)), decided))
            continue
        at = beginning + timedelta(microseconds=clock - _late(draw, flow.lateness, clock))
        if isinstance(made, Made):
            overdue = flow.deadline is not None and made is decided and draw(st.integers(0, 3)) == 0
            learn = made is decided and not overdue and draw(st.integers(0, 9)) == 0
            steps.append(Step(made.draw(draw, number, at), overdue, learn))
        else:  # one that the flow has no use for is refused; that has tests of its own
            steps.append(Step(made(draw, flow, number, at)))
    return steps


def _late(draw: Draw, lateness: int, clock: int) -> int:
    """How late: mostly not at all, now and then as the flow allows, seldom by more."""
    how = draw(st.integers(0, 19))
    if how > 4:
        return 0
    return min(draw(_BACK), clock) if how == 0 else min(draw(_BACK), lateness, clock)


def _again(draw: Draw, step: Step, decided: Made) -> Step:
    """An event once more, as it was, or under its old id at another time; seldom for the other purpose."""
    if draw(st.integers(0, 2)):
        turn = type(step.event) is decided.event and not step.overdue and draw(st.integers(0, 3)) == 0
        return Step(step.event, step.overdue, step.learn is not turn)
    moved = msgspec.structs.replace(step.event, at=step.event.at - timedelta(microseconds=1))
    return Step(moved, step.overdue, step.learn)


def _list_change(draw: Draw, flow: Definition, number: int, at: datetime) -> ListChange:
    known = draw(st.sampled_from(flow.lists))
    key = str(draw(st.sampled_from(SHOPS))) if known.entity.key_type is int else draw(st.sampled_from(CARDS))
    listed = draw(st.integers(0, 3)) > 0
    held = draw(_HELD) if draw(st.booleans()) else None
    until = None if held is None else at + timedelta(microseconds=max(0, held) if listed else held)
    return ListChange(id=f"e{number}", at=at, list=known.name, key=key, listed=listed, until=until, because=None)


def _snooze(draw: Draw, flow: Definition, number: int, at: datetime) -> Snooze:
    keys = {field.entity.entity_name: field.entity for field in flow.event.__contract__.values() if field.entity}
    entity = draw(st.sampled_from(sorted(keys)))
    key = str(draw(st.sampled_from(SHOPS if keys[entity].key_type is int else CARDS)))
    until = at + timedelta(microseconds=max(0, draw(_HELD) * draw(st.sampled_from([1, 4, 40]))))
    rule = draw(st.sampled_from(sorted(flow.rules)))
    return Snooze(id=f"e{number}", at=at, rule=rule, entity=entity, key=key, until=until, because=f"Reason {number}")

"""Entity lists: read as of any time that an event may have, kept no longer than one could be read."""

import random
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.oracle.oracle import Oracle, RefusedError
from tidegate import ContractError, Engine, Event, Flow, Learned, ListChange, decline, entity, entity_list
from tidegate.decisions.lists import ListBook

LATENESS = 10

changes = st.tuples(
    st.just("change"), st.integers(0, 3), st.integers(-LATENESS, 12), st.booleans(),
    st.one_of(st.none(), st.integers(-5, 25)),
)  # fmt: skip
reads = st.tuples(st.just("read"), st.integers(0, 3), st.integers(-LATENESS, 12))
others = st.sampled_from([("snapshot",), ("snapshot, by way of JSON",)])


def listed(past: list[tuple[int, int, bool, int | None]], key: int, at: int) -> bool:
    """Plainly: of all changes to the key by then, the last; of equal times the one that came last."""
    mine = [change for change in past if change[0] == key and change[1] <= at]
    if not mine:
        return False
    newest = max(change[1] for change in mine)
    _, _, on, until = [change for change in mine if change[1] == newest][-1]
    return on and (until is None or at < until)


@given(st.lists(st.one_of(changes, reads, others), max_size=60))
@example([("change", 0, 0, True, 5), ("read", 0, 4), ("read", 0, 1)])  # at the last moment, and at the end
@example([("change", 0, 0, True, None), ("change", 1, 11, True, None), ("read", 0, -10), ("read", 0, 0)])
@example([("change", 0, 0, True, 11), ("change", 1, 10, False, None), ("read", 0, -10), ("read", 0, 0)])
@example([("change", 0, 0, True, None), ("change", 0, 10, False, None), ("read", 0, -10), ("change", 0, 0, True, None)])
def test_what_is_dropped_is_never_missed(steps: list[tuple[str, ...]]) -> None:
    book, past, clock = ListBook(LATENESS), [], 1000
    for what, *rest in steps:
        if what == "change":
            key, ahead, on, lasts = rest
            at = clock + ahead  # type: ignore[operator]
            until = None if lasts is None else at + lasts  # type: ignore[operator]
            book.change("l", key, at, on, until)  # type: ignore[arg-type]
            past.append((key, at, on, until))
            clock = max(clock, at)
        elif what == "read":
            key, ahead = rest
            at = clock + ahead  # type: ignore[operator]
            clock = max(clock, at)
            assert book.listed("l", key, at) == listed(past, key, at)  # type: ignore[arg-type]
            on = [k for k in range(4) if listed(past, k, at)]
            assert {k for k in on if at >= clock} <= set(book.keys("l").tolist())
        else:
            plain = book.dump()
            book = ListBook(LATENESS)
            book.load(msgspec.json.decode(msgspec.json.encode(plain)) if "JSON" in what else plain)
        assert len(book) == sum(len(entries) for _, _, entries in book.dump()) <= len(past)


def test_memory_is_bounded_by_who_is_listed_and_what_changed_lately() -> None:
    """Three hundred thousand changes to cards that come and go; at any time some four thousand of them are listed."""
    draw, book, lateness = random.Random(1), ListBook(1000), 1000
    most = 0
    for at in range(300_000):
        if at % 3 == 2:
            book.change("l", at % 50, at, at % 2 == 0, None)  # the same few, over and over
        elif at % 3:
            book.change("l", 1000 + at, at, True, at + 3000 + draw.randrange(3000))  # expires by itself
        else:
            book.change("l", 1000 + at - 3000 + 1, at, False, None)  # taken off again
        most = max(most, len(book))
    alive = 2 * 6000 // 3 + 50 + lateness
    assert most <= 3 * alive, f"{most} entries kept for {alive} that may be seen"


Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Payment(Event):
    card: Card


class Guarded(Flow[Payment]):
    blocked = entity_list("blocked", Card)
    listed = decline(blocked.has(Payment.card), because="Blocked")
    lateness = "1h"


def test_within_a_batch_a_later_event_makes_no_earlier_one_forget() -> None:
    """The batch's newest event is days after its first ones; these are still read as of their own time."""
    events: list[Event] = [
        ListChange(id="on", at=START, list="blocked", key="a", listed=True),
        ListChange(id="off", at=START + timedelta(minutes=30), list="blocked", key="a", listed=False),
        Payment(id="p", at=START + timedelta(minutes=10), card="a"),
        ListChange(id="x", at=START + timedelta(minutes=50), list="blocked", key="b", listed=True),
        Payment(id="q", at=START + timedelta(minutes=29), card="a"),
        Payment(id="r", at=START + timedelta(days=9), card="b"),
    ]
    together = [getattr(answer, "outcome", "") for answer in Engine(Guarded).decide_many(events)]
    singly = Engine(Guarded)
    assert together == [getattr(singly.decide(event), "outcome", "") for event in events]
    assert together == ["", "", "decline", "", "decline", "decline"]


def test_an_entry_is_in_force_until_its_end_and_not_at_it() -> None:
    book = ListBook(LATENESS)
    book.change("l", 1, 0, True, 5)
    assert [book.listed("l", 1, at) for at in (-1, 0, 4, 5, 6)] == [False, True, True, False, False]


def test_an_entry_that_ends_before_it_begins_is_refused() -> None:
    """By the engine and by the exact evaluator alike; one that ends at once takes the entity off."""
    engine, oracle = Engine(Guarded), Oracle(Guarded)
    hour = timedelta(hours=1)
    wrong = ListChange(id="w", at=START, list="blocked", key="a", listed=True, until=START - timedelta(microseconds=1))
    with pytest.raises(ContractError, match="would list nobody") as told:
        engine.learn(wrong)
    assert told.value.pointer == "/until"
    with pytest.raises(RefusedError):
        oracle.learn(wrong)
    for change in (
        ListChange(id="1", at=START, list="blocked", key="a", listed=True),
        ListChange(id="2", at=START + hour, list="blocked", key="a", listed=True, until=START + hour),
        ListChange(id="3", at=START + hour, list="blocked", key="b", listed=False, until=START),  # nothing expires
    ):
        assert isinstance(engine.learn(change), Learned)
        oracle.learn(change)
    for minutes, outcome in ((30, "decline"), (90, "approve")):
        event = Payment(id=f"p{minutes}", at=START + timedelta(minutes=minutes), card="a")
        assert engine.decide(event).outcome == outcome == oracle.decide(event).outcome.word

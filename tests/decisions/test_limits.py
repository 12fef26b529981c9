"""What a limit holds, against its plain definition: in no interval of its length more answers than it allows."""

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.oracle import full
from tidegate.decisions import limits
from tidegate.decisions.limits import LimitBook
from tidegate.decisions.plan import CapPlan

LATENESS = 12
steps = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 1, 2, 3, 7]), st.integers(0, LATENESS), st.booleans()), max_size=60
)
"""How far the clock goes on, how late the event is, and whether it is answered so whatever the limit says."""


def caps(count: int, last: int) -> list[CapPlan]:
    return [CapPlan(count=count, outcome=2, last=last, then=1)]


@given(steps, st.integers(1, 6), st.integers(1, 20), st.sampled_from([0, 1024]))
def test_late_events_are_limited_as_the_definition_says(
    run: list[tuple[int, int, bool]], count: int, last: int, forget: int
) -> None:
    book, clock, answered = LimitBook(caps(count, last), LATENESS), 0, list[int]()
    with mock.patch.object(limits, "FORGET", forget):  # forgetting, however early, is not seen
        for ahead, late, anyway in run:
            clock += ahead
            at = clock - late
            expected = (1, 0) if full(answered, at, count, last) else (2, -1)
            assert book.apply(2, at) == expected
            if anyway or expected == (2, -1):
                answered.append(at)
                book.count(2, at)
            again = LimitBook(caps(count, last), LATENESS)
            again.load(book.dump())
            book = again


@given(steps, st.integers(1, 6), st.integers(1, 20))
def test_in_order_only_what_was_before_is_looked_at(run: list[tuple[int, int, bool]], count: int, last: int) -> None:
    book, clock, answered = LimitBook(caps(count, last), LATENESS), 0, list[int]()
    for ahead, _, anyway in run:
        clock += ahead
        outcome, _ = book.apply(2, clock)
        assert (outcome == 1) == (sum(clock - last < when <= clock for when in answered) >= count)
        if anyway or outcome == 2:
            answered.append(clock)
            book.count(2, clock)


def test_answers_of_far_away_times_are_told_apart() -> None:
    book = LimitBook(caps(2, 10), 2**62)
    for at in (2**62, 2**62 - 10, -(2**62), -(2**62) + 9):
        book.count(2, at)
    assert book.apply(2, 2**62 - 5) == (2, -1)  # those around it are as far apart as the interval is long
    assert book.apply(2, -(2**62) + 5) == (1, 0)
    assert book.dump() == [[-(2**62), -(2**62) + 9, 2**62 - 10, 2**62]]

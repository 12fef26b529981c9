"""Lengths of time, as they are written."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.decisions.tables.line import Line
from tidegate.events.durations import in_parts
from tidegate.events.types import DURATION


def test_a_length_of_time_is_told_in_parts() -> None:
    told = [in_parts(us) for us in (0, 41_400_000_000, 44_870_000_000, 86_402_000_000, -1_500, 604_800_000_000)]
    assert told == ["0s", "11h 30m", "12h 27m 50s", "1d 2s", "-1ms 500us", "7d"]


@given(st.integers(-(10**15), 10**15))
def test_parts_are_read_back_as_the_same_length(us: int) -> None:
    assert Line(DURATION).exact(in_parts(us)) == us

"""A stream that fails waits longer each time, but not for what failed long ago."""

from tidegate.runtimes.stream.pauses import Pauses


def test_each_pause_is_twice_as_long_until_all_was_well_for_a_minute() -> None:
    now = 1000.0
    pauses = Pauses(lambda: now)
    taken = []
    for well in (0.0, 0.0, 59.0, 0.0, 0.0, 0.0, 0.0, 61.0, 0.0):
        now += well
        taken.append(pauses.next())
        now += taken[-1]
    assert taken == [0.5, 1, 2, 4, 8, 10, 10, 0.5, 1]

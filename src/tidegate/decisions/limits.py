"""Limits: how often a flow may decide so, counted over what was answered, in the order in which it was."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from tidegate.decisions.footprint import FORGET
from tidegate.decisions.plan import CapPlan


class LimitBook:
    """What was answered, as far as a flow's limits can still look at it.

    An interval of a limit is half-open, as a window is: of answers at `a` and `a + last` it holds one. No interval that
    an event lies in may hold more than `count` with it, whether it begins with the event, ends with it or lies around
    it; of an event that comes in order only what ends with it is to be looked at.

    Args:
        caps: the limits.
        lateness: microseconds that an event may lie behind the newest one.
    """

    def __init__(self, caps: Sequence[CapPlan], lateness: int) -> None:
        self._caps, self._lateness = caps, lateness
        self._times = [array("q") for _ in caps]
        self._severest_first = sorted(range(len(caps)), key=lambda number: -caps[number].outcome)

    def __bool__(self) -> bool:
        return bool(self._caps)

    def apply(self, outcome: int, at: int) -> tuple[int, int]:
        """What an event at `at` is answered, and by which limit: -1 where none of them changes its outcome."""
        by = -1
        for number in self._severest_first:
            cap = self._caps[number]
            if outcome == cap.outcome and self._full(cap, self._times[number], at):
                outcome, by = cap.then, number
        return outcome, by

    def _full(self, cap: CapPlan, times: "array[int]", at: int) -> bool:
        """Whether an interval that `at` lies in holds as many answers as the limit allows."""
        if len(times) < cap.count:
            return False
        if at >= times[-1]:
            return times[-cap.count] > at - cap.last
        first, end = bisect_right(times, at - cap.last), bisect_left(times, at + cap.last)
        if end - first < cap.count:
            return False
        # enough before it or after it: told without a look at each
        here = bisect_right(times, at, first, end)
        if here - first >= cap.count or end - here >= cap.count:
            return True
        near = np.frombuffer(times, np.int64)[first:end]  # around it: every `count` of them, from first to last
        return bool((near[cap.count - 1 :] - near[: len(near) - cap.count + 1] < cap.last).any())

    def count(self, outcome: int, at: int) -> None:
        """Let an answer count towards the limits on its outcome; what no event can look back to is forgotten."""
        for cap, times in zip(self._caps, self._times, strict=True):
            if outcome == cap.outcome:
                if not times or at >= times[-1]:
                    times.append(at)
                else:
                    times.insert(bisect_right(times, at), at)
                past = bisect_right(times, times[-1] - self._lateness - cap.last)
                if past > FORGET:
                    del times[:past]

    def dump(self) -> list[list[int]]:
        """For each limit the times of the answers that it can still look at, in order, for a snapshot."""
        return [times.tolist() for times in self._times]

    def load(self, times: Sequence[Sequence[int]]) -> None:
        """Take over what `dump` gave."""
        self._times = [array("q", each) for each in times]

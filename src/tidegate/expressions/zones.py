"""Time zones as tables of offsets, so that a kernel can tell the local hour."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from tidegate.events.times import MICROSECOND, microseconds_of

_SECOND = timedelta(seconds=1)
_STEPS = tuple((year, timedelta(days=days)) for year, days in ((1800, 28), (1900, 3), (1970, 7), (2100, 28), (2500, 0)))
"""From which year on which step, in days, finds every change: Freetown changed its clocks for four days in 1939."""
CYCLE = 146_097 * 86_400_000_000
"""Microseconds after which the Gregorian calendar repeats, weekdays too: 400 years."""
FOLDED = microseconds_of(datetime(2500, 1, 1, tzinfo=UTC))
"""From then on a zone has the offset of as many cycles earlier as lead before it."""


def _offset(zone: ZoneInfo, at: datetime) -> int:
    found = at.astimezone(zone).utcoffset()
    return 0 if found is None else found // MICROSECOND


@cache
def offsets(name: str) -> np.ndarray:
    """The offsets of an IANA zone from UTC, 1800 to 2500, as `[count, starts…, offsets…]` in microseconds.

    Before the first start its offset holds; for times from `FOLDED` on see there. Changes are found by steps of a few
    days and halving.
    """
    zone = ZoneInfo(name)
    always = zone.utcoffset(None)
    if always is not None:
        return np.array([1, -(2**62), always // MICROSECOND], dtype=np.int64)
    (year, _), *_ = _STEPS
    at = datetime(year, 1, 1, tzinfo=UTC)
    starts, values = [-(2**62)], [_offset(zone, at)]
    for (_, step), (until, _) in pairwise(_STEPS):
        end = datetime(until, 1, 1, tzinfo=UTC)
        while at < end:
            after = at + step
            last = _offset(zone, after)
            while values[-1] != last:
                at = _change(zone, at, after, values[-1])
                starts.append(microseconds_of(at))
                values.append(_offset(zone, at))
            at = after
    return np.array([len(starts), *starts, *values], dtype=np.int64)


def _change(zone: ZoneInfo, low: datetime, high: datetime, was: int) -> datetime:
    """A second at which the offset is no longer what it is at `low`; at `high` it is another."""
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        low, high = (low, middle) if _offset(zone, middle) != was else (middle, high)
    return high

"""Time zones as tables of offsets, so that a kernel can tell the local hour."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEK, _SECOND = timedelta(days=7), timedelta(seconds=1)


def _offset(zone: ZoneInfo, at: datetime) -> int:
    found = at.astimezone(zone).utcoffset()
    return 0 if found is None else found // timedelta(microseconds=1)


@cache
def offsets(name: str) -> np.ndarray:
    """The offsets of an IANA zone from UTC, 1970 to 2100, as `[count, starts…, offsets…]` in microseconds.

    Before the first and after the last start the nearest offset holds. Changes are found by weekly steps and halving.
    """
    zone = ZoneInfo(name)
    starts, values = [-(2**62)], [_offset(zone, _EPOCH)]
    at, end = _EPOCH, datetime(2100, 1, 1, tzinfo=UTC)
    while at < end:
        after = at + _WEEK
        if _offset(zone, after) != values[-1]:
            low, high = at, after
            while high - low > _SECOND:
                middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
                low, high = (low, middle) if _offset(zone, middle) != values[-1] else (middle, high)
            starts.append((high - _EPOCH) // timedelta(microseconds=1))
            values.append(_offset(zone, high))
        at = after
    return np.array([len(starts), *starts, *values], dtype=np.int64)

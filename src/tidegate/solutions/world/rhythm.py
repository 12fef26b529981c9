"""When people pay: the hours of a day, the days of a week, the days of a year.

Three ways of living (office, evening, daytime) crossed with the time zones give the *groups* of the world. Within a
group and an hour, payments are a Poisson stream, so a day of any size is drawn from one small table of rates.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from tidegate.solutions.world.places import OFFSETS

HOUR = 3_600_000_000
DAY = 24 * HOUR
LIVES = 3
ZONES: npt.NDArray[np.int64] = np.unique(OFFSETS)
GROUPS = LIVES * len(ZONES)

# Relative activity by local hour: work days, then weekends.
_OFFICE = (
    "1 .5 .3 .2 .3 .8 3 7 8 5 5 7 12 9 5 5 6 10 12 9 6 5 3 2",
    "2 1 .5 .3 .3 .4 1 2 5 9 12 12 11 9 9 9 9 9 8 7 6 5 4 3",
)
_EVENING = (
    "5 3 2 1 .5 .4 1 2 3 3 4 5 7 6 5 5 6 7 9 10 11 11 10 8",
    "9 7 5 3 1.5 .7 .6 1 2 3 5 7 8 8 8 8 8 9 10 11 12 12 12 11",
)
_DAYTIME = (
    ".4 .2 .1 .1 .2 .7 2 5 9 12 13 12 9 7 8 9 8 6 5 3 2 1.5 1 .6",
    ".5 .3 .1 .1 .2 .5 1 3 7 11 13 12 9 6 6 7 6 5 4 3 2 1.5 1 .7",
)
# Monday to Sunday; Sunday is quiet because most shops are shut.
_WEEK = np.array([0.92, 0.93, 0.96, 1.0, 1.18, 1.24, 0.77])


def _table() -> npt.NDArray[np.float64]:
    """Activity by way of living, weekday and local hour; each way of living averages 1 over its week."""
    table = np.empty((LIVES, 7, 24))
    for life, (work, weekend) in enumerate((_OFFICE, _EVENING, _DAYTIME)):
        for weekday in range(7):
            hours = np.array([float(word) for word in (weekend if weekday >= 5 else work).split()])
            table[life, weekday] = hours / hours.mean() * _WEEK[weekday]
    return np.asarray(table / table.mean(axis=(1, 2), keepdims=True), dtype=np.float64)


_ACTIVITY = _table()


def group(country: npt.NDArray[np.uint8], life: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The group of a customer: its time zone and way of living as one index below `GROUPS`."""
    zone = np.searchsorted(ZONES, OFFSETS[country])
    return np.asarray(zone * LIVES + life, dtype=np.int64)


def season(day: date) -> float:
    """How busy a calendar day is: sales in late November, December's shopping, shut shops on the holidays."""
    if day.month == 11 and day.weekday() == 4 and 23 <= day.day <= 29:
        return 1.9
    if day.month == 11 and day.day >= 20:
        return 1.2
    if day.month == 12:
        return 0.4 if day.day in (25, 26) else 1.5 if day.day in (22, 23, 24) else 1.25
    return 0.4 if (day.month, day.day) == (1, 1) else 1.0


def hourly(day: date) -> npt.NDArray[np.float64]:
    """Activity of every group in every UTC hour of a day: `float64[GROUPS, 24]`, 1.0 being the yearly average."""
    local = np.arange(24)[None, :] + ZONES[:, None]
    weekday = (day.weekday() + local // 24) % 7
    rates = _ACTIVITY[:, weekday, local % 24] * season(day)
    return np.ascontiguousarray(rates.transpose(1, 0, 2).reshape(GROUPS, 24))


def moments(
    rng: np.random.Generator,
    rates: npt.NDArray[np.float64],
    begin: int,
    extra: npt.NDArray[np.int64],
    hour: int = HOUR,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Times of a Poisson stream, merged with times that are already known.

    Args:
        rates: expected events by group and consecutive interval, `float64[groups, intervals]`.
        begin: start of the first interval, µs since 1970 UTC.
        extra: times to merge in, all within the intervals.
        hour: length of an interval, µs.

    Returns:
        Times in order, the group of each (0 for merged ones, which have none), and where the merged ones landed.
    """
    counts = rng.poisson(rates)
    block = np.repeat(np.arange(counts.size), counts.ravel())
    groups, interval = np.divmod(block, rates.shape[1])
    after = interval * hour + (rng.random(len(block)) * hour).astype(np.int64)
    after = np.concatenate([after, extra - begin])
    # The row's number in the low bits makes the order of ties, and so the world, the same on every processor.
    bits = max(1, len(after).bit_length())
    key = (after << bits) | np.arange(len(after))
    key.sort()
    row = key & ((1 << bits) - 1)
    groups = np.concatenate([groups, np.zeros(len(extra), dtype=np.int64)])[row]
    landed = np.empty(len(extra), dtype=np.int64)
    merged = np.flatnonzero(row >= len(block))
    landed[row[merged] - len(block)] = merged
    return (key >> bits) + begin, groups, landed

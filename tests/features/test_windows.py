"""The window engine against the brute force, on random plans and random streams."""

import gc
import math
import random
import sys
import weakref
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.brute import REAL, Brute, missing
from tidegate.errors import FlowError, SnapshotError
from tidegate.features.plan import AGGREGATES, MISSING, StreamPlan, WindowPlan
from tidegate.features.windows import Windows
from tidegate.kernels.chain import Chain

# Columns: time, two keys, ints (small, wide), a float, a bool to share, two conditions; outputs follow.
AT, KEY, OTHER, SMALL, WIDE, FLOAT, SHARE, WHERE, WHERE2 = range(9)
FIRST_OUT = 9
IS_FLOAT = {FLOAT}
LOOKING_BACK = ("since_last", "last_value", "nth_previous")


@st.composite
def plans(draw: st.DrawFn) -> list[StreamPlan]:
    out, streams = FIRST_OUT, []
    spans = draw(st.lists(st.integers(1, 60), min_size=1, max_size=4))
    for _ in range(draw(st.integers(1, 3))):
        windows = []
        for _ in range(draw(st.integers(1, 8))):
            aggregate = draw(st.sampled_from(AGGREGATES))
            value = draw(st.sampled_from((SMALL, SMALL, WIDE, FLOAT)))
            if aggregate == "share":
                value = SHARE
            if aggregate in ("since_last", "since_first") or (aggregate == "count" and draw(st.booleans())):
                value = -1
            delay = draw(st.sampled_from((0, 0, 0, 7, 30)))
            windows.append(
                WindowPlan(
                    aggregate,
                    read_key=draw(st.sampled_from((KEY, KEY, OTHER))),
                    out=out,
                    last=draw(st.sampled_from((*spans, 10**6) if aggregate in LOOKING_BACK else spans)),
                    delay=delay,
                    value=value,
                    value_float=value in IS_FLOAT,
                    where=draw(st.sampled_from((-1, -1, WHERE, WHERE2))),
                    probe=value if aggregate == "has_seen" else -1,
                    with_current=delay == 0 and draw(st.booleans()),
                    n=draw(st.integers(1, 4)) if aggregate == "nth_previous" else 1,
                )
            )
            out += 1
        streams.append(StreamPlan(draw(st.integers(0, 1)), draw(st.sampled_from((KEY, KEY, OTHER))), tuple(windows)))
    return streams


def rows_of(rng: random.Random, many: int, lateness: int) -> list[tuple[list[int | float], int, int]]:
    """Random rows, their kinds and flags; late ones at most `lateness` behind the latest."""
    rows, clock = [], 1000
    pace = rng.choice((0, 1, 3, 20))
    keys = rng.choice((1, 2, 8, 40))
    for _ in range(many):
        at = clock + rng.choice((0, 0, 1, pace, pace, 2 * pace)) + (rng.random() < 0.02) * 200
        if rng.random() < 0.1:
            at = clock - rng.randint(0, lateness)
        clock = max(clock, at)
        row: list[int | float] = [at]
        row += [
            rng.choice((MISSING, *range(-2, keys))) if rng.random() < 0.1 else rng.randrange(keys) for _ in range(2)
        ]
        row.append(MISSING if rng.random() < 0.1 else rng.randint(-3, 3))
        row.append(rng.choice((MISSING, 2**53, -(2**53), 2**53 - 1, 7, rng.randint(-(2**53), 2**53))))
        row.append(rng.choice((math.nan, -0.0, 0.0, 0.1, 1e12 + rng.random(), rng.gauss(0, 1), rng.random() * 1e-9)))
        row += [rng.choice((MISSING, 0, 1, 1)) for _ in range(3)]
        rows.append((row, rng.choice((0, 0, 0, 1)), rng.choice((3, 3, 3, 3, 1, 2, 0))))
    return rows


def same(found: int, expected: int | float | Fraction | None, window: WindowPlan) -> bool:
    real = window.aggregate in REAL or (
        window.value_float
        and window.aggregate in ("total", "minimum", "maximum", "mode", "first", "last_value", "nth_previous")
    )
    cell = float(np.int64(found).view(np.float64)) if real else found
    if expected is None:
        return missing(cell)
    if missing(cell):
        return False
    if window.aggregate == "std":
        if expected == 0:
            return cell == 0
        return abs(Fraction(cell) ** 2 / Fraction(expected) - 1) < Fraction(2, 10**12)
    if window.aggregate == "total" and not window.value_float:
        return cell == max(-(2**63) + 1, min(2**63 - 1, int(expected)))
    if isinstance(expected, Fraction):
        return cell == expected or abs(Fraction(cell) - expected) <= abs(expected) * Fraction(1, 10**12)
    return cell == expected


@settings(max_examples=150, deadline=None)
@given(plans(), st.integers(0, 2**32), st.integers(1, 160), st.sampled_from((0, 5, 40, 300)))
def test_windows_are_exact(streams: list[StreamPlan], seed: int, many: int, lateness: int) -> None:
    rng = random.Random(seed)
    windows, brute = Windows(streams, lateness=lateness), Brute(streams)
    outs = [window for stream in streams for window in stream.windows]
    columns = FIRST_OUT + len(outs)
    rows = rows_of(rng, many, lateness)
    start = 0
    while start < many:
        stop = min(many, start + rng.choice((1, 1, 2, 30, 200)))
        cells = np.full((columns, stop - start + rng.choice((0, 3))), 77, np.int64)
        for i, (row, _, _) in enumerate(rows[start:stop]):
            for c, cell in enumerate(row):
                (cells.view(np.float64) if isinstance(cell, float) else cells)[c, i] = cell
        kinds = np.array([kind for _, kind, _ in rows[start:stop]], np.int64)
        flags = np.array([flag for _, _, flag in rows[start:stop]], np.int64)
        windows.run(cells, kinds, flags, stop - start)
        for i, (row, kind, flag) in enumerate(rows[start:stop]):
            if flag & 1:
                expected = brute.read(row, kind)
                for window in outs:
                    found = int(cells[window.out, i])
                    assert same(found, expected[window.out], window), (start + i, window, found, expected[window.out])
            if flag & 2:
                brute.learn(row, kind)
        start = stop
        if rng.random() < 0.15:
            kept = windows.snapshot()
            if rng.random() < 0.5:
                windows = Windows(streams, lateness=lateness)
            windows.restore(kept)
    clock = max((row[0] for row, _, flag in rows if flag), default=None)
    if clock is not None:
        assert windows.clock == clock


COUNT = StreamPlan(0, KEY, (WindowPlan("count", KEY, FIRST_OUT, 100), WindowPlan("maximum", KEY, 10, 50, value=SMALL)))


def run(windows: Windows, ats: list[int], keys: list[int], columns: int = 16) -> np.ndarray:
    cells = np.zeros((columns, len(ats)), np.int64)
    cells[AT], cells[KEY], cells[SMALL] = ats, keys, ats
    windows.run(cells, np.zeros(len(ats), np.int64), np.full(len(ats), 3, np.int64), len(ats))
    return cells


def test_windows_whose_rows_a_step_takes_take_no_others() -> None:
    windows, arrays = Windows([COUNT], lateness=10), [np.zeros((16, 4), np.int64) for _ in range(2)]
    kinds, flags = np.zeros(4, np.int64), np.full(4, 3, np.int64)
    chain = Chain([windows.step(arrays[0], kinds, flags)], 4)
    chain.run(2)
    windows.run(arrays[0], kinds, flags, 1)
    with pytest.raises(ValueError, match="other arrays"):
        windows.run(arrays[1], kinds, flags, 1)
    chain.run(1)
    assert arrays[0][FIRST_OUT, 0] == 3 and not arrays[1].any()


def test_the_step_of_windows_keeps_them_and_says_that_memory_is_out() -> None:
    windows, kinds = Windows([COUNT], lateness=10), np.zeros(4, np.int64)
    step, kept = windows.step(np.zeros((16, 4), np.int64), kinds, kinds), weakref.ref(windows)
    del windows
    gc.collect()
    assert kept() is not None
    with pytest.raises(MemoryError, match="not to be used any more"):
        step.take(1)


def test_idle_entities_and_old_events_are_forgotten() -> None:
    windows = Windows([COUNT], lateness=10)
    run(windows, list(range(20_000)), list(range(20_000)))
    assert windows.entities()[0] < 2000
    busy = Windows([COUNT], lateness=10)
    run(busy, list(range(20_000)), [1] * 20_000)
    assert busy.memory() < 40_000


def test_looking_back_a_few_events_keeps_only_those() -> None:
    day = 86_400_000_000
    pinned = WindowPlan("nth_previous", KEY, 11, 400 * day, value=SMALL, n=3)
    windows = Windows([StreamPlan(0, KEY, (*COUNT.windows, pinned))], lateness=10)
    found = run(windows, list(range(0, 2_000_000, 100)), [1] * 20_000)
    assert found[11, -1] == 2_000_000 - 400
    assert windows.memory() < 20_000


def test_a_hot_key_and_growing_tables() -> None:
    windows = Windows([COUNT], lateness=0)
    rng = np.random.default_rng(3)
    ats = np.arange(30_000) // 300
    keys = np.where(rng.random(30_000) < 0.5, 1, rng.integers(2, 5000, 30_000))
    found = run(windows, ats.tolist(), keys.tolist())
    assert found[FIRST_OUT, -1] == np.count_nonzero((keys == keys[-1])[:-1])


def test_float_sums_forget_what_left() -> None:
    plan = StreamPlan(0, KEY, (WindowPlan("total", KEY, 9, 10, value=FLOAT, value_float=True),))
    windows = Windows([plan], lateness=0)
    cells = np.zeros((10, 5), np.int64)
    cells[AT] = [0, 1, 10, 12, 13]
    cells.view(np.float64)[FLOAT] = [1e300, 0.1, math.inf, 0.2, 0]
    windows.run(cells, np.zeros(5, np.int64), np.full(5, 3, np.int64), 5)
    assert cells.view(np.float64)[9, :3].tolist() == [0.0, 1e300, 0.1]
    assert np.isnan(cells.view(np.float64)[9, 3:]).all()
    cells[AT] += 20
    windows.run(cells, np.zeros(5, np.int64), np.full(5, 3, np.int64), 1)
    assert cells.view(np.float64)[9, 0] == 0.2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([1e308, -1e308, 1.7e308, -1.7e308, 3.0]), min_size=1, max_size=8), st.booleans())
def test_floats_whose_sums_are_too_large_on_the_way(values: list[float], current: bool) -> None:
    ops = ("total", "mean", "std")
    plans = (
        WindowPlan(op, KEY, 9 + i, 4, value=FLOAT, value_float=True, with_current=current) for i, op in enumerate(ops)
    )
    stream, many = StreamPlan(0, KEY, tuple(plans)), len(values)
    windows, brute = Windows([stream], lateness=0), Brute([stream])
    cells = np.zeros((12, many), np.int64)
    cells[AT] = range(many)
    cells.view(np.float64)[FLOAT] = values
    windows.run(cells, np.zeros(many, np.int64), np.full(many, 3, np.int64), many)
    for i in range(many):
        row: list[int | float] = [int(cell) for cell in cells[:9, i]]
        row[FLOAT] = values[i]
        for window in stream.windows:
            right = brute.read(row, 0)[window.out]
            assert same(int(cells[window.out, i]), within(right, window), window), (window.aggregate, i)
        brute.learn(row, 0)


def within(right: int | float | Fraction | None, window: WindowPlan) -> int | float | Fraction | None:
    """What is right, missing where no float is as large."""
    most = Fraction(sys.float_info.max) ** (2 if window.aggregate == "std" else 1)
    return None if right is None or abs(Fraction(right)) > most else right


def test_a_snapshot_of_another_plan_or_a_damaged_one_is_refused() -> None:
    windows = Windows([COUNT], lateness=10)
    run(windows, [1, 2, 3], [1, 1, 2])
    kept = windows.snapshot()
    other = Windows([StreamPlan(0, OTHER, COUNT.windows)], lateness=10)
    with pytest.raises(SnapshotError):
        other.restore(kept)
    for name in ("entities_0", "events_0", "clock", "plan"):
        with pytest.raises(SnapshotError):
            windows.restore({k: v for k, v in kept.items() if k != name})
    with pytest.raises(SnapshotError):
        windows.restore({**kept, "events_0": kept["events_0"][:-1]})
    damaged = kept["entities_0"].copy()
    damaged[0, 2] = 60
    with pytest.raises(SnapshotError):
        windows.restore({**kept, "entities_0": damaged})
    assert run(windows, [4], [1])[FIRST_OUT, 0] == 2


def test_a_wrong_plan_is_refused() -> None:
    for window in (
        WindowPlan("median", KEY, 9, 10),
        WindowPlan("count", KEY, 9, 0),
        WindowPlan("mean", KEY, 9, 10),
        WindowPlan("count", KEY, 9, 10, delay=5, with_current=True),
    ):
        with pytest.raises(FlowError):
            Windows([StreamPlan(0, KEY, (window,))], lateness=0)


def test_arrays_that_do_not_fit_are_refused() -> None:
    windows, n = Windows([COUNT], lateness=0), np.zeros(4, np.int64)
    for cells in (np.zeros((5, 4), np.int64), np.zeros((16, 4)), np.zeros((4, 16), np.int64).T):
        with pytest.raises(ValueError, match=r"contiguous|columns"):
            windows.run(cells, n, n, 4)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rows"):
        windows.run(np.zeros((16, 4), np.int64), n, n, 5)


def test_what_an_entity_costs_is_said() -> None:
    windows = Windows([COUNT], lateness=86_400_000_000)
    assert windows.bound(0) == (
        "136 bytes per entity and 20 bytes for each of its events of the last 1 days, "
        "rounded up to a power of two events"
    )


def test_the_clock_is_the_latest_row_and_can_be_set() -> None:
    windows = Windows([COUNT], lateness=10)
    run(windows, [7, 3], [1, 1])
    assert windows.clock == 7
    windows.clock = 50
    assert windows.clock == 50

"""Late events: decided as if they had come in time, and found in their place afterwards, to the last bit."""

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.test_windows import AT, FIRST_OUT, FLOAT, KEY, OTHER, SHARE, SMALL, WHERE, plans
from tidegate.features.plan import AGGREGATES, MISSING, StreamPlan, WindowPlan
from tidegate.features.windows import Windows

FOREVER = 10**9
READ, LEARN = 1, 2


def cells_of(rng: random.Random, many: int, columns: int, behind: int, shape: str) -> np.ndarray:
    """Rows of a few large entities in order of arrival; one in four up to `behind` late; times tie often."""
    cells = np.full((columns, many), MISSING, np.int64)
    clock = 1000
    for i in range(many):
        clock += rng.choice((0, 0, 1, 2))
        late = rng.random() < 0.25
        cells[AT, i] = clock - rng.randint(0, behind) if late else clock
        cells[1:3, i] = [rng.randrange(2), rng.randrange(2)]
        cells[3, i] = {"few": rng.randint(-3, 3), "many": rng.randint(0, 40), "rising": i, "falling": -i}[shape]
        cells[4, i] = rng.choice((MISSING, 7, rng.randint(-(2**53), 2**53)))
        cells.view(np.float64)[5, i] = rng.choice((np.nan, -0.0, 0.1, rng.gauss(0, 1), 1e12 + rng.random()))
        cells[6:9, i] = [rng.choice((MISSING, 0, 1, 1)) for _ in range(3)]
    return cells


def taken(windows: Windows, cells: np.ndarray, flags: np.ndarray | int, batch: int) -> np.ndarray:
    """The rows with their answers, after the windows took them in batches."""
    cells = cells.copy()
    flags = np.full(cells.shape[1], flags, np.int64) if isinstance(flags, int) else flags
    for start in range(0, cells.shape[1], batch):
        part = np.ascontiguousarray(cells[:, start : start + batch])
        n = part.shape[1]
        windows.run(part, np.zeros(n, np.int64), flags[start : start + n].copy(), n)
        cells[:, start : start + batch] = part
    return cells


def every_window(read_key: int) -> list[StreamPlan]:
    """Every aggregate, short and long, delayed or with the current event."""
    windows: list[WindowPlan] = []
    for aggregate in AGGREGATES:
        for value in (SMALL, FLOAT) if aggregate != "share" else (SHARE,):
            for last, delay, current in ((15, 0, True), (150, 0, False), (150, 7, False)):
                bare = aggregate in ("since_last", "since_first") or (aggregate == "count" and value == FLOAT)
                windows.append(
                    WindowPlan(
                        aggregate,
                        read_key=read_key,
                        out=FIRST_OUT + len(windows),
                        last=last,
                        delay=delay,
                        value=-1 if bare else value,
                        value_float=value == FLOAT and not bare,
                        where=WHERE if delay else -1,
                        probe=value if aggregate == "has_seen" else -1,
                        with_current=current,
                        n=2 if aggregate == "nth_previous" else 1,
                    )
                )
    return [StreamPlan(0, KEY, tuple(windows))]


@settings(max_examples=60, deadline=None)
@given(
    plans() | st.builds(every_window, st.sampled_from((KEY, OTHER))),
    st.integers(0, 2**32),
    st.sampled_from((1, 5, 60, 400)),
    st.sampled_from(("few", "many", "rising", "falling")),
    st.sampled_from((1, 3, 64, 1000)),
)
def test_late_events_are_as_events_in_order(
    streams: list[StreamPlan], seed: int, behind: int, shape: str, batch: int
) -> None:
    rng = random.Random(seed)
    streams = [StreamPlan(0, s.learn_key, s.windows) for s in streams]
    columns = FIRST_OUT + sum(len(s.windows) for s in streams)
    rows = cells_of(rng, 300, columns, behind, shape)
    flags = np.array([rng.choice((READ | LEARN, READ | LEARN, LEARN)) for _ in range(300)], np.int64)
    arrived = Windows(streams, lateness=FOREVER)
    found = taken(arrived, rows, flags, batch)

    # What each late row was told is what it is told where nothing later has come yet.
    newest = np.maximum.accumulate(rows[AT])
    late = np.flatnonzero((rows[AT] < newest) & (flags & READ != 0))
    for i in late[:: max(1, len(late) // 8)].tolist():
        before = np.flatnonzero(rows[AT, :i] <= rows[AT, i])
        before = before[np.argsort(rows[AT, before], kind="stable")]
        plain = Windows(streams, lateness=FOREVER)
        taken(plain, rows[:, before], LEARN, 1000)
        alone = taken(plain, rows[:, i : i + 1], READ, 1)
        assert alone[FIRST_OUT:, 0].tolist() == found[FIRST_OUT:, i].tolist(), i

    # And whoever asks afterwards, at any time, cannot tell in which order the events came.
    plain, order = Windows(streams, lateness=FOREVER), np.argsort(rows[AT], kind="stable")
    taken(plain, rows[:, order], flags[order], batch)
    probes = rows.copy()
    probes[AT] = [rng.randint(900, int(newest[-1]) + 70) for _ in range(rows.shape[1])]
    assert np.array_equal(taken(arrived, probes, READ, batch), taken(plain, probes, READ, batch))


def test_a_late_event_does_not_cost_the_size_of_its_entity() -> None:
    aggregates = ("count", "total", "mean", "std", "maximum", "distinct", "has_seen", "last_value", "since_last")
    windows = tuple(
        WindowPlan(name, KEY, FIRST_OUT + i, FOREVER, value=-1 if name in ("count", "since_last") else SMALL)
        for i, name in enumerate(aggregates)
    )
    columns = FIRST_OUT + len(windows)

    def seconds(size: int) -> float:
        engine, rng = Windows([StreamPlan(0, KEY, windows)], lateness=FOREVER), np.random.default_rng(1)
        rows = np.zeros((columns, size), np.int64)
        rows[AT], rows[SMALL] = np.arange(size), rng.integers(0, 100, size)
        taken(engine, rows, READ | LEARN, 8192)
        best = 1.0
        for again in range(5):
            rows = np.zeros((columns, 200), np.int64)
            rows[AT] = size + 200 * again + np.arange(200) - 5 * (np.arange(200) % 2)
            rows[SMALL] = rng.integers(0, 100, 200)
            began = time.perf_counter()
            taken(engine, rows, READ | LEARN, 200)
            best = min(best, time.perf_counter() - began)
        return best

    # Two hundred times as many events; it was two hundred times as slow when every late event went through them all.
    assert seconds(200_000) < 20 * seconds(1000)


@pytest.mark.parametrize("behind", [3, 50])
def test_late_events_between_snapshots(behind: int) -> None:
    rng = random.Random(behind)
    windows = tuple(
        WindowPlan(name, KEY, FIRST_OUT + i, 40, value=SMALL)
        for i, name in enumerate(("total", "maximum", "minimum", "distinct", "mode", "has_seen", "first"))
    )
    streams = [StreamPlan(0, KEY, windows)]
    rows = cells_of(rng, 400, FIRST_OUT + len(windows), behind, "few")
    whole = taken(Windows(streams, lateness=behind), rows, READ | LEARN, 1000)
    cut = Windows(streams, lateness=behind)
    for start in range(0, 400, 7):
        part = taken(cut, rows[:, start : start + 7], READ | LEARN, 3)
        assert np.array_equal(part, whole[:, start : start + 7])
        kept, cut = cut.snapshot(), Windows(streams, lateness=behind)
        cut.restore(kept)


def test_what_was_filed_behind_the_last_look_is_seen_by_a_late_one() -> None:
    count = WindowPlan("count", OTHER, FIRST_OUT, 100)
    windows = Windows([StreamPlan(0, KEY, (count,))], lateness=FOREVER)
    rows = np.zeros((FIRST_OUT + 1, 5), np.int64)
    # Entity 1: an event at 80, a look at 100, an event at 90 filed without a look, then looks at 95 and at 89.
    rows[AT], rows[KEY], rows[OTHER] = (80, 100, 90, 95, 89), (1, 2, 1, 2, 2), (2, 1, 2, 1, 1)
    assert taken(windows, rows, READ | LEARN, 5)[FIRST_OUT].tolist() == [0, 1, 0, 2, 1]

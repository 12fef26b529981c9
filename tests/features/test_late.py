"""Late events: decided as if they had come in time, and found in their place afterwards, to the last bit."""

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.test_windows import AT, FIRST_OUT, KEY, SMALL, plans
from tidegate.features.plan import MISSING, StreamPlan, WindowPlan
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
        small = {"any": rng.randint(-3, 3), "rising": i, "falling": -i}[shape]
        cells[3, i], cells[4, i] = small, rng.choice((MISSING, 7, rng.randint(-(2**53), 2**53)))
        cells.view(np.float64)[5, i] = rng.choice((np.nan, -0.0, 0.1, rng.gauss(0, 1), 1e12 + rng.random()))
        cells[6:9, i] = [rng.choice((MISSING, 0, 1, 1)) for _ in range(3)]
    return cells


def taken(windows: Windows, cells: np.ndarray, flag: int, batch: int) -> np.ndarray:
    """The rows with their answers, after the windows took them in batches."""
    cells = cells.copy()
    for start in range(0, cells.shape[1], batch):
        part = np.ascontiguousarray(cells[:, start : start + batch])
        n = part.shape[1]
        windows.run(part, np.zeros(n, np.int64), np.full(n, flag, np.int64), n)
        cells[:, start : start + batch] = part
    return cells


@settings(max_examples=60, deadline=None)
@given(
    plans(),
    st.integers(0, 2**32),
    st.sampled_from((1, 5, 60, 400)),
    st.sampled_from(("any", "rising", "falling")),
    st.sampled_from((1, 3, 64, 1000)),
)
def test_late_events_are_as_events_in_order(
    streams: list[StreamPlan], seed: int, behind: int, shape: str, batch: int
) -> None:
    rng = random.Random(seed)
    streams = [StreamPlan(0, s.learn_key, s.windows) for s in streams]
    columns = FIRST_OUT + sum(len(s.windows) for s in streams)
    rows = cells_of(rng, 300, columns, behind, shape)
    arrived = Windows(streams, lateness=FOREVER)
    found = taken(arrived, rows, READ | LEARN, batch)

    # What each late row was told is what it is told where nothing later has come yet.
    newest = np.maximum.accumulate(rows[AT])
    late = np.flatnonzero(rows[AT] < newest)
    for i in late[:: max(1, len(late) // 8)].tolist():
        before = np.flatnonzero(rows[AT, :i] <= rows[AT, i])
        before = before[np.argsort(rows[AT, before], kind="stable")]
        plain = Windows(streams, lateness=FOREVER)
        taken(plain, rows[:, before], LEARN, 1000)
        alone = taken(plain, rows[:, i : i + 1], READ, 1)
        assert alone[FIRST_OUT:, 0].tolist() == found[FIRST_OUT:, i].tolist(), i

    # And whoever asks afterwards, at any time, cannot tell in which order the events came.
    plain = Windows(streams, lateness=FOREVER)
    taken(plain, rows[:, np.argsort(rows[AT], kind="stable")], READ | LEARN, batch)
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
    rows = cells_of(rng, 400, FIRST_OUT + len(windows), behind, "any")
    whole = taken(Windows(streams, lateness=behind), rows, READ | LEARN, 1000)
    cut = Windows(streams, lateness=behind)
    for start in range(0, 400, 7):
        part = taken(cut, rows[:, start : start + 7], READ | LEARN, 3)
        assert np.array_equal(part, whole[:, start : start + 7])
        kept, cut = cut.snapshot(), Windows(streams, lateness=behind)
        cut.restore(kept)

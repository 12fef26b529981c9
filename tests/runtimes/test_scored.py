"""What a report says of a scorecard is what the decisions themselves say of it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from tidegate import Engine, Event, Flow, bins, decline, entity, scorecard
from tidegate.reports import find
from tidegate.runtimes.backtest import replay

Person = entity("person")


class Asked(Event):
    """An application."""

    person: Person
    age: int | None
    amount: int
    home: str


class Lend(Flow[Asked]):
    """Lend what is paid back."""

    points = scorecard(
        {
            "age": bins({"< 25": 20, "[25..40)": 45, ">= 40": 70, "missing": 30}, because="Age"),
            "amount": bins({"< 2000": 60, "[2000..8000)": 40, "[8000..20000)": 5}, because="Amount"),
            "home": bins({"own": 55, "rent": 25, "otherwise": 20}, because="Home"),
        },
        of=[Asked.age, Asked.amount, Asked.home],
    )
    low = decline(points < 90, because="Few points")


def test_points_bins_and_reasons_are_the_decisions_own() -> None:
    rng, rows = np.random.default_rng(3), 500
    at = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=k) for k in range(rows)]
    frame = pl.DataFrame(
        {
            "id": [f"a{k}" for k in range(rows)], "at": at, "person": [f"p{k}" for k in range(rows)],
            "age": [None if k % 17 == 0 else int(age) for k, age in enumerate(rng.integers(18, 80, rows))],
            "amount": rng.lognormal(8, 1, rows).astype(int), "home": rng.choice(["own", "rent", "free"], rows),
        }
    )  # fmt: skip
    figures = replay(Lend, frame, batch=64).figures()
    worth = find(figures).cards[0]
    engine = Engine(Lend)
    uses = [engine.decide(Asked(**row)).scorecards[0] for row in frame.iter_rows(named=True)]
    points = [use.points for use in uses]
    np.testing.assert_array_equal(figures.cards[0].points, [np.nan if one is None else one for one in points])
    assert worth.unscored == points.count(None) > 0
    told = Counter((one.characteristic, one.bin) for use in uses for one in use.bins)
    assert {(one.characteristic, one.bin.text if one.bin else None): one.events for one in worth.bins} == told
    by_bin = {(one.characteristic, one.bin): (one.points, one.lost) for use in uses for one in use.bins}
    for one in worth.bins:
        if one.bin is not None:
            assert by_bin[one.characteristic, one.bin.text] == (one.bin.points, one.bin.lost)
    named = Counter(reason.code for use in uses for reason in use.reasons)
    first = Counter(use.reasons[0].code for use in uses if use.reasons)
    assert {one.code: one.named for one in worth.reasons} == named
    assert {one.code: one.first for one in worth.reasons if one.first} == first
    for one in worth.reasons:
        lost = [reason.lost for use in uses for reason in use.reasons if reason.code == one.code]
        assert one.lost == np.mean(lost)

"""The world as a stream: the same for a seed however it is read, in order, labelled at the rates it promises."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from tidegate.solutions.world import World, WorldError

SMALL = {"customers": 2_000, "merchants": 400, "days": 21}


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=11, **SMALL)


@pytest.fixture(scope="module")
def payments(world: World) -> pl.DataFrame:
    return pl.concat(list(world.payments()))


@pytest.fixture(scope="module")
def events(world: World) -> pl.DataFrame:
    return pl.concat(list(world.events()))


@pytest.mark.parametrize("chunk", [997, 10_000, 10**9])
def test_chunk_size_does_not_change_the_world(world: World, payments: pl.DataFrame, chunk: int) -> None:
    parts = list(world.payments(chunk))
    assert all(part.height == chunk for part in parts[:-1])
    assert 0 < parts[-1].height <= chunk
    assert pl.concat(parts).equals(payments)


def test_a_seed_is_a_world(payments: pl.DataFrame) -> None:
    assert pl.concat(list(World(seed=11, **SMALL).payments())).equals(payments)
    other = pl.concat(list(World(seed=12, **SMALL).payments()))
    assert not other["customer"].head(1_000).equals(payments["customer"].head(1_000))


def test_reading_twice_gives_the_same(world: World, payments: pl.DataFrame) -> None:
    assert pl.concat(list(world.payments())).equals(payments)


def test_more_days_only_add_to_the_end(payments: pl.DataFrame) -> None:
    longer = pl.concat(list(World(seed=11, **{**SMALL, "days": 25}).payments()))
    assert longer.head(payments.height).equals(payments)


def test_types_read_alone_are_the_types_read_together(
    world: World, payments: pl.DataFrame, events: pl.DataFrame
) -> None:
    for name, alone in (
        ("payment", payments),
        ("login", world.lazy("login").collect()),
        ("transfer", world.lazy("transfer").collect()),
        ("confirmed_fraud", world.lazy("confirmed_fraud").collect()),
    ):
        assert events.filter(pl.col("type") == name).select(alone.columns).equals(alone), name


def test_chunks_of_events_are_cuts_of_one_stream(world: World, events: pl.DataFrame) -> None:
    assert pl.concat(list(world.events(3_001))).equals(events)


def test_a_busy_world_is_cut_into_parts_of_an_hour() -> None:
    # More than 24 slices a day take another path through the calendar.
    busy = World(seed=2, customers=2_000, merchants=300, days=1, payments_per_day=800.0)
    assert busy.settings.parts > 24
    payments = pl.concat(list(busy.payments()))
    assert payments["at"].is_sorted()
    assert payments.height == pytest.approx(1_600_000 * 0.92, rel=0.08)


def test_order_and_ids(payments: pl.DataFrame, events: pl.DataFrame) -> None:
    assert payments["at"].is_sorted()
    assert events["at"].is_sorted()
    assert payments["id"].equals(pl.Series("id", range(1, payments.height + 1)))
    assert events["id"].n_unique() == events.height
    assert events["id"].max() < 2**53  # exact in JSON


def test_times_lie_within_the_run(world: World, events: pl.DataFrame) -> None:
    first, last = events["at"].min(), events["at"].max()
    assert first.date() == date(2025, 11, 3) == world.settings.start
    assert last.date() == world.settings.start + timedelta(days=world.settings.days - 1)


def test_columns(payments: pl.DataFrame) -> None:
    assert payments.schema["at"] == pl.Datetime("us", "UTC")
    assert payments["country"].cast(pl.String).str.len_chars().unique().to_list() == [2]
    assert payments["channel"].unique().cast(pl.String).sort().to_list() == ["chip", "contactless", "online"]
    assert payments["currency"].cast(pl.String).unique().to_list() == ["EUR"]
    assert payments["amount"].min() >= 50
    known = payments.drop("device", "fraud_kind", "look_alike")
    assert sum(known.null_count().row(0)) == 0
    assert (payments["device"].is_not_null() == (payments["channel"] == "online")).all()


def test_rate_and_kinds_of_fraud(payments: pl.DataFrame, events: pl.DataFrame) -> None:
    assert 0.004 < payments["fraud"].mean() < 0.01
    assert (payments["fraud"] == payments["fraud_kind"].is_not_null()).all()
    assert not payments.filter(pl.col("fraud"))["look_alike"].is_not_null().any()
    kinds = set(events.filter(pl.col("fraud"))["fraud_kind"].cast(pl.String))
    assert kinds == {"stolen_card", "card_testing", "account_takeover", "mule_chain", "colluding_ring"}


@pytest.mark.parametrize("rate", [0.0, 0.05])
def test_the_rate_can_be_chosen(rate: float) -> None:
    payments = pl.concat(list(World(seed=3, customers=4_000, merchants=300, days=10, fraud_rate=rate).payments()))
    assert payments["fraud"].mean() == pytest.approx(rate, rel=0.3)


def test_confirmed_frauds_follow_their_payments(payments: pl.DataFrame, world: World) -> None:
    confirmed = world.lazy("confirmed_fraud").collect()
    assert confirmed["payment"].n_unique() == confirmed.height
    both = confirmed.join(payments, left_on="payment", right_on="id", suffix="_paid")
    assert both.height == confirmed.height
    assert both["fraud"].all()
    for column in ("card", "customer", "merchant"):
        assert (both[column] == both[f"{column}_paid"]).all()
    delay = (both["at"] - both["at_paid"]).dt.total_hours() / 24
    assert delay.min() >= 2
    assert delay.max() <= 21
    # Those of the first days are all in: unbiased by the end of the run.
    early = delay.filter(both["at_paid"] < payments["at"].min() + timedelta(days=6))
    assert 5.5 < early.mean() < 8.5
    assert early.std() > 1


def test_a_confirmed_card_is_replaced(payments: pl.DataFrame, world: World) -> None:
    cards = world.entities()["cards"].height
    confirmed = world.lazy("confirmed_fraud").collect()
    after = payments.join(confirmed.group_by("card").agg(pl.col("at").min().alias("known")), on="card")
    assert (after["at"] < after["known"] + timedelta(days=1)).all()
    renewed = payments.filter(pl.col("card") >= cards)
    assert renewed.height > 0
    owner = dict(world.entities()["cards"].iter_rows())
    assert all(owner[card % cards] == customer for card, customer in renewed.select("card", "customer").iter_rows())


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"customers": 3}, "customers"),
        ({"merchants": 3}, "merchants"),
        ({"days": 0}, "days"),
        ({"fraud_rate": 0.9}, "fraud_rate"),
        ({"seed": -1}, "seed"),
        ({"payments_per_day": float("nan")}, "payments_per_day"),
        ({"start": "someday"}, "start"),
    ],
)
def test_impossible_worlds_are_refused(wrong: dict[str, object], word: str) -> None:
    with pytest.raises(WorldError, match=word):
        World(**wrong)  # type: ignore[arg-type]
    with pytest.raises(WorldError, match="chunk"):
        World().payments(chunk=0)


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_world_runs(seed: int) -> None:
    tiny = World(seed=seed, customers=201, merchants=200, days=40)
    assert sum(part.height for part in tiny.events()) > 201 * 40

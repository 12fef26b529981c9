"""Each kind of fraud carries its signature, and honest events that resemble it exist."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from tidegate.solutions.world import World

MINUTES_10 = timedelta(minutes=10)


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=5, customers=4_000, merchants=600, days=21)


@pytest.fixture(scope="module")
def payments(world: World) -> pl.DataFrame:
    home = world.entities()["customers"].rename({"country": "home"})
    return pl.concat(list(world.payments())).join(home, on="customer", maintain_order="left")


@pytest.fixture(scope="module")
def transfers(world: World) -> pl.DataFrame:
    return world.lazy("transfer").collect()


def of(payments: pl.DataFrame, kind: str) -> pl.DataFrame:
    return payments.filter(pl.col("fraud_kind") == kind)


def small_in_a_row(payments: pl.DataFrame) -> pl.DataFrame:
    """Per card: most small payments within ten minutes, at how many merchants overall."""
    small = payments.filter(pl.col("amount") < 1_000).sort("at")
    rolled = small.rolling("at", period="10m", group_by="card").agg(
        pl.len().alias("n"), pl.col("merchant").n_unique().alias("places")
    )
    return rolled.group_by("card").agg(pl.col("n").max(), pl.col("places").max())


def test_card_testing_is_many_small_payments_then_a_large_one(payments: pl.DataFrame) -> None:
    tested = of(payments, "card_testing")
    rows = small_in_a_row(tested)
    assert rows.height > 20
    # Stories are cut off by the end of the run or by a card being replaced; nearly all show four or more.
    assert (rows["n"] >= 4).mean() > 0.95
    assert (rows["places"] >= 3).mean() > 0.9
    assert (tested["channel"] == "online").all()
    assert (tested.group_by("card").agg(pl.col("amount").max())["amount"] > 9_000).mean() > 0.4
    assert tested["declined"].mean() > 0.2 > payments["declined"].mean() * 4


def test_stolen_cards_go_abroad_and_for_dear_goods(payments: pl.DataFrame) -> None:
    stolen, honest = of(payments, "stolen_card"), payments.filter(~pl.col("fraud"))
    abroad = (pl.col("country") != pl.col("home")).mean()
    assert stolen.select(abroad).item() > 0.35 > 5 * honest.select(abroad).item()
    assert stolen["amount"].median() > 2 * honest["amount"].median()
    span = stolen.group_by("card").agg((pl.col("at").max() - pl.col("at").min()).alias("span"))["span"]
    assert (span < timedelta(days=1)).mean() > 0.9


def test_takeover_is_a_new_device_failed_logins_and_money_out(world: World, payments: pl.DataFrame) -> None:
    logins = world.lazy("login").collect()
    taken = of(logins, "account_takeover")
    stories = taken.group_by("customer", "device").agg((~pl.col("success")).sum().alias("fails"))
    assert stories.height > 20
    assert 0.5 < (stories["fails"] >= 2).mean() < 0.9
    own = world.entities()["devices"]
    assert taken.join(own, on=["customer", "device"]).height == 0
    bought = of(payments, "account_takeover")
    opened = taken.filter("success").select("customer", "device", pl.col("at").alias("opened"))
    linked = bought.join(opened, on=["customer", "device"])
    assert linked.height >= bought.height
    assert (linked["at"] > linked["opened"]).all()


def test_mules_pass_money_on(world: World, transfers: pl.DataFrame) -> None:
    chained = of(transfers, "mule_chain")
    gangs = world.entities()["gangs"].filter(pl.col("role") == "mule")
    mules = set(gangs["id"])
    into = chained.filter(~pl.col("payer").is_in(mules))
    onward = chained.filter(pl.col("payer").is_in(mules))
    assert into["payee"].is_in(mules).all()
    assert into.height > 0
    assert onward.height > 0
    # Soon after money comes into a mule's account, nearly all of what came leaves it.
    reach = chained.select("at", account="payee").sort("account", "at")
    left = onward.select("at", account="payer", gone="at").sort("account", "at")
    met = reach.filter(pl.col("account").is_in(mules)).join_asof(
        left, on="at", by="account", strategy="forward", check_sortedness=False
    )
    held = (met["gone"] - met["at"]).dt.total_minutes()
    assert held.drop_nulls().median() < 240
    # It ends outside the bank.
    customers = world.settings.customers
    assert (onward["payee"] >= customers).sum() == pytest.approx(onward.filter(pl.col("payee") >= customers).height)
    assert (onward["payee"] >= customers).any()


def test_a_ring_shares_merchant_devices_and_amounts(world: World, payments: pl.DataFrame) -> None:
    gangs = world.entities()["gangs"].filter(pl.col("kind") == "colluding_ring")
    members = gangs.filter(pl.col("role") == "member")
    merchants = gangs.filter(pl.col("role") == "merchant")
    ring = of(payments, "colluding_ring")
    assert ring["customer"].is_in(members["id"].to_list()).all()
    assert ring["merchant"].is_in(merchants["id"].to_list()).all()
    devices = gangs.filter(pl.col("role") == "device")["id"].to_list()
    assert 0.3 < ring["device"].is_in(devices).mean() < 0.7
    days = ring.group_by("merchant", pl.col("at").dt.date().alias("day")).agg(
        pl.len(), (pl.col("amount").std() / pl.col("amount").mean()).alias("spread")
    )
    together = days.filter(pl.col("len") >= 5)
    assert together.height > 3
    assert together["spread"].median() < 0.15
    # Members live an ordinary life besides.
    assert payments.filter(pl.col("customer").is_in(members["id"].to_list()) & ~pl.col("fraud")).height > ring.height


def test_honest_look_alikes_exist(world: World, payments: pl.DataFrame, transfers: pl.DataFrame) -> None:
    honest = payments.filter(~pl.col("fraud"))
    counts = dict(honest["look_alike"].drop_nulls().cast(pl.String).value_counts().iter_rows())
    fraud = payments["fraud"].sum()
    for kind in ("travel", "large_purchase", "new_device", "spree", "small_payments"):
        assert counts[kind] > fraud / 4, kind
    in_a_row = small_in_a_row(honest.filter(pl.col("look_alike") == "small_payments"))
    assert (in_a_row["n"] >= 4).sum() > 20
    assert ((in_a_row["n"] >= 4) & (in_a_row["places"] >= 3)).sum() > 10
    logins = world.lazy("login").collect().filter(~pl.col("fraud") & ~pl.col("success"))
    assert (logins.group_by("customer", pl.col("at").dt.date()).len()["len"] >= 3).sum() > 20
    assert transfers.filter(pl.col("look_alike") == "collection").height > of(transfers, "mule_chain").height / 2


def test_no_single_threshold_tells_fraud(payments: pl.DataFrame) -> None:
    """Any cut on one raw field that finds a third of the fraud is mostly wrong: the labels are not in the fields."""
    fraud = payments["fraud"].sum()
    for condition in (
        pl.col("amount") > 20_000,
        pl.col("amount") < 300,
        pl.col("country") != pl.col("home"),
        pl.col("channel") == "online",
        pl.col("at").dt.hour() < 5,
        pl.col("declined"),
        pl.col("device").is_null(),
    ):
        hit = payments.filter(condition)
        assert hit["fraud"].mean() < 0.2, str(condition)
        assert hit["fraud"].sum() < 0.95 * fraud, str(condition)


def test_people_sleep_and_shop_at_weekends(payments: pl.DataFrame) -> None:
    local = payments.filter((pl.col("home") == "DE") & ~pl.col("fraud")).with_columns(
        pl.col("at").dt.offset_by("1h").alias("local")
    )
    hours = local.group_by(pl.col("local").dt.hour().alias("hour")).len().sort("hour")["len"]
    assert hours[12] > 8 * hours[3]
    days = (
        local.filter(pl.col("local").dt.day().is_between(4, 17))
        .group_by(pl.col("local").dt.weekday().alias("day"))
        .len()
    )
    of_day = dict(days.iter_rows())
    assert of_day[6] > of_day[1] > of_day[7]


def test_popularity_has_a_heavy_tail_and_people_have_favourites(payments: pl.DataFrame) -> None:
    visits = payments["merchant"].value_counts(sort=True)["count"]
    assert visits.head(60).sum() > 0.3 * payments.height
    pairs = payments.group_by("customer", "merchant").len()
    assert pairs.filter(pl.col("len") >= 3)["len"].sum() > 0.4 * payments.height


def test_customers_have_a_level_of_their_own(payments: pl.DataFrame) -> None:
    honest = payments.filter(~pl.col("fraud")).with_columns(pl.col("amount").log().alias("log"))
    by_customer = honest.group_by("customer").agg(pl.col("log").mean(), pl.len()).filter(pl.col("len") > 20)
    assert by_customer["log"].std() > 1.5 * honest["log"].std() / 40**0.5

"""The world as files, lazy frames and tables, in bounded memory."""

from __future__ import annotations

import resource
import tracemalloc
from pathlib import Path

import polars as pl
import pytest

from tidegate.solutions.world import World, WorldError


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=4, customers=1_000, merchants=300, days=12)


def test_five_million_events_take_no_more_memory_than_one() -> None:
    # In February every week is like the next.
    stream = World(seed=1, customers=40_000, merchants=1_000, days=60, start="2026-02-02").events(chunk=50_000)
    tracemalloc.start()
    try:
        seen, peaks, resident = 0, [], []
        for target in (1_500_000, 5_000_000):
            tracemalloc.reset_peak()
            while seen < target:
                seen += next(stream).height
            peaks.append(tracemalloc.get_traced_memory()[1])
            resident.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    finally:
        tracemalloc.stop()
    # A byte kept per event would show in the arrays; the resident peak (KiB) covers what polars holds as well.
    assert peaks[1] < peaks[0] + 3_000_000
    assert peaks[1] < 50_000_000
    assert resident[1] - resident[0] < 60_000


def test_parquet_holds_what_was_generated(world: World, tmp_path: Path) -> None:
    shares: list[float] = []
    counts = world.write(tmp_path / "out", progress=shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]
    payments = pl.concat(list(world.payments()))
    assert pl.read_parquet(tmp_path / "out" / "payment.parquet").equals(payments)
    assert counts["payment"] == payments.height
    for event in ("login", "transfer", "confirmed_fraud"):
        assert pl.read_parquet(tmp_path / "out" / f"{event}.parquet").height == counts[event]
    for name, table in world.entities().items():
        assert pl.read_parquet(tmp_path / "out" / f"{name}.parquet").equals(table)


def test_ndjson_reads_back(world: World, tmp_path: Path) -> None:
    counts = world.write(tmp_path, "ndjson", events=("payment",))
    rows = pl.read_ndjson(tmp_path / "payment.ndjson", infer_schema_length=None)
    payments = pl.concat(list(world.payments()))
    assert counts == {"payment": payments.height} == {"payment": rows.height}
    assert rows["id"].equals(payments["id"])
    assert rows["amount"].equals(payments["amount"])
    assert rows["fraud_kind"].equals(payments["fraud_kind"].cast(pl.String))
    assert rows["at"].str.to_datetime(time_unit="us", time_zone="UTC").equals(payments["at"])


def test_lazy_frames_filter_select_and_stop(world: World) -> None:
    payments = pl.concat(list(world.payments()))
    lazy = world.lazy("payment")
    assert lazy.collect_schema() == payments.schema
    query = lazy.filter(pl.col("amount") > 10_000).select("id", "amount")
    expected = payments.filter(pl.col("amount") > 10_000).select("id", "amount")
    assert query.collect().equals(expected)
    assert lazy.head(7).collect().equals(payments.head(7))
    assert world.lazy("login").select(pl.len()).collect().item() > 0


def test_tables_know_everything_that_appears(world: World) -> None:
    tables = world.entities()
    payments = pl.concat(list(world.payments()))
    assert set(tables) == {"customers", "cards", "devices", "merchants", "accounts", "gangs"}
    assert payments.join(tables["customers"], on="customer", how="anti").is_empty()
    known = payments.join(tables["merchants"], on="merchant", suffix="_known")
    assert known.height == payments.height
    assert (known["mcc"] == known["mcc_known"]).all()
    assert ((known["channel"] == "online") == known["online"]).all()
    first = payments.filter(pl.col("card") < tables["cards"].height)
    assert first.join(tables["cards"], on=["card", "customer"], how="anti").is_empty()
    owned = payments.filter(pl.col("device").is_not_null() & ~pl.col("fraud"))
    assert owned.join(tables["devices"], on=["device", "customer"]).height > 0.9 * owned.height
    transfers = world.lazy("transfer").collect()
    accounts = tables["accounts"].height
    assert transfers.select(pl.max_horizontal("payer", "payee").max()).item() < accounts
    assert (transfers["payer"] != transfers["payee"]).all()
    for name, key in (("customers", "customer"), ("cards", "card"), ("devices", "device"), ("merchants", "merchant")):
        assert tables[name][key].is_unique().all(), name


def test_nobody_is_in_two_gangs(world: World) -> None:
    gangs = world.entities()["gangs"]
    people = gangs.filter(pl.col("role").is_in(["member", "mule"]))
    assert people["id"].is_unique().all()


def test_unknown_names_are_refused(world: World, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="event type"):
        world.lazy("payments")
    with pytest.raises(WorldError, match="form"):
        world.write(tmp_path, "csv")

"""A training set by replay: nothing in it was learned too late, and a model is served what it was trained on."""

import types
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import lightgbm
import numpy as np
import polars as pl
import pytest

from tests.runtimes.test_replay import Card
from tidegate import (
    Engine,
    Event,
    Flow,
    Label,
    ModelError,
    Money,
    Registry,
    TidegateError,
    bands,
    count,
    entity,
    eur,
    hour,
    last_value,
    mean,
    mode,
    model,
    review,
    share,
    since_last,
    total,
    upper,
    where,
)
from tidegate import table as table_of
from tidegate.connectors.files import to_events
from tidegate.connectors.files_merge import merge_batches
from tidegate.decisions.decision import Decision
from tidegate.models.training import encode
from tidegate.runtimes.backtest import replay
from tidegate.runtimes.sources import Source
from tidegate.runtimes.training_set import model_of, train_model, training_set

Shop = entity("shop", key=int)
HOUR, DAY = 3_600_000_000, 86_400_000_000


class Paid(Event):
    card: Card  # type: ignore[valid-type]
    shop: Shop  # type: ignore[valid-type]
    amount: Money
    country: str
    note: str | None
    fraud: Annotated[bool, Label(known_after="2d")]


class Risky(Flow[Paid]):
    """A flow whose model reads features of every type, one of them without a name."""

    currency = "EUR"
    payments_1h = count(per=Card, last="1h")
    usual = mean(Paid.amount, per=Card, last="10d")
    spent = total(Paid.amount, per=Card, last="1d")
    quiet = since_last(per=Card, last="10d")
    country = Paid.country
    loud = upper(Paid.country)
    often = mode(Paid.country, per=Card, last="10d")
    noted = last_value(Paid.note, per=Card, last="10d")
    at_night = hour(Paid.at) < 6
    shop_risk = share(Paid.fraud, per=Shop, last="10d", delay="2d")
    risk = model(
        "risk@champion",
        of=[payments_1h, usual, spent, quiet, country, often, at_night, shop_risk, Paid.amount / usual],
        otherwise=0.5,
    )
    score = risk
    high = review(risk > 0.5, because="Like frauds before")


def events(n: int = 4000) -> pl.DataFrame:
    draw = np.random.default_rng(5)
    shop, amount = draw.integers(0, 30, n), draw.integers(100, 20_000, n)
    odds = 0.02 + 0.4 * (shop < 4) * (amount > 8000)
    return pl.DataFrame({
        "id": [f"p{i}" for i in range(n)],
        "at": np.sort(draw.integers(0, 40 * DAY, n)) + 1_700_000_000_000_000,
        "card": [f"c{i}" for i in draw.integers(0, 60, n)],
        "shop": shop,
        "amount": amount,
        "country": pl.Series(["de", "fr", "it"]).gather(draw.integers(0, 3, n)),
        "note": pl.Series(["x", None, "y"]).gather(draw.integers(0, 3, n)),
        "fraud": draw.random(n) < odds,
    }).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))  # fmt: skip


DEFAULTS = {"amount.currency": "EUR"}


def objects_of(rows: pl.DataFrame) -> list[Event]:
    streams = [(Paid, Source(Paid, rows, defaults=DEFAULTS).frames(None, lambda *_: None))]
    return [e for piece in merge_batches(streams) for event, frame in piece.parts for e in to_events(frame, event)]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return training_set(Risky, events(), defaults=DEFAULTS).table


def test_the_columns_are_those_of_the_flow(table: pl.DataFrame) -> None:
    types = dict(table.schema)
    assert list(types)[:4] == ["id", "at", "card", "shop"]
    assert list(types)[-1] == "fraud" and types["fraud"] == pl.Boolean
    assert types["at"] == pl.Datetime("us", "UTC")
    assert types["payments_1h"] == pl.Int64
    assert types["usual"] == types["spent"] == pl.Float64
    assert types["quiet"] == pl.Duration("us")
    assert types["country"] == types["often"] == types["loud"] == pl.String
    assert types["at_night"] == pl.Boolean
    assert list(types)[-2].startswith("Paid.amount / mean(Paid.amount")
    assert table.height == 4000


def test_what_it_says_is_what_had_happened(table: pl.DataFrame) -> None:
    whole = events()
    at = whole["at"].to_physical().to_numpy()
    for row in range(0, 4000, 97):
        here = whole.row(row, named=True)
        past = whole.with_columns(a=pl.Series(at)).head(row)
        own = past.filter((pl.col("card") == here["card"]) & (pl.col("a") > at[row] - 10 * DAY))
        found = table.row(row, named=True)
        assert found["payments_1h"] == own.filter(pl.col("a") > at[row] - HOUR).height
        assert found["often"] in (own["country"].mode().to_list() or [None])
        assert found["noted"] == next(iter(own["note"].drop_nulls().to_list()[::-1]), None)
        assert found["loud"] == here["country"].upper()
        if own.height:
            assert found["usual"] == pytest.approx(own["amount"].mean(), rel=1e-12)
            assert found["quiet"] == timedelta(microseconds=int(at[row] - own["a"][-1]))
        known = (pl.col("shop") == here["shop"]) & pl.col("a").is_between(at[row] - 12 * DAY + 1, at[row] - 2 * DAY)
        reported = past.filter(known)["fraud"]
        assert found["shop_risk"] == (pytest.approx(reported.mean()) if len(reported) else None)


def test_labels_that_were_not_yet_known_change_nothing(table: pl.DataFrame) -> None:
    cut = events()["at"][2000]
    turned = events().with_columns(fraud=pl.when(pl.col("at") > cut).then(~pl.col("fraud")).otherwise("fraud"))
    other = training_set(Risky, turned, defaults=DEFAULTS).table
    before = pl.col("at") <= cut + timedelta(days=2)
    assert table.filter(before).drop("fraud").equals(other.filter(before).drop("fraud"))
    assert not table.drop("fraud").equals(other.drop("fraud"))


def test_a_trained_model_is_served_what_it_was_trained_on(table: pl.DataFrame, tmp_path: Path) -> None:
    options: dict[str, Any] = {"rounds": 60, "parameters": {"min_data_in_leaf": 5, "learning_rate": 0.2}}
    done = train_model(Risky, table, "fraud", "risk", **options)
    registry = Registry(tmp_path)
    registry.add(done.artefact, alias="champion", override=True, why="A test's model")
    card = done.artefact.card
    assert [feature.kind for feature in card.features].count("category") == 2
    assert card.flow == Risky.definition.digest
    booster = lightgbm.Booster(model_str=done.artefact.content.decode())
    right = booster.predict(encode(table, card.features), num_threads=1)
    assert np.unique(right).size > 50
    found = replay(Risky, events(), models=registry, defaults=DEFAULTS)
    assert found.score.tobytes() == np.asarray(right).tobytes()
    engine = Engine(Risky, models=str(tmp_path))
    answers = engine.decide_many(objects_of(events()))
    assert [a.score for a in answers if isinstance(a, Decision)] == right.tolist()


def test_the_embargo_is_what_the_contract_says(table: pl.DataFrame) -> None:
    done = train_model(Risky, table, "fraud", "risk", rounds=5, refit=False, patience=0)
    until = pl.Series([done.artefact.card.trained_until]).str.to_datetime(time_zone="UTC")[0]
    assert until <= table["at"][int(4000 * 0.7)] - timedelta(days=2)


def test_mistakes_are_told(table: pl.DataFrame) -> None:
    with pytest.raises(ModelError, match=r"asks no model 'rusk'.*risk@champion"):
        train_model(Risky, table, "fraud", "rusk")
    with pytest.raises(ModelError, match=r"no column 'frod'.*'fraud'"):
        train_model(Risky, table, "frod", "risk")

    class Clash(Flow[Paid]):
        fraud = count(per=Card, last="1h")

    with pytest.raises(TidegateError, match="'fraud' has the name of another column"):
        training_set(Clash, events(10), defaults=DEFAULTS)


@pytest.mark.parametrize("asked", ["a rule", "levels", "a model"])
def test_texts_that_the_flow_itself_writes_are_what_the_engine_sees(asked: str, tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("first,if amount,then size\nlittle,< 100.00,low\nmuch,>= 100.00,top\n")
    sizes = table_of(str(tmp_path / "sizes.csv"), of={"amount": Paid.amount}, currency="EUR")
    texts = {
        "chosen": where(Paid.amount > eur(50), "big", "small"),
        "filled": mode(Paid.country, per=Card, last="10d").otherwise("none"),
        "either": where(Paid.country == "de", Paid.country, "abroad"),
        "shouted": upper(Paid.note).otherwise("silent"),
        "read": sizes.size,
    }
    score = model("inner@champion", of=list(texts.values()), otherwise=0.0)
    lines: dict[str, Any] = {
        "a rule": {"rule": review(score > 0.5, because="Like frauds before")},
        "levels": {"level": bands(score, low=0.0, high=0.5)},
        "a model": {"rule": review(model("outer", of=[score], otherwise=0.0) > 0.5, because="Like frauds before")},
    }

    def flow(own: dict[str, Any]) -> type[Flow[Any]]:
        parts = {"currency": "EUR", "sizes": sizes, **own, "__module__": __name__}
        return types.new_class("Spoken", (Flow[Paid],), exec_body=lambda space: space.update(parts))

    few, bare = events(60), flow(lines[asked])
    unnamed = training_set(bare, few, defaults=DEFAULTS).table
    engine = Engine(flow({**texts, **lines[asked]}), explain=True)
    answers = engine.decide_many(objects_of(few))
    seen = [answer.features for answer in answers if isinstance(answer, Decision)]
    assert len(seen) == 60
    for name, column in zip(texts, model_of(bare, "inner").names, strict=True):
        assert unnamed[column].to_list() == [row[name] for row in seen if row is not None], name
        assert unnamed[column].n_unique() > 1, name


def test_an_output_of_a_table_that_a_line_names_is_one_column_and_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("first,if amount,then size,then weight\n,< 50,small,1\n,-,big,2\n")
    of_table = table_of(str(tmp_path / "sizes.csv"), of={"amount": Paid.amount}, currency="EUR")

    class Named(Flow[Paid]):
        """A table whose outputs a model reads, one of them under a name of its own."""

        currency = "EUR"
        sizes = of_table
        size = sizes.size
        risk = model("risk@champion", of=[sizes.size, sizes.weight], otherwise=0.0)
        high = review((risk > 0.5) | (sizes.size == "huge"), because="Like frauds before")

    made = training_set(Named, events(50), defaults=DEFAULTS).table
    assert made.columns == ["id", "at", "card", "shop", "size", "risk", "sizes.weight", "fraud"]
    assert set(made["size"]) == {"small", "big"}
    assert model_of(Named, "risk").names == ("size", "sizes.weight")
    assert [seen.name for rule in Named.plan.rules for seen in rule.saw] == ["risk", "size"]

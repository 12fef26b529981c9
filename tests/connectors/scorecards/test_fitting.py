"""A fitted scorecard is optbinning's own, looks at no later row, and goes with its evidence."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from tests.connectors.scorecards.credit import german_credit
from tidegate import Scaling
from tidegate.connectors.scorecards.csv_writer import scorecard_csv
from tidegate.connectors.scorecards.files import read_scorecard
from tidegate.connectors.scorecards.fitted_columns import fitted_column
from tidegate.connectors.scorecards.fitting import Fitted, Fitting, fit
from tidegate.decisions.scorecards.card import made
from tidegate.decisions.scorecards.evaluator import Evaluator
from tidegate.decisions.scorecards.findings import check
from tidegate.errors import ModelError
from tidegate.events.types import Kind, Type
from tidegate.models.evaluation import kolmogorov_smirnov

NAMES = ["duration_in_month", "credit_amount", "housing", "savings_account_and_bonds", "purpose", "credit_history"]
SCALE = Scaling(20, 600, 50)


def fitted(table: pl.DataFrame | None = None, names: list[str] = NAMES, **options: Any) -> Fitted:
    how = Fitting(SCALE, **options)
    return fit(german_credit() if table is None else table, "bad", "at", features=names, how=how)


@pytest.fixture(scope="module")
def whole() -> Fitted:
    return fitted()


@pytest.mark.parametrize("points", ["whole", "fractions"])
def test_its_points_are_those_that_optbinning_scores(points: str) -> None:
    import pandas as pd

    rounded = points == "whole"
    table = german_credit().with_columns(
        pl.when(pl.col("at") % 7 == 0).then(None).otherwise(pl.col("credit_amount")).alias("credit_amount"),
        pl.when(pl.col("at") % 11 == 0).then(None).otherwise(pl.col("housing")).alias("housing"),
    )
    found = fitted(table, whole=rounded)
    names = [part.name for part in found.card.characteristics]
    assert set(names) >= {"duration_in_month", "credit_amount"}
    columns = {name: fitted_column(table[name]) for name in names}
    given = pd.DataFrame({name: column.given for name, column in columns.items()})
    ours = Evaluator(found.card).points({name: column.plain for name, column in columns.items()})
    again = Evaluator(found.card).points({name: column.given for name, column in columns.items()})
    assert ours.tolist() == again.tolist()
    theirs = found.fitted.score(given)
    if rounded:
        assert ours.tolist() == theirs.tolist()
    else:
        assert np.abs(ours - theirs).max() < 1e-10


def test_figures_are_those_of_scikit_learn(whole: Fitted) -> None:
    table = german_credit()
    names = [part.name for part in whole.card.characteristics]
    points = Evaluator(whole.card).points({name: table[name].to_list() for name in names})
    bad = table["bad"].to_numpy()
    parts = {"train": slice(0, 700), "valid": slice(700, 850), "test": slice(850, 1000)}
    for name, part in parts.items():
        auc = roc_auc_score(bad[part], -points[part])
        assert whole.splits[name]["auc"] == pytest.approx(auc)
        assert whole.splits[name]["gini"] == pytest.approx(2 * auc - 1)
        false, true, _ = roc_curve(bad[part], -points[part], drop_intermediate=False)
        assert whole.splits[name]["ks"] == pytest.approx(np.abs(true - false).max())
    assert np.isnan(kolmogorov_smirnov(np.array([True]), np.array([1.0])))


def test_later_rows_have_no_say(whole: Fitted) -> None:
    table = german_credit()
    late = table["at"] >= int(np.sort(table["at"].to_numpy())[700])
    changed = table.with_columns(
        bad=pl.when(late).then(~pl.col("bad")).otherwise(pl.col("bad")),
        duration_in_month=pl.when(late).then(pl.lit(999)).otherwise(pl.col("duration_in_month")),
    )
    assert fitted(changed).card.digest == whole.card.digest
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=1)
    assert fitted(shuffled).splits["test"] == whole.splits["test"]


def test_a_fitted_card_has_no_findings_and_goes_with_its_evidence(whole: Fitted) -> None:
    assert check(whole.card, missing=[part.name for part in whole.card.characteristics]).findings == []
    assert all(value < 0 for value in whole.coefficients.values())


def test_what_would_go_against_its_evidence_is_left_out() -> None:
    rng = np.random.default_rng(3)
    n = 4000
    x = rng.normal(size=n)
    bad = rng.random(n) < 1 / (1 + np.exp(-2 * x))
    # A noisy copy with an offset of what x adds: beside x its coefficient turns round.
    table = pl.DataFrame({
        "at": np.arange(n), "bad": bad, "x": x, "copy": x + 0.3 * rng.normal(size=n) - 0.9 * bad,
        "noise": rng.normal(size=n),
    })  # fmt: skip
    found = fitted(table, ["x", "copy", "noise"])
    assert found.left_out["noise"].startswith("its information value is 0.0")
    assert "wrong sign" in found.left_out.get("copy", found.left_out.get("x", ""))


def test_monotone_bins_are_monotone(whole: Fitted) -> None:
    found = fitted(monotone=True, names=["credit_amount", "age_in_years"])
    for part in found.card.characteristics:
        rates = [(one.events or 0) / one.count for one in part.bins if one.count]
        assert rates in (sorted(rates), sorted(rates, reverse=True)), part.name


def test_amounts_and_durations_keep_their_unit() -> None:
    table = german_credit()
    cents = table.with_columns(
        (pl.col("credit_amount") * 100 + 37).cast(pl.Float64).alias("credit_amount"),
        pl.duration(days=30 * pl.col("duration_in_month")).cast(pl.Duration("us")).alias("duration_in_month"),
        (pl.col("telephone") == "none").alias("telephone"),
    )
    types = {"credit_amount": Type(Kind.MONEY, currency="EUR"), "duration_in_month": Type(Kind.DURATION)}
    found = fit(
        cents, "bad", "at", features=["credit_amount", "duration_in_month", "telephone"], types=types,
        how=Fitting(SCALE, least_value=0.0),
    )  # fmt: skip
    told = {part.name: (str(part.column.type), part.bins[0].cell.text) for part in found.card.characteristics}
    assert told["credit_amount"][0] == "money in EUR"
    assert told["duration_in_month"][0] == "duration"
    plain = fit(
        table, "bad", "at", features=["credit_amount", "duration_in_month"], how=Fitting(SCALE, least_value=0.0)
    )  # fmt: skip
    assert found.splits["train"]["auc"] >= plain.splits["train"]["auc"] - 0.02


def test_written_and_read_back_it_scores_the_same(whole: Fitted, tmp_path: Any) -> None:
    (tmp_path / "card.csv").write_bytes(scorecard_csv(whole.card))
    again = made(read_scorecard(tmp_path / "card.csv"))
    assert again.digest == whole.card.digest


@pytest.mark.parametrize(
    ("change", "names", "said"),
    [
        (lambda t: t, ["duration_in_mont"], "Did you mean 'duration_in_month'"),
        (lambda t: t.with_columns(bad=pl.lit("x")), NAMES, "is no label"),
        (lambda t: t.with_columns(bad=pl.lit(True)), NAMES, "does not have both labels"),
        (lambda t: t.with_columns(bad=pl.lit(None, pl.Boolean)), NAMES, "nothing to fit on"),
        (lambda t: t.with_columns(housing=pl.lit(None).cast(pl.Datetime("us"))), ["housing"],
         "cannot be a characteristic"),
        (lambda t: t, ["foreign_worker"], "No characteristic is worth its bins. Seen: foreign_worker: its information"),
        (lambda t: t.with_columns(at=pl.lit("x")), NAMES, "is no event time"),
    ],
)  # fmt: skip
def test_a_set_that_nothing_can_be_fitted_on_is_refused(change: Any, names: list[str], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        fitted(change(german_credit()), names)
    assert said in str(caught.value)


def test_without_optbinning_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidegate.connectors.scorecards.fitting.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install 'tidegate\[scorecard\]'"):
        fitted()


def test_means_of_amounts_and_durations_keep_their_unit_too() -> None:
    table = german_credit().with_columns(
        amount=pl.col("credit_amount") * 100 + 0.5, gap=(pl.col("duration_in_month") * 1e9 + 0.25)
    )
    types = {"amount": Type(Kind.MONEY, approx=True, currency="EUR"), "gap": Type(Kind.DURATION, approx=True)}
    found = fit(table, "bad", "at", features=["amount", "gap"], types=types, how=Fitting(SCALE, least_value=0.0))
    parts = {part.name: part for part in found.card.characteristics}
    assert {name: str(part.column.type) for name, part in parts.items()} == {
        "amount": "money in EUR", "gap": "duration"
    }  # fmt: skip
    split = float(parts["amount"].bins[0].cell.text.removeprefix("< "))
    trained = table.sort("at").head(int(found.splits["train"]["rows"]))
    assert parts["amount"].bins[0].count == int((trained["amount"] < split * 100).sum())  # in euros, of cents


def test_edges_of_durations_can_be_edited_and_move_no_row() -> None:
    rng = np.random.default_rng(5)
    gap = rng.integers(10**6, 90_000 * 10**6, 2000)
    table = pl.DataFrame({
        "at": range(2000), "gap": pl.Series(gap).cast(pl.Duration("us")), "bad": rng.random(2000) < gap / 1.8e11,
    })  # fmt: skip
    found = fit(table, "bad", "at", features=["gap"], how=Fitting(SCALE, least_value=0.0))
    bins = [one for one in found.card.characteristics[0].bins if one.cell.text != "missing"]
    assert len(bins) > 2
    for one in bins:
        assert "us" not in one.cell.text and "ms" not in one.cell.text, one.cell.text
        held = sum(int(((gap[:1400] >= low) & (gap[:1400] <= high)).sum()) for low, high in one.cell.ranges)
        assert held == one.count

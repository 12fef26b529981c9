"""`tidegate scorecard`: fit, check, export."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from tests.connectors.scorecards.credit import german_credit
from tidegate.cli import app

NAMES = ["duration_in_month", "credit_amount", "housing", "savings_account_and_bonds"]


def run(*args: Any, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(arg) for arg in args])
    assert done.exit_code == code, done.output
    return done.output


def training(folder: Path) -> Path:
    file = folder / "credit.parquet"
    german_credit().write_parquet(file)
    return file


def fit(file: Path, to: Path, *more: Any, code: int = 0) -> str:
    chosen = [part for name in NAMES for part in ("-f", name)]
    return run("scorecard", "fit", file, "--target", "bad", *chosen, "-o", to, *more, code=code)


def test_fitted_checked_and_exported_it_is_one_scorecard(tmp_path: Path) -> None:
    file = training(tmp_path)
    facts = json.loads(fit(file, tmp_path / "card.csv", "--json"))
    assert facts["splits"]["train"]["rows"] == 700 and 0.6 < facts["splits"]["test"]["auc"] < 1
    assert {part["name"] for part in facts["characteristics"]} == set(NAMES)
    bins = facts["characteristics"][0]["bins"]
    assert sum(one["count"] for one in bins) == 700 and sum(one["events"] for one in bins) == 207
    checked = json.loads(run("scorecard", "check", tmp_path / "card.csv", "--missing", "--json"))
    assert checked["findings"] == [] and checked["digest"] == facts["digest"]
    run("scorecard", "export", tmp_path / "card.csv", "-o", tmp_path / "card.pmml")
    again = json.loads(run("scorecard", "check", tmp_path / "card.pmml", "--json"))
    assert again["digest"] == facts["digest"]
    run("scorecard", "export", tmp_path / "card.pmml", "-o", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "card.csv").read_bytes()


def test_what_a_person_sees(tmp_path: Path) -> None:
    said = fit(training(tmp_path), tmp_path / "card.pmml", "--without", "age_in_years", "--monotone")
    for word in ("train", "valid", "test", "AUC", "Gini", "KS", "WoE", "IV", "information value", "event rate rising"):
        assert word in said
    shown = run("scorecard", "check", tmp_path / "card.pmml", "--bins")
    assert "Nothing found" in shown and "duration_in_month" in shown


def test_it_is_stored_with_its_figures(tmp_path: Path) -> None:
    fit(training(tmp_path), tmp_path / "card.csv", "--store-as", "credit@1", "--models", tmp_path / "models")
    stored = json.loads(run("models", "--models", tmp_path / "models", "--json"))["models"][0]
    assert stored["model"] == "credit@1" and stored["rows"] == 700 and stored["label"] == "bad"
    assert {"roc_auc", "gini", "ks"} <= set(stored["metrics"])


def test_rows_without_times_are_in_their_order_only_if_one_says_so(tmp_path: Path) -> None:
    file = tmp_path / "credit.parquet"
    german_credit().drop("at").write_parquet(file)
    assert "say --in-order" in fit(file, tmp_path / "card.csv", code=2)
    fit(file, tmp_path / "card.csv", "--in-order")
    assert (tmp_path / "card.csv").exists()
    assert "no file that scorecards are written to" in fit(file, tmp_path / "card.doc", "--in-order", code=2)


def test_a_training_set_in_csv_gives_the_same_scorecard(tmp_path: Path) -> None:
    table = german_credit()
    table.write_parquet(tmp_path / "credit.parquet")
    table.write_csv(tmp_path / "credit.csv")
    for kind in ("parquet", "csv"):
        fit(tmp_path / f"credit.{kind}", tmp_path / f"{kind}.csv")
    assert (tmp_path / "csv.csv").read_text() == (tmp_path / "parquet.csv").read_text()
    (tmp_path / "credit.csv").write_text("a,b\n1,2,3\n")
    assert "as CSV with a header" in fit(tmp_path / "credit.csv", tmp_path / "card.csv", code=2)


def test_ids_keys_and_the_flows_own_scores_are_left_out_unless_named(tmp_path: Path) -> None:
    (tmp_path / "scored.py").write_text(SCORED)
    file = tmp_path / "credit.parquet"
    rows = pl.int_range(pl.len())
    german_credit().with_columns(
        id="p" + rows.cast(pl.String), customer_id=rows, person="k" + (rows % 400).cast(pl.String),
        wallet="w" + (rows % 900).cast(pl.String), points=pl.col("duration_in_month") * 2,
    ).select("id", "at", "bad", *NAMES, "customer_id", "person", "wallet", "points").write_parquet(file)  # fmt: skip
    words = ("scorecard", "fit", file, "--target", "bad", "-o", tmp_path / "c.csv", "--json")
    plain = json.loads(run(*words))["left_out"]
    assert "an id" in plain["customer_id"] and "900 different texts" in plain["wallet"]
    told = json.loads(run(*words, "--flow", tmp_path / "scored.py"))
    assert "entity key" in told["left_out"]["person"] and "scorecard" in told["left_out"]["points"]
    assert {part["name"] for part in told["characteristics"]} <= set(NAMES)
    taken = run(*words, "-f", "duration_in_month", "-f", "customer_id")
    assert "customer_id" not in json.loads(taken)["left_out"] or "id or" not in taken


def test_cut_points_are_short_where_no_row_falls_into_another_bin(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    ratio = rng.random(2000) * 3
    table = pl.DataFrame({"at": range(2000), "ratio": ratio, "bad": rng.random(2000) < 0.1 + 0.2 * ratio})
    table.write_parquet(tmp_path / "t.parquet")
    facts = json.loads(
        run("scorecard", "fit", tmp_path / "t.parquet", "--target", "bad", "-o", tmp_path / "c.csv", "--json")
    )
    bins = [one for one in facts["characteristics"][0]["bins"] if one["bin"] != "missing"]
    lows = [float(one["bin"].strip("[)>=< ").partition("..")[0]) for one in bins[1:]]
    assert all(len(repr(low).replace(".", "").strip("0")) <= 6 for low in lows), lows
    trained = ratio[:1400]
    edges = [-np.inf, *lows, np.inf]
    counts = [int(((trained >= a) & (trained < b)).sum()) for a, b in pairwise(edges)]
    assert counts == [one["count"] for one in bins]


SCORED = """
from tidegate import Event, Flow, bins, decline, entity, scorecard

Person = entity("person")


class Application(Event):
    person: Person
    months: int


class Credit(Flow[Application]):
    points = scorecard(
        {"months": bins({"< 12": 30, ">= 12": 10, "missing": 5}, because="The loan runs long")}, of=[Application.months]
    )
    low = decline(points < 20, because="Too few points")
"""

FLOW = """
from tidegate import Event, Flow, Money, bins, decline, entity, scorecard

Person = entity("person")


class Application(Event):
    person: Person
    amount: Money
    months: int


class Credit(Flow[Application]):
    currency = "EUR"
    points = scorecard(
        {
            "amount": bins({"< 1000": 30, ">= 1000": 10}, because="The amount"),
            "months": bins({"< 12": 30, ">= 12": 10, "missing": 5}, because="The loan runs long"),
        },
        of=[Application.amount, Application.months],
        currency="EUR",
    )
    low = decline(points < 40, because="Too few points")
"""


def test_a_flows_scorecards_are_checked_and_exported(tmp_path: Path) -> None:
    (tmp_path / "credit.py").write_text(FLOW)
    checked = json.loads(run("scorecard", "check", tmp_path / "credit.py", "--missing", "--json"))
    assert [one["scorecard"] for one in checked] == ["points"]
    flow = json.loads(run("check", tmp_path / "credit.py", "--json"))["scorecards"][0]
    assert (flow["name"], flow["bins"], flow["least"], flow["most"]) == ("points", 5, 15.0, 60.0)
    assert "points  5 bins over amount, months, 15 to 60 points" in run("check", tmp_path / "credit.py")
    run("scorecard", "export", tmp_path / "credit.py", "-o", tmp_path / "card.pmml")
    assert b'value="1000"' in (tmp_path / "card.pmml").read_bytes()
    assert "none is called other" in run(
        "scorecard", "export", tmp_path / "credit.py", "--name", "other", "-o", tmp_path / "c.pmml", code=2
    )


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        ("scorecard,bin,points,because\na,< 1,1,A\n,>= 0,2,\n", "such as a 0", 1),
        ("scorecard,bin,points,because\na (number),< 1,1,A\n,>= 2,2,\n", "no bin holds for [1..2)", 1),
        ("scorecard,bin,points,because\na,x,1,A\n", "there are no points then", 0),
        ("id,at,amount\n1,2,3\n", "card.csv is no scorecard.", 2),
        ("scorecard,bin,points\na,< 1,one\n", "line 2, column 2 (bin): points is a number", 2),
    ],
)
def test_findings_decide_the_exit_code(tmp_path: Path, text: str, said: str, code: int) -> None:
    (tmp_path / "card.csv").write_text(text)
    assert said in run("scorecard", "check", tmp_path / "card.csv", code=code)
    if code == 0:
        run("scorecard", "check", tmp_path / "card.csv", "--strict", code=1)
    if code == 1:
        refused = run("scorecard", "export", tmp_path / "card.csv", "-o", tmp_path / "card.pmml", code=2)
        assert "line 3" in refused


def test_a_flow_gives_amounts_their_unit(tmp_path: Path) -> None:
    table = german_credit().select(
        "at", "bad", (pl.col("credit_amount") * 100).cast(pl.Float64).alias("wanted"), pl.col("duration_in_month"),
    )  # fmt: skip
    (tmp_path / "flow.py").write_text(
        FLOW.replace("    low =", "    wanted = Application.amount * 1\n    low =")  # as `tidegate features` names it
    )
    table.write_parquet(tmp_path / "t.parquet")
    run("scorecard", "fit", tmp_path / "t.parquet", "--target", "bad", "--flow", tmp_path / "flow.py", "-o",
        tmp_path / "card.csv")  # fmt: skip
    assert "wanted (money EUR)" in (tmp_path / "card.csv").read_text()

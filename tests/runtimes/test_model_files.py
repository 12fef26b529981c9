"""Models that are files, by path or stored: asked by flows, held to what they declare, kept with the evidence."""

import json
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from tests.models.onnx.made import exported
from tidegate import Decision, Engine, FlowError, Store, eur
from tidegate.cli import app
from tidegate.decisions.decision import to_json
from tidegate.errors import TidegateError
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.models import require_models
from tidegate.runtimes.remake import remake

FLOW = '''
from tidegate import *

Card = entity("card")


class Spent(Event):
    card: Card
    amount: float
    hour: int
    paid: Money
    country: str
    age: float | None = None


class Night(Flow[Spent]):
    """Payments at night."""

    currency = "EUR"
    amount = Spent.amount * 1.0
    hour = since_last(per=Card, last="30d")
    hours = hour * 2
    {line}
    risky = review(risk > 0.5, because="The model says so")
'''
ROWS: list[dict[str, Any]] = [
    {"amount": 950.0, "hour": 3}, {"amount": 12.0, "hour": 14}, {"amount": 300.0, "hour": 5},
]  # fmt: skip


def data() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(7)
    x = np.column_stack([rng.exponential(80.0, 2000), rng.integers(0, 24, 2000)]).astype(np.float32).astype(np.float64)
    return x, ((x[:, 0] > 200) & (x[:, 1] < 6)).astype(np.int64)


def onnx_file(folder: Path) -> Any:
    x, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
        (folder / "night.onnx").write_bytes(exported(estimator, x))
    return lambda rows: estimator.predict_proba(rows)[:, 1]


def xgboost_file(folder: Path, ending: str = "json") -> Any:
    x, y = data()
    matrix = xgboost.DMatrix(x, y, feature_names=["amount", "hour"])
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix, 5)
    booster.save_model(folder / f"night.{ending}")
    return lambda rows: booster.predict(xgboost.DMatrix(rows, feature_names=["amount", "hour"]))


def lightgbm_file(folder: Path) -> Any:
    x, y = data()
    table = lightgbm.Dataset(x, y, feature_name=["amount", "hour"])
    booster = lightgbm.train({"objective": "binary", "num_threads": 1, "verbose": -1}, table, 5)
    booster.save_model(folder / "night.txt")
    return booster.predict


def pmml_file(folder: Path) -> Any:
    (folder / "night.pmml").write_text(
        '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/><DataDictionary>'
        '<DataField name="amount" optype="continuous" dataType="double">'
        '<Extension name="unit" value="EUR"/></DataField>'
        '<DataField name="hour" optype="continuous" dataType="double"/>'
        '<DataField name="y" optype="continuous" dataType="double"/></DataDictionary>'
        '<RegressionModel functionName="regression"><MiningSchema><MiningField name="amount"/>'
        '<MiningField name="hour"/><MiningField name="y" usageType="target"/></MiningSchema>'
        '<RegressionTable intercept="0.1"><NumericPredictor name="amount" coefficient="0.001"/>'
        '<NumericPredictor name="hour" coefficient="0.01"/></RegressionTable></RegressionModel></PMML>'
    )  # fmt: skip
    return lambda rows: 0.1 + rows @ [0.001, 0.01]


def flow(folder: Path, line: str) -> Any:
    (folder / "night.py").write_text(FLOW.replace("{line}", line))
    return load_flow(folder / "night.py")


def event(of: Any, number: int, **fields: Any) -> Any:
    told = {"card": "c1", "paid": eur(950), "country": "DE"} | fields
    return of.definition.event(id=f"p{number}", at=datetime(2026, 1, 1, number, tzinfo=UTC), **told)


FILES = {
    "night.onnx": onnx_file, "night.json": xgboost_file, "night.ubj": lambda folder: xgboost_file(folder, "ubj"),
    "night.txt": lightgbm_file, "night.pmml": pmml_file,
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_beside_the_flow_decides_and_the_decision_is_made_again_without_it(tmp_path: Path, name: str) -> None:
    theirs = FILES[name](tmp_path)
    made = flow(tmp_path, f'risk = model("{name}", of=[amount, Spent.hour], otherwise=0.0)')
    (tmp_path / name).unlink()
    (tmp_path / "night.py").unlink()
    store = Store.open(tmp_path / "store.db")
    engine = Engine(made, store=store)
    decided = engine.process([event(made, k, **row) for k, row in enumerate(ROWS)])
    wanted = theirs(np.array([[row["amount"], row["hour"]] for row in ROWS]))
    np.testing.assert_allclose(
        [one.models[0].score for one in decided], wanted, rtol=3e-6, atol=1.2e-7
    )  # what 1 - p keeps in 32 bits
    assert all(one.models[0].otherwise is None and one.models[0].digest for one in decided)
    assert {one.outcome for one in decided} >= {"review"}
    for one in decided:
        assert remake(store, one.id).answer == to_json(one)
    require_models(made.definition, tmp_path / "nowhere")  # nothing is looked for there
    store.close()


def test_the_content_of_a_file_is_a_part_of_the_version(tmp_path: Path) -> None:
    line = 'risk = model("night.pmml", of=[amount, Spent.hour], otherwise=0.0)'
    pmml_file(tmp_path)
    first = flow(tmp_path, line).definition.digest
    assert flow(tmp_path, line).definition.digest == first
    path = tmp_path / "night.pmml"
    path.write_text(path.read_text().replace('intercept="0.1"', 'intercept="0.2"'))
    assert flow(tmp_path, line).definition.digest != first


ONNX = 'risk = model("night.onnx", of=[{}], otherwise=0.0{})'
NAMED = ', features=["amount", "hour"]'
LINES = {
    "another name": (
        'risk = model("night.pmml", of=[Spent.age, Spent.hour], otherwise=0.0)',
        "Night.risk asks night.pmml of what it does not read: .*does not read 'age'.*Give amount, hour",
    ),
    "another order": ('risk = model("night.pmml", of=[Spent.hour, amount], otherwise=0.0)', "in another order"),
    "a near name": ('risk = model("night.json", of=[amount, hours], otherwise=0.0)', 'Did you mean "hour"'),
    "one too many": (ONNX.format("amount, Spent.hour, Spent.age", ""), "reads 2 features.*3 features"),
    "a text for a number": (ONNX.format("amount, Spent.country", ""), r"X\[1\] as a number.*a text"),
    "cents for euros": (
        ONNX.format("Spent.paid, Spent.hour", ', features=["paid", "hour"], units={"paid": "EUR"}'),
        "paid in EUR.*minor units of EUR.*units",
    ),
    "euros for dollars": (
        ONNX.format("Spent.paid, Spent.hour", ', features=["paid", "hour"], units={"paid": "minor USD"}'),
        "paid in minor USD.*Give it an amount in USD",
    ),
    "microseconds for hours": (
        'risk = model("night.json", of=[amount, hour], otherwise=0.0, units={"hour": "hours"})',
        r"hour in hours.*microseconds.*hours\(…\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_what_a_model_does_not_read_is_told_when_the_class_is_made_with_the_line(tmp_path: Path, name: str) -> None:
    onnx_file(tmp_path)
    pmml_file(tmp_path)
    xgboost_file(tmp_path)
    line, words = LINES[name]
    with pytest.raises(FlowError, match=f"(?s){words}") as told:
        flow(tmp_path, line)
    assert "risk = model" in getattr(told.value, "text", "")


def test_what_is_in_the_right_unit_is_taken(tmp_path: Path) -> None:
    onnx_file(tmp_path)
    for unit in ("minor EUR", ""):
        more = f', features=["paid", "hour"], units={{"paid": "{unit}"}}' if unit else ', features=["paid", "hour"]'
        flow(tmp_path, ONNX.format("Spent.paid, Spent.hour", more))


def test_a_file_that_is_not_there_or_no_model_is_told_with_the_line(tmp_path: Path) -> None:
    onnx_file(tmp_path)
    with pytest.raises(TidegateError, match=r"night.py:.*no file.*nigth.onnx.*night.onnx"):
        flow(tmp_path, 'risk = model("nigth.onnx", of=[amount, Spent.hour], otherwise=0.0)')
    (tmp_path / "bad.onnx").write_bytes((tmp_path / "night.onnx").read_bytes()[:200])
    with pytest.raises(TidegateError, match=r"night.py:.*bad.onnx.*damaged"):
        flow(tmp_path, 'risk = model("bad.onnx", of=[amount, Spent.hour], otherwise=0.0)')
    with pytest.raises(FlowError, match="said when it is stored"):
        flow(tmp_path, 'risk = model("night@1", of=[amount, Spent.hour], otherwise=0.0, missing="pass")')


OF_AGE = 'risk = model("night.onnx", of=[amount, Spent.age], otherwise=0.25, features=["amount", "age"])'


def test_what_is_missing_has_no_answer_and_the_decision_says_why_unless_it_is_passed(tmp_path: Path) -> None:
    onnx_file(tmp_path)
    made = flow(tmp_path, OF_AGE)
    store = Store.open(tmp_path / "store.db")
    engine = Engine(made, store=store)
    alone = engine.decide(event(made, 1, amount=12.0, hour=3))
    many = engine.process([event(made, 2, amount=12.0, hour=3), event(made, 3, amount=12.0, hour=3, age=5.0)])
    for one in (alone, many[0]):
        assert one.models[0].score == 0.25
        assert one.models[0].otherwise == "age is missing, and the model has no answer then"
        assert remake(store, one.id).equal
    assert many[1].models[0].otherwise is None
    store.close()
    nameless = flow(tmp_path, OF_AGE.replace(', features=["amount", "age"]', ""))
    said = Engine(nameless).decide(event(nameless, 1, amount=12.0, hour=3)).models[0]
    assert said.otherwise == "Spent.age is missing, and the model has no answer then"
    passes = flow(tmp_path, OF_AGE.replace("]" + ")", '], missing="pass")'))
    said = Engine(passes).decide(event(passes, 1, amount=12.0, hour=3)).models[0]
    assert said.otherwise == "the model gives no number"  # of a regression on NaN; it was asked


def test_what_had_no_answer_is_forgotten_by_the_next_event(tmp_path: Path) -> None:
    onnx_file(tmp_path)
    made = flow(tmp_path, OF_AGE)
    with Store.open(tmp_path / "s.db") as store:
        for engine in (Engine(made), Engine(made, store=store)):
            told = []
            for number, age in enumerate((None, 5.0, None, 6.0), 1):
                one = engine.decide(event(made, number, amount=12.0, hour=3, age=age))
                assert isinstance(one, Decision)
                told.append((one.models[0].score == 0.25, one.models[0].otherwise))
            silent = (True, "age is missing, and the model has no answer then")
            assert told == [silent, (False, None)] * 2
    rows, decider = engine.rows, engine.decider
    for take in (decider.run, decider.conclude, decider.again, decider.infer):
        for age, silent_rows in ((None, [{0}]), (5.0, [])):
            rows.put([event(made, 1, amount=12.0, hour=3, age=age)])
            take(1)
            assert list(decider.unanswered.values()) == silent_rows


def test_of_two_models_the_one_that_is_not_there_is_told_of_too(tmp_path: Path) -> None:
    pmml_file(tmp_path)
    made = flow(
        tmp_path,
        'risk = model("night.pmml", of=[amount, Spent.hour], otherwise=0.0)\n'
        '    more = model("absent@1", of=[amount], otherwise=0.75)\n'
        '    much = review(more > 0.7, because="It says so")',
    )
    rows = [event(made, k, amount=1.0, hour=2) for k in range(1, 4)]
    alone, together = [Engine(made).decide(row) for row in rows], Engine(made).decide_many(rows)
    assert alone == together
    for one in together:
        assert isinstance(one, Decision) and one.outcome == "review"
        first, second = one.models
        assert first.digest and first.otherwise is None
        assert (second.score, second.digest, second.otherwise) == (0.75, "", "the model is not there")


def sums_that_are_no_number(folder: Path) -> None:
    """Two trees: 2 in all up to an amount of 100, and infinity less infinity above it."""
    trees = [
        f"Tree={number}\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=100\ndecision_type=2\nleft_child=-1\n"
        f"right_child=-2\nleaf_value=1 {leaf}\nleaf_count=1 2\ninternal_count=3\nis_linear=0\nshrinkage=1\n\n\n"
        for number, leaf in enumerate(("inf", "-inf"))
    ]
    (folder / "night.txt").write_text(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
        "objective=regression\nfeature_names=amount\nfeature_infos=[0:1]\n"
        f"tree_sizes={' '.join(str(len(tree)) for tree in trees)}\n\n{''.join(trees)}"
        "end of trees\n\nparameters:\nend of parameters\n"
    )


@pytest.mark.parametrize("large", [(0,), (1,), (0, 2), (0, 1, 2), (19,), ()])
def test_trees_whose_sum_is_no_number_have_no_answer_wherever_the_row_lies(
    tmp_path: Path, large: tuple[int, ...]
) -> None:
    sums_that_are_no_number(tmp_path)
    made = flow(tmp_path, 'risk = model("night.txt", of=[amount], otherwise=0.25)')
    rows = [event(made, k, amount=500.0 if k in large else 5.0, hour=3) for k in range(20)]
    wanted = [(0.25, "the model gives no number") if k in large else (2.0, None) for k in range(20)]
    single = Engine(made)
    for answers in ([single.decide(row) for row in rows], Engine(made).decide_many(rows)):
        told = [one.models[0] for one in answers if isinstance(one, Decision)]
        assert [(said.score, said.otherwise) for said in told] == wanted


def test_reasons_of_a_model_that_only_answers_are_told_against_a_typical_row_and_say_how(tmp_path: Path) -> None:
    onnx_file(tmp_path)
    more = ', typical={"amount": 50.0, "hour": 12.0}'
    made = flow(tmp_path, f'risk = model("night.onnx", of=[amount, Spent.hour], otherwise=0.0{more})')
    one = Engine(made).decide(event(made, 1, amount=950.0, hour=3))
    words = [reason.words for reason in one.reasons]
    assert words[0] == "amount is 950, which raises the risk, against a typical 50"
    assert {reason.method for reason in one.reasons} == {"baseline Shapley"}
    assert b'"method":"baseline Shapley"' in to_json(one)


def test_an_onnx_file_is_stored_with_what_is_said_of_it(tmp_path: Path) -> None:
    theirs = onnx_file(tmp_path)
    (tmp_path / "usual.csv").write_text("amount,hour\n10,9\n50,12\n90,\n55,14\n50,11\n")
    words = ["models", "add", tmp_path / "night.onnx", "night@1", "--alias", "champion", "--models", tmp_path / "m"]
    words += ["--override", "--why", "A test's model"]
    words += ["--typical", tmp_path / "usual.csv", "--unit", "hour=hours", "--json"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["features"] == ["amount", "hour"]
    made = flow(tmp_path, 'risk = model("night@champion", of=[amount, Spent.hour], otherwise=0.0)')
    one = Engine(made, models=str(tmp_path / "m")).decide(event(made, 1, amount=950.0, hour=3))
    assert one.models[0].score == pytest.approx(theirs(np.array([[950.0, 3.0]]))[0], rel=3e-6)
    assert one.reasons[0].words.endswith("against a typical 50")
    wrong = flow(tmp_path, 'risk = model("night@champion", of=[amount, hour], otherwise=0.0)')
    with pytest.raises(TidegateError, match="night@champion reads hour in hours"):
        Engine(wrong, models=str(tmp_path / "m"))

"""Models that answer with a text, a class or a cluster's name: compared by rules and tables, in every runtime alike."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.tree import DecisionTreeClassifier
from typer.testing import CliRunner

from tests.models.onnx.made import exported
from tests.runtimes.started import served
from tidegate import Engine, FlowError, Store
from tidegate.cli import app
from tidegate.decisions.decision import to_json
from tidegate.errors import ModelError, TidegateError
from tidegate.runtimes.backtest import replay
from tidegate.runtimes.load import load_flow
from tidegate.runtimes.remake import remake
from tidegate.runtimes.training_set import training_set

FLOW = '''
from tidegate import *

Card = entity("card")


class Spent(Event):
    card: Card
    amount: float
    hour: int | None = None
    country: str = "DE"


class Night(Flow[Spent]):
    """Payments at night."""

    amount = Spent.amount * 1.0
    kind = model({what}, of=[amount, Spent.hour], otherwise={otherwise}{more})
    wanted = kind.is_in("fraud", "none")
    taken = decline(kind == "fraud", because="The model says fraud")
    care = table("care.csv", of={{"kind": kind}})
    seen = review(care.care == "look", because="What the model says is looked at")
'''
CARE = "first,if kind,then care\n1,fraud,look\n2,none,look\n3,-,pass\n"
SCHEMA = (
    '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/><DataDictionary>'
    '<DataField name="amount" optype="continuous" dataType="double"/>'
    '<DataField name="hour" optype="continuous" dataType="integer"><Interval closure="closedClosed" leftMargin="0" '
    'rightMargin="23"/></DataField>'
    '<DataField name="y" optype="categorical" dataType="string"><Value value="fraud"/><Value value="fine"/></DataField>'
    "</DataDictionary>{}</PMML>"
)
FIELDS = '<MiningSchema><MiningField name="amount"/><MiningField name="hour"/>{}</MiningSchema>'
TARGET = '<MiningField name="y" usageType="target"/>'
TREE = (
    f'<TreeModel functionName="classification">{FIELDS.format(TARGET)}'
    '<Node score="fine"><True/><ScoreDistribution value="fine" recordCount="8"/><ScoreDistribution value="fraud" '
    'recordCount="2"/><Node score="fraud"><SimplePredicate field="amount" operator="greaterThan" value="200"/>'
    '<ScoreDistribution value="fine" recordCount="1"/><ScoreDistribution value="fraud" recordCount="9"/></Node>'
    '<Node score="fine"><SimplePredicate field="amount" operator="lessOrEqual" value="200"/><ScoreDistribution '
    'value="fine" recordCount="9"/><ScoreDistribution value="fraud" recordCount="1"/></Node></Node></TreeModel>'
)
RULES = (
    f'<RuleSetModel functionName="classification">{FIELDS.format(TARGET)}'
    '<RuleSet defaultScore="fine"><RuleSelectionMethod criterion="firstHit"/><SimpleRule id="r1" score="fraud">'
    '<SimplePredicate field="amount" operator="greaterThan" value="200"/></SimpleRule></RuleSet></RuleSetModel>'
)
CLUSTERS = (
    f'<ClusteringModel functionName="clustering" modelClass="centerBased" numberOfClusters="2">{FIELDS.format("")}'
    '<Output><OutputField name="cluster" optype="categorical" dataType="string" feature="clusterId"/></Output>'
    '<ComparisonMeasure kind="distance"><squaredEuclidean/></ComparisonMeasure>'
    '<ClusteringField field="amount"/><ClusteringField field="hour"/>'
    '<Cluster id="fine" name="fine"><Array n="2" type="real">10 12</Array></Cluster>'
    '<Cluster id="fraud" name="fraud"><Array n="2" type="real">900 3</Array></Cluster></ClusteringModel>'
)
ROWS = [{"amount": 950.0, "hour": 3}, {"amount": 12.0, "hour": 14}, {"amount": 12.0}]


def pmml_file(inner: str) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        (folder / "kind.pmml").write_text(SCHEMA.format(inner))
        return "kind.pmml"

    return write


def onnx_file(folder: Path) -> str:
    x = np.array([[950.0, 3], [12.0, 14], [700.0, 2], [40.0, 20], [30.0, 1], [880.0, 22]], np.float64)
    labels = np.array(["fraud", "fine", "fraud", "fine", "fine", "fraud"])
    made = DecisionTreeClassifier(max_depth=2, random_state=1).fit(x, labels)
    (folder / "kind.onnx").write_bytes(exported(made, x, options={"zipmap": False}))
    return "kind.onnx"


FILES = {"tree": pmml_file(TREE), "rules": pmml_file(RULES), "clusters": pmml_file(CLUSTERS), "onnx": onnx_file}


def flow(folder: Path, what: str, otherwise: str = '"none"', more: str = "", text: str = FLOW) -> Any:
    (folder / "care.csv").write_text(CARE)
    made = text.format(what=f'"{what}"', otherwise=otherwise, more=more)
    (folder / "night.py").write_text(made)
    return load_flow(folder / "night.py")


def told(number: int) -> dict[str, Any]:
    return {"id": f"p{number}", "at": f"2026-01-01T0{number}:00:00Z", "card": "c1", **ROWS[number]}


def events(of: Any) -> list[Any]:
    at = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in range(len(ROWS))]
    return [of.definition.event(**told(number) | {"at": at[number]}) for number in range(len(ROWS))]


@pytest.mark.parametrize("name", FILES)
def test_what_a_model_calls_a_row_decides_alike_in_every_runtime(tmp_path: Path, name: str) -> None:
    made = flow(tmp_path, FILES[name](tmp_path))
    (tmp_path / "seen.ndjson").write_text("".join(json.dumps(told(k)) + "\n" for k in range(len(ROWS))))
    store = Store.open(tmp_path / "store.db")
    one_by_one = [Engine(made).decide(event) for event in events(made)]
    together: list[Any] = list(Engine(made, store=store).process(events(made)))
    assert together == one_by_one
    silent = name == "onnx"  # the others do without the hour
    labels = ["fraud", "fine", "none" if silent else "fine"]
    assert [one.models[0].label for one in together] == labels
    assert [one.models[0].score for one in together] == [None] * 3
    assert [one.outcome for one in together] == ["decline", "approve", "review" if silent else "approve"]
    assert together[0].rules[0].saw == {"kind": "fraud"}
    assert together[0].tables[0].saw == {"kind": "fraud"} and together[0].tables[0].outputs == {"care": "look"}
    assert bool(together[2].models[0].otherwise) == silent
    assert replay(made, tmp_path / "seen.ndjson").frame()["outcome"].to_list() == [one.outcome for one in together]
    for one in together:
        assert remake(store, one.id).answer == to_json(one)
    store.close()
    result = CliRunner().invoke(app, ["verify", "--store", str(tmp_path / "store.db")])
    assert result.exit_code == 0, result.output
    shown = CliRunner().invoke(app, ["explain", "p0", "--store", str(tmp_path / "store.db")])
    assert "says fraud" in shown.output
    table = training_set(made, tmp_path / "seen.ndjson").table
    assert table["kind"].to_list() == labels and table["kind"].dtype == pl.String


def test_it_is_served_as_it_is_decided_here(tmp_path: Path) -> None:
    made = flow(tmp_path, FILES["tree"](tmp_path))
    with served(tmp_path, str(tmp_path / "night.py"), "--store", str(tmp_path / "s.db")) as (_, client):
        answers = [client.post("/decisions", json=told(number)).json() for number in range(len(ROWS))]
    ours = Engine(made).process(events(made))
    for answer, one in zip(answers, ours, strict=True):
        assert {k: v for k, v in answer.items() if k != "timing"} == json.loads(to_json(one))  # type: ignore[arg-type]
    assert answers[0]["models"][0]["label"] == "fraud" and answers[0]["models"][0]["score"] is None


def test_a_text_is_explained_where_nothing_fired_and_where_every_value_is_shown(tmp_path: Path) -> None:
    made = flow(tmp_path, FILES["tree"](tmp_path))
    quiet: Any = Engine(made, explain=True).decide(events(made)[1])
    assert quiet.features is not None and quiet.features["kind"] == "fine" and quiet.features["wanted"] is False


def test_one_file_gives_a_class_and_its_chance(tmp_path: Path) -> None:
    pmml_file(TREE)(tmp_path)
    text = FLOW + '    chance = model({what}, of=[amount, Spent.hour], otherwise=0.0, output="probability(fraud)")\n'
    made = flow(tmp_path, "kind.pmml", more=', output="y"', text=text)
    decided: Any = Engine(made).decide(events(made)[0])
    assert [(use.label or use.score) for use in decided.models] == ["fraud", 0.9]


def test_a_stored_model_answers_with_the_text_that_was_named(tmp_path: Path) -> None:
    FILES["tree"](tmp_path)
    words = ["models", "add", "kind.pmml", "kind@1", "--output", "y", "--models", "m"]
    words[2], words[-1] = str(tmp_path / "kind.pmml"), str(tmp_path / "m")
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0 and "its label y" in result.output, result.output
    made = flow(tmp_path, "kind@1")
    decided: Any = Engine(made, models=tmp_path / "m").decide(events(made)[0])
    assert (decided.models[0].label, decided.outcome) == ("fraud", "decline")
    absent: Any = Engine(made).decide(events(made)[0])
    assert (absent.models[0].label, absent.models[0].otherwise) == ("none", "the model is not there")
    plain = flow(tmp_path, "kind@1", otherwise="0.0", text=FLOW.split("    wanted")[0])
    with pytest.raises(ModelError, match=r"kind@1 answers with a text.*otherwise is a number.*otherwise=\"unknown\""):
        Engine(plain, models=tmp_path / "m")


MISTAKES = {
    "a class that is none": (
        "tree", '"none"', "", FLOW.replace('kind == "fraud"', 'kind == "fruad"'), "fruad.*Did you mean 'fraud'",
    ),
    "a text compared with a number": (
        "tree", '"none"', "", FLOW.replace('kind == "fraud"', "kind > 0.5"), "one of fraud, fine, none",
    ),
    "a number for a text": ("rules", "0.0", "", FLOW.split("    wanted")[0], "no numbers.*It gives texts: y"),
    "a text for a number": ("tree", '"none"', ', output="probability(fraud)"', FLOW, "answers with a number"),
    "an output of another name": ("tree", '"none"', ', output="yy"', FLOW, "no number or text 'yy'.*Did you mean 'y'"),
    "a label of onnx as a number": ("onnx", "0.0", ', output="label"', FLOW.split("    wanted")[0], "with a text"),
    "neither": ("tree", "None", "", FLOW, "a number, or a text"),
    "empty": ("tree", '""', "", FLOW, "a number, or a text"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_when_the_class_is_made(tmp_path: Path, name: str) -> None:
    of, otherwise, more, text, words = MISTAKES[name]
    with pytest.raises(TidegateError, match=f"(?s){words}"):
        flow(tmp_path, FILES[of](tmp_path), otherwise, more, text)


def test_trees_answer_with_numbers(tmp_path: Path) -> None:
    import lightgbm

    x = np.random.default_rng(1).normal(size=(200, 2))
    data = lightgbm.Dataset(x, (x[:, 0] > 0).astype(int), feature_name=["amount", "hour"])
    booster = lightgbm.train({"objective": "binary", "num_threads": 1, "verbose": -1}, data, 2)
    booster.save_model(tmp_path / "kind.txt")
    with pytest.raises(FlowError, match=r"kind.txt answers with a number, and its otherwise is a text"):
        flow(tmp_path, "kind.txt")

"""A stored PMML model as a flow asks it, and a stored LightGBM model written as PMML."""

from itertools import permutations
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from typer.testing import CliRunner

from tidegate import Event, Flow, Money, entity, model, review
from tidegate.cli import app
from tidegate.decisions.decision import Decision
from tidegate.errors import ModelError
from tidegate.models.artefact import Artefact, Card, ModelFeature
from tidegate.models.pmml.model import read_pmml
from tidegate.models.pmml.scorer import PmmlScorer
from tidegate.models.registry import Registry
from tidegate.runtimes.engine import Engine

from .documents import FIELDS, document, schema
from .test_models import PROBABILITIES, scorecard, tree

Card_ = entity("card")


class Payment(Event):
    card: Card_
    x: float
    y: float
    c: str
    amount: Money


class Scored(Flow[Payment]):
    """Ask a scorecard."""

    points = model("affordability@champion", of=[Payment.x, Payment.y, Payment.c], otherwise=-1.0)
    high = review(points > 20, because="Many points")


def typed(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_scorecard_is_stored_asked_and_gives_its_reason_codes(tmp_path: Path) -> None:
    file = tmp_path / "card.pmml"
    file.write_bytes(document(scorecard("pointsAbove")))
    models = tmp_path / "models"
    result = typed(
        "models",
        "add",
        file,
        "affordability@1",
        "--alias",
        "champion",
        "--override",
        "--why",
        "A test",
        "--output",
        "said",
        "--models",
        models,
    )
    assert result.exit_code == 0, result.output
    alone = read_pmml(file.read_bytes())
    engine = Engine(Scored, models=str(models))
    for k, (x, y, c) in enumerate([(0.2, 1.0, "a"), (0.9, 1.0, "b"), (0.9, -1.0, "a")]):
        event = Payment(id=f"p{k}", at="2026-01-01T00:00:00Z", card="k1", x=x, y=y, c=c, amount=Money(100, "EUR"))
        decision = engine.decide(event)
        answer = alone.answer({"x": x, "y": y, "c": c})
        (use,) = decision.models
        assert use.score == answer.values["said"]
        assert [reason.feature for reason in decision.reasons if hasattr(reason, "feature")] == [
            code for code, points in answer.reasons if points > 0
        ]


def test_the_score_must_be_chosen_and_features_must_fit() -> None:
    boosted = read_pmml(document(tree("none", "returnLastPrediction")))
    with pytest.raises(ModelError, match=r"One output of the model is the score.*no, yes"):
        PmmlScorer(boosted)
    with pytest.raises(ModelError, match="Did you mean 'yes'"):
        PmmlScorer(boosted, output="yess")
    scorer = PmmlScorer(boosted, output="yes")
    with pytest.raises(ModelError, match=r"does not read 'xx'.*Did you mean 'x'"):
        scorer.require(["xx", "y", "c"])
    with pytest.raises(ModelError, match="also reads 'c'"):
        scorer.require(["x", "y"])
    with pytest.raises(ModelError, match="reads 'c' as string"):
        scorer.bind([0, 1, 2], ["float", "float", "float"], 3)
    assert PROBABILITIES and FIELDS and schema()


def test_a_stored_model_is_written_as_pmml_that_pypmml_scores_the_same(tmp_path: Path) -> None:
    from pypmml import Model

    rng = np.random.default_rng(3)
    x = rng.normal(size=(800, 3))
    x[:, 2] = rng.integers(0, 3, 800)
    y = (x[:, 0] * x[:, 1] + (x[:, 2] == 1) > 0.2).astype(float)
    options = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1}
    text = lightgbm.train(options, lightgbm.Dataset(x, y, categorical_feature=[2]), 20).model_to_string()
    features = (ModelFeature("a"), ModelFeature("b"), ModelFeature("kind", "category", ("red", "dark blue", "é<&")))
    artefact = Artefact(Card(name="m", version="1", objective="binary", features=features), text.encode())
    Registry(tmp_path / "models").add(artefact, alias="champion", override=True, why="A test's model")
    file = tmp_path / "m.pmml"
    result = typed("pmml", "export", "m@champion", "-o", file, "--models", tmp_path / "models")
    assert result.exit_code == 0, result.output
    wanted = artefact.trees().predict(x)
    rows = [{"a": a, "b": b, "kind": features[2].categories[int(c)]} for a, b, c in x.tolist()]
    ours = read_pmml(file.read_bytes())
    seen = [ours.answer(row).values["probability(1)"] for row in rows]
    np.testing.assert_allclose(np.array(seen, np.float64), wanted, rtol=1e-14)
    peer = Model.fromFile(str(file))
    try:
        theirs = [peer.predict(row)["probability(1)"] for row in rows[:200]]
    finally:
        Model.close()
    np.testing.assert_allclose(np.array(theirs, np.float64), wanted[:200], rtol=1e-12)


def votes() -> bytes:
    """Three trees that vote, which has no exact shares."""
    trees = "".join(
        f'<Segment><True/><TreeModel functionName="classification">{schema("t")}<Node><True/>'
        f'<Node score="yes"><SimplePredicate field="{field}" operator="{how}" value="{value}"/></Node>'
        f'<Node score="no"><True/></Node></Node></TreeModel></Segment>'
        for field, how, value in (("x", "greaterThan", "1"), ("y", "lessThan", "0"), ("c", "equal", "b"))
    )
    output = '<Output><OutputField name="share" feature="probability" value="yes" dataType="double"/></Output>'
    return document(
        f'<MiningModel functionName="classification">{schema("t")}{output}'
        f'<Segmentation multipleModelMethod="majorityVote">{trees}</Segmentation></MiningModel>'
    )


def test_a_vote_has_reasons_against_a_typical_row(tmp_path: Path) -> None:
    file = tmp_path / "votes.pmml"
    file.write_bytes(votes())
    usual: dict[str, float | str] = {"x": 0.0, "y": 1.0, "c": "a"}
    of = [Payment.x, Payment.y, Payment.c]

    class Voted(Flow[Payment]):
        share = model(file, of=of, otherwise=-1.0, typical=usual)
        high = review(share > 0.5, because="Votes")

    made = Payment(id="1", at="2026-01-01T00:00:00Z", card="k", x=2.0, y=1.0, c="b", amount=Money(1, "EUR"))
    decision = Engine(Voted).decide(made)
    assert isinstance(decision, Decision)
    found = {reason.feature: reason.contribution for reason in decision.reasons}
    scorer = PmmlScorer(read_pmml(votes()))
    codes = {text: float(code) for code, text in enumerate(scorer.pmml.texts)}
    row = {"x": 2.0, "y": 1.0, "c": codes["b"]}
    base = {"x": 0.0, "y": 1.0, "c": codes["a"]}
    shapley = dict.fromkeys(row, 0.0)
    for order in permutations(row):
        now = dict(base)
        for name in order:  # what each adds on the way from the typical row to this one, in every order
            before = scorer.pmml.numbers(np.array([[now[n] for n in row]]), [scorer.output.register])[0, 1]
            now[name] = row[name]
            after = scorer.pmml.numbers(np.array([[now[n] for n in row]]), [scorer.output.register])[0, 1]
            shapley[name] += (after - before) / 6
    assert shapley["y"] == 0 and {"x", "c"} == set(found)
    assert all(abs(found[name] - shapley[name]) < 1e-12 for name in found)
    assert abs(sum(found.values()) - 2 / 3) < 1e-12
    assert all("against a typical" in reason.words for reason in decision.reasons)
    for wrong, words in (({"x": 0.0}, "a value for each"), (usual | {"c": 1.0}, "typical c .* is no text")):
        with pytest.raises(ModelError, match=words):
            model(file, of=of, otherwise=-1.0, typical=wrong)
    card = tmp_path / "card.pmml"
    card.write_bytes(document(scorecard("pointsAbove")))
    with pytest.raises(ModelError, match="by itself"):
        model(card, of=of, otherwise=-1.0, output="said", typical=usual)

"""Exact contributions of sums of trees in PMML, held to LightGBM's own and to the definition."""

import itertools
import math
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from tidegate import Engine, Event, Flow, Money, entity, model, review
from tidegate.models.lightgbm import parse_forest
from tidegate.models.pmml.export import forest_pmml
from tidegate.models.pmml.model import PmmlModel, read_pmml
from tidegate.models.pmml.scorer import PmmlScorer

from .documents import document, schema
from .test_in_flows import typed
from .test_models import SAID, lt

Floats = NDArray[np.float64]
CLOSE = 1e-9
Card = entity("card")


def fitted(objective: str, *, average: bool = False) -> tuple[lightgbm.Booster, Floats]:
    """A model of numbers, some missing, and of a category; and rows."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(600, 4))
    x[:, 3] = rng.integers(0, 5, 600)
    y = x[:, 0] * x[:, 1] + (x[:, 3] == 2) + rng.normal(size=600) / 10
    x[rng.random(x.shape) < 0.1] = math.nan
    x[np.isnan(x[:, 3]), 3] = 4
    kind: dict[str, Any] = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7} if average else {}
    options = {"objective": objective, "num_leaves": 11, "verbosity": -1, "num_threads": 1, **kind}
    label = (y > 0.3).astype(float) if objective == "binary" else np.exp(y / 4) if objective == "poisson" else y
    return lightgbm.train(options, lightgbm.Dataset(x, label, categorical_feature=[3]), 12), x[:200]


WORDS = tuple(f"kind {k}" for k in range(5))


def as_pmml(booster: lightgbm.Booster, rows: Floats) -> tuple[PmmlModel, Floats]:
    """The model as PMML, and the rows as it codes them."""
    forest = parse_forest(booster.model_to_string())
    model = read_pmml(forest_pmml(forest, categories={forest.features[3]: WORDS}))
    coded, codes = rows.copy(), {text: float(code) for code, text in enumerate(model.texts)}
    coded[:, 3] = [codes.get(WORDS[int(kind)], -1.0) for kind in rows[:, 3].tolist()]
    return model, coded


@pytest.mark.parametrize(
    ("objective", "output", "sign", "average"),
    [
        ("regression", "score", 1, False),
        ("poisson", "score", 0, False),
        ("binary", "probability(1)", 1, False),
        ("binary", "probability(0)", -1, False),
        ("regression", "score", 1, True),
    ],
)
def test_they_are_lightgbms_own(objective: str, output: str, sign: int, average: bool) -> None:
    booster, rows = fitted(objective, average=average)
    model, coded = as_pmml(booster, rows)
    seen = PmmlScorer(model, output=output).contributions(coded)
    if not sign:  # a score that is worked out of the sum by an expression
        assert seen is None
        return
    assert seen is not None
    wanted = np.asarray(booster.predict(rows, pred_contrib=True)) * sign
    wanted /= booster.num_trees() if average else 1  # LightGBM averages its answers, but not what they are made of
    assert np.abs(seen - wanted).max() < CLOSE
    raw = np.asarray(booster.predict(rows, raw_score=True)) * sign / (booster.num_trees() if average else 1)
    assert np.abs(seen.sum(axis=1) - raw).max() < CLOSE


COUNTS = {"1": 100, "2": 60, "3": 40, "4": 45, "5": 15}


def grown(counts: dict[str, int], *, treated: str = "", targets: str = "") -> bytes:
    """Five trees of x and y; the ways of the second split leave one score to the node itself."""
    said = {name: f'id="{name}" recordCount="{count}"' for name, count in counts.items()} or dict.fromkeys(COUNTS, "")
    one = (
        f'<TreeModel functionName="regression" noTrueChildStrategy="returnLastPrediction">{schema()}'
        f'<Node {said["1"]} score="2"><True/><Node {said["2"]} score="3">{lt("x", 0.5)}'
        f'<Node {said["4"]} score="7">{lt("y", 0, "greaterThan")}</Node></Node></Node></TreeModel>'
    )
    segments = f"<Segment><True/>{one}</Segment>" * 5
    return document(
        f'<MiningModel functionName="regression">{schema(x=treated)}{SAID}{targets}'
        f'<Segmentation multipleModelMethod="average">{segments}</Segmentation></MiningModel>'
    )


def by_definition(x: float, y: float) -> tuple[float, float]:
    """Shapley values of x and y: over both orders, what each adds to the leaves' mean by records."""

    def mean(known: set[str]) -> float:
        left = float(x < 0.5) if "x" in known else 0.6
        up = float(y > 0) if "y" in known else 0.75
        return (1 - left) * 2 + left * ((1 - up) * 3 + up * 7)

    parts = {"x": 0.0, "y": 0.0}
    for order in itertools.permutations("xy"):
        for place, name in enumerate(order):
            parts[name] += (mean({*order[: place + 1]}) - mean({*order[:place]})) / 2
    return parts["x"], parts["y"]


def test_they_are_shapleys_by_definition() -> None:
    scorer = PmmlScorer(read_pmml(grown(COUNTS)))
    for x, y in itertools.product((0.0, 1.0), (-1.0, 1.0)):
        seen = scorer.contributions(np.array([[x, y, math.nan]]))
        assert seen is not None
        assert seen[0, :2].tolist() == pytest.approx(by_definition(x, y), abs=CLOSE)
        assert seen[0, 2] == 0.0
        assert seen[0, 3] == pytest.approx(0.4 * 2 + 0.6 * (0.25 * 3 + 0.75 * 7), abs=CLOSE)


def test_they_are_of_values_as_they_are_treated_and_of_the_target_as_it_is_scaled() -> None:
    plain = PmmlScorer(read_pmml(grown(COUNTS))).contributions(np.array([[1.0, 1.0, 0.0]]))
    scaled = '<Targets><Target field="n" rescaleFactor="-3" rescaleConstant="1"/></Targets>'
    treated = PmmlScorer(read_pmml(grown(COUNTS, treated='missingValueReplacement="1"', targets=scaled)))
    seen = treated.contributions(np.array([[math.nan, 1.0, 0.0]]))
    assert plain is not None
    assert seen is not None
    np.testing.assert_allclose(seen, -3.0 * plain, atol=CLOSE)


def test_there_are_none_without_counts_or_of_what_is_cut_off() -> None:
    rows = np.zeros((1, 3))
    assert PmmlScorer(read_pmml(grown({}))).contributions(rows) is None
    bounded = grown(COUNTS, targets='<Targets><Target field="n" min="0"/></Targets>')
    assert PmmlScorer(read_pmml(bounded)).contributions(rows) is None


class Payment(Event):
    card: Card
    amount: Money
    x: float
    y: float
    c: str


class Grown(Flow[Payment]):
    """Asks a sum of trees."""

    risk = model("grown@champion", of=[Payment.x, Payment.y, Payment.c], otherwise=0.0)
    high = review(risk > 5, because="A high score")


def test_decisions_name_them(tmp_path: Path) -> None:
    file, models = tmp_path / "grown.pmml", tmp_path / "models"
    file.write_bytes(grown(COUNTS))
    result = typed(
        "models", "add", file, "grown@1", "--alias", "champion", "--override", "--why", "A test's model",
        "--output", "said", "--models", models,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    event = {"id": "p1", "at": "2026-01-01T00:00:00Z", "card": "k1", "x": 0.2, "y": 1.0, "c": "a"}
    decision = Engine(Grown, models=str(models)).decide(Payment(**event, amount=Money(100, "EUR")))  # type: ignore[arg-type]
    named = [(one.feature, one.contribution) for one in decision.reasons if hasattr(one, "feature")]
    x, y = by_definition(0.2, 1.0)
    due = sorted([("x", x), ("y", y)], key=lambda pair: -abs(pair[1]))
    assert [name for name, _ in named] == [name for name, _ in due]
    assert [part for _, part in named] == pytest.approx([part for _, part in due], abs=CLOSE)

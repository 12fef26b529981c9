"""A model in ONNX scores as scikit-learn does, to what floats of 32 bits hold; and alike in whatever batch."""

import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.models.onnx.made import exported, graph, rows
from tidegate.models.onnx.asking import TOGETHER
from tidegate.models.onnx.model import OnnxModel
from tidegate.models.onnx.said import Said

ESTIMATORS: dict[str, tuple[Callable[[], Any], str]] = {
    "logistic regression": (LogisticRegression, ""),
    "pipeline with a scaler": (lambda: make_pipeline(StandardScaler(), LogisticRegression()), ""),
    "gradient boosting": (lambda: GradientBoostingClassifier(n_estimators=30, random_state=1), ""),
    "histogram gradient boosting": (lambda: HistGradientBoostingClassifier(max_iter=20, random_state=1), ""),
    "gradient boosting of numbers": (lambda: GradientBoostingRegressor(n_estimators=30, random_state=1), ""),
    "random forest": (lambda: RandomForestClassifier(10, random_state=1), ""),
    "isolation forest": (lambda: IsolationForest(n_estimators=20, random_state=1), "scores"),
    "neural network": (lambda: MLPClassifier((8,), max_iter=50, random_state=1), ""),
    "calibrated": (lambda: CalibratedClassifierCV(LogisticRegression(), cv=3), ""),
}


def made(name: str, **options: Any) -> tuple[Any, OnnxModel]:
    make, output = ESTIMATORS[name]
    x, y = rows(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = make().fit(x, y)
    return estimator, OnnxModel(exported(estimator, x, **options), name, said=Said(output=output))


def wanted(estimator: Any, x: Any) -> Any:
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(x)[:, 1]
    return estimator.decision_function(x) if isinstance(estimator, IsolationForest) else estimator.predict(x)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_scores_are_those_of_scikit_learn(name: str) -> None:
    estimator, model = made(name)
    x, _ = rows(2, 500)
    np.testing.assert_allclose(model.predict(x), wanted(estimator, x), rtol=2e-6, atol=5e-7)


@pytest.mark.parametrize("name", ["logistic regression", "gradient boosting"])
def test_chances_in_a_tensor_are_those_in_maps(name: str) -> None:
    _, maps = made(name)
    _, tensor = made(name, options={"zipmap": False})
    assert (maps.score.named, tensor.score.named) == ("output_probability[1]", "probabilities[1]")
    x, _ = rows(3)
    assert (maps.predict(x) == tensor.predict(x)).all()


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=6))
def test_a_score_is_the_same_bits_in_whatever_batch(name: str, cuts: list[int]) -> None:
    model = MODELS.setdefault(name, None) or MODELS.update({name: made(name)[1]}) or MODELS[name]
    x, _ = rows(4, 200)
    places = sorted({0, 200, *cuts})
    cut = np.concatenate([model.predict(x[a:b]) for a, b in pairwise(places)])
    assert (cut == ALONE.setdefault(name, np.concatenate([model.predict(x[k : k + 1]) for k in range(200)]))).all()


MODELS: dict[str, Any] = {}
ALONE: dict[str, Any] = {}


@pytest.mark.parametrize("name", ["logistic regression", "gradient boosting", "isolation forest"])
@pytest.mark.parametrize("zipmap", [True, False])
def test_cells_are_scored_as_a_matrix_is_and_a_missing_one_has_no_answer(name: str, zipmap: bool) -> None:
    _, model = made(name, **({} if zipmap or name == "isolation forest" else {"options": {"zipmap": False}}))
    x, _ = rows(5, 50)
    x[:, 3] = np.round(x[:, 3] * 10)
    x[7, 1], x[8, 2] = np.nan, 1e300
    cells = np.full((5, 50), -(2**63), np.int64)
    cells.view(np.float64)[:3] = x[:, :3].T
    cells[3] = x[:, 3].astype(np.int64)
    cells[3, 9] = -(2**63)
    bound = model.bind(range(4), ["float"] * 3 + ["int"], 4)  # type: ignore[list-item]
    scores = cells.view(np.float64)[4]
    bound.score(cells, 0, 50)
    together = scores.copy()
    for row in range(50):
        bound.score(cells, row, row + 1)
    assert np.isnan(together).nonzero()[0].tolist() == [7, 8, 9]
    np.testing.assert_array_equal(scores, together)
    x[9, 3] = np.nan
    np.testing.assert_array_equal(scores, model.predict(x))


def test_trees_are_asked_in_blocks_and_what_multiplies_matrices_among_always_as_many_rows() -> None:
    for name in ESTIMATORS:
        asking = made(name)[1].asking
        assert asking.row_exact or asking.together == TOGETHER, name
    assert made("gradient boosting")[1].asking.row_exact
    assert not made("logistic regression")[1].asking.row_exact


def test_a_model_that_compares_its_rows_is_asked_one_by_one() -> None:
    axes = numpy_helper.from_array(np.array([0], np.int64), "rows")
    nodes = [helper.make_node("ReduceSum", ["X", "rows"], ["all"]), helper.make_node("Sub", ["X", "all"], ["d"]),
             helper.make_node("Exp", ["d"], ["Y"])]  # fmt: skip
    model = OnnxModel(graph(nodes, constants=[axes]).SerializeToString())
    assert model.file.rows_apart and model.asking.together == 1
    assert model.predict(np.array([[1.0], [5.0], [7.0]])).tolist() == [1.0, 1.0, 1.0]


def test_a_row_that_onnx_runtime_fails_on_takes_no_other_with_it() -> None:
    nodes = [
        helper.make_node("Cast", ["X"], ["whole"], to=TensorProto.INT64),
        helper.make_node("OneHotEncoder", ["whole"], ["hot"], domain="ai.onnx.ml", cats_int64s=[0, 1, 2], zeros=0),
        helper.make_node("Reshape", ["hot", "three"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["Y"]),
    ]
    weights = numpy_helper.from_array(np.array([[0.1], [0.2], [0.3]], np.float32), "w")
    three = numpy_helper.from_array(np.array([-1, 3], np.int64), "three")
    model = OnnxModel(graph(nodes, constants=[weights, three]).SerializeToString())
    rows = np.arange(40.0)[:, None] % 3
    alone = np.concatenate([model.predict(rows[k : k + 1]) for k in range(40)])
    np.testing.assert_allclose(alone, (rows[:, 0] + 1) / 10, rtol=1e-6)
    rows[7] = 9.0
    found = model.predict(rows)
    assert np.isnan(found).nonzero()[0].tolist() == [7]
    assert np.delete(found, 7).tolist() == np.delete(alone, 7).tolist()

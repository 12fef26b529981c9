"""An XGBoost model written as PMML says what XGBoost says, to the rounding of its sums; also in pypmml and jpmml."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.jpmml import evaluator
from tidegate.models.pmml.export import forest_pmml
from tidegate.models.pmml.model import read_pmml
from tidegate.models.tree_model import TreeModel
from tidegate.models.xgboost import parse_xgboost

from ..test_equals_xgboost import TYPES, fresh, table

OBJECTIVES = [
    "binary:logistic", "binary:logitraw", "reg:squarederror", "reg:absoluteerror", "count:poisson", "reg:gamma",
    "reg:tweedie", "binary:hinge",
]  # fmt: skip
MORE: list[dict[str, Any]] = [
    {"base_score": 0.3}, {"num_parallel_tree": 3, "subsample": 0.5}, {"booster": "dart", "rate_drop": 0.4},
    {"max_depth": 1}, {"gamma": 1e9},
]  # fmt: skip


def _seen(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows without what the two take differently: fractions of categories, which XGBoost cuts off and PMML takes for
    other values, and numbers so close to zero that our forests take them for it."""
    x = x.copy()
    x[:, 3] *= 1e37
    for at, kind in enumerate(TYPES):
        x[:, at] = np.floor(x[:, at]) if kind == "c" else np.where(np.abs(x[:, at]) < 1e-34, 0.0, x[:, at])
    return np.where(np.abs(x) > 1e38, 1.0, x)


def fit(parameters: dict[str, Any], seed: int, trees: int = 12) -> xgboost.Booster:
    x, y = table(seed)
    labels = y + (parameters["objective"] == "reg:gamma")
    data = xgboost.DMatrix(_seen(x), labels, feature_types=TYPES)
    return xgboost.train({"nthread": 1, "max_depth": 4, **parameters}, data, trees)


def _written(booster: xgboost.Booster) -> bytes:
    return forest_pmml(parse_xgboost(bytes(booster.save_raw("json"))), name="one")


def _rows(seed: int) -> NDArray[np.float64]:
    return _seen(fresh(seed))


def _agree(seen: NDArray[np.float64], booster: xgboost.Booster, rows: NDArray[np.float64]) -> None:
    """As near as sums of floats of 32 bits are to those of 64: each of n additions rounds by half a unit at most."""
    data = xgboost.DMatrix(rows, feature_types=TYPES)
    wanted = booster.predict(data)
    forest = parse_xgboost(bytes(booster.save_raw("json")))
    largest = abs(forest.start) + sum(np.abs(tree.leaf_value).max() for tree in forest.trees)
    near = float(np.finfo(np.float32).eps) * (len(forest.trees) + 2) * largest
    if forest.link == "step":
        sure = np.abs(booster.predict(data, output_margin=True)) > near
        np.testing.assert_array_equal(seen[sure], wanted[sure])
        return
    scale = 1.0 if forest.link != "exponential" else np.abs(wanted).max()  # by which the link widens a difference
    np.testing.assert_allclose(seen, wanted, rtol=1e-6, atol=near * scale + 1e-7)


def _ours(data: bytes, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    model = read_pmml(data)
    table = model.table({one.name: rows[:, int(one.name[1:])] for one in model.inputs})
    name = "probability(1)" if "probability(1)" in table else "score"
    first = model.answer({one.name: rows[0, int(one.name[1:])] for one in model.inputs}).values[name]
    assert first == table[name][0]
    return np.asarray(table[name], np.float64)


@pytest.mark.parametrize("objective", OBJECTIVES)
@given(seed=st.integers(0, 2**32 - 2), more=st.sampled_from([{}, *MORE]))
@settings(max_examples=3)
def test_it_says_what_xgboost_says(objective: str, seed: int, more: dict[str, Any]) -> None:
    # The default base score of these is learnt; one that is given must be one that the objective allows.
    booster, rows = fit({"objective": objective, **more}, seed), _rows(seed)
    _agree(_ours(_written(booster), rows), booster, rows)


def test_values_on_either_side_of_a_threshold_go_as_in_xgboost() -> None:
    """Also those that only a float of 32 bits takes for the threshold."""
    booster = fit({"objective": "reg:squarederror"}, 5)
    data, forest = _written(booster), parse_xgboost(bytes(booster.save_raw("json")))
    rows = []
    for tree in forest.trees:
        for feature, below, of in zip(tree.feature, tree.threshold, tree.set_of, strict=True):
            limit = np.float64(np.nextafter(np.float32(below), np.float32(np.inf)))
            for value in (below, limit, np.nextafter(limit, -np.inf), np.nextafter(limit, np.inf), np.nan):
                if of < 0:
                    row = np.zeros(len(TYPES))
                    row[feature] = value
                    rows.append(row)
    matrix = np.array(rows)
    wanted = TreeModel(forest).predict(matrix)
    np.testing.assert_allclose(_ours(data, matrix), wanted, rtol=1e-5, atol=1e-6)
    _agree(_ours(data, matrix), booster, matrix)


@pytest.mark.parametrize("objective", ["binary:logistic", "count:poisson"])
def test_pypmml_says_the_same(objective: str) -> None:
    from pypmml import Model

    booster = fit({"objective": objective}, 11)
    rows = _rows(11)[70:130].astype(np.float32).astype(np.float64)  # pypmml compares doubles
    model = Model.fromString(_written(booster).decode())
    name = "probability(1)" if objective == "binary:logistic" else "score"
    seen = [
        float(model.predict({f"f{k}": None if v != v else float(v) for k, v in enumerate(row)})[name])
        for row in rows.tolist()
    ]
    _agree(np.array(seen), booster, rows)


@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror", "binary:hinge"])
def test_jpmml_says_the_same(objective: str, tmp_path: Path) -> None:
    booster, file = fit({"objective": objective}, 12), tmp_path / "one.pmml"
    file.write_bytes(_written(booster))
    ask, rows = evaluator(file), _rows(12)[60:120]
    name = "probability(1)" if objective == "binary:logistic" else "score"
    seen = [
        float(ask({f"f{k}": None if v != v else float(v) for k, v in enumerate(row)})[name]) for row in rows.tolist()
    ]
    _agree(np.array(seen), booster, rows)

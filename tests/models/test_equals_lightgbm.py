"""Our walk gives LightGBM's float, to the bit; our contributions are its own, more exactly."""

import math
from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tidegate.models.kernels import MISSING
from tidegate.models.lightgbm import parse_forest
from tidegate.models.tree_model import TreeModel

from .forests import FEATURES, TELLING, forest_texts, matrices

Matrix = NDArray[np.float64]


def same_bits(ours: Matrix, theirs: Any) -> bool:
    return bool((ours.view(np.int64) == np.ascontiguousarray(theirs).view(np.int64)).all())


@given(forest_texts(), matrices())
def test_any_forest_and_any_row(text: str, rows: Matrix) -> None:
    booster = lightgbm.Booster(model_str=text)
    model = TreeModel(parse_forest(text))
    assert same_bits(model.predict(rows), booster.predict(rows, num_threads=1))
    assert same_bits(model.raw(rows), booster.predict(rows, raw_score=True, num_threads=1))


@given(forest_texts(splits=24), matrices(8))
def test_contributions_of_any_forest(text: str, rows: Matrix) -> None:
    booster = lightgbm.Booster(model_str=text)
    model = TreeModel(parse_forest(text))
    ours = model.contributions(rows)
    np.testing.assert_allclose(ours, booster.predict(rows, pred_contrib=True, num_threads=1), rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.sum(axis=1), model.raw(rows), rtol=0, atol=1e-12)


def test_every_telling_value_against_every_telling_threshold() -> None:
    """Infinite thresholds and values, both zeros, the edge of zero; each way of missing and each default."""
    values = [*TELLING, math.nan, math.inf, -math.inf]
    rows = np.zeros((len(values), 1))
    rows[:, 0] = values
    for threshold in [*TELLING, math.inf, -math.inf]:
        for decision in range(0, 12, 2):
            tree = (
                f"Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold={threshold:.17g}\n"
                f"decision_type={decision}\nleft_child=-1\nright_child=-2\nleaf_value=1 2\nleaf_count=1 2\n"
                "internal_count=3\nis_linear=0\nshrinkage=1\n\n\n"
            )
            text = (
                "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
                f"objective=regression\nfeature_names=a\nfeature_infos=[0:1]\ntree_sizes={len(tree)}\n\n{tree}"
                "end of trees\n\nparameters:\nend of parameters\n"
            )
            theirs = lightgbm.Booster(model_str=text).predict(rows, num_threads=1)
            ours = TreeModel(parse_forest(text)).predict(rows)
            assert ours.tolist() == list(theirs), (threshold, decision)  # type: ignore[arg-type]


def table(seed: int, n: int = 3000) -> tuple[Matrix, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8))
    x[:, 4], x[:, 5] = rng.integers(0, 150, n), rng.integers(0, 12, n)
    score = x[:, 0] + x[:, 1] * x[:, 2] + (x[:, 4] % 3) + (x[:, 5] % 5 == 1)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.1] = 0.0
    return x, (rng.random(n) < 1 / (1 + np.exp(1 - score))).astype(float)


TRAINED: list[dict[str, Any]] = [
    {"objective": "binary"},
    {"objective": "binary", "max_depth": 6},
    {"objective": "binary", "zero_as_missing": True},
    {"objective": "binary", "use_missing": False, "sigmoid": 0.5},
    {"objective": "binary", "max_cat_to_onehot": 1},
    {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    {"objective": "binary", "boosting": "dart"},
    {"objective": "cross_entropy"},
    {"objective": "regression"},
    {"objective": "regression_l1"},
    {"objective": "regression", "reg_sqrt": True},
    {"objective": "tweedie"},
    {"objective": "binary", "num_leaves": 200, "min_data_in_leaf": 1},
]


@pytest.mark.parametrize("parameters", TRAINED, ids=lambda p: " ".join(f"{k}={v}" for k, v in p.items()))
def test_trained_models(parameters: dict[str, Any]) -> None:
    x, y = table(1)
    data = lightgbm.Dataset(x, y, categorical_feature=[4, 5])
    booster = lightgbm.train({"verbosity": -1, "num_threads": 1, "seed": 3, **parameters}, data, 30)
    model = TreeModel(parse_forest(booster.model_to_string()))
    fresh = np.vstack([x, table(2, 500)[0]])
    assert same_bits(model.predict(fresh), booster.predict(fresh, num_threads=1))
    few = fresh[-40:]
    theirs = booster.predict(few, pred_contrib=True, num_threads=1)
    np.testing.assert_allclose(model.contributions(few), theirs, rtol=0, atol=1e-9)


@given(forest_texts(), matrices(), st.data())
def test_a_batch_of_cells_is_scored_as_the_matrix_is(text: str, rows: Matrix, data: st.DataObject) -> None:
    """Cut anywhere, one row or many, columns in any order, with or without whole numbers in integer cells."""
    model = TreeModel(parse_forest(text))
    columns = data.draw(st.permutations(range(1, FEATURES + 1)))
    whole = data.draw(st.sets(st.integers(0, FEATURES - 1)))
    cells = np.full((FEATURES + 2, len(rows) + 3), MISSING, np.int64)
    rows = rows.copy()
    for feature, column in enumerate(columns):
        if feature in whole:
            values = rows[:, feature]
            usable = np.isfinite(values) & (np.abs(values) < 2**53)
            integers = np.where(usable, np.trunc(np.where(usable, values, 0.0)), 0.0).astype(np.int64)
            cells[column, : len(rows)] = np.where(usable, integers, MISSING)
            rows[:, feature] = np.where(usable, integers.astype(np.float64), np.nan)
        else:
            cells.view(np.float64)[column, : len(rows)] = rows[:, feature]
    kinds = ["int" if feature in whole else "float" for feature in range(FEATURES)]
    bound = model.bind(columns, kinds, 0)  # type: ignore[arg-type]
    cut = data.draw(st.integers(0, len(rows)))
    bound.score(cells, 0, cut)
    bound.score(cells, cut, len(rows))
    assert same_bits(cells.view(np.float64)[0, : len(rows)].copy(), model.predict(rows))
    assert (cells[0, len(rows) :] == MISSING).all()
    assert same_bits(bound.contributions(cells, 0), model.contributions(rows[:1])[0])
    assert same_bits(bound.values(cells, 0), rows[0])

"""Contributions against the definition, and when they cannot be given."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.lightgbm import Tree, parse_forest
from tidegate.models.tree_model import TreeModel

from .brute import shapley_values
from .forests import EDGE, FEATURES, forest_texts, matrices


def goes_left(tree: Tree, row: NDArray[np.float64]) -> dict[int, bool]:
    """LightGBM's decisions, written plainly."""
    ways = {}
    for node in range(len(tree.feature)):
        x = float(row[tree.feature[node]])
        if abs(x) <= EDGE:
            x = 0.0
        if tree.set_of[node] >= 0:
            code = int(x) if -1 < x < 2**31 else -1
            words = tree.categories[tree.set_of[node]]
            ways[node] = 0 <= code < 32 * len(words) and bool(int(words[code // 32]) >> code % 32 & 1)
            continue
        if x != x and tree.missing[node] != 2:
            x = 0.0
        absent = x != x if tree.missing[node] == 2 else tree.missing[node] == 1 and x == 0.0
        ways[node] = bool(tree.default_left[node]) if absent else x <= tree.threshold[node]
    return ways


@settings(max_examples=40, deadline=None)
@given(forest_texts(splits=9), matrices(2))
def test_contributions_are_shapley_values(text: str, rows: NDArray[np.float64]) -> None:
    model = TreeModel(parse_forest(text))
    for row, ours in zip(rows, model.contributions(rows), strict=True):
        due = sum(shapley_values(tree, goes_left(tree, row), FEATURES) for tree in model.forest.trees)
        np.testing.assert_allclose(ours[:-1], due, rtol=0, atol=1e-12)


@given(forest_texts(splits=9), matrices(5))
def test_a_row_is_explained_alike_in_any_company(text: str, rows: NDArray[np.float64]) -> None:
    model = TreeModel(parse_forest(text))
    alone = np.vstack([model.contributions(row[None]) for row in rows])
    assert model.contributions(rows).tobytes() == alone.tobytes()
    assert model.contributions(rows[1:]).tobytes() == alone[1:].tobytes()


@pytest.mark.parametrize("n", [8, 9, 16, 17, 24, 25, 60])
def test_a_long_path_of_many_features(n: int) -> None:
    """Sixty features one below the other need more points than any trained tree, and stay exact; and every step there.

    Half of the rows go on at each split, up to a depth where none would be left, so the features weigh alike.
    """
    last = n - 1
    counts = [2 ** max(30 - k, 0) for k in range(n)] + [1]
    below = [sum(counts[k:]) for k in range(n)]
    body = "\n".join(
        [
            f"num_leaves={n + 1}", "num_cat=0",
            "split_feature=" + " ".join(map(str, range(n))),
            "threshold=" + " ".join(["0.5"] * n),
            "decision_type=" + " ".join(["2"] * n),
            "left_child=" + " ".join(str(~k) for k in range(n)),
            "right_child=" + " ".join(str(k + 1) if k < last else str(~n) for k in range(n)),
            "leaf_value=" + " ".join(f"{(k % 7) - 3}" for k in range(n + 1)),
            "leaf_count=" + " ".join(map(str, counts)),
            "internal_count=" + " ".join(map(str, below)),
        ]
    )  # fmt: skip
    names = " ".join(f"f{k}" for k in range(n))
    text = (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\n"
        f"max_feature_idx={last}\nobjective=regression\nfeature_names={names}\ntree_sizes=1\n\nTree=0\n{body}\n\n"
        "end of trees\n"
    )
    model = TreeModel(parse_forest(text))
    rows = np.vstack([np.ones(n), np.where(np.arange(n) < 50, 1.0, 0.0), np.zeros(n)])
    np.testing.assert_allclose(model.contributions(rows).sum(axis=1), model.raw(rows), rtol=0, atol=1e-12)


def test_a_model_without_counts_predicts_but_is_not_explained() -> None:
    text = (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=regression\n"
        "feature_names=a\ntree_sizes=1\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0.5\n"
        "decision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n\nend of trees\n"
    )
    model = TreeModel(parse_forest(text))
    assert model.predict(np.array([[0.5], [0.6]])).tolist() == [1.0, 2.0]
    with pytest.raises(ModelError, match="how many training rows"):
        model.contributions(np.zeros((1, 1)))


def test_rows_are_as_many_as_the_processor_that_is_compiled_for_has_room_for() -> None:
    code = "from tidegate.models.vectors import ROWS; print(ROWS)"
    for features, rows in (("", "1"), ("+avx2", "1"), ("+avx512f,+avx512dq", "2")):
        told = {**os.environ, "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features}
        ran = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == rows

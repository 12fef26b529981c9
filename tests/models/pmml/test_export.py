"""Any forest, written as PMML and read back, says what it said."""

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from tidegate.errors import ModelError
from tidegate.models.lightgbm import parse_forest
from tidegate.models.pmml import forest as plain
from tidegate.models.pmml.export import forest_pmml
from tidegate.models.pmml.model import read_pmml
from tidegate.models.tree_model import TreeModel

from ..forests import forest_texts, matrices

TINY = 2e-35  # below it LightGBM takes numbers for zero, which PMML has no word for


def asked(data: bytes, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    model = read_pmml(data)
    columns = {one.name: rows[:, int(one.name[1:])] for one in model.inputs}
    table = model.table(columns)
    return np.asarray(table["probability(1)"] if "probability(1)" in table else table["score"], np.float64)


@pytest.mark.parametrize("fewest", [1, 10**9], ids=["as a forest", "tree by tree"])
@given(text=forest_texts(), rows=matrices(12))
@settings(max_examples=40)
def test_any_forest_says_the_same_as_pmml(fewest: int, text: str, rows: NDArray[np.float64]) -> None:
    forest = parse_forest(text)
    if forest.link == "signed_square":
        with pytest.raises(ModelError, match="reg_sqrt"):
            forest_pmml(forest)
        return
    rows = np.where(np.abs(rows) < TINY, 0.0, rows)
    rows = np.where(np.isinf(rows), np.sign(rows) * 1e300, rows)
    sets = {int(f) for tree in forest.trees for f, s in zip(tree.feature, tree.set_of, strict=True) if s >= 0}
    for feature in sets:  # a fraction is no category
        rows[:, feature] = np.floor(np.clip(np.abs(rows[:, feature]), 0, 2**31))
    before = plain._FEWEST
    plain._FEWEST = fewest
    try:
        seen = asked(forest_pmml(forest), rows)
    finally:
        plain._FEWEST = before
    wanted = TreeModel(forest).predict(rows)
    finite = np.isfinite(wanted)
    np.testing.assert_allclose(seen[finite], wanted[finite], rtol=1e-12, atol=1e-300)

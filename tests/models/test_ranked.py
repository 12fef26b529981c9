"""Leaves found by ranks are those that a walk down the trees finds, and their sums the same to the bit."""

from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from tidegate.models import kernels
from tidegate.models import ranked as by_rank
from tidegate.models.layout import SLOT_COUNT, layout
from tidegate.models.lightgbm import Forest, parse_forest
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.export import forest_pmml
from tidegate.models.pmml.model import read_pmml
from tidegate.models.ranked import MOST_LEAVES, STRIDE, TREES, add_leaves, ranked

from .forests import forest_texts, matrices

WORDS = tuple(f"kind {k}" for k in range(9))
Floats = NDArray[np.float64]


def sums(forest: Forest, rows: Floats) -> tuple[Floats, Floats]:
    """Of each row by the walk and by ranks."""
    laid, words = layout(forest), ranked(forest)
    assert words is not None
    width = int(laid[SLOT_COUNT])
    slots = np.empty(len(rows) * width)
    for k, row in enumerate(rows):
        kernels.fill_slots(laid, row, slots[k * width : (k + 1) * width])
    walked, found = np.full(len(rows), 0.25), np.full(len(rows), 0.25)
    kernels.walk(laid, slots, walked, len(rows))
    add_leaves(words, width, slots, found, len(rows))
    return walked, found


def fitted(count: int, leaves: int, *, features: int = 5) -> tuple[Forest, Floats, lightgbm.Booster]:
    """Trees of numbers, some missing, and of a category; and rows."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=(3000, features))
    x[:, 0] = rng.integers(0, 9, len(x))
    x[rng.random(x.shape) < 0.1] = np.nan
    y = np.nan_to_num(x[:, 1] * x[:, -1]) + (x[:, 0] == 3) + rng.normal(size=len(x))
    options = {"num_leaves": leaves, "min_data_in_leaf": 5, "verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(options, lightgbm.Dataset(x, y, categorical_feature=[0]), count)
    return parse_forest(booster.model_to_string()), np.ascontiguousarray(x[:400]), booster


@settings(max_examples=150, deadline=None)
@given(text=forest_texts(), rows=matrices())
def test_sums_of_any_trees_are_those_of_the_walk(text: str, rows: Floats) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_rank, "_FEWEST_SPLITS", 0)
        walked, found = sums(parse_forest(text), rows)
    assert walked.tobytes() == found.tobytes()


@pytest.mark.parametrize("count", [1, 7, TREES - 1, TREES, 2 * TREES + 3])
@pytest.mark.parametrize("leaves", [STRIDE, 31, MOST_LEAVES])
def test_sums_of_many_trees_are_those_of_the_walk(count: int, leaves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_rank, "_FEWEST_SPLITS", 0)
    forest, rows, _ = fitted(count, leaves)
    walked, found = sums(forest, rows)
    assert walked.tobytes() == found.tobytes()


def test_a_slot_has_as_many_thresholds_as_it_has() -> None:
    forest, rows, _ = fitted(150, 32, features=2)  # several chunks of 16 times 16
    walked, found = sums(forest, rows)
    assert walked.tobytes() == found.tobytes()


def test_trees_of_many_leaves_and_few_splits_are_walked() -> None:
    assert ranked(fitted(8, MOST_LEAVES + 1)[0]) is None
    assert ranked(fitted(1, 4)[0]) is None


def test_a_document_of_small_trees_is_answered_by_ranks_as_lightgbm_answers() -> None:
    forest, rows, booster = fitted(60, 31)
    model = read_pmml(forest_pmml(forest, categories={forest.features[0]: WORDS}))
    code, at = model.program.code.tolist(), 0
    while code[at] != o.FOREST:
        at += code[at + 1]
    assert code[at + 7] > 0, "is walked"
    values: dict[str, list[Any]] = {name: rows[:, k].tolist() for k, name in enumerate(forest.features)}
    values[forest.features[0]] = [None if kind != kind else WORDS[int(kind)] for kind in rows[:, 0].tolist()]
    said, wanted = model.table(values)["score"], np.asarray(booster.predict(rows, num_threads=1))
    assert said.tolist() == wanted.tolist()
    each = [model.answer(dict(zip(values, row, strict=True))) for row in zip(*values.values(), strict=True)]
    assert [one.values["score"] for one in each] == said.tolist()

"""Whether reasons hold is measured right: on models of which it is known."""

import itertools
import math
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from tidegate.errors import ModelError
from tidegate.models.artefact import Artefact
from tidegate.models.reason_quality import LEAST, measure, shortfalls
from tidegate.models.registry import Registry
from tidegate.models.training import Training, train
from tidegate.models.tree_model import TreeModel


def trained(weights: list[float], rows: int = 6000, version: str = "1", **how) -> Training:
    """A model of a label whose log odds are a weighted sum of independent features."""
    random = np.random.default_rng(5)
    x = random.normal(size=(rows, len(weights)))
    odds = x @ np.array(weights) - 2.0
    table = pl.DataFrame({f"f{i}": x[:, i] for i in range(len(weights))}).with_columns(
        bad=random.random(rows) < 1 / (1 + np.exp(-odds)), at=np.arange(rows) * 3_600_000_000
    )
    names = [f"f{i}" for i in range(len(weights))]
    return train(table, names, "bad", "at", name="m", version=version, rounds=60, **how)


def rows(many: int, features: int) -> np.ndarray:
    return np.random.default_rng(9).normal(size=(many, features))


def test_few_strong_features_are_told_in_full_and_many_weak_ones_are_not() -> None:
    strong, weak = trained([3.0, -3.0, 2.0]), trained([0.8] * 20)
    few = measure(strong.artefact.model(), rows(1500, 3), 0.5)
    assert few.sufficiency == few.sufficiency_overall == 1.0 and few.r2 > 0.999999
    many = measure(weak.artefact.model(), rows(1500, 20), 0.5)
    assert many.r2 < 0.9 and many.sufficiency < few.sufficiency and many.deletion > 1.0
    assert few.additivity_error < 1e-12 and many.additivity_error < 1e-12


def test_sufficiency_is_what_a_loop_over_rows_counts() -> None:
    model = trained([1.0, -1.0, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]).artefact.model()
    matrix, threshold = rows(700, 8), 0.3
    found = measure(model, matrix, threshold)
    answers, raw, parts = model.predict(matrix), model.raw(matrix), model.contributions(matrix)
    cut = (raw[answers >= threshold].min() + raw[answers < threshold].max()) / 2
    order = sorted(range(len(matrix)), key=lambda i: -answers[i])
    above = sum(answers >= threshold)

    def told(i: int) -> float:
        own = parts[i][:-1]
        chosen = sorted(range(len(own)), key=lambda k: -abs(own[k]))[:4]
        return float(parts[i][-1] + sum(own[k] for k in chosen))

    agree = [(told(i) >= cut) == (answers[i] >= threshold) for i in range(len(matrix))]
    near = order[: 2 * above]
    assert math.isclose(found.sufficiency, sum(agree[i] for i in near) / len(near))
    assert math.isclose(found.sufficiency_overall, sum(agree) / len(agree))
    sums = np.array([told(i) for i in range(len(matrix))])
    assert math.isclose(found.r2, 1 - ((raw - sums) ** 2).sum() / ((raw - raw.mean()) ** 2).sum())


class Wrong(TreeModel):
    """Whose contributions to one row, which a certain number is in, are wrong by so much."""

    mark, by = 77.0, 5e-6

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        parts = super().contributions(matrix)
        parts[matrix[:, 0] == self.mark, 0] += self.by
        return parts


@pytest.mark.parametrize("place", [3, 10_001, 23_457, -1])
def test_one_wrong_row_among_many_is_seen(place: int) -> None:
    """Also one that is not near the threshold and in no sample, and at whatever size of score."""
    model = Wrong(trained([0.5, 3.0]).artefact.trees().forest)
    matrix = rows(24_000, 2)
    assert measure(model, matrix, 0.9).additivity_error < 1e-12
    matrix[place, 0] = model.mark
    assert measure(model, matrix, 0.9).additivity_error == pytest.approx(5e-6, rel=1e-6)


def test_additivity_is_not_relative_to_the_score() -> None:
    forest = trained([2.0, 1.0], parameters={"objective": "regression", "metric": "l2"}).artefact.trees().forest
    for tree in forest.trees:
        tree.leaf_value[:] *= 1e6
    model = Wrong(forest)
    matrix = rows(200, 2)
    matrix[:, 0] = model.mark
    assert np.abs(model.raw(matrix)).min() > 1e4, "relative to which 5e-6 is nothing"
    assert measure(model, matrix, 0.5).additivity_error > 1e-6


def deletion_by_a_loop(model: TreeModel, matrix: np.ndarray, many: int) -> float:
    """Over every other row to borrow from and every choice of so many features: no chance in it."""
    parts, raw = model.contributions(matrix)[:, :-1], model.raw(matrix)
    choices = list(itertools.combinations(range(matrix.shape[1]), many))
    moved, other = [], []
    for i, own in enumerate(matrix):
        top = sorted(range(len(own)), key=lambda k: -abs(parts[i][k]))[:many]
        for away in range(1, len(matrix)):
            lent = matrix[i - away]
            changed = np.array([own] * (1 + len(choices)))
            for line, chosen in zip(changed, [top, *choices], strict=True):
                line[list(chosen)] = lent[list(chosen)]
            moves = np.abs(model.raw(changed) - raw[i])
            moved.append(moves[0])
            other.append(moves[1:].mean())
    return float(np.mean(moved) / np.mean(other))


@pytest.mark.parametrize(("weights", "many"), [([3.0, 1.0, 0.3], 1), ([2.0, 1.0, 0.5] * 3, 2), ([2.0, 0.5] * 8, 4)])
def test_deletion_is_held_against_features_drawn_from_all(weights: list[float], many: int) -> None:
    model, matrix = trained(weights).artefact.trees(), rows(30, len(weights))
    found = measure(model, matrix, float(np.median(model.predict(matrix)))).deletion
    assert found == pytest.approx(deletion_by_a_loop(model, matrix, many), rel=0.06)


def test_deletion_gives_no_free_pass_where_random_ones_can_be_no_others() -> None:
    one = measure(trained([3.0]).artefact.trees(), rows(500, 1), 0.5)
    assert one.deletion == 1.0 and "deletion 1.00, at least 2" in shortfalls(one.metrics())
    even = measure(trained([1.0, -1.0, 1.0]).artefact.trees(), rows(500, 3), 0.5)
    assert 1.0 < even.deletion < 2.0, "all of three are told, and none weighs twice as much as another"
    plain = measure(trained([3.0, 0.2, 0.2, 0.2]).artefact.trees(), rows(500, 4), 0.5)
    assert plain.deletion > 2.0


def test_the_same_rows_give_the_same_figures() -> None:
    model, matrix = trained([1.0, 2.0, 0.1, 0.1, 0.1, 0.1]).artefact.model(), rows(300, 6)
    assert measure(model, matrix, 0.2) == measure(model, matrix, 0.2)
    assert all(math.isfinite(value) for value in measure(model, matrix[:1], 0.2).metrics().values())
    assert all(math.isfinite(value) for value in measure(model, matrix, 2.0).metrics().values())


def test_what_falls_short_is_told() -> None:
    good = {"reason_additivity_error": 0.0, "reason_sufficiency": 0.9, "reason_deletion": 3.0, "reason_stability": 0.9}
    assert good.keys() == LEAST.keys() and shortfalls(good) == ()
    assert shortfalls(good | {"reason_sufficiency": 0.5}) == ("sufficiency 0.50, at least 0.85",)
    assert shortfalls(good | {"reason_additivity_error": 0.1}) == ("additivity error 0.1, at most 1e-06",)
    assert shortfalls(good | {"reason_stability": math.nan})
    assert len(shortfalls({})) == 4 and "was not measured" in shortfalls({})[0]


def test_a_model_whose_reasons_fall_short_is_promoted_only_by_who_says_why(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    made = trained([3.0, 0.5, 0.2, 0.2]).artefact
    registry.add(made, alias="champion")
    assert registry.require_reasons("m@1") == ""
    worse = msgspec.structs.replace(made.card, version="2", metrics=made.card.metrics | {"reason_sufficiency": 0.4})
    registry.add(Artefact(worse, made.content))
    with pytest.raises(ModelError, match="fall short") as told:
        registry.require_reasons("m@2")
    assert told.value.seen == "sufficiency 0.40, at least 0.85"
    with pytest.raises(ModelError):
        registry.require_reasons("m@2", override=True, why=" ")
    said = registry.require_reasons("m@2", override=True, why="A pilot for one week")
    assert registry.point("m@champion", "2", why=said).why.startswith("A pilot for one week (sufficiency")
    assert Registry(tmp_path).resolve("m@champion").why == said

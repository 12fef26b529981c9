"""Whether reasons hold is measured right: on models of which it is known."""

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
    made = trained([3.0, -3.0, 2.0]).artefact
    registry.add(made)
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

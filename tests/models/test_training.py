"""Training in order of time, its figures, and the words for what a model says."""

import hashlib
from datetime import UTC, datetime, timedelta
from statistics import NormalDist

import lightgbm
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from tidegate.errors import ModelError
from tidegate.models.evaluation import (
    at_budget,
    average_precision,
    brier,
    calibration,
    evaluate,
    roc_auc,
    roc_auc_interval,
    threshold_for,
)
from tidegate.models.explanation import reasons
from tidegate.models.split import Split, chosen_split
from tidegate.models.training import encode, train

START = datetime(2025, 1, 1, tzinfo=UTC)
LABELLED = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])), min_size=2, max_size=60)


@given(LABELLED)
def test_figures_are_scikit_learns(pairs: list[tuple[bool, float]]) -> None:
    labels, scores = np.array([label for label, _ in pairs]), np.array([score for _, score in pairs])
    assert brier(labels, scores) == pytest.approx(metrics.brier_score_loss(labels, scores, pos_label=True))
    if labels.any() and not labels.all():
        assert roc_auc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
        assert average_precision(labels, scores) == pytest.approx(metrics.average_precision_score(labels, scores))
    assert sum(rows for _, _, rows in calibration(labels, scores)) == len(labels)


def test_a_budget() -> None:
    labels = np.array([False, True, False, True, False, False, False, False, False, True])
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
    assert at_budget(labels, scores, 0.2) == (0.5, 1 / 3)
    assert threshold_for(scores, 0.2) == 0.8
    assert evaluate(labels, scores, budgets=[0.2])["recall_at_0.2"] == pytest.approx(1 / 3)


def payments(n: int = 6000, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    times_usual, count = rng.gamma(2, 1, n), rng.poisson(2, n)
    country = rng.choice(["BE", "NL", "DE", "BR"], n)
    score = times_usual + count + 2 * (country == "BR") - 6
    return pl.DataFrame(
        {
            "at": [START + timedelta(minutes=10 * k) for k in range(n)],
            "times_usual": pl.Series(np.where(rng.random(n) < 0.1, np.nan, times_usual)).fill_nan(None),
            "payments_10m": count,
            "country": country,
            "fraud": rng.random(n) < 1 / (1 + np.exp(-score)),
        }
    )


FEATURES = ["times_usual", "payments_10m", "country"]


def test_training_learns_and_stores_what_it_learnt() -> None:
    table = payments()
    made = train(table, FEATURES, "fraud", "at", name="card-risk", embargo=timedelta(days=2), rounds=200)
    card, model = made.artefact.card, made.artefact.model()
    assert made.figures["roc_auc"] > 0.8 and card.metrics == made.figures
    assert [feature.name for feature in card.features] == FEATURES
    assert card.features[2].categories == ("BE", "BR", "DE", "NL")
    assert card.trained_from.startswith("2025-01-01T00:00:00") and card.thresholds["0.01"] > card.thresholds["0.05"]
    booster = lightgbm.Booster(model_str=made.artefact.content.decode())
    matrix = encode(table, card.features)
    assert (booster.predict(matrix, num_threads=1) == model.predict(matrix)).all()
    assert set(made.gain) == set(FEATURES) and made.rounds == len(model.forest.trees)


def test_training_again_gives_the_same_digest_whatever_the_threads() -> None:
    table = payments(3000)
    digests = {
        train(table, FEATURES, "fraud", "at", name="r", rounds=20, threads=threads)
        .artefact.content.decode()
        .partition("parameters:")[0]
        for threads in (1, 1, 2)
    }
    assert len(digests) == 1


def test_no_row_is_used_before_its_label_was_known() -> None:
    at = np.arange(1000, dtype=np.int64) * 60_000_000
    split = Split.by_share(at, valid=0.2, test=0.2, embargo=timedelta(minutes=30))
    assert split.valid[0] - split.train[1] == split.test[0] - split.valid[1] == 30 * 60_000_000
    assert split.test == (800 * 60_000_000, 999 * 60_000_000 + 1)
    with pytest.raises(ModelError, match="nothing to train on"):
        Split.by_share(at, valid=0.5, test=0.5, embargo=timedelta(0))


def test_shares_that_nobody_said_leave_rows_behind_a_long_embargo() -> None:
    at, labels = np.arange(1000, dtype=np.int64) * 86_400_000_000, np.arange(1000) % 3 == 0
    kept, share = chosen_split(at, labels, valid=None, test=0.15, embargo=timedelta(days=100))
    assert share == 0.15 and kept == Split.by_share(at, valid=0.15, test=0.15, embargo=timedelta(days=100))
    split, share = chosen_split(at, labels, valid=None, test=0.15, embargo=timedelta(days=160))
    assert share == 0.25 and split.parts(at)["valid"].sum() == 90
    assert split.valid[0] - split.train[1] == split.test[0] - split.valid[1] == 160 * 86_400_000_000
    with pytest.raises(
        ModelError, match=r"it is 150 days long less the embargo of 160 days.*Try --valid 0\.25"
    ) as told:
        chosen_split(at, labels, valid=0.15, test=0.15, embargo=timedelta(days=160))
    assert "shorter embargo" not in str(told.value)
    with pytest.raises(ModelError, match="Give rows over a longer time"):
        chosen_split(at, labels, valid=None, test=0.15, embargo=timedelta(days=500))
    made = train(payments(3000), FEATURES, "fraud", "at", name="r", rounds=2)
    assert made.valid == 0.15


def test_the_interval_of_the_area_holds_it_as_often_as_it_says() -> None:
    rng, held, chance = np.random.default_rng(5), 0, 0
    for _ in range(400):
        labels = np.arange(300) < 60
        scores = rng.normal(size=300) + 0.8 * labels
        low, high = roc_auc_interval(labels, scores)
        held += low <= NormalDist().cdf(0.8 / np.sqrt(2)) <= high
        low, high = roc_auc_interval(labels, rng.normal(size=300))
        chance += low <= 0.5 <= high
    assert 0.91 <= held / 400 <= 0.98 and 0.91 <= chance / 400 <= 0.98
    assert roc_auc_interval(np.array([True, False, False]), np.array([3.0, 2.0, 1.0])) == (0.0, 1.0)
    assert roc_auc_interval(np.arange(20) < 10, np.zeros(20)) == (0.5, 0.5)


def test_the_future_decides_no_category() -> None:
    table = payments(2000).with_columns(
        pl.when(pl.int_range(pl.len()) >= 1800).then(pl.lit("XX")).otherwise("country").alias("country")
    )
    made = train(table, FEATURES, "fraud", "at", name="r", rounds=5)
    assert "XX" not in made.artefact.card.features[2].categories
    assert np.isnan(encode(table, made.artefact.card.features)[-1, 2])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"features": ["times_usuel"]}, "Did you mean 'times_usual'"),
        ({"label": "country"}, "no label"),
        ({"at": "country"}, "no event time"),
        ({"embargo": timedelta(days=400)}, "less the embargo of 400 days.*Give rows over a longer time"),
    ],
)
def test_mistakes_are_told(change: dict[str, object], word: str) -> None:
    arguments = {"features": FEATURES, "label": "fraud", "at": "at", "name": "r", "rounds": 2, **change}
    with pytest.raises(ModelError, match=word):
        train(payments(500), **arguments)  # type: ignore[arg-type]


def text_hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little", signed=True)


def test_texts_in_cells_are_the_categories_of_training_and_reasons_say_them() -> None:
    table = payments(4000)
    model = train(table, FEATURES, "fraud", "at", name="r", rounds=50).artefact.model()
    rows = [(5.5, 6, "BR"), (float("nan"), 0, "NL"), (1.0, 2, "never seen")]
    cells = np.zeros((5, 8), np.int64)
    for k, (times_usual, count, country) in enumerate(rows):
        cells.view(np.float64)[1, k] = times_usual
        cells[2, k], cells[3, k] = count, text_hash(country)
    bound = model.bind([1, 2, 3], ["float", "int", "text"], 4, hash_of=text_hash)
    bound.score(cells, 0, 3)
    matrix = np.array([[5.5, 6, 1], [np.nan, 0, 3], [1.0, 2, np.nan]])
    assert (cells.view(np.float64)[4, :3] == model.predict(matrix)).all()

    said = reasons(
        model, bound.values(cells, 0), bound.contributions(cells, 0), descriptions={"country": "The country"}
    )
    words = {reason.feature: reason.words for reason in said}
    assert words["times_usual"] == "times_usual is 5.5, which raises the risk"
    assert words["country"] == "The country is BR, which raises the risk"
    assert [abs(r.contribution) for r in said] == sorted((abs(r.contribution) for r in said), reverse=True)
    second = reasons(model, bound.values(cells, 1), bound.contributions(cells, 1), most=2)
    assert len(second) == 2
    third = reasons(model, bound.values(cells, 1), bound.contributions(cells, 1), least_share=0.0)
    assert next(r for r in third if r.feature == "times_usual").value is None

    with pytest.raises(ModelError, match="not trained on texts"):
        model.bind([1, 2, 3], ["text", "int", "text"], 4, hash_of=text_hash)
    with pytest.raises(ModelError, match="look the same"):
        model.bind([1, 2, 3], ["float", "int", "text"], 4, hash_of=lambda text: 1)

"""Detection figures agree with scikit-learn and with counting by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.reports import FiredRule, find
from tidegate.reports.detection import calibration, caught, exact_sum, ranking, thinned, truth, wilson

from .worlds import DAY, START, bare, replay


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=80).filter(
        lambda rows: 0 < sum(fraud for _, fraud in rows) < len(rows)
    )
)
def test_ranking_is_that_of_scikit_learn_ties_included(rows: list[tuple[int, bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    score = np.array([s / 12 for s, _ in rows])
    label = np.array([fraud for _, fraud in rows], np.int8)
    found = ranking(score, label)
    assert found is not None
    assert found.average_precision == pytest.approx(metrics.average_precision_score(label, score), abs=1e-12)
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(label, score), abs=1e-12)
    precision, recall, _ = metrics.precision_recall_curve(label, score)
    # scikit-learn ends with an artificial (1, 0) and lists thresholds upwards.
    np.testing.assert_allclose(found.precision, precision[:-1][::-1], atol=1e-12)
    np.testing.assert_allclose(found.recall, recall[:-1][::-1], atol=1e-12)


def test_ranking_leaves_out_rows_without_score_or_label() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    figures = replay()
    assert figures.label is not None
    use = np.isfinite(figures.score) & (figures.label >= 0)
    found = ranking(figures.score, figures.label)
    assert found is not None and found.rows == int(use.sum())
    assert found.average_precision == pytest.approx(
        metrics.average_precision_score(figures.label[use], figures.score[use]), abs=1e-12
    )
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(figures.label[use], figures.score[use]), abs=1e-12)


def test_ranking_needs_both_labels() -> None:
    score = np.array([0.1, 0.2])
    assert ranking(score, np.array([0, 0], np.int8)) is None
    assert ranking(score, np.array([1, 1], np.int8)) is None
    assert ranking(score, np.array([-1, -1], np.int8)) is None
    assert ranking(np.array([np.nan, np.inf]), np.array([0, 1], np.int8)) is None


def test_caught_counts_by_hand() -> None:
    figures = bare(6, label=np.array([1, 1, 1, 0, 0, -1], np.int8), amount=np.array([100, 250, -(2**63), 7, 7, 900]))
    stop = caught("x", np.array([0, 1, 3, 5]), truth(figures))
    assert (stop.flagged, stop.frauds, stop.value) == (4, 2, 350)
    assert stop.precision == pytest.approx(2 / 3) and stop.recall == pytest.approx(2 / 3)
    assert stop.f1 == pytest.approx(2 / 3)
    assert stop.honest_rate == pytest.approx(1 / 2) and stop.value_share == pytest.approx(1.0)


def test_nothing_known_is_nan_and_never_zero() -> None:
    stop = caught("x", np.array([0]), truth(bare(2)))
    assert stop.flagged == 1
    assert all(math.isnan(v) for v in (stop.precision, stop.recall, stop.f1, stop.low, stop.value_share))


def test_wilson_interval() -> None:
    # Figures of Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(29, 29) == pytest.approx((0.8830, 1.0), abs=5e-5)


def test_sums_of_amounts_are_exact_beyond_64_bits() -> None:
    values = np.array([2**62, 2**62, 2**62, -5, 3], np.int64)
    assert exact_sum(values) == 3 * 2**62 - 2
    assert exact_sum(np.empty(0, np.int64)) == 0


def test_thinning_keeps_the_ends() -> None:
    kept = thinned(np.linspace(0, 1, 10_000) ** 3, 50)
    assert kept[0] == 0 and kept[-1] == 9_999 and len(kept) <= 52
    assert list(thinned(np.array([0.0, 1.0]), 50)) == [0, 1]


def test_budget_by_hand() -> None:
    # Ten days; scores fall with the row; frauds on rows 1 and 4, and one without a score.
    at = START + np.linspace(0, 10 * DAY, 20).astype(np.int64)
    score = np.linspace(0.95, 0.0, 20)
    label, amount = np.zeros(20, np.int8), np.full(20, 50)
    label[[1, 4, 7]], amount[[1, 4, 7]] = 1, [1000, 3000, 6000]
    score[7] = np.nan
    found = find(bare(20, at=at, score=score, label=label, amount=amount)).budget
    assert found is not None and found.by_value and found.whole == 10_000
    place = int(np.searchsorted(found.per_day, 0.5))
    assert found.saved[place] == pytest.approx(0.4)
    assert found.saved[-1] == pytest.approx(0.4), "a fraud without a score is never found"
    assert found.best_saved[0] == pytest.approx(0.6)
    line = found.lines[0]
    assert (line.per_day, line.alerts, line.value) == (1.0, 10, 4000)
    assert line.recall == pytest.approx(2 / 3) and line.precision == pytest.approx(0.2)


def test_equal_scores_are_alerted_on_together() -> None:
    label = np.array([1] + [0] * 9, np.int8)
    found = find(bare(10, score=np.full(10, 0.5), label=label)).budget
    assert found is not None and list(found.per_day) == [10.0]
    assert [line.alerts for line in found.lines] == [10]
    assert not found.by_value and found.whole == 1


def test_rules_hits_precision_lift_and_alone() -> None:
    label = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, -1], np.int8)
    rules = (
        FiredRule(name="a", outcome="review", because="A", rows=np.array([2, 0, 0, 9])),
        FiredRule(name="b", outcome="decline", because="B", rows=np.array([0, 1])),
        FiredRule(name="never", outcome="decline", because="C", rows=np.empty(0, np.int64)),
    )
    b, a, never = find(bare(10, label=label, fired=rules)).rules
    assert (a.name, a.hits, a.alone, a.alone_frauds) == ("a", 3, 2, 0)
    assert a.found.precision == pytest.approx(0.5) and a.lift == pytest.approx(0.5 / (2 / 9))
    assert (b.hits, b.found.frauds, b.alone, b.alone_frauds) == (2, 2, 1, 1)
    assert never.hits == 0 and math.isnan(never.found.precision)


def test_a_rule_that_approves_is_right_about_honest_events() -> None:
    label = np.array([1, 0, 0, 0, 0, 0, 0, 0, 1, -1], np.int8)
    rules = (
        FiredRule(name="familiar", outcome="approve", because="A", rows=np.array([0, 1, 2, 3, 4, 9])),
        FiredRule(name="odd", outcome="decline", because="B", rows=np.array([0, 1, 2, 3, 4, 9])),
    )
    familiar, odd = find(bare(10, label=label, fired=rules)).rules
    assert familiar.right == pytest.approx(4 / 5) and odd.right == pytest.approx(1 / 5)
    assert (familiar.low, familiar.high) == pytest.approx((1 - odd.high, 1 - odd.low))
    assert familiar.low < familiar.right < familiar.high


def test_calibration() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    score = np.array([0.0, 0.15, 0.15, 0.95, 1.0])
    label = np.array([0, 0, 1, 1, 1], np.int8)
    found = calibration(score, label)
    assert found is not None
    assert found.brier == pytest.approx(metrics.brier_score_loss(label, score))
    assert [(b.low, b.rows) for b in found.bins] == [(0.0, 1), (0.1, 2), (0.9, 2)]
    assert calibration(np.array([700.0, 3.0]), np.array([1, 0], np.int8)) is None, "a scorecard is no probability"


def test_outcomes_over_time_keep_every_event() -> None:
    for span in (1, 3600 * 1_000_000, DAY, 40 * DAY, 4000 * DAY, 400_000 * DAY):
        at = np.linspace(-span / 2, span / 2, 50).astype(np.int64)
        steps = find(bare(50, at=at)).over_time
        assert steps is not None and steps.events.sum() == 50 and len(steps.start) <= 210
        assert steps.by_outcome.sum() == 50

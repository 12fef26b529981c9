"""Points and odds, there and back; weight of evidence, by hand and against optbinning."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate import FlowError, Scaling
from tidegate.decisions.scorecards.woe import information_value, weights_of_evidence

SCALES = st.builds(
    Scaling,
    st.one_of(st.floats(1, 200), st.floats(-200, -1)),
    st.floats(-1000, 1000),
    st.floats(0.01, 1000),
)


def test_the_book_example() -> None:
    """Siddiqi 2006, ch. 6: 600 points at odds of 30 : 1, doubled by 20 points."""
    scale = Scaling(pdo=20, base_points=600, base_odds=30)
    assert round(scale.factor, 4) == 28.8539
    assert round(scale.offset, 2) == 501.86
    assert math.isclose(scale.probability(600), 1 / 31, rel_tol=1e-12)
    assert math.isclose(scale.probability(620), 1 / 61, rel_tol=1e-12)
    assert math.isclose(scale.points(1 / 61), 620, rel_tol=1e-12)


@given(SCALES, st.floats(1e-6, 1 - 1e-6))
def test_there_and_back(scale: Scaling, chance: float) -> None:
    assert math.isclose(scale.probability(scale.points(chance)), chance, rel_tol=1e-8)


@given(SCALES, st.floats(-500, 500))
def test_so_many_points_double_the_odds(scale: Scaling, points: float) -> None:
    def log_odds(at: float) -> float:
        return (at - scale.offset) / scale.factor

    assert math.isclose(log_odds(points + scale.pdo) - log_odds(points), math.log(2), rel_tol=1e-9)
    chance = scale.probability(points)
    assert 0 <= chance <= 1


@pytest.mark.parametrize("chance", [0.0, 1.0, -0.1, math.nan])
def test_what_is_no_chance_has_no_points(chance: float) -> None:
    with pytest.raises(FlowError, match="between 0 and 1"):
        Scaling(20, 600, 50).points(chance)


def test_far_away_the_chance_is_still_a_number() -> None:
    assert Scaling(1, 0, 1).probability(1e9) == pytest.approx(0.0, abs=1e-300)
    assert Scaling(1, 0, 1).probability(-1e9) == 1.0


def test_weight_of_evidence_by_hand() -> None:
    counts = [(100, 10), (100, 40), (50, 0)]
    bads, goods = 50, 200
    weights = weights_of_evidence(counts)
    assert weights[0] == pytest.approx(math.log((90 / goods) / (10 / bads)))
    assert weights[1] == pytest.approx(math.log((60 / goods) / (40 / bads)))
    assert weights[2] is None  # no bad in it: what it is worth is not known
    values = information_value(counts)
    assert values[0] == pytest.approx((90 / goods - 10 / bads) * (weights[0] or 0))
    assert values[2] == 0.0
    assert weights_of_evidence([(5, 0)]) == [None]


def test_it_is_what_optbinning_says() -> None:
    from optbinning import OptimalBinning

    rng = np.random.default_rng(5)
    x = rng.normal(size=2000)
    y = (rng.random(2000) < 1 / (1 + np.exp(-x))).astype(int)
    binning = OptimalBinning(max_n_bins=5).fit(x, y)
    table = binning.binning_table.build(add_totals=False)
    kept = table[table["Count"] > 0]
    counts = list(zip(kept["Count"].astype(float), kept["Event"].astype(float), strict=True))
    assert len(counts) > 2
    assert weights_of_evidence(counts) == pytest.approx(kept["WoE"].astype(float).tolist(), rel=1e-12)
    assert information_value(counts) == pytest.approx(kept["IV"].astype(float).tolist(), rel=1e-12)

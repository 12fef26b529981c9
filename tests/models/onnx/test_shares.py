"""Contributions against a typical row: Shapley's definition up to ten features, replacement of one beyond."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tidegate.models.shares import MOST_EXACT, contributions, method_of

Floats = NDArray[np.float64]


def tangled(rows: Floats) -> Floats:
    return np.asarray(np.sin(rows.sum(axis=1)) + rows[:, 0] * rows[:, -1] + (rows > 0.5).sum(axis=1) ** 2, np.float64)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 5))
def test_they_are_the_mean_over_all_orders_of_arrival(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    row, typical = rng.normal(size=n), rng.normal(size=n)
    wanted = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        now = typical.copy()
        for k in order:
            before = tangled(now[None])[0]
            now[k] = row[k]
            wanted[k] += (tangled(now[None])[0] - before) / len(orders)
    np.testing.assert_allclose(contributions(tangled, row, typical), wanted, atol=1e-9)


@pytest.mark.parametrize("n", [1, 3, MOST_EXACT])
def test_they_add_up_to_the_score_less_the_typical_one(n: int) -> None:
    row, typical = np.random.default_rng(n).normal(size=(2, n))
    parts = contributions(tangled, row, typical)
    assert parts.sum() == pytest.approx(tangled(row[None])[0] - tangled(typical[None])[0], abs=1e-9)
    assert method_of(n) == "baseline Shapley"


def test_of_more_features_each_is_replaced_alone() -> None:
    n = MOST_EXACT + 1
    row, typical = np.random.default_rng(5).normal(size=(2, n))
    wanted = [tangled(row[None])[0] - tangled(np.where(np.arange(n) == k, typical, row)[None])[0] for k in range(n)]
    np.testing.assert_allclose(contributions(tangled, row, typical), wanted)
    assert method_of(n) == "occlusion"

"""Which contributions are told as reasons, and in what order."""

from functools import reduce
from operator import add
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.models.explanation import Words, heaviest, reasons

MODEL = SimpleNamespace(features=("a", "b", "c", "d", "e"), categories={})


@pytest.mark.parametrize(
    ("contributions", "told"),
    [
        ([0.97, -0.02, 0.01, 0.0, 0.0], ["a", "b"]),
        ([0.50, 0.0, 0.48, -0.02, 0.0], ["a", "c", "d"]),
        ([0.981, 0.019, 0.0, 0.0, 0.0], ["a"]),
        ([0.1, -0.2, 0.3, 0.2, -0.2], ["c", "b", "d", "e"]),
        ([0.0] * 5, []),
    ],
)
def test_what_makes_up_less_than_a_fiftieth_is_no_reason(contributions: list[float], told: list[str]) -> None:
    found = reasons(MODEL, [1.0] * 5, [*contributions, 9.0])
    assert [reason.feature for reason in found] == told
    assert all((reason.contribution > 0) == ("raises" in reason.words) for reason in found)
    every = reasons(MODEL, [1.0] * 5, [*contributions, 9.0], least_share=0.0, most=9)
    assert len(every) == sum(one != 0 for one in contributions)


PART = st.sampled_from([0.0, -0.0, 0.5, -0.5, 1.0, 1e-9]) | st.floats(-10.0, 10.0)


@given(st.lists(PART, max_size=40), st.integers(1, 9), st.sampled_from([0.0, 0.02, 0.3]))
def test_the_heaviest_come_first_when_all_are_sorted(parts: list[float], most: int, share: float) -> None:
    places, weights = np.empty(most, np.int64), list(map(abs, parts))
    heaviest(np.array([*parts, 99.0]), len(parts), share, places)
    least = share * reduce(add, weights, 0.0)
    ordered = sorted(range(len(parts)), key=weights.__getitem__, reverse=True)[:most]
    right = [k for k in ordered if weights[k] > 0.0 and weights[k] >= least]
    assert places.tolist() == right + [-1] * (most - len(right))


@given(st.lists(st.lists(st.tuples(PART | st.just(np.nan), PART), min_size=5, max_size=5), min_size=1, max_size=4))
def test_rows_have_the_reasons_together_that_they_have_alone(rows: list[list[tuple[float, float]]]) -> None:
    words, cells = Words(MODEL), np.array(rows)
    values, parts = cells[..., 0], np.hstack([cells[..., 1], np.ones((len(rows), 1))])
    together = words.of_rows(values, parts)
    assert together == [words.reasons(*each) for each in zip(values, parts, strict=True)]
    for row, own, found in zip(values, parts, together, strict=True):
        places = np.empty(4, np.int64)
        heaviest(own, 5, 0.02, places)
        right = [k for k in places.tolist() if k >= 0]
        assert [(MODEL.features[k], own[k]) for k in right] == [(one.feature, one.contribution) for one in found]
        assert [words.told(k, row[k])[1] in one.words for k, one in zip(right, found, strict=True)] == [True] * len(
            found
        )
        assert [one.value is None for one in found] == [bool(np.isnan(row[k])) for k in right]

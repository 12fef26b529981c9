"""Which settled rows call for words, and whether a column is missing anywhere: in machine code as NumPy says it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tidegate.decisions.settle import any_missing, loud_rows
from tidegate.expressions.words import MISSING

CELL = st.sampled_from([0, 0, 0, 1, 2, MISSING])


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3, CELL), min_size=1, max_size=40), st.sampled_from([-1, 0]))
def test_a_row_is_loud_if_a_rule_fired_or_was_missing_or_the_alarm_went(
    rows: list[tuple[int, ...]], alarm: int
) -> None:
    settled, cells = np.array(rows).T[:3].copy(), np.array(rows).T[3:].copy()
    loud = np.full(len(rows) + 1, 7)
    loud_rows(settled, cells, alarm, len(rows), loud)
    right = (settled[1] > 0) | (settled[2] > 0) | ((cells[0] == 1) & (alarm == 0))
    assert (loud[:-1] != 0).tolist() == right.tolist() and loud[-1] == 7


@given(st.lists(st.sampled_from([0.0, 1.5, -np.inf, np.nan]), max_size=40), st.integers(0, 40))
def test_a_column_is_missing_in_a_row_that_is_asked_of(column: list[float], n: int) -> None:
    n = min(n, len(column))
    floats = np.array([[0.0] * len(column), column])
    assert any_missing(floats, 1, n) == bool(np.isnan(floats[1, :n]).any())

"""Which settled rows call for words: in machine code as NumPy says it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tidegate.decisions.settle import loud_rows
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

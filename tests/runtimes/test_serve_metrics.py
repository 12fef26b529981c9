"""Counting many values at once comes to the same as counting each."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.runtimes.serve.metrics import Histogram

BOUNDS = (0.001, 0.01, 1.0)
values = st.lists(st.sampled_from(BOUNDS) | st.floats(0.0, 2.0, allow_subnormal=False))


@given(st.lists(values))
def test_many_values_are_counted_as_each_of_them_is(batches: list[list[float]]) -> None:
    one, many = Histogram(BOUNDS), Histogram(BOUNDS)
    for batch in batches:
        many.add_all(batch)
        for value in sorted(batch):
            one.add(value)
    counted, expected = list(many.lines("x")), list(one.lines("x"))
    assert [line for line in counted if "_sum" not in line] == [line for line in expected if "_sum" not in line]
    sums = [float(line.split()[1]) for line in (*counted, *expected) if "_sum" in line]
    assert abs(sums[0] - sums[1]) <= 2e-6

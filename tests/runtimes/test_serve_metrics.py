"""What a server tells of itself: counted many at once or each, it comes to the same; and nothing is made up."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tidegate.runtimes.serve.metrics import Histogram

from .served import payment, served

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


def test_of_a_clock_nothing_is_told_before_the_first_event(tmp_path: Path) -> None:
    with served(tmp_path / "s.db") as server:
        assert "tidegate_clock_lag_seconds" not in server.client.get("/metrics").text
        server.decide(payment(1))
        assert server.metric("tidegate_clock_lag_seconds") > 0

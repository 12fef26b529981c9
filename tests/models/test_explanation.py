"""Which contributions are told as reasons, and in what order."""

from types import SimpleNamespace

import pytest

from tidegate.models.explanation import reasons

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

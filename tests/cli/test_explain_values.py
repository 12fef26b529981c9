"""How `tidegate explain` shows values: without losing digits, and beside a cell in the cell's unit."""

import pytest

from tidegate.cli.explain import _beside, _value


@pytest.mark.parametrize(
    ("value", "shown"), [(27741.5, "27741.5"), (27740.0, "27740"), (0.1 + 0.2, "0.30000000000000004"), (3, "3")]
)
def test_numbers_lose_no_digits(value: float, shown: str) -> None:
    assert _value(value) == shown and float(shown) == value


@pytest.mark.parametrize(
    ("value", "cell", "shown"),
    [
        (44870.0, ">= 41432999936us", ("12h 27m 50s", ">= 11h 30m 32s 999ms 936us")),
        (0.25, "[100ms..1h30m)", ("250ms", "[100ms..1h 30m)")),
        (0.1, "< 1s", ("100ms", "< 1s")),
        (27741.5, ">= 20000", ("27741.5", ">= 20000")),
        ("5m", "5m", ("5m", "5m")),
        (None, "missing", ("missing", "missing")),
    ],
)
def test_a_length_of_time_and_its_bin_are_in_one_unit(value: object, cell: str, shown: tuple[str, str]) -> None:
    assert _beside(value, cell) == shown

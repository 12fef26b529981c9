"""Random constants."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tidegate.events.money import Money
from tidegate.events.types import Kind

TEXTS = ("", "de", "DE", "fr", "straße", "日本")
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
"""About when constants are, and most streams."""

_INTS = st.one_of(st.integers(-4, 12), st.sampled_from([100, 10**6, 2**53, -(2**53), 2**40]))
_FLOATS = st.one_of(st.integers(-40, 80).map(lambda n: n / 8), st.sampled_from([0.1, 1e-9, 1e6, -0.0, 3.3, 1e100]))

LITERALS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOL: st.booleans(),
    Kind.INT: _INTS,
    Kind.FLOAT: _FLOATS,
    Kind.TEXT: st.sampled_from(TEXTS),
    Kind.TIME: st.integers(0, 40).map(lambda n: EPOCH + timedelta(seconds=n / 2)),
    Kind.DURATION: st.integers(0, 40).map(lambda n: timedelta(seconds=n / 2)),
    Kind.MONEY: st.integers(-500, 5000).map(lambda n: Money(n, "EUR")),
}
"""Constants of each kind; floats are mostly eighths, whose sums are exact."""

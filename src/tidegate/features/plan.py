"""What the window engine is told to do: streams of learned events and the windows read from them, as plain data."""

from dataclasses import dataclass

MISSING = -(2**63)
"""The int64 cell that stands for a missing value; a missing float is NaN."""

AGGREGATES = (
    "count",
    "total",
    "mean",
    "std",
    "minimum",
    "maximum",
    "distinct",
    "share",
    "mode",
    "has_seen",
    "first",
    "last_value",
    "nth_previous",
    "since_last",
    "since_first",
)


@dataclass(frozen=True)
class WindowPlan:
    """One window feature. `value`, `where`, `probe`, `read_key` and `out` are columns of the cell matrix, -1 for none.

    The window holds the learned events with `at - delay - last < at' <= at - delay` (microseconds).
    `bound` is the largest absolute value an integer `value` can have: it decides how wide the running sums are.
    """

    aggregate: str
    read_key: int
    out: int
    last: int
    delay: int = 0
    value: int = -1
    value_float: bool = False
    bound: int = 2**53
    where: int = -1
    probe: int = -1
    with_current: bool = False
    n: int = 1


@dataclass(frozen=True)
class StreamPlan:
    """The events of one kind, filed under one key column, and the windows that read them."""

    kind: int
    learn_key: int
    windows: tuple[WindowPlan, ...]

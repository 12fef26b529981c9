"""Ranges of FEEL: from one value to another, each end included or not, or without an end (DMN 1.5, 10.3.2.7)."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Range:
    """The values between two ends. An end that is None is open: there is none on that side.

    `unary` is the operator of a range that was written with one: `(< 5)` is `Range(None, 5, False, False, "<")`. It is
    another value than `(null..5)`, though the same things lie in it. `(!= 5)` has both ends at 5 and neither included,
    and everything but 5 lies in it.
    """

    low: Any
    high: Any
    low_included: bool = True
    high_included: bool = True
    unary: str = ""


def unary_range(operator: str, value: Any) -> Range:
    """The range of a unary test: `<`, `<=`, `>`, `>=`, `=` or `!=` and a value."""
    if operator in ("<", "<="):
        return Range(None, value, False, operator == "<=", operator)
    if operator in (">", ">="):
        return Range(value, None, operator == ">=", False, operator)
    return Range(value, value, operator == "=", operator == "=", operator)

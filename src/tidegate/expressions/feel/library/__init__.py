"""The functions that are built into FEEL (DMN 1.5, 10.3.4), a file a family."""

from tidegate.expressions.feel.library import (
    contexts,
    conversions,
    lists,
    numbers,
    patterns,
    ranges,
    sorting,
    statistics,
    strings,
    temporal,
)
from tidegate.expressions.feel.library.signatures import LIBRARY

FAMILIES = (conversions, numbers, strings, patterns, lists, statistics, sorting, contexts, ranges, temporal)

__all__ = ["FAMILIES", "LIBRARY"]

"""The fixed kernel that scores: the bin of each characteristic by halving, and the sum of their points."""

import math

import numpy as np

from tidegate.decisions.scorecards.plan import ScorecardPlan
from tidegate.kernels.compiled import compiled

__all__ = ["lay", "score"]

_M = -(2**63)
_HIGH = 2**63 - 1
HEAD, PART = 3, 7
"""Words of the head (points column, characteristics, initial score), and of a characteristic: its column, whether it is
of floats, the column of its bins, its bin for no value, where its ranges begin, how many, where its points are."""


def lay(plan: ScorecardPlan) -> np.ndarray:
    """A scorecard as the words that the kernel reads: ranges are lowest points, highest points, bins."""
    many = len(plan.inputs)
    starts = HEAD + PART * many
    words = np.zeros(starts + 3 * len(plan.ranges) + len(plan.values), np.int64)
    floats = words.view(np.float64)
    words[0], words[1], floats[2] = plan.points, many, plan.initial
    values = starts + 3 * len(plan.ranges)
    floats[values:] = plan.values
    at = starts
    for c, given in enumerate(plan.inputs):
        own = plan.ranges[plan.ranges[:, 0] == c]
        head = (given.column, given.type.is_float, plan.columns[c], plan.missing[c], at, len(own), values)
        words[HEAD + PART * c : HEAD + PART * (c + 1)] = head
        words[at : at + 3 * len(own)] = own[:, 1:].T.reshape(-1)
        at, values = at + 3 * len(own), values + plan.bins[c]
    return words


@compiled("void(i8[::1], i8[:,::1], i8, i8)", error_model="numpy")
def score(words, cells, first, n):  # type: ignore[no-untyped-def]
    """Score the rows `first` to `n` of a batch: the bins and the sum of points into their columns.

    A value that falls into no bin leaves its bin and the sum missing.
    """
    floats, numbers = cells.view(np.float64), words.view(np.float64)
    to = words[0]
    for i in range(first, n):
        floats[to, i] = numbers[2]
    for c in range(words[1]):
        at = HEAD + PART * c
        column, is_float, bins, absent = words[at], words[at + 1], words[at + 2], words[at + 3]
        lows, count, values = words[at + 4], words[at + 5], words[at + 6]
        for i in range(first, n):
            x = cells[column, i]
            if is_float:
                if math.isnan(floats[column, i]):
                    x = np.int64(_M)
                elif floats[column, i] == 0.0:
                    x = np.int64(0)
                elif x < 0:
                    x = x ^ np.int64(_HIGH)
            found = np.int64(-1)
            if x == _M:
                found = absent
            else:
                left, right = np.int64(-1), count  # the last range that begins at or below x
                while right - left > 1:
                    middle = (left + right) >> 1
                    if words[lows + middle] <= x:
                        left = middle
                    else:
                        right = middle
                if left >= 0 and x <= words[lows + count + left]:
                    found = words[lows + 2 * count + left]
            if found >= 0:
                cells[bins, i] = found
                floats[to, i] += numbers[values + found]
            else:
                cells[bins, i] = _M
                floats[to, i] = math.nan

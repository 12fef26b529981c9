"""Weight of evidence and information value: what bins tell of good and bad (Siddiqi 2006, ch. 6; Kullback 1959)."""

from collections.abc import Sequence
from math import log

__all__ = ["information_value", "weights_of_evidence"]

Counts = Sequence[tuple[float, float]]
"""Per bin how many rows there were, and how many of them had the event (were bad)."""


def weights_of_evidence(counts: Counts) -> list[float | None]:
    """Per bin `ln(share of all goods / share of all bads)`; none where a bin lacks one of the two.

    Above zero a bin is better than the whole.
    """
    shares = _shares(counts)
    return [None if good <= 0 or bad <= 0 else log(good / bad) for good, bad in shares]


def information_value(counts: Counts) -> list[float]:
    """Per bin `(share of goods - share of bads) * weight of evidence`; their sum is the characteristic's.

    A bin that lacks one of the two adds nothing: what it is worth is not known.
    """
    weights = weights_of_evidence(counts)
    return [
        0.0 if weight is None else (good - bad) * weight
        for weight, (good, bad) in zip(weights, _shares(counts), strict=True)
    ]


def _shares(counts: Counts) -> list[tuple[float, float]]:
    bads = sum(events for _, events in counts)
    goods = sum(rows - events for rows, events in counts)
    return [((rows - events) / goods if goods else 0.0, events / bads if bads else 0.0) for rows, events in counts]

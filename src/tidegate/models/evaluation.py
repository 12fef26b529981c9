"""How well scores tell the labelled apart, in the figures that an alert desk reads."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "at_budget", "average_precision", "brier", "calibration", "evaluate", "kolmogorov_smirnov",
    "no_better_than_chance", "roc_auc", "roc_auc_interval", "threshold_for", "too_good",
]  # fmt: skip

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]

_TWO_SIDED_95 = 1.959964
"""Standard deviations around the mean of a normal distribution that hold 95 of 100."""

TOO_GOOD = 0.999
"""From here on a figure says rather that a feature tells the label than that a model is good."""


def roc_auc(labels: Labels, scores: Floats) -> float:
    """The chance that a positive scores above a negative, a tie counting half (Mann and Whitney 1947).

    NaN if there are none of either.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan")
    return float((_ranks(scores)[labels].sum() - positives * (positives + 1) / 2.0) / (positives * negatives))


def roc_auc_interval(labels: Labels, scores: Floats) -> tuple[float, float]:
    """Where `roc_auc` would lie in 95 of 100 samples like this one (DeLong, DeLong and Clarke-Pearson 1988).

    From 0 to 1, which says nothing, with less than two of either label.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if positives < 2 or negatives < 2:
        return 0.0, 1.0
    ranks = _ranks(scores)
    above = (ranks[labels] - _ranks(scores[labels])) / negatives  # of each positive: the negatives below it
    below = (ranks[~labels] - _ranks(scores[~labels])) / positives
    deviation = float(np.sqrt(above.var(ddof=1) / positives + below.var(ddof=1) / negatives))
    area = float(above.mean())
    return max(0.0, area - _TWO_SIDED_95 * deviation), min(1.0, area + _TWO_SIDED_95 * deviation)


def no_better_than_chance(metrics: Mapping[str, float]) -> str:
    """In words, that the interval of `roc_auc` begins at the 0.5 of a coin or below; empty if not, or if unknown."""
    low, high = metrics.get("roc_auc_low", 1.0), metrics.get("roc_auc_high", 1.0)
    if low > 0.5:
        return ""
    area = metrics.get("roc_auc", float("nan"))
    return f"ROC AUC {area:.3f}, between {low:.3f} and {high:.3f} with 95 % confidence; a coin has 0.5"


def too_good(metrics: Mapping[str, float]) -> str:
    """In words, that a figure is so close to 1 that the label is likely among the features; empty if none is."""
    names = {"average_precision": "average precision", "roc_auc": "ROC AUC"}
    found = {words: metrics.get(name, 0.0) for name, words in names.items()}
    return " and ".join(f"{words} {value:.4f}" for words, value in found.items() if value >= TOO_GOOD)


def _ranks(scores: Floats) -> Floats:
    """Places from 1, equal scores sharing the mean of theirs."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    return ranks


def kolmogorov_smirnov(labels: Labels, scores: Floats) -> float:
    """The widest gap between the shares of positives and of negatives up to a score (Kolmogorov 1933, Smirnov 1948).

    NaN if there are none of either.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan")
    order = np.argsort(scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0.0, True)  # of a run of equal scores
    hits = np.cumsum(labels[order])[last]
    taken = np.flatnonzero(last) + 1
    return float(np.abs(hits / positives - (taken - hits) / negatives).max())


def average_precision(labels: Labels, scores: Floats) -> float:
    """Precision at each threshold, weighted by the recall that it adds; ties count together. NaN without positives."""
    positives = int(labels.sum())
    if not positives:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last = np.append(np.diff(scores[order]) != 0.0, True)  # of a run of equal scores
    hits, taken = hits[last], np.flatnonzero(last) + 1
    return float((np.diff(hits, prepend=0) * hits / taken).sum() / positives)


def brier(labels: Labels, scores: Floats) -> float:
    """The mean squared distance of a probability from what happened (Brier 1950)."""
    return float(np.mean((scores - labels) ** 2)) if len(labels) else float("nan")


def threshold_for(scores: Floats, share: float) -> float:
    """The score of the last row alerted on when a share of the rows, the highest first, may be; at least one row."""
    taken = max(1, round(share * len(scores)))
    return float(np.partition(scores, len(scores) - taken)[len(scores) - taken]) if len(scores) else float("nan")


def at_budget(labels: Labels, scores: Floats, share: float) -> tuple[float, float]:
    """Precision and recall when a share of the rows, the highest first, is alerted on; of equal scores the earliest."""
    taken = max(1, round(share * len(scores)))
    hits = int(labels[np.argsort(-scores, kind="stable")[:taken]].sum())
    positives = int(labels.sum())
    return hits / taken, hits / positives if positives else float("nan")


def calibration(labels: Labels, scores: Floats, *, parts: int = 10) -> list[tuple[float, float, int]]:
    """By tenths of the rows in order of score: the mean score, the share of positives, the rows."""
    order = np.argsort(scores, kind="stable")
    return [
        (float(scores[part].mean()), float(labels[part].mean()), len(part))
        for part in np.array_split(order, parts)
        if len(part)
    ]


def evaluate(
    labels: Labels, scores: Floats, *, budgets: Sequence[float] = (0.001, 0.005, 0.01, 0.05)
) -> dict[str, float]:
    """All figures by name; a budget of 0.01 gives precision_at_0.01 and recall_at_0.01. Absent ones are left out."""
    figures = {
        "rows": float(len(labels)),
        "positives": float(labels.sum()),
        "roc_auc": roc_auc(labels, scores),
        "average_precision": average_precision(labels, scores),
        "brier": brier(labels, scores),
    }
    for budget in budgets if len(labels) else ():
        precision, recall = at_budget(labels, scores, budget)
        figures |= {f"precision_at_{budget:g}": precision, f"recall_at_{budget:g}": recall}
    return {name: figure for name, figure in figures.items() if figure == figure}

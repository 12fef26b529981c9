"""How well decisions and scores find what is labelled as fraud. Rows without a label are left out and counted."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegate.reports.figures import FRAUD, UNKNOWN, ReplayFigures

MISSING_AMOUNT = -(2**63)
CURVE_POINTS = 400
"""A drawn curve keeps at most this many points: more cannot be seen and would weigh megabytes."""


def ratio(part: float, whole: float) -> float:
    """`part / whole`, NaN when there is no whole."""
    return part / whole if whole else math.nan


def exact_sum(values: NDArray[np.int64]) -> int:
    """The sum of 64-bit integers as a Python integer: in halves, so that no sum of amounts can overflow."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known about the rows of a replay: labels, amounts (missing ones as 0; None without any), and totals.

    `known` and `frauds` count labelled rows and frauds among them, `value` is all fraud in minor units.
    """

    rows: int
    label: NDArray[np.int8]
    amount: NDArray[np.int64] | None
    known: int
    frauds: int
    value: int


def truth(figures: ReplayFigures) -> Truth:
    """Labels and amounts of a replay; without labels every row is UNKNOWN."""
    label = figures.label if figures.label is not None else np.full(figures.rows, UNKNOWN, np.int8)
    amount = None if figures.amount is None else np.where(figures.amount == MISSING_AMOUNT, 0, figures.amount)
    fraud = label == FRAUD
    value = 0 if amount is None else exact_sum(amount[fraud])
    return Truth(figures.rows, label, amount, int((label != UNKNOWN).sum()), int(fraud.sum()), value)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927, score interval); NaN, NaN of nothing."""
    if not of:
        return math.nan, math.nan
    z, p = 1.959963984540054, hits / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Caught:
    """What one way to stop events catches, counted over rows with a label; `value` is in minor units."""

    name: str
    flagged: int
    flagged_share: float
    frauds: int
    precision: float
    low: float
    high: float
    recall: float
    f1: float
    honest_rate: float
    value: int
    value_share: float


def caught(name: str, flagged: NDArray[np.int64], known: Truth) -> Caught:
    """Precision, recall, F1 and value of the rows flagged, given by index. Without any label all but counts are NaN.

    `honest_rate` is the share of honest events that are flagged (the false positive rate).
    """
    label = known.label[flagged]
    found = flagged[label == FRAUD]
    hits, of = len(found), int((label != UNKNOWN).sum())
    low, high = wilson(hits, of)
    value = 0 if known.amount is None else exact_sum(known.amount[found])
    return Caught(
        name=name,
        flagged=len(flagged),
        flagged_share=ratio(len(flagged), known.rows),
        frauds=hits,
        precision=ratio(hits, of),
        low=low,
        high=high,
        recall=ratio(hits, known.frauds),
        f1=ratio(2 * hits, of + known.frauds),
        honest_rate=ratio(of - hits, known.known - known.frauds),
        value=value,
        value_share=ratio(value, known.value),
    )


@dataclass(frozen=True, slots=True)
class Ranking:
    """The score as an order of suspicion, over rows that have both a score and a label.

    `precision[i]` and `recall[i]` are of all rows with a score of at least `threshold[i]`.
    """

    rows: int
    frauds: int
    average_precision: float
    roc_auc: float
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    threshold: NDArray[np.float64]


def descending(score: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows by falling score, and the last position of each run of equal scores: equal scores cannot be told apart."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1) if len(ranked) else np.empty(0, int)
    return order, ends.astype(np.int64)


def ranking(score: NDArray[np.float64], label: NDArray[np.int8]) -> Ranking | None:
    """Average precision, area under the ROC curve and the precision-recall curve; None unless both labels occur.

    Average precision is the sum of (R_n - R_n-1) P_n over the distinct scores, without interpolation; the area is the
    chance that a fraud outranks an honest event, ties counting half (Mann-Whitney). Both as scikit-learn defines them.
    """
    use = np.isfinite(score) & (label != UNKNOWN)
    order, ends = descending(score[use])
    fraud = (label[use] == FRAUD)[order]
    frauds, rows = int(fraud.sum()), len(fraud)
    if not 0 < frauds < rows:
        return None
    hits = np.cumsum(fraud, dtype=np.int64)[ends].astype(np.float64)
    misses = (ends + 1) - hits
    precision, recall = hits / (ends + 1), hits / frauds
    step_hits, step_misses = np.diff(hits, prepend=0.0), np.diff(misses, prepend=0.0)
    area = float(np.sum(step_misses * (hits - step_hits / 2))) / (frauds * (rows - frauds))
    keep = thinned(recall, CURVE_POINTS)
    return Ranking(
        rows=rows,
        frauds=frauds,
        average_precision=float(np.sum(step_hits * precision) / frauds),
        roc_auc=area,
        precision=precision[keep],
        recall=recall[keep],
        threshold=score[use][order][ends][keep],
    )


def thinned(rising: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Positions of at most `most` points spread evenly over the values of a rising array, first and last kept."""
    if len(rising) <= most:
        return np.arange(len(rising))
    wanted = np.linspace(rising[0], rising[-1], most)
    found = np.searchsorted(rising, wanted).clip(0, len(rising) - 1)
    return np.unique(np.concatenate(([0], found, [len(rising) - 1])))


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Rows whose score lies in [low, high): what the score says on average and what happened."""

    low: float
    high: float
    rows: int
    said: float
    happened: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Is 0.3 right three times in ten? `brier` is the mean squared error, `error` the mean gap weighted by rows."""

    bins: tuple[CalibrationBin, ...]
    brier: float
    error: float


CALIBRATION_EDGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Finer near zero, where fraud scores crowd."""


def calibration(score: NDArray[np.float64], label: NDArray[np.int8]) -> Calibration | None:
    """Score against observed fraud rate; None without labelled scores, or when a score is no probability."""
    use = np.isfinite(score) & (label != UNKNOWN)
    said, fraud = score[use], (label[use] == FRAUD).astype(np.float64)
    if not len(said) or said.min() < 0 or said.max() > 1:
        return None
    edges = np.array(CALIBRATION_EDGES)
    place = np.minimum(np.searchsorted(edges, said, side="right") - 1, len(edges) - 2)
    size = len(edges) - 1
    rows = np.bincount(place, minlength=size)
    says, happened = np.bincount(place, said, size), np.bincount(place, fraud, size)
    bins = []
    for i in np.flatnonzero(rows):
        least, most = wilson(int(happened[i]), int(rows[i]))
        mean_said, mean_happened = float(says[i] / rows[i]), float(happened[i] / rows[i])
        bins.append(
            CalibrationBin(float(edges[i]), float(edges[i + 1]), int(rows[i]), mean_said, mean_happened, least, most)
        )
    gap = sum(b.rows * abs(b.said - b.happened) for b in bins) / len(said)
    return Calibration(tuple(bins), float(np.mean((said - fraud) ** 2)), gap)

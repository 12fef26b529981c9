"""How things are spread: outcomes over time, scores by label, latencies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegate.reports.figures import FRAUD, HONEST, UNKNOWN, ReplayFigures

_MINUTE = 60_000_000
_STEPS = {
    "minute": _MINUTE,
    "10 minutes": 10 * _MINUTE,
    "hour": 60 * _MINUTE,
    "6 hours": 360 * _MINUTE,
    "day": 1440 * _MINUTE,
    "week": 7 * 1440 * _MINUTE,
    "4 weeks": 28 * 1440 * _MINUTE,
    "year": 365 * 1440 * _MINUTE,
}
_MOST_STEPS = 200
QUANTILES = (0.5, 0.9, 0.99, 0.999)
ENOUGH = 100
"""So many decisions have to be timed for their quantiles to say something."""


@dataclass(frozen=True, slots=True)
class OverTime:
    """Counts per step of time: `events[i]`, `by_outcome[code, i]`, `frauds[i]` from `start[i]` (microseconds, UTC)."""

    step: str
    step_us: int
    start: NDArray[np.int64]
    events: NDArray[np.int64]
    by_outcome: NDArray[np.int64]
    frauds: NDArray[np.int64]
    known: NDArray[np.int64]


def over_time(figures: ReplayFigures) -> OverTime | None:
    """Outcomes by minute, hour, day, ...: the finest step that needs at most 200 of them. None without events."""
    if not figures.rows:
        return None
    first, last = int(figures.at.min()), int(figures.at.max())
    name, step = next(
        ((n, s) for n, s in _STEPS.items() if (last - first) // s < _MOST_STEPS),
        ("century", 100 * _STEPS["year"]),
    )
    begin = first - first % step
    place = (figures.at - begin) // step
    steps = int(place.max()) + 1
    by_outcome = np.stack(
        [np.bincount(place[figures.outcome == code], minlength=steps) for code in range(len(figures.outcomes))]
    )
    label = figures.label if figures.label is not None else np.full(figures.rows, UNKNOWN, np.int8)
    return OverTime(
        step=name,
        step_us=step,
        start=begin + step * np.arange(steps, dtype=np.int64),
        events=by_outcome.sum(axis=0),
        by_outcome=by_outcome,
        frauds=np.bincount(place[label == FRAUD], minlength=steps),
        known=np.bincount(place[label != UNKNOWN], minlength=steps),
    )


@dataclass(frozen=True, slots=True)
class ScoreSpread:
    """Histogram of the score. `honest` and `fraud` hold counts of labelled rows, `all` of every row with a score."""

    edges: NDArray[np.float64]
    all: NDArray[np.int64]
    honest: NDArray[np.int64]
    fraud: NDArray[np.int64]


def score_spread(figures: ReplayFigures) -> ScoreSpread | None:
    """The score in 40 equal steps, over 0 to 1 when it stays within, else over its own range; None if unscored."""
    return spread_of(figures.score, figures.label)


def spread_of(values: NDArray[np.float64], labels: NDArray[np.int8] | None) -> ScoreSpread | None:
    """As `score_spread`, of any number that decisions have."""
    scored = np.isfinite(values)
    score = values[scored]
    if not len(score):
        return None
    low, high = float(score.min()), float(score.max())
    within = low >= 0.0 and high <= 1.0
    edges = np.linspace(0.0, 1.0, 41) if within else np.linspace(low, high if high > low else low + 1.0, 41)
    label = np.full(len(score), UNKNOWN, np.int8) if labels is None else labels[scored]
    return ScoreSpread(
        edges=edges,
        all=np.histogram(score, edges)[0],
        honest=np.histogram(score[label == HONEST], edges)[0],
        fraud=np.histogram(score[label == FRAUD], edges)[0],
    )


@dataclass(frozen=True, slots=True)
class Latency:
    """Times of single decisions in microseconds: a histogram in steps of equal ratio, and observed quantiles."""

    samples: int
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    quantiles: tuple[tuple[float, float], ...]
    mean: float
    longest: float


def latency(samples: NDArray[np.float64] | None) -> Latency | None:
    """Spread of the latency samples; None of fewer than `ENOUGH`. Quantiles are values that occurred (inverted CDF)."""
    times = np.empty(0) if samples is None else samples[np.isfinite(samples) & (samples >= 0)].astype(np.float64)
    if len(times) < ENOUGH:
        return None
    # A clock's tick may read as 0: the logarithmic axis starts a little below the least time that is not.
    above = times[times > 0]
    low = float(above.min()) if len(above) else 1.0
    high = max(float(times.max()), low * 1.5)
    edges = np.geomspace(low * 0.999, high * 1.001, 61)
    return Latency(
        samples=len(times),
        edges=edges,
        counts=np.histogram(np.maximum(times, low), edges)[0],
        quantiles=tuple(
            (q, float(np.quantile(times, q, method="inverted_cdf")))
            for q in QUANTILES
            if len(times) * (1 - q) > 0.999  # as many samples as it takes to see one beyond
        ),
        mean=float(times.mean()),
        longest=float(times.max()),
    )

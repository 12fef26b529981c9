"""What a team saves that can look at so many alerts a day: the score spends the budget, highest first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegate.reports.detection import CURVE_POINTS, Truth, descending, exact_sum, ratio, thinned
from tidegate.reports.figures import FRAUD, UNKNOWN, ReplayFigures

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One budget: the score an alert starts at, and what the alerts find. `value` is in minor units."""

    per_day: float
    threshold: float
    alerts: int
    precision: float
    recall: float
    value: int
    value_share: float


@dataclass(frozen=True, slots=True)
class Budget:
    """Value saved against alerts a day.

    `per_day` and `saved` are the curve; `best_per_day` and `best_saved` the curve of an oracle that alerts on frauds
    alone, the dearest first. Shares are of `whole`, all fraud of the replay in minor units, or the number of frauds
    when the replay has no amounts (`by_value` is False).
    """

    days: float
    by_value: bool
    whole: int
    per_day: NDArray[np.float64]
    saved: NDArray[np.float64]
    best_per_day: NDArray[np.float64]
    best_saved: NDArray[np.float64]
    lines: tuple[BudgetLine, ...]


def days_of(at: NDArray[np.int64]) -> float:
    """Days the events span; anything shorter than a day counts as one."""
    return max(1.0, (int(at.max()) - int(at.min())) / DAY_US) if len(at) else 1.0


def budget(figures: ReplayFigures, known: Truth) -> Budget | None:
    """Fraud saved against alerts a day; None without a known fraud or without scores.

    Every row with a score can become an alert, whether its label is known or not, since someone has to look at it.
    A fraud without a score is never found but counts in the whole. Equal scores are alerted on together.
    """
    scored = np.flatnonzero(np.isfinite(figures.score))
    if not len(scored) or not known.frauds:
        return None
    fraud = known.label == FRAUD
    by_value = known.amount is not None and known.value > 0
    worth = known.amount if known.amount is not None and by_value else np.ones(known.rows, np.int64)
    weight = np.where(fraud, worth, 0).astype(np.float64)
    order, ends = descending(figures.score[scored])
    ranked = scored[order]
    days, total = days_of(figures.at), weight.sum()
    found = np.cumsum(weight[ranked])[ends]
    # Points even in alerts, on the logarithm the axis shows, and even in value, so that no step of either is missed.
    keep = np.unique(np.concatenate((thinned(np.log(ends + 1.0), CURVE_POINTS), thinned(found, CURVE_POINTS // 4))))
    best = np.sort(weight[fraud])[::-1]
    best_alerts = np.arange(1, len(best) + 1)
    best_keep = thinned(np.log(best_alerts), CURVE_POINTS // 2)
    return Budget(
        days=days,
        by_value=by_value,
        whole=known.value if by_value else known.frauds,
        per_day=(ends[keep] + 1) / days,
        saved=found[keep] / total,
        best_per_day=best_alerts[best_keep] / days,
        best_saved=np.cumsum(best)[best_keep] / total,
        lines=_lines(figures.score, known, ranked, ends, days),
    )


def _lines(
    score: NDArray[np.float64], known: Truth, ranked: NDArray[np.int64], ends: NDArray[np.int64], days: float
) -> tuple[BudgetLine, ...]:
    """The table: budgets of 1, 2, 5, 10, ... alerts a day, until 99 % of the frauds are found or all rows looked at."""
    label = known.label[ranked]
    labelled = np.cumsum(label != UNKNOWN)
    lines: list[BudgetLine] = []
    for per_day in (m * 10**e for e in range(7) for m in (1, 2, 5)):
        place = int(np.searchsorted(ends, round(per_day * days), side="left")) - 1
        if place < 0 or (lines and lines[-1].alerts == int(ends[place]) + 1):
            continue
        alerts = int(ends[place]) + 1
        frauds = ranked[:alerts][label[:alerts] == FRAUD]
        value = 0 if known.amount is None else exact_sum(known.amount[frauds])
        lines.append(
            BudgetLine(
                per_day=float(per_day),
                threshold=float(score[ranked[alerts - 1]]),
                alerts=alerts,
                precision=ratio(len(frauds), int(labelled[alerts - 1])),
                recall=ratio(len(frauds), known.frauds),
                value=value,
                value_share=ratio(value, known.value),
            )
        )
        if len(frauds) >= 0.99 * known.frauds:
            break
    return tuple(lines)

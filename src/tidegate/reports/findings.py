"""All figures of a report, computed once, for the page and for the terminal alike."""

from dataclasses import dataclass

import numpy as np

from tidegate.reports.budget import Budget, budget, days_of
from tidegate.reports.detection import Calibration, Caught, Ranking, calibration, caught, ranking, truth
from tidegate.reports.figures import ReplayFigures
from tidegate.reports.rules import RuleWorth, rule_worths
from tidegate.reports.scorecards import CardWorth, card_worth
from tidegate.reports.spread import Latency, OverTime, ScoreSpread, latency, over_time, score_spread


@dataclass(frozen=True, slots=True)
class Findings:
    """What a replay shows. `stops` has one entry per outcome that does not let pass, mildest first, then alarms.

    `known` and `frauds` count labelled rows and frauds among them; `fraud_value` is in minor units, None without
    amounts; `unscored` counts rows without a score. Parts that cannot be said are None.
    """

    days: float
    known: int
    frauds: int
    fraud_value: int | None
    unscored: int
    alarms: int
    outcome_counts: tuple[int, ...]
    stops: tuple[Caught, ...]
    ranking: Ranking | None
    budget: Budget | None
    calibration: Calibration | None
    rules: tuple[RuleWorth, ...]
    over_time: OverTime | None
    scores: ScoreSpread | None
    latency: Latency | None
    cards: tuple[CardWorth, ...] = ()


def find(figures: ReplayFigures) -> Findings:
    """Compute every figure of the report; a million rows take about a second."""
    known = truth(figures)
    stops = []
    for code, name in enumerate(figures.outcomes[1:], start=1):
        more = " or severer" if code + 1 < len(figures.outcomes) else ""
        stops.append(caught(name + more, np.flatnonzero(figures.outcome >= code), known))
    if figures.alarm.any():
        stops.append(caught("alarm", np.flatnonzero(figures.alarm), known))
    return Findings(
        days=days_of(figures.at),
        known=known.known,
        frauds=known.frauds,
        fraud_value=None if known.amount is None else known.value,
        unscored=int((~np.isfinite(figures.score)).sum()),
        alarms=int(figures.alarm.sum()),
        outcome_counts=tuple(int((figures.outcome == code).sum()) for code in range(len(figures.outcomes))),
        stops=tuple(stops),
        ranking=ranking(figures.score, known.label),
        budget=budget(figures, known),
        calibration=calibration(figures.score, known.label) if known.frauds else None,
        rules=rule_worths(figures, known),
        over_time=over_time(figures),
        scores=score_spread(figures),
        latency=latency(figures.latency_us),
        cards=tuple(card_worth(card, known) for card in figures.cards),
    )

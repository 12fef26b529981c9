"""What each rule of the flow is worth: how often it fires, how often it is right, and what only it finds."""

from dataclasses import dataclass

import numpy as np

from tidegate.reports.detection import Caught, Truth, caught, ratio
from tidegate.reports.figures import FRAUD, ReplayFigures


@dataclass(frozen=True, slots=True)
class RuleWorth:
    """A rule's hits and their worth.

    `found.precision` is over hits with a known label; `lift` is that precision over the share of fraud among all
    labelled events (1 is chance); `alone` are hits on which no other rule fired, `alone_frauds` the frauds among them.
    A rule that `approves` lets events through and is right about honest ones: `right` is the share of those among its
    hits, and of frauds among the hits of any other rule.
    """

    name: str
    outcome: str
    because: str
    hits: int
    hit_rate: float
    found: Caught
    lift: float
    alone: int
    alone_frauds: int
    approves: bool

    @property
    def right(self) -> float:
        """The share of its hits, of known label, that it is right about."""
        return 1 - self.found.precision if self.approves else self.found.precision

    @property
    def low(self) -> float:
        """The lower end of the 95 % interval of `right`."""
        return 1 - self.found.high if self.approves else self.found.low

    @property
    def high(self) -> float:
        """The upper end of the 95 % interval of `right`."""
        return 1 - self.found.low if self.approves else self.found.high


def rule_worths(figures: ReplayFigures, known: Truth) -> tuple[RuleWorth, ...]:
    """The worth of every rule, most fraud found first, then most hits; rules that never fired come last."""
    rules = [(rule, np.unique(rule.rows)) for rule in figures.fired]
    together = np.zeros(figures.rows, np.int32)
    for _, rows in rules:
        together[rows] += 1
    base = ratio(known.frauds, known.known)
    worths = []
    for rule, rows in rules:
        found = caught(rule.name, rows, known)
        alone = rows[together[rows] == 1]
        worths.append(
            RuleWorth(
                name=rule.name,
                outcome=rule.outcome,
                because=rule.because,
                hits=len(rows),
                hit_rate=ratio(len(rows), figures.rows),
                found=found,
                lift=ratio(found.precision, base),
                alone=len(alone),
                alone_frauds=int((known.label[alone] == FRAUD).sum()),
                approves=rule.outcome == figures.outcomes[0],
            )
        )
    return tuple(sorted(worths, key=lambda w: (-w.found.frauds, -w.hits, w.name)))

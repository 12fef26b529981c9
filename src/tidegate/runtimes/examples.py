"""A few decisions of a replay to show in full: the severest outcomes with the highest scores."""

import heapq
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tidegate.decisions.answer import Answers
from tidegate.decisions.decision import Decision
from tidegate.decisions.plan import Plan
from tidegate.decisions.rule import outcome_of
from tidegate.events.event import Event
from tidegate.events.money import Money
from tidegate.events.times import microseconds_of
from tidegate.reports import Example

_MOST = 5


def said(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "missing"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class Examples:
    """The best examples so far.

    Args:
        answers: makes decisions of rows.
        plan: what is run.
        amount: the money field to show, if there is one.
    """

    def __init__(self, answers: Answers, plan: Plan, amount: str | None) -> None:
        self._answers, self._plan, self._decider = answers, plan, answers.decider
        self._amount = amount
        self._kept: list[tuple[float, int, Example]] = []
        self._seen = 0

    def look(self, n: int, kinds: NDArray[np.int64], event: Callable[[int], Event]) -> None:
        """See whether the batch just run has a better example: its most severe row with the highest score."""
        outcome = np.where(kinds == 0, self._decider.settled[0, :n], 0)
        worth = outcome.astype(np.float64)
        if self._plan.score >= 0:
            score = np.nan_to_num(self._decider.floats[self._plan.score, :n], nan=0.0)
            # Scores lie between outcomes: the order of a score within an outcome, whatever its scale.
            worth = worth + 0.5 + np.arctan(score) / np.pi
        row = int(np.argmax(worth))
        if outcome[row] == 0 or (len(self._kept) == _MOST and worth[row] <= self._kept[0][0]):
            return
        self._keep(float(worth[row]), self._example(row, event(row)))

    def offer(self, decision: Decision, event: Event) -> None:
        """See whether a decision that was made elsewhere is a better example."""
        score = 0.0 if decision.score is None else decision.score
        worth = outcome_of(decision.outcome) + 0.5 + np.arctan(score) / np.pi
        if decision.outcome == "approve" or (len(self._kept) == _MOST and worth <= self._kept[0][0]):
            return
        self._keep(float(worth), self._told(decision, event))

    def _keep(self, worth: float, made: Example) -> None:
        self._seen += 1
        (heapq.heappush if len(self._kept) < _MOST else heapq.heapreplace)(self._kept, (worth, -self._seen, made))

    def _example(self, row: int, event: Event) -> Example:
        return self._told(self._answers.decision(row, event.id, partial(getattr, event)), event)

    def _told(self, decision: Decision, event: Event) -> Example:
        amount = getattr(event, self._amount) if self._amount is not None else None
        reasons = [
            f"{rule.because} ({', '.join(f'{n} = {said(v)}' for n, v in rule.saw.items())})" for rule in decision.rules
        ]
        reasons += [reason.words for reason in decision.reasons] + list(decision.unread)
        return Example(
            id=event.id,
            at=microseconds_of(event.at),
            outcome=decision.outcome,
            score=decision.score if decision.score is not None else float("nan"),
            amount=amount.units if isinstance(amount, Money) else None,
            currency=amount.currency if isinstance(amount, Money) else "",
            reasons=tuple(reasons),
        )

    def best(self) -> tuple[Example, ...]:
        """The examples, the best first."""
        return tuple(example for _, _, example in sorted(self._kept, key=lambda kept: kept[:2], reverse=True))

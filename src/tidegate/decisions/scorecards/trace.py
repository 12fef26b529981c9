"""The trace of a scorecard: the bin of every characteristic, its points, and the reasons for points lost."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tidegate.decisions.decision import ScorecardReason, ScorecardUse, ScoredBin
from tidegate.decisions.scorecards.kernel import lay, score
from tidegate.decisions.scorecards.plan import ScorecardPlan
from tidegate.decisions.scorecards.scaling import probability_at
from tidegate.expressions.words import MISSING


class ScoringCard:
    """A scorecard at work: its words for the kernel, and the traces of its answers.

    Args:
        plan: the scorecard over its columns.
    """

    def __init__(self, plan: ScorecardPlan) -> None:
        self.plan = plan
        self.words = lay(plan)
        self._names = [given.name for given in plan.inputs]
        self._starts = [sum(plan.bins[:c]) for c in range(len(plan.bins))]
        owners = [c for c, many in enumerate(plan.bins) for _ in range(many)]
        self._lost = [
            plan.sign * (points - plan.baselines[c]) + 0.0  # never minus zero
            for c, points in zip(owners, plan.values, strict=True)
        ]
        self._columns = np.array(plan.columns, np.int64)

    def answer(self, cells: np.ndarray, first: int, n: int) -> None:
        """Score the rows `first` to `n` of a batch."""
        score(self.words, cells, first, n)

    def use(self, cells: np.ndarray, i: int, saw: Sequence[Any]) -> ScorecardUse:
        """The trace of one answer.

        Args:
            cells: of the batch, scored.
            i: which row of the batch.
            saw: the values of the characteristics, as they are shown.
        """
        plan = self.plan
        bins: list[ScoredBin] = []
        lost: dict[str, float] = {}
        worst: dict[str, int] = {}
        nowhere: list[str] = []
        for c, number in enumerate(cells[self._columns, i].tolist()):
            given = self._names[c]
            if number == MISSING:
                nowhere.append(f"{given} is {'missing' if saw[c] is None else saw[c]}")
                bins.append(ScoredBin(given, saw[c]))
                continue
            place = self._starts[c] + number
            apart, code = self._lost[place], plan.codes[place]
            bins.append(ScoredBin(given, saw[c], plan.texts[place], plan.values[place], apart))
            if code not in lost:
                lost[code], worst[code] = apart, place
            else:
                lost[code] += apart
                if apart > self._lost[worst[code]]:
                    worst[code] = place
        if nowhere:
            said = f"{', '.join(nowhere)}, and no bin is for that: no points"
            return ScorecardUse(plan.name, plan.digest, None, tuple(bins), said=said)
        total = float(cells.view(np.float64)[plan.points, i])
        chance = probability_at(total, *plan.scale) if plan.scale else None
        return ScorecardUse(plan.name, plan.digest, total, tuple(bins), self._reasons(lost, worst), chance)

    def _reasons(self, lost: dict[str, float], worst: dict[str, int]) -> tuple[ScorecardReason, ...]:
        """The codes with the most points lost, equals in the order of the card; what lost nothing is no reason.

        The words are those of the bin that lost most among those of one code.
        """
        ranked = sorted([code for code, points in lost.items() if points > 0.0], key=lost.__getitem__, reverse=True)
        words = self.plan.because
        return tuple(ScorecardReason(code, words[worst[code]], lost[code]) for code in ranked[: self.plan.most])


__all__ = ["ScoringCard"]

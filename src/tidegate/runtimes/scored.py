"""What scorecards say in a replay, gathered batch by batch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.decisions.scorecards.plan import ScorecardPlan
from tidegate.features.plan import MISSING
from tidegate.reports import CardBin, CardFigures


class Scored:
    """The points and bins of a scorecard, decision by decision.

    Args:
        plan: the scorecard over its columns.
    """

    def __init__(self, plan: ScorecardPlan) -> None:
        self.plan = plan
        self._columns = np.array(plan.columns, np.int64)
        self._points: list[NDArray[np.float64]] = []
        self._bins: list[NDArray[np.int16]] = []

    def decided(self, cells: NDArray[np.int64], rows: Any) -> None:
        """Note some decisions, chosen from a batch's rows."""
        found = cells[self._columns][:, rows]
        self._bins.append(np.where(found == MISSING, -1, found).astype(np.int16))
        self._points.append(cells.view(np.float64)[self.plan.points][rows].copy())

    def figures(self) -> CardFigures:
        """All of it."""
        plan, at, characteristics = self.plan, 0, []
        for c, given in enumerate(plan.inputs):
            own = range(at, at + plan.bins[c])
            characteristics.append((given.name, tuple(self._bin(c, place) for place in own)))
            at += plan.bins[c]
        many = len(plan.inputs)
        bins = np.concatenate(self._bins, axis=1) if self._bins else np.zeros((many, 0), np.int16)
        points = np.concatenate(self._points) if self._points else np.zeros(0)
        return CardFigures(
            name=plan.name,
            points=np.where((bins < 0).any(axis=0), np.nan, points),
            bins=bins,
            characteristics=tuple(characteristics),
            worse=plan.sign > 0,
            most=plan.most,
        )

    def _bin(self, c: int, place: int) -> CardBin:
        plan = self.plan
        lost = plan.sign * (plan.values[place] - plan.baselines[c]) + 0.0
        words = plan.texts[place], plan.codes[place], plan.because[place]
        return CardBin(text=words[0], points=plan.values[place], lost=lost, code=words[1], because=words[2])

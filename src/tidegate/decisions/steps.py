"""The steps of a plan that follow its windows: programs, tables, scorecards, models, and what answers by the row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

import numpy as np

from tidegate.decisions.drl.asked import AskedPackage
from tidegate.decisions.drl.plan import DrlAnswer
from tidegate.decisions.feel_texts import FeelText
from tidegate.decisions.plan import READ, ModelPlan, Plan
from tidegate.decisions.scorecards.trace import ScoringCard
from tidegate.decisions.tables.trace import IndexedTable
from tidegate.expressions.kernel import step_of
from tidegate.expressions.words import MISSING, word
from tidegate.kernels.chain import Step
from tidegate.models.scoring import BoundModel


def decided_rows(kinds: np.ndarray, flags: np.ndarray, n: int) -> np.ndarray:
    """Which of the first `n` rows are decided on."""
    decided: np.ndarray = (kinds[:n] == 0) & (flags[:n] & READ != 0)
    return decided


class AskedModel:
    """A model asked about rows; those that it has no answer for get its `otherwise`.

    Args:
        plan: what it is asked.
        model: the model, None if it is not there.
        cells: columns x rows.
        unanswered: gets, by the column of the answer, the rows without one.
    """

    def __init__(
        self, plan: ModelPlan, model: BoundModel | None, cells: np.ndarray, unanswered: dict[int, set[int]]
    ) -> None:
        self._model, self._cells, self._out, self._unanswered = model, cells, plan.out, unanswered
        self._is_text = isinstance(plan.default, str)
        self._row: np.ndarray = (cells if self._is_text else cells.view(np.float64))[plan.out]
        self._default = word(plan.default) if isinstance(plan.default, str) else plan.default

    def step(self) -> Step:
        """The step that answers the first rows."""
        if self._model is None:
            return Step(take=self._absent)
        native = self._model.native(self._cells)
        return Step(take=self._ask) if native is None else Step(native, self._fill)

    def _absent(self, n: int) -> None:
        self._row[:n] = self._default

    def _ask(self, n: int) -> None:
        if self._model is not None:
            self._model.score(self._cells, 0, n)
        self._fill(n)

    def _fill(self, n: int) -> None:
        row = self._row[:n]
        silent = row == MISSING if self._is_text else np.isnan(row)
        if silent.any():
            np.copyto(row, self._default, where=silent)
            self._unanswered[self._out] = set(np.flatnonzero(silent).tolist())


class ByRow:
    """What answers one row after another, of those that are decided on: packages of rules and FEEL texts.

    Args:
        packages: of rules.
        texts: the FEEL texts.
        batch: the cells (columns x rows), and the kinds and flags of the rows.
        words: the texts of the batch by their cells.
        said: the flow's own texts.

    Attributes:
        texts: as given.
        recorded: what the packages of rules said, where decisions are made again.
    """

    def __init__(
        self,
        packages: Sequence[AskedPackage],
        texts: Sequence[FeelText],
        batch: tuple[np.ndarray, np.ndarray, np.ndarray],
        words: dict[int, str],
        said: Mapping[int, str],
    ) -> None:
        self._packages, self.texts, self._words, self._said = packages, texts, words, said
        self._cells, self._kinds, self._flags = batch
        self.recorded: Iterator[DrlAnswer] = iter(())

    def __call__(self, n: int) -> None:
        """Answer the first `n` rows."""
        decided = decided_rows(self._kinds, self._flags, n)
        rows = np.flatnonzero(decided).tolist()
        for package in self._packages:
            package.ask(self._cells, rows, n, self._words, self._said, next(self.recorded, None))
        for text in self.texts:
            text.answer(self._cells, decided, self._words, self._said)


def steps_of(
    plan: Plan,
    cells: np.ndarray,
    models: Mapping[int, AskedModel],
    tables: Sequence[IndexedTable],
    scorecards: Sequence[ScoringCard],
    packages: Sequence[AskedPackage],
    by_row: Callable[[Sequence[AskedPackage], Sequence[FeelText]], ByRow],
) -> list[Step]:
    """The steps of a plan's segments, in their order.

    Args:
        plan: the plan.
        cells: columns x rows.
        models: by the column of their answer.
        tables: of the plan, at work, in its order; so are the scorecards and the packages of rules.
        scorecards: see there.
        packages: see there.
        by_row: makes of a segment's packages and texts what answers by the row.
    """
    found: list[Step] = []
    left, scored, asked = iter(tables), iter(scorecards), iter(packages)
    for one in plan.segments:
        if len(one.program.code):
            found.append(step_of(one.program, cells))
        found += [Step(take=partial(table.answer, cells, 0)) for table in islice(left, len(one.tables))]
        found += [Step(take=partial(card.answer, cells, 0)) for card in islice(scored, len(one.scorecards))]
        found += [models[model.out].step() for model in one.models]
        if one.packages or one.texts:
            rules = list(islice(asked, len(one.packages)))
            found.append(Step(take=by_row(rules, [FeelText(text) for text in one.texts])))
    return found

"""A scorecard asked by itself: plain Python values in, its points with the trace out; or many rows at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.decisions.decision import ScorecardUse
from tidegate.decisions.scorecards.card import Card
from tidegate.decisions.scorecards.plan import plan_of
from tidegate.decisions.scorecards.trace import ScoringCard
from tidegate.decisions.tables.evaluator import WRONG, to_cell
from tidegate.errors import FlowError, nearest
from tidegate.events.types import Type
from tidegate.expressions.words import MISSING


class Evaluator:
    """Scores plain values, one set of them at a time or many.

    Args:
        card: which scorecard.
    """

    def __init__(self, card: Card) -> None:
        self.card = card
        self._columns = [part.column for part in card.characteristics]
        self._names = [column.name for column in self._columns]
        many = len(self._names)
        self._width = 2 * many + 1
        self.working = ScoringCard(plan_of(card, card.name, range(many), range(many, 2 * many), 2 * many))
        self._cell: list[Callable[[Any], Any]] = [to_cell(column) for column in self._columns]
        self._single = np.zeros((self._width, 1), np.int64)

    def evaluate(self, inputs: Mapping[str, Any]) -> ScorecardUse:
        """The answer to these values, by characteristic; one that is None or not given is missing.

        Raises:
            FlowError: a value is of another type or unit than the scorecard's, or is of none of its characteristics.
        """
        for name in inputs:
            if name not in self._names:
                raise self._unknown(str(name))
        saw = [inputs.get(name) for name in self._names]
        self._put([[value] for value in saw], self._single)
        self.working.answer(self._single, 0, 1)
        return self.working.use(self._single, 0, saw)

    def points(self, columns: Mapping[str, Sequence[Any] | NDArray[Any]]) -> NDArray[np.float64]:
        """The points of many rows, given by column; NaN where a value falls into no bin.

        A column can be an array of numbers, in which NaN is missing, or hold Python values, None where there is none.

        Raises:
            FlowError: a column is not there, or a value in it is of another type or unit.
        """
        for name in self._names:
            if name not in columns:
                near = nearest(name, columns)
                raise FlowError(
                    f"The scorecard {self.card.name} reads {name!r}, and is not given it.",
                    do=f"Is {near} meant?" if near else "",
                )
        n = len(columns[self._names[0]])
        cells = np.zeros((self._width, n), np.int64)
        self._put([columns[name] for name in self._names], cells)
        self.working.answer(cells, 0, n)
        found: NDArray[np.float64] = cells[-1].view(np.float64).copy()
        return found

    def _put(self, columns: Sequence[Any], cells: NDArray[np.int64]) -> None:
        for place, (column, values) in enumerate(zip(self._columns, columns, strict=True)):
            row = cells[place].view(np.float64) if column.type.is_float else cells[place]
            if isinstance(values, np.ndarray) and _put_numbers(values, column.type, row):
                continue
            try:
                if len(values) == 1:
                    row[0] = self._cell[place](values[0])
                else:
                    known = {one: self._cell[place](one) for one in set(values)}
                    row[:] = np.fromiter(map(known.__getitem__, values), row.dtype, len(row))
            except WRONG:
                raise self._wrong(place, values) from None

    def _unknown(self, name: str) -> FlowError:
        near = nearest(name, self._names)
        return FlowError(
            f"The scorecard {self.card.name} has no characteristic {name!r}.",
            seen=", ".join(self._names),
            do=f"Did you mean {near}?" if near else "",
        )

    def _wrong(self, place: int, values: Sequence[Any]) -> FlowError:
        """Which value it is that is not of its type."""
        column, cell = self._columns[place], self._cell[place]
        wrong = None
        for wrong in values:
            try:
                np.zeros(1, np.float64 if column.type.is_float else np.int64)[0] = cell(wrong)
            except WRONG:
                break
        return FlowError(
            f"The scorecard {self.card.name} reads {column.name} as {column.type}.",
            seen=f"{wrong!r} ({type(wrong).__name__})",
            do="Give a value of that type, or None where there is none.",
        )


def _put_numbers(values: NDArray[Any], type: Type, row: NDArray[Any]) -> bool:
    """Put an array of numbers into plain numbers' cells, NaN as missing; whether these are such."""
    if values.dtype.kind not in "iuf" or not type.is_number:
        return False
    if type.is_float or values.dtype.kind != "f":
        row[:] = values
        return True
    absent = np.isnan(values)
    whole = np.where(absent, 0.0, values)
    if not (whole == np.floor(whole)).all() or np.abs(whole).max(initial=0.0) > 2**53:
        return False
    row[:] = np.where(absent, MISSING, whole.astype(np.int64))
    return True


__all__ = ["Evaluator"]

"""Asking packages of rules row by row, or taking what they once said from a record."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tidegate.decisions.drl.plan import DrlAnswer, DrlPlan, DrlRunner
from tidegate.events.currency import decimals
from tidegate.events.times import time_of
from tidegate.events.types import Kind, Type
from tidegate.expressions.words import MISSING, word

_ABSENT = "Drools is not there"


class AskedPackage:
    """One package of a plan, and its answers to the rows of the batch."""

    def __init__(self, plan: DrlPlan, runner: DrlRunner | None) -> None:
        self.plan, self._runner = plan, runner
        self.answers: dict[int, DrlAnswer] = {}

    def ask(
        self,
        cells: np.ndarray,
        rows: list[int],
        n: int,
        words: dict[int, str],
        said: Mapping[int, str],
        recorded: DrlAnswer | None = None,
    ) -> None:
        """Answer some of the first `n` rows; in the others its results are missing.

        Args:
            cells: of the batch, columns x rows.
            rows: those that are decided.
            n: how many rows there are.
            words: the texts of the batch by their cells; texts among the results are added.
            said: the flow's own texts.
            recorded: what it said then, where a decision is made again; Drools is not asked.
        """
        floats = cells.view(np.float64)
        self.answers = {}
        for output in self.plan.outputs:
            if output.type.is_float:
                floats[output.column, :n] = np.nan
            else:
                cells[output.column, :n] = MISSING
        for row in rows:
            answer = recorded or self._answer(cells, floats, row, words, said)
            self.answers[row] = answer
            for output, value in zip(self.plan.outputs, answer.values, strict=True):
                if value is None:
                    continue
                if isinstance(value, str):
                    cells[output.column, row] = word(value)
                    words[word(value)] = value
                elif output.type.is_float:
                    floats[output.column, row] = value
                else:
                    cells[output.column, row] = int(value)

    def _answer(
        self, cells: np.ndarray, floats: np.ndarray, row: int, words: Mapping[int, str], said: Mapping[int, str]
    ) -> DrlAnswer:
        if self._runner is None:
            return DrlAnswer(self.plan.otherwise, otherwise=_ABSENT)
        values: list[Any] = []
        for given in self.plan.inputs:
            cell = int(cells[given.column, row])
            value = _value(given.type, cell, float(floats[given.column, row]))
            if given.type.is_word and value is not None:
                value = words.get(cell) or said.get(cell)
                if value is None and cell != word(""):
                    return DrlAnswer(self.plan.otherwise, otherwise=f"the wording of {given.name} is not known")
                value = value or ""
            values.append(value)
        return self._runner.answer(values)


def _value(kind: Type, cell: int, number: float) -> Any:
    """A cell as a package is given it: amounts in major units, durations in seconds, None if missing."""
    if number != number if kind.is_float else cell == MISSING:
        return None
    amount: int | float = number if kind.is_float else cell
    if kind.kind is Kind.MONEY:
        exact = Decimal(repr(amount)) if kind.is_float else Decimal(cell)
        return exact.scaleb(-(decimals(kind.currency) if kind.currency else 2))
    if kind.kind is Kind.DURATION:
        return amount / 1e6
    if kind.kind is Kind.TIME:
        try:
            return time_of(cell)
        except OverflowError:
            return None
    return bool(cell) if kind.kind is Kind.BOOL else amount


__all__ = ["AskedPackage"]

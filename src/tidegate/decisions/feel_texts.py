"""FEEL texts in a flow, decided in decimals where doubles leave it open."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from tidegate.decisions.tables.columns import InputPlan, OutputPlan
from tidegate.events.currency import decimals
from tidegate.events.types import Kind, Type
from tidegate.expressions.feel.durations import DaysTime
from tidegate.expressions.feel.expression import parse
from tidegate.expressions.feel.numbers import CONTEXT, number
from tidegate.expressions.feel.temporal import Date, DateTime, Time, moved
from tidegate.expressions.words import MISSING, word

_EPOCH = DateTime(Date(1970, 1, 1), Time(0, 0, 0, offset=0))
_BIG = 2**62


@dataclass(frozen=True)
class FeelPlan:
    """A FEEL text over columns of cells.

    `made` is the column of what the graph makes of it, and `certain` that of whether this is FEEL's answer for sure.
    """

    text: str
    inputs: tuple[InputPlan, ...]
    made: int
    certain: int
    output: OutputPlan


class FeelText:
    """A FEEL text at work.

    Args:
        plan: the text over its columns.
    """

    def __init__(self, plan: FeelPlan) -> None:
        self.plan = plan
        self.exact = 0
        """How many rows decimals had to say."""
        self._read = parse(plan.text, names=dict.fromkeys(given.name for given in plan.inputs))

    def answer(
        self, cells: np.ndarray, rows: np.ndarray, words: MutableMapping[int, str], said: Mapping[int, str]
    ) -> None:
        """Answer the rows of a batch; `rows` says which of them are decided.

        Args:
            cells: of the batch, columns x rows.
            rows: for each of the first rows, whether it is decided.
            words: the texts of the batch by their cells; a text that it comes to is added.
            said: the flow's own texts.
        """
        plan, n = self.plan, len(rows)
        cells[plan.output.column, :n] = cells[plan.made, :n]
        for row in np.flatnonzero(rows & (cells[plan.certain, :n] != 1)).tolist():
            scope = {}
            for given in plan.inputs:
                cell = int(cells[given.column, row])
                scope[given.name] = _value(given.type, cell, words, said)
            self.exact += 1
            cells[plan.output.column, row] = _cell(plan.output.type, self._read.evaluate(scope), words)


def _scale(kind: Type) -> int:
    return decimals(kind.currency) if kind.currency else 2


def _value(kind: Type, cell: int, words: Mapping[int, str], said: Mapping[int, str]) -> Any:
    """A cell as FEEL has it: amounts in major units, None if missing."""
    if kind.is_float:
        amount = number(float(np.int64(cell).view(np.float64)))
    elif cell == MISSING:
        return None
    elif kind.kind is Kind.BOOL:
        return bool(cell)
    elif kind.is_word:
        return words.get(cell, said.get(cell, "" if cell == word("") else None))
    elif kind.kind is Kind.TIME:
        return moved(_EPOCH, cell * 1000)
    elif kind.kind is Kind.DURATION:
        return DaysTime(cell * 1000)
    else:
        amount = Decimal(cell)
    if amount is None:
        return None
    if kind.kind is Kind.DURATION:
        return DaysTime(int(amount * 1000))
    return CONTEXT.scaleb(amount, -_scale(kind)) if kind.kind is Kind.MONEY else amount


def _cell(kind: Type, value: Any, words: MutableMapping[int, str]) -> int:
    """The cell of a value of FEEL's; missing where no cell holds it."""
    if isinstance(value, Decimal):
        amount = CONTEXT.scaleb(value, _scale(kind)) if kind.kind is Kind.MONEY else value
        if kind.is_float:
            return _bits(float(amount))
        return int(amount) if amount == amount.to_integral_value() and abs(amount) < _BIG else MISSING
    if isinstance(value, DaysTime):
        return _bits(value.nanoseconds / 1000) if kind.is_float else value.nanoseconds // 1000
    if isinstance(value, DateTime):
        found = value.instant // 1000
        return found if abs(found) < _BIG else MISSING
    if isinstance(value, str):
        words[word(value)] = value
        return word(value)
    return int(value) if isinstance(value, bool) else _bits(float("nan")) if kind.is_float else MISSING


def _bits(value: float) -> int:
    """The cell of a float; missing where it is not finite."""
    return int(np.float64(value if abs(value) < float("inf") else float("nan")).view(np.int64))


__all__ = ["FeelPlan", "FeelText"]

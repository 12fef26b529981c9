"""The trace of a table: which rows matched, by which cells, and what is out of the ordinary."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tidegate.decisions.decision import MatchedRow, TableUse
from tidegate.decisions.tables.index import lay
from tidegate.decisions.tables.kernel import answer, hits
from tidegate.decisions.tables.plan import TablePlan
from tidegate.decisions.tables.policy import Policy
from tidegate.expressions.words import MISSING

MOST_SHOWN = 20
"""The most rows that a trace names."""


class IndexedTable:
    """A table at work: its index, and the traces of its answers.

    Args:
        plan: the table over its columns.
    """

    def __init__(self, plan: TablePlan) -> None:
        self.plan = plan
        self.policy = Policy(plan.policy)
        self.index = lay(plan)
        rows = len(plan.rank)
        self._sets = np.zeros(2 * max(1, (rows + 63) // 64), np.int64)
        self._found = np.zeros(rows, np.int64)
        self._rows: list[MatchedRow | None] = [None] * rows
        self._inputs = tuple(given.name for given in plan.inputs)
        self._by_one = self.policy in (Policy.UNIQUE, Policy.ANY, Policy.FIRST, Policy.PRIORITY)

    def answer(self, cells: np.ndarray, first: int, n: int) -> None:
        """Answer the rows `first` to `n` of a batch."""
        answer(self.index, cells, self._sets, first, n)

    def matching(self, cells: np.ndarray, i: int) -> list[int]:
        """The numbers of all rows that match, from 0, in the order of the hit policy."""
        many = hits(self.index, cells, self._sets, i, self._found)
        found: list[int] = self._found[:many].tolist()
        return found

    def row(self, number: int) -> MatchedRow:
        """A row as the trace names it."""
        known = self._rows[number]
        if known is None:
            texts = self.plan.texts[number]
            asked = {name: text for name, text in zip(self._inputs, texts, strict=True) if text}
            known = self._rows[number] = MatchedRow(self.plan.names[number], asked)
        return known

    def decisive(self, cells: np.ndarray, i: int, row: int, many: int) -> list[int]:
        """The numbers of the rows that decided, from 0; `row` and `many` are what the answer says of them."""
        if self._by_one and row > 0:
            return [row - 1]
        return self.matching(cells, i) if many else []

    def use(
        self, cells: np.ndarray, i: int, row: int, many: int, saw: dict[str, Any], outputs: dict[str, Any]
    ) -> TableUse:
        """The trace of one answer.

        Args:
            cells: of the batch, answered.
            i: which row of the batch.
            row, many: what the answer says of it: the number of the row that decided, and how many matched.
            saw, outputs: the values, as they are shown.
        """
        if row > 0:
            rows: tuple[MatchedRow, ...] = (self._rows[row - 1] or self.row(row - 1),)
            count = 1
        else:
            numbers = self.decisive(cells, i, row, many)
            rows, count = tuple(self.row(number) for number in numbers[:MOST_SHOWN]), len(numbers)
        said = None
        if row <= 0 or None in saw.values():
            said = self._said(row, count, rows, saw)
        return TableUse(self.plan.name, self.plan.digest, saw, rows, count, outputs, said)

    def _said(self, row: int, many: int, rows: tuple[MatchedRow, ...], saw: Mapping[str, Any]) -> str | None:
        said = []
        if many == 0:
            said.append("no row matched" + ("; the default row decides" if row == 0 else ""))
        elif row == MISSING and self._by_one:
            which = f"rows {', '.join(one.row for one in rows[:-1])} and {rows[-1].row}"
            which += f", {many} in all," if many > len(rows) else ""
            if self.policy is Policy.UNIQUE:
                said.append(f"{which} match, where only one may: no answer")
            else:
                said.append(f"{which} match and do not agree: no answer")
        lacking = [name for name, value in saw.items() if value is None]
        if lacking:
            are = "is" if len(lacking) == 1 else "are"
            said.append(f"{', '.join(lacking)} {are} missing, and only rows that allow for it can match")
        return "; ".join(said) or None

"""What a decision table says, by looking at every row from the top; cells are read as they are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.oracle.real import applied, real
from tests.oracle.scorecard import holds
from tidegate.decisions.rule import Outcome
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.table import Row, Table
from tidegate.events.types import Type

_NOT = re.compile(r"not\((.*)\)(, missing)?")


@dataclass(frozen=True)
class Said:
    """A table's answer: the rows that decided, how many they are, and what comes of it.

    `outputs` are values by name, None where a policy leaves no answer, or lists of them; `outcomes` are those of the
    rows that decided, None where the policy leaves no answer.
    """

    table: str
    given: dict[str, Any]
    rows: tuple[Row, ...]
    outputs: dict[str, Any]
    outcomes: tuple[Outcome, ...] | None

    def decides(self, outcome: Outcome) -> bool | None:
        """Whether a row with this outcome decided."""
        return None if self.outcomes is None else outcome in self.outcomes


def cell_holds(text: str, value: Any, kind: Type) -> bool:
    """Whether a cell holds: it asks nothing, names values and ranges of which one must hold, or none of which may."""
    if text in ("-", ""):
        return True
    inverted = _NOT.fullmatch(text)
    if inverted and value is None:
        return inverted[2] is not None
    if inverted:
        return not cell_holds(inverted[1], value, kind)
    parts = [part.strip() for part in re.split(r",(?![^\[(]*[\])])", text)]
    return any(holds(part, value, kind) for part in parts)


def said(name: str, table: Table, values: Sequence[Any]) -> Said:
    """The answer to values as expressions have them."""
    given = {column.name: value for column, value in zip(table.inputs, values, strict=True)}
    columns = list(zip(table.inputs, values, strict=True))
    found = [
        row
        for row in table.rows
        if all(
            cell_holds(cell.text, value, column.type) for cell, (column, value) in zip(row.cells, columns, strict=True)
        )
    ]
    policy, names = table.policy, [column.name for column in table.outputs]
    if policy in (Policy.PRIORITY, Policy.OUTPUT_ORDER):
        found.sort(
            key=lambda row: [_rank(c.order, v) for c, v in zip(table.outputs, row.outputs, strict=True) if c.order]
        )
    deciding = found or ([table.default] if table.default else [])
    if policy is Policy.COUNT:
        return Said(name, given, tuple(found), {names[0]: len(found)}, ())
    if policy.is_list:
        lists = {name: [row.outputs[n] for row in deciding] for n, name in enumerate(names)}
        return Said(name, given, tuple(found), lists, tuple(row.outcome for row in deciding if row.outcome is not None))
    if policy.is_sum:
        return Said(name, given, tuple(found), {names[0]: _together(policy, [row.outputs[0] for row in deciding])}, ())
    unanswered = (policy is Policy.UNIQUE and len(found) > 1) or (
        policy is Policy.ANY and len({row.outputs for row in found}) > 1
    )
    if unanswered:
        return Said(name, given, tuple(found), dict.fromkeys(names), None)
    first = deciding[0] if deciding else None
    outputs = dict(zip(names, first.outputs, strict=True)) if first else dict.fromkeys(names)
    return Said(name, given, tuple(found[:1]), outputs, (first.outcome,) if first and first.outcome is not None else ())


def _rank(order: Sequence[Any], value: Any) -> int:
    return order.index(value) if value in order else len(order)


def _together(policy: Policy, values: list[Any]) -> Any:
    if not values:
        return None
    if policy is not Policy.SUM:
        return min(values) if policy is Policy.LEAST else max(values)
    total = real(0.0)
    for value in values:
        total = None if total is None else applied(lambda a, b: a + b, total, value)
    return total

"""A table as plain data, as it is kept in a flow's plan: its cells as ranges, its outputs as cells, its words."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from tidegate.decisions.tables.columns import InputPlan, OutputPlan
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.table import Row, Table
from tidegate.events.types import INT, Type
from tidegate.expressions.words import MISSING, word

NAN = 0x7FF8000000000000
"""The bits of a missing float."""
_MOST_PLACES = 22
"""The largest power of ten that is a float to the bit."""


@dataclass(frozen=True)
class TablePlan:
    """A table over columns of cells.

    `counts[c, r]` of `ranges` belong to the cell of row `r` in input `c`, one cell after another; `missing[c, r]` is 1
    where it holds for a missing value, and 2 where it asks nothing. `values[o, r]` are the outputs as cells,
    `severities[r]` the outcomes or -1. The default row comes last, and without cells. `rank` orders the rows by
    priority; `row` and `hits` are the columns that get the number of the row that decides (from 1; 0 is the default
    row) and how many matched; `outcomes` those that say whether a row with approve, review or decline decides, or -1.
    `scale` is what the floats that `collect +` adds up are multiplied by, so that they are whole; 0 if they are added
    as they are.
    """

    name: str
    digest: str
    policy: str
    inputs: tuple[InputPlan, ...]
    outputs: tuple[OutputPlan, ...]
    row: int
    hits: int
    outcomes: tuple[int, int, int]
    default: bool
    counts: np.ndarray
    ranges: np.ndarray
    missing: np.ndarray
    values: np.ndarray
    severities: np.ndarray
    rank: np.ndarray
    names: tuple[str, ...]
    because: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    scale: int = 0


def plan_of(
    table: Table,
    inputs: Sequence[int],
    outputs: Sequence[int],
    row: int,
    hits: int,
    outcomes: tuple[int, int, int] = (-1, -1, -1),
) -> TablePlan:
    """The plan of a table over these columns."""
    rows = [*table.rows, *([table.default] if table.default else [])]
    whole = [one.cells for one in table.rows]
    ranges = [run for place in range(len(table.inputs)) for cells in whole for run in cells[place].ranges]
    return TablePlan(
        name=table.name,
        digest=table.digest,
        policy=table.policy.value,
        inputs=tuple(InputPlan(c.name, at, c.type) for c, at in zip(table.inputs, inputs, strict=True)),
        outputs=tuple(
            OutputPlan(c.name, at, INT if table.policy is Policy.COUNT else c.type)
            for c, at in zip(table.outputs, outputs, strict=True)
        ),
        row=row,
        hits=hits,
        outcomes=outcomes,
        default=table.default is not None,
        counts=_ints([[len(cells[place].ranges) for cells in whole] for place in range(len(table.inputs))]),
        ranges=_ints(ranges).reshape(len(ranges), 2),
        missing=_ints([[_asks(cells[p].missing, cells[p].any) for cells in whole] for p in range(len(table.inputs))]),
        values=_ints(
            [[_cell(one.outputs[place], column.type) for one in rows] for place, column in enumerate(table.outputs)]
        ),
        severities=_ints([-1 if one.outcome is None else int(one.outcome) for one in rows]),
        rank=_ints(ranks(table)),
        names=tuple(one.name for one in rows),
        because=tuple(one.because for one in rows),
        texts=tuple(tuple("" if cell.any else cell.text for cell in cells) for cells in whole),
        scale=_scale(table),
    )


def _scale(table: Table) -> int:
    """The power of ten that makes whole numbers of all that a `collect +` adds up, so that decimals are added exactly.

    0 where it adds no floats, or a sum of all of them so scaled is more than a float tells apart.
    """
    if table.policy is not Policy.SUM or not table.outputs[0].type.is_float:
        return 0
    values = [Decimal(repr(float(row.outputs[0]))) for row in table.rows if row.outputs[0] is not None]
    places = max((-int(value.normalize().as_tuple().exponent) for value in values), default=0)
    if places > _MOST_PLACES or sum(map(abs, values), Decimal()).scaleb(places) >= 2**53:
        return 0
    return int(10 ** max(places, 0))


def _ints(values: Any) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _asks(missing: bool, any: bool) -> int:
    return 2 if any else int(missing)


def _cell(value: Any, type: Type) -> int:
    """An output as the bits of its cell."""
    if value is None:
        return NAN if type.is_float else MISSING
    if isinstance(value, str):
        return word(value)
    if type.is_float:
        bits: int = struct.unpack("<q", struct.pack("<d", float(value)))[0]
        return bits
    return int(value)


def ranks(table: Table) -> list[int]:
    """The rows in the order in which they are looked at: by priority of their outputs, or as they stand."""
    places = list(range(len(table.rows)))
    if table.policy not in (Policy.PRIORITY, Policy.OUTPUT_ORDER):
        return places
    orders = [(n, {v: k for k, v in enumerate(c.order)}) for n, c in enumerate(table.outputs) if c.order]

    def priority(place: int) -> list[int]:
        outputs = table.rows[place].outputs
        return [order.get(outputs[n], len(order)) for n, order in orders]

    return sorted(places, key=priority)


def texts_of(table: Table) -> set[str]:
    """The texts among its outputs."""
    rows: list[Row] = [*table.rows, *([table.default] if table.default else [])]
    return {value for row in rows for value in row.outputs if isinstance(value, str)}


__all__ = ["NAN", "InputPlan", "OutputPlan", "TablePlan", "plan_of", "ranks", "texts_of"]

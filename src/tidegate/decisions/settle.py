"""The kernels around rules: from conditions to outcomes, from packed rows to columns, and from columns to rows."""

import numpy as np
from numpy.typing import NDArray

from tidegate.kernels.chain import STEP, Native, Step, grid_at, row_at
from tidegate.kernels.compiled import compiled

Cells = NDArray[np.int64]

_M = -(2**63)


@compiled(STEP)
def _settle(table: int, n: int) -> int:
    given = row_at(table, 10)
    cells, result = grid_at(given[0], given[1], given[2]), grid_at(given[7], given[8], given[9])
    whens, severities = row_at(given[3], given[4]), row_at(given[5], given[6])
    for i in range(n):
        result[0, i] = 0
        result[1, i] = 0
        result[2, i] = 0
    for r in range(len(whens)):
        when, severity = whens[r], severities[r]
        for i in range(n):
            held = cells[when, i]
            if held == 1:
                result[1, i] += 1
                result[0, i] = max(result[0, i], severity)
            elif held == _M:
                result[2, i] += 1
    return 0


def settling(cells: Cells, whens: Cells, severities: Cells, result: Cells) -> Step:
    """The step that finds the severest outcome of the rules that hold, per row.

    Args:
        cells: columns x rows.
        whens: the rules' columns.
        severities: the rules' outcomes.
        result: gets the outcome, how many rules fired, and how many could not be told (missing), a row for each.
    """
    return Step(Native.of(_settle, cells, whens, severities, result))


@compiled("void(i8[:,::1], i8[:,::1], i8, i8, i8[::1])")
def loud_rows(settled, cells, alarm, n, loud):  # type: ignore[no-untyped-def]
    """Whether in each of the first `n` rows a rule fired or was missing, or the alarm, if there is one, went."""
    for i in range(n):
        loud[i] = settled[1, i] | settled[2, i] | (alarm >= 0 and cells[alarm, i] == 1)


@compiled("void(i8[:,::1], i8[::1], i8[:,::1], i8)")
def gather(cells, columns, rows, n):  # type: ignore[no-untyped-def]
    """Put the first `n` cells of some columns into rows."""
    for i in range(n):
        for f in range(len(columns)):
            rows[i, f] = cells[columns[f], i]


@compiled("void(i8[:,::1], i8[::1], i8[:,::1], i8[:,::1], i8)")
def scatter(rows, kinds, columns, cells, n):  # type: ignore[no-untyped-def]
    """Put packed rows into columns: value `f` of row `i` goes to the column that its kind gives to field `f`."""
    for i in range(n):
        kind = kinds[i]
        for f in range(columns.shape[1]):
            if columns[kind, f] >= 0:
                cells[columns[kind, f], i] = rows[i, f]

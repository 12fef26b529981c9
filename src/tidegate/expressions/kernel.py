"""The one kernel that runs programs: a switch over opcodes, each a loop over the rows of a batch.

Missing values: an int cell of -2**63, a float NaN. Arithmetic on a missing value is missing; a whole number of 2**62 or
more and a float that is not finite are missing too. `and` and `or` are Kleene's.
"""

import math

import numba as nb
import numpy as np
from numpy.typing import NDArray

from tidegate.expressions.program import OPCODES, Program
from tidegate.expressions.zones import CYCLE, FOLDED
from tidegate.kernels.chain import STEP, Native, Step, grid_at, row_at
from tidegate.kernels.compiled import compiled

_M = -(2**63)
_BIG = 2**62
_OP = tuple(range(len(OPCODES)))
(
    COPY, TO_FLOAT,
    ADD_I, ADD_F, SUB_I, SUB_F, MUL_I, MUL_F, DIV, MOD, NEG_I, NEG_F, ABS_I, ABS_F,
    LEAST_I, LEAST_F, GREATEST_I, GREATEST_F, EQ_I, EQ_F, LT_I, LT_F, LE_I, LE_F, AND, OR, NOT,
    FILL_I, FILL_F, MISSING_I, MISSING_F, WHERE_I, WHERE_F, IN,
    LOG, LOG10, LOG1P, EXP, SQRT, POW, FLOOR, CEIL, ROUND,
    HOUR, MINUTE, WEEKDAY, DAY, MONTH, YEAR, PAIR,
) = _OP  # fmt: skip
_DAY_US = 86_400_000_000

_jit = nb.njit(nogil=True, error_model="numpy", inline="never")


@_jit
def _whole(op, x, y):  # type: ignore[no-untyped-def]
    """A binary operator on two whole numbers that are there."""
    if op in (ADD_I, SUB_I):
        r = x + y if op == ADD_I else x - y
        return r if -_BIG < r < _BIG and -_BIG < x < _BIG and -_BIG < y < _BIG else _M
    if op == MUL_I:
        about = float(x) * float(y)
        if not -4.7e18 < about < 4.7e18:
            return _M
        r = x * y
        return r if -_BIG < r < _BIG else _M
    if op == MOD:
        return _M if y == 0 else x - (x // y) * y
    if op == LEAST_I:
        return min(x, y)
    if op == GREATEST_I:
        return max(x, y)
    if op == EQ_I:
        return np.int64(x == y)
    if op == LT_I:
        return np.int64(x < y)
    return np.int64(x <= y)


@_jit
def _real(op, x, y):  # type: ignore[no-untyped-def]
    """A binary operator on two floats that are there; not finite means missing."""
    if op == ADD_F:
        r = x + y
    elif op == SUB_F:
        r = x - y
    elif op == MUL_F:
        r = x * y
    elif op == DIV:
        r = x / y
    elif op == LEAST_F:
        r = min(x, y)
    elif op == GREATEST_F:
        r = max(x, y)
    elif op == POW:
        r = math.pow(x, y)
    else:
        scale = math.pow(10.0, y)
        r = np.rint(x * scale) / scale
        if not math.isfinite(r):
            r = x  # floats of that size have no digits to round
    return r if math.isfinite(r) else math.nan


@_jit
def _function(op, x):  # type: ignore[no-untyped-def]
    """A function of one float that is there."""
    r = math.nan
    if op == NEG_F:
        r = -x
    elif op == ABS_F:
        r = abs(x)
    elif op == LOG:
        r = math.log(x) if x > 0 else math.nan
    elif op == LOG10:
        r = math.log10(x) if x > 0 else math.nan
    elif op == LOG1P:
        r = math.log1p(x) if x > -1 else math.nan
    elif op == EXP:
        r = math.exp(x)
    elif op == SQRT:
        r = math.sqrt(x) if x >= 0 else math.nan
    elif op == FLOOR:
        r = np.floor(x)
    elif op == CEIL:
        r = np.ceil(x)
    return r if math.isfinite(r) else math.nan


@_jit
def _calendar(op, at, pool, zone):  # type: ignore[no-untyped-def]
    """A part of a local time. Days to a date by `civil_from_days` (Howard Hinnant, low-level date algorithms)."""
    count = pool[zone]
    low, high = 0, count - 1
    then = at if at < FOLDED else at - ((at - FOLDED) // CYCLE + 1) * CYCLE
    while low < high:
        middle = (low + high + 1) // 2
        if pool[zone + 1 + middle] <= then:
            low = middle
        else:
            high = middle - 1
    local = at + pool[zone + 1 + count + low]
    days = local // _DAY_US
    rest = local - days * _DAY_US
    if op == HOUR:
        return rest // 3_600_000_000
    if op == MINUTE:
        return rest // 60_000_000 % 60
    if op == WEEKDAY:
        return (days + 3) % 7
    z = days + 719_468
    era = z // 146_097
    doe = z - era * 146_097
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    if op == DAY:
        return doy - (153 * mp + 2) // 5 + 1
    month = mp + 3 if mp < 10 else mp - 9
    if op == MONTH:
        return month
    return yoe + era * 400 + (1 if month <= 2 else 0)


@_jit
def _pair(x, y):  # type: ignore[no-untyped-def]
    """One key of two: the finaliser of SplitMix64 over the first key, stirred into the second (Steele et al. 2014)."""
    h = np.uint64(x) + np.uint64(0x9E3779B97F4A7C15)
    for _ in range(2):
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h = (h ^ (h >> np.uint64(31))) + np.uint64(y)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    r = np.int64(h ^ (h >> np.uint64(29)))
    return r if r != _M else np.int64(0)


@_jit
def _contains(pool, place, count, x):  # type: ignore[no-untyped-def]
    low, high = place, place + count
    while low < high:
        middle = (low + high) // 2
        if pool[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low < place + count and pool[low] == x


@_jit
def _logic(op, x, y):  # type: ignore[no-untyped-def]
    """Kleene's three-valued and, or."""
    decides = 0 if op == AND else 1
    if x == decides or y == decides:
        return np.int64(decides)
    if x == _M or y == _M:
        return np.int64(_M)
    return np.int64(1 - decides)


@_jit
def _run(cells, floats, code, pool, n):  # type: ignore[no-untyped-def]
    """Run a program over the first `n` rows. `floats` is the same memory as `cells`."""
    for k in range(code.shape[0]):
        op, to, a, b, c = code[k, 0], code[k, 1], code[k, 2], code[k, 3], code[k, 4]
        if op == COPY:
            for i in range(n):
                cells[to, i] = cells[a, i]
        elif op == TO_FLOAT:
            for i in range(n):
                floats[to, i] = math.nan if cells[a, i] == _M else float(cells[a, i])
        elif op in (ADD_I, SUB_I, MUL_I, MOD, LEAST_I, GREATEST_I, EQ_I, LT_I, LE_I):
            for i in range(n):
                x, y = cells[a, i], cells[b, i]
                cells[to, i] = _M if x == _M or y == _M else _whole(op, x, y)
        elif op in (ADD_F, SUB_F, MUL_F, DIV, LEAST_F, GREATEST_F, POW, ROUND):
            for i in range(n):
                x, y = floats[a, i], floats[b, i]
                floats[to, i] = math.nan if math.isnan(x) or math.isnan(y) else _real(op, x, y)
        elif op in (EQ_F, LT_F, LE_F):
            for i in range(n):
                x, y = floats[a, i], floats[b, i]
                if math.isnan(x) or math.isnan(y):
                    cells[to, i] = _M
                else:
                    cells[to, i] = np.int64(x == y if op == EQ_F else (x < y if op == LT_F else x <= y))
        elif op in (NEG_F, ABS_F, LOG, LOG10, LOG1P, EXP, SQRT, FLOOR, CEIL):
            for i in range(n):
                floats[to, i] = math.nan if math.isnan(floats[a, i]) else _function(op, floats[a, i])
        elif op in (NEG_I, ABS_I):
            for i in range(n):
                x = cells[a, i]
                cells[to, i] = x if x == _M else (-x if op == NEG_I or x < 0 else x)
        elif op in (AND, OR):
            for i in range(n):
                cells[to, i] = _logic(op, cells[a, i], cells[b, i])
        elif op == NOT:
            for i in range(n):
                cells[to, i] = _M if cells[a, i] == _M else 1 - cells[a, i]
        elif op == FILL_I:
            for i in range(n):
                cells[to, i] = cells[b, i] if cells[a, i] == _M else cells[a, i]
        elif op == FILL_F:
            for i in range(n):
                floats[to, i] = floats[b, i] if math.isnan(floats[a, i]) else floats[a, i]
        elif op == MISSING_I:
            for i in range(n):
                cells[to, i] = np.int64(cells[a, i] == _M)
        elif op == MISSING_F:
            for i in range(n):
                cells[to, i] = np.int64(math.isnan(floats[a, i]))
        elif op == WHERE_I:
            for i in range(n):
                cells[to, i] = _M if cells[a, i] == _M else (cells[b, i] if cells[a, i] == 1 else cells[c, i])
        elif op == WHERE_F:
            for i in range(n):
                floats[to, i] = math.nan if cells[a, i] == _M else (floats[b, i] if cells[a, i] == 1 else floats[c, i])
        elif op == IN:
            for i in range(n):
                x = cells[a, i]
                cells[to, i] = _M if x == _M else np.int64(_contains(pool, b, c, x))
        elif op == PAIR:
            for i in range(n):
                x, y = cells[a, i], cells[b, i]
                cells[to, i] = _M if x == _M or y == _M else _pair(x, y)
        else:
            for i in range(n):
                cells[to, i] = _M if cells[a, i] == _M else _calendar(op, cells[a, i], pool, b)


@compiled(STEP, error_model="numpy")
def _run_step(table: int, n: int) -> int:
    """`_run` as a step; the table holds the cells, the code and the pool."""
    given = row_at(table, 8)
    cells = grid_at(given[0], given[1], given[2])
    _run(cells, cells.view(np.float64), grid_at(given[3], given[4], given[5]), row_at(given[6], given[7]), n)
    return 0


def step_of(program: Program, cells: NDArray[np.int64]) -> Step:
    """The step that runs a program over the columns of `cells`."""
    return Step(Native.of(_run_step, cells, program.code, program.pool))

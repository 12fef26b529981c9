"""Programs: expressions as instructions over columns, run by one fixed kernel."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tidegate.errors import FlowError
from tidegate.events.types import Kind
from tidegate.expressions.node import Call, Expr, Literal
from tidegate.expressions.words import MISSING, word
from tidegate.expressions.zones import offsets

_NAMES = (
    "copy", "to_float",
    "add_i", "add_f", "sub_i", "sub_f", "mul_i", "mul_f", "div", "mod", "neg_i", "neg_f", "abs_i", "abs_f",
    "least_i", "least_f", "greatest_i", "greatest_f", "eq_i", "eq_f", "lt_i", "lt_f", "le_i", "le_f",
    "and", "or", "not",
    "fill_i", "fill_f", "missing_i", "missing_f", "where_i", "where_f", "in",
    "log", "log10", "log1p", "exp", "sqrt", "pow", "floor", "ceil", "round",
    "hour", "minute", "weekday", "day", "month", "year", "pair",
)  # fmt: skip
OPCODES = {name: number for number, name in enumerate(_NAMES)}
"""Name -> opcode. Stored plans hold the numbers: new names go to the end."""


@dataclass(frozen=True)
class Program:
    """Instructions `(opcode, to, a, b, c)` over columns, with a pool of constants for sets and time zones."""

    code: np.ndarray
    pool: np.ndarray


class Columns:
    """Hands out columns of the cell matrix: one an expression, constants included."""

    def __init__(self) -> None:
        self.count = 0
        self.constants: dict[int, int | float] = {}
        self._constant: dict[tuple[str, int | float], int] = {}
        self.of: dict[object, int] = {}

    def new(self) -> int:
        """A fresh column."""
        self.count += 1
        return self.count - 1

    def constant(self, value: int | float) -> int:
        """The column that holds a constant in every row."""
        key = (type(value).__name__, value)
        if key not in self._constant:
            self._constant[key] = self.new()
            self.constants[self._constant[key]] = value
        return self._constant[key]


def cell_of(node: Literal) -> int | float:
    """The cell of a constant."""
    if isinstance(node.value, str):
        return word(node.value)
    value: int | float = int(node.value) if isinstance(node.value, bool) else node.value
    return value


class Compiler:
    """Turns expressions into one program. Leaves it cannot compute are asked of `leaf`, which gives their column."""

    def __init__(self, columns: Columns, leaf: Callable[[Expr], int]) -> None:
        self.columns, self.leaf = columns, leaf
        self.code: list[tuple[int, int, int, int, int]] = []
        self.pool: list[int] = []
        self._pooled: dict[bytes, int] = {}
        self._emitted: dict[tuple[str, int, int, int], int] = {}

    def program(self) -> Program:
        """What has been compiled so far."""
        code = np.array(self.code, dtype=np.int64).reshape(len(self.code), 5)
        return Program(code, np.array(self.pool or [0], dtype=np.int64))

    def emit(self, op: str, a: int, b: int = 0, c: int = 0) -> int:
        """The column of an instruction's result. One that is there already, on the same columns, is not run again."""
        same = (op, a, b, c)
        if same not in self._emitted:
            to = self._emitted[same] = self.columns.new()
            self.code.append((OPCODES[op], to, a, b, c))
        return self._emitted[same]

    def column(self, node: Expr) -> int:
        """The column of an expression, compiled if it is not yet there."""
        if node.key not in self.columns.of:
            self.columns.of[node.key] = self._compile(node)
        return self.columns.of[node.key]

    def floating(self, node: Expr) -> int:
        """The column of an expression as a float64."""
        column = self.column(node)
        if node.type.is_float:
            return column
        key = ("as float", node.key)
        if key not in self.columns.of:
            constant = isinstance(node, Literal)
            self.columns.of[key] = (
                self.columns.constant(float(cell_of(node)))
                if constant and isinstance(node, Literal)
                else self.emit("to_float", column)
            )
        return self.columns.of[key]

    def _compile(self, node: Expr) -> int:
        if isinstance(node, Literal):
            return self.columns.constant(cell_of(node))
        if not isinstance(node, Call):
            return self.leaf(node)
        rule = _COMPILE.get(node.op)
        if rule is None:
            return self.leaf(node)
        return rule(self, node)

    def pooled(self, values: np.ndarray) -> int:
        """Put constants into the pool, if they are not yet there; gives their place."""
        place = self._pooled.setdefault(values.tobytes(), len(self.pool))
        if place == len(self.pool):
            self.pool.extend(values.tolist())
        return place


def _pick(name: str) -> Callable[[Compiler, Call], int]:
    """An operator with an int and a float form; all arguments in the form that its widest argument needs."""

    def rule(to: Compiler, node: Call) -> int:
        floating = any(part.type.is_float for part in node.args)
        args = [to.floating(part) if floating else to.column(part) for part in node.args]
        return to.emit(f"{name}_{'f' if floating else 'i'}", *args)

    return rule


def _floats(name: str) -> Callable[[Compiler, Call], int]:
    def rule(to: Compiler, node: Call) -> int:
        return to.emit(name, *(to.floating(part) for part in node.args))

    return rule


def _cells(name: str) -> Callable[[Compiler, Call], int]:
    def rule(to: Compiler, node: Call) -> int:
        return to.emit(name, *(to.column(part) for part in node.args))

    return rule


def _swapped(name: str) -> Callable[[Compiler, Call], int]:
    def rule(to: Compiler, node: Call) -> int:
        floating = any(part.type.is_float for part in node.args)
        a, b = [to.floating(part) if floating else to.column(part) for part in node.args]
        return to.emit(f"{name}_{'f' if floating else 'i'}", b, a)

    return rule


def _not_equal(to: Compiler, node: Call) -> int:
    return to.emit("not", _pick("eq")(to, node))


def _clip(to: Compiler, node: Call) -> int:
    form = "f" if node.type.is_float else "i"
    value, low, high = [to.floating(part) if form == "f" else to.column(part) for part in node.args]
    return to.emit(f"least_{form}", to.emit(f"greatest_{form}", value, low), high)


def _where(to: Compiler, node: Call) -> int:
    form = "f" if node.type.is_float else "i"
    a, b = [to.floating(part) if form == "f" else to.column(part) for part in node.args[1:]]
    return to.emit(f"where_{form}", to.column(node.args[0]), a, b)


def _is_missing(to: Compiler, node: Call) -> int:
    return to.emit("missing_f" if node.args[0].type.is_float else "missing_i", to.column(node.args[0]))


def _is_in(to: Compiler, node: Call) -> int:
    value, others = node.args[0], node.args[1:]
    if value.type.is_float or any(part.type.is_float for part in others):
        found = to.columns.constant(0)
        for part in others:
            found = to.emit("or", found, to.emit("eq_f", to.floating(value), to.floating(part)))
        return found
    cells = np.unique(np.array([cell_of(part) for part in others if isinstance(part, Literal)], dtype=np.int64))
    return to.emit("in", to.column(value), to.pooled(cells), len(cells))


def _part(name: str) -> Callable[[Compiler, Call], int]:
    def rule(to: Compiler, node: Call) -> int:
        return to.emit(name, to.column(node.args[0]), to.pooled(offsets(node.option or "UTC")))

    return rule


def _scaled(microseconds: float) -> Callable[[Compiler, Call], int]:
    def rule(to: Compiler, node: Call) -> int:
        return to.emit("div", to.floating(node.args[0]), to.columns.constant(microseconds))

    return rule


def _mod(to: Compiler, node: Call) -> int:
    if any(part.type.kind is not Kind.INT for part in node.args):
        raise FlowError("The remainder is for whole numbers.", seen=str(node))
    return _cells("mod")(to, node)


def _time_sum(name: str) -> Callable[[Compiler, Call], int]:
    """Sums with a time in them stay whole microseconds, whatever the duration is."""

    def rule(to: Compiler, node: Call) -> int:
        if node.args[0].type.kind is Kind.TIME and any(part.type.is_float for part in node.args):
            raise FlowError("A time and a mean of durations do not add up.", seen=str(node))
        return _pick(name)(to, node)

    return rule


_COMPILE: dict[str, Callable[[Compiler, Call], int]] = {
    "add": _time_sum("add"), "sub": _time_sum("sub"), "mul": _pick("mul"),
    "div": _floats("div"), "mod": _mod, "pow": _floats("pow"), "neg": _pick("neg"), "abs": _pick("abs"),
    "least": _pick("least"), "greatest": _pick("greatest"), "clip": _clip,
    "eq": _pick("eq"), "ne": _not_equal,
    "lt": _pick("lt"), "le": _pick("le"), "gt": _swapped("lt"), "ge": _swapped("le"),
    "and": _cells("and"), "or": _cells("or"), "not": _cells("not"),
    "fill": _pick("fill"), "is_missing": _is_missing, "where": _where, "is_in": _is_in,
    "log": _floats("log"), "log10": _floats("log10"), "log1p": _floats("log1p"),
    "exp": _floats("exp"), "sqrt": _floats("sqrt"),
    "floor": _floats("floor"), "ceil": _floats("ceil"), "round": _floats("round"),
    "as_number": _cells("copy"), "units": lambda to, node: to.floating(node.args[0]),
    "seconds": _scaled(1e6), "hours": _scaled(3.6e9), "days": _scaled(8.64e10),
    **{name: _part(name) for name in ("hour", "minute", "weekday", "day", "month", "year")},
}  # fmt: skip

__all__ = ["MISSING", "OPCODES", "Columns", "Compiler", "Program", "cell_of"]

"""Expressions by the kernel: random rows put into cells, a program compiled and run over them, cells read back."""

from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.conformance.events import FIELDS, Card, Draw, Made, Shop
from tests.conformance.formulas import Formulas
from tests.conformance.literals import EPOCH
from tests.oracle import Scope, evaluate
from tidegate.events.event import Event
from tidegate.events.types import Type
from tidegate.expressions.kernel import step_of
from tidegate.expressions.node import Expr
from tidegate.expressions.program import MISSING, Columns, Compiler
from tidegate.expressions.words import word
from tidegate.kernels.chain import Chain


def _row() -> Made:
    hints: dict[str, Any] = {"card": Card, "payee": Card | None, "shop": Shop | None}
    values: dict[str, st.SearchStrategy[Any]] = {
        "card": st.sampled_from(["a", "b"]),
        "payee": st.sampled_from(["a", "b", None]),
        "shop": st.sampled_from([0, 7, 2**62, None]),
    }
    for name, (hint, strategy) in FIELDS.items():
        hints[name] = hint
        values[name] = st.one_of(strategy, strategy, st.none())
    return Made(type(Event)("Row", (Event,), {"__annotations__": hints, "__module__": __name__}), values)


ROW = _row()
Row = ROW.event
"""An event with a field of every type; any may be missing here, which the kernel does not mind."""


@st.composite
def rows(draw: Draw, most: int = 4) -> list[Event]:
    seconds = draw(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=most))
    return [ROW.draw(draw, i, EPOCH + timedelta(seconds=s, microseconds=i)) for i, s in enumerate(seconds)]


@st.composite
def expressions(draw: Draw, kinds: tuple[Any, ...], depth: int = 4) -> Expr:
    return Formulas(draw, ROW.leaves()).of(draw(st.sampled_from(kinds)), depth)


def cell(value: Any, kind: Type) -> int | float:
    """A value as the cell of its type."""
    if value is None:
        return float("nan") if kind.is_float else MISSING
    return word(value) if isinstance(value, str) else float(value) if kind.is_float else int(value)


def by_kernel(expr: Expr, events: list[Event]) -> list[int | float | None]:
    """The cells of an expression for each event; leaves are filled from the events as a runtime does."""
    columns = Columns()
    leaves: dict[int, Expr] = {}

    def leaf(node: Expr) -> int:
        column = columns.new()
        leaves[column] = node
        return column

    compiler = Compiler(columns, leaf)
    out = compiler.column(expr)
    cells = np.full((columns.count, len(events)), MISSING, dtype=np.int64)
    floats = cells.view(np.float64)
    for column, value in columns.constants.items():
        (floats if isinstance(value, float) else cells)[column] = value
    for column, node in leaves.items():
        target = floats if node.type.is_float else cells
        target[column] = [cell(evaluate(node, Scope(event, "EUR")), node.type) for event in events]
    program = compiler.program()
    Chain([step_of(program, cells)], len(events)).run(len(events))
    found = (floats if expr.type.is_float else cells)[out].tolist()
    return [None if value != value or value == MISSING else value for value in found]

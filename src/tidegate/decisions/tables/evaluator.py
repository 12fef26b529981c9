"""A table asked by itself: plain Python values in, its answer with the trace out."""

import struct
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import Any

import numpy as np

from tidegate.decisions.decision import TableUse
from tidegate.decisions.tables.plan import plan_of
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.table import Column, Table
from tidegate.decisions.tables.trace import IndexedTable
from tidegate.errors import FlowError, nearest
from tidegate.events.money import Money
from tidegate.events.times import microseconds_of, time_of
from tidegate.events.types import Kind, Type
from tidegate.expressions.words import MISSING
from tidegate.expressions.words import word as hashed

_NAN = float("nan")
WRONG = (TypeError, ValueError, AttributeError, struct.error, OverflowError)
"""What comes of a value of another type."""
_word = lru_cache(maxsize=65_536)(hashed)


class Evaluator:
    """Answers a table from plain values, one set of inputs at a time or many.

    Args:
        table: which table.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        width, height = len(table.inputs), len(table.outputs)
        columns = range(width, width + height)
        readable = [-1] * height if table.policy.is_list else list(columns)
        self._row, self._many = width + height, width + height + 1
        plan = plan_of(table, range(width), readable, self._row, self._many)
        self.indexed = IndexedTable(plan)
        self._names = [column.name for column in table.inputs]
        self._known = frozenset(self._names)
        self._cell: list[Callable[[Any], Any]] = [to_cell(column) for column in table.inputs]
        self._values = itemgetter(*self._names) if width > 1 else lambda inputs: (inputs[self._names[0]],)
        plain = (Kind.FLOAT, Kind.INT)  # which are packed as they are
        self._special = [(n, self._cell[n]) for n, c in enumerate(table.inputs) if c.type.kind not in plain]
        self._pack = struct.Struct("=" + "".join("d" if c.type.is_float else "q" for c in table.inputs)).pack_into
        self._single = np.zeros((width + height + 2, 1), np.int64)
        self._bytes = self._single.reshape(-1).data.cast("B")
        self._ints, self._floats = self._bytes.cast("q"), self._bytes.cast("d")
        words = {hashed(v): v for row in (*table.rows, table.default) if row for v in row.outputs if isinstance(v, str)}
        count = table.policy is Policy.COUNT
        self._outputs = [
            (column.name, place, *_from_cell(column.type, words, column.line.currency, count))
            for column, place in zip(table.outputs, columns, strict=True)
        ]

    def evaluate(self, inputs: Mapping[str, Any]) -> TableUse:
        """The table's answer to these inputs, by name; one that is None or not given is missing.

        Raises:
            FlowError: an input is of another type or unit than the table's, or is none of its inputs.
        """
        try:
            values = self._values(inputs)
            if self._special:
                values = [*values]
                for place, cell in self._special:
                    values[place] = cell(values[place])
            self._pack(self._bytes, 0, *values)
            saw = dict(inputs)
        except (*WRONG, KeyError):  # some are missing, or of another type
            saw = self._put(inputs)
        if len(inputs) != len(self._known):
            self._only_known(inputs)
        self.indexed.answer(self._single, 0, 1)
        row, many = self._ints[self._row], self._ints[self._many]
        if self.table.policy.is_list:
            outputs = self._lists(row)
        else:
            ints, floats = self._ints, self._floats
            outputs = {
                name: read(floats[place] if floating else ints[place]) for name, place, floating, read in self._outputs
            }
        return self.indexed.use(self._single, 0, row, many, saw, outputs)

    def _put(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Put the inputs into the cells one by one, those that are not there as missing."""
        saw = {name: inputs.get(name) for name in self._names}
        try:
            cells = [cell(value) for cell, value in zip(self._cell, saw.values(), strict=True)]
            self._pack(self._bytes, 0, *cells)
        except WRONG as error:
            raise self._wrong(saw, error) from None
        return saw

    def _lists(self, row: int) -> dict[str, Any]:
        """The outputs of every row that matched."""
        table = self.table
        found = [table.rows[number] for number in self.indexed.matching(self._single, 0)]
        if not found and row == 0 and table.default is not None:
            found = [table.default]
        return {
            column.name: [_plain(one.outputs[place], column) for one in found]
            for place, column in enumerate(table.outputs)
        }

    def _only_known(self, inputs: Mapping[str, Any]) -> None:
        for name in inputs:
            if name not in self._known:
                near = nearest(str(name), self._names)
                raise FlowError(
                    f"The table {self.table.name} has no input {name!r}.",
                    seen=", ".join(self._names),
                    do=f"Did you mean {near}?" if near else "",
                )

    def _wrong(self, inputs: Mapping[str, Any], error: Exception) -> FlowError:
        """Which input it is that is not of its type."""
        for column, cell in zip(self.table.inputs, self._cell, strict=True):
            value = inputs.get(column.name)
            try:
                struct.pack("=d" if column.type.is_float else "=q", cell(value))
            except WRONG:
                return FlowError(
                    f"The table {self.table.name} reads {column.name} as {column.type}.",
                    seen=f"{value!r} ({type(value).__name__})",
                    do="Give a value of that type, or None where there is none.",
                )
        return FlowError(f"The table {self.table.name} cannot be asked so.", seen=str(error))


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise TypeError(value)
    return value


def to_cell(column: Column) -> Callable[[Any], Any]:
    """What turns a value of a column into its cell; `WRONG` says what it raises for one of another type."""
    type, currency = column.type, column.line.currency

    def money(value: Any) -> Any:
        if value is None:
            return _NAN if type.is_float else MISSING
        if value.currency != currency and currency is not None:
            return _NAN if type.is_float else MISSING
        return value.units

    def number(value: Any) -> Any:
        return _NAN if value is None else _no_truth(value) + 0.0

    def whole(value: Any) -> Any:
        return MISSING if value is None else _no_truth(value)

    def time(value: Any) -> Any:
        return MISSING if value is None else microseconds_of(value)

    def duration(value: Any) -> Any:
        return MISSING if value is None else value // timedelta(microseconds=1)

    def text(value: Any) -> Any:
        if value.__class__ is not str:
            if value is None:
                return MISSING
            value = value.value if isinstance(value, Enum) else value
            if not isinstance(value, str):
                raise TypeError(value)
        return _word(value)

    def truth(value: Any) -> Any:
        if value is not None and not isinstance(value, bool):
            raise TypeError(value)
        return MISSING if value is None else int(value)

    if type.is_word:
        return text
    if type.kind is Kind.MONEY:
        return money
    if type.kind is Kind.FLOAT:
        return number
    special = {Kind.TIME: time, Kind.DURATION: duration, Kind.BOOL: truth}
    if type.kind in special:
        return special[type.kind]
    return whole


def _from_cell(
    type: Type, words: Mapping[int, str], currency: str | None, count: bool
) -> tuple[bool, Callable[[Any], Any]]:
    """Whether an output is a float, and what turns its cell into a value."""
    if count:
        return False, lambda cell: cell
    if type.is_float:
        return True, lambda cell: None if cell != cell else cell
    if type.is_word:
        return False, words.get
    convert: dict[Kind, Callable[[int], Any]] = {
        Kind.BOOL: bool,
        Kind.MONEY: lambda cell: Money(cell, currency or ""),
        Kind.TIME: time_of,
        Kind.DURATION: lambda cell: timedelta(microseconds=cell),
    }
    made: Callable[[int], Any] = convert.get(type.kind, int)
    return False, lambda cell: None if cell == MISSING else made(cell)


def _plain(value: Any, column: Column) -> Any:
    """A constant of a row as a value."""
    if value is None:
        return None
    kind = column.type.kind
    if kind is Kind.MONEY:
        return Money(value, column.line.currency or "")
    if kind is Kind.TIME:
        return time_of(value)
    return timedelta(microseconds=value) if kind is Kind.DURATION else value

"""Tables: rows whose cells are read and checked against the types of their columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from tidegate.decisions.rule import Outcome
from tidegate.decisions.tables.cells import ANY, Cell, cell, only
from tidegate.decisions.tables.line import Line, value_of
from tidegate.decisions.tables.policy import Policy
from tidegate.decisions.tables.sheet import Head, Sheet, Written
from tidegate.decisions.tables.types import decimal_comma, declared, fits, shown_by
from tidegate.errors import FlowError, nearest
from tidegate.events.types import INT, Kind, Type

OUTCOME = "outcome"
"""The name of the output that decides."""
OUTCOMES = tuple(outcome.word for outcome in Outcome)


@dataclass(frozen=True)
class Column:
    """An input or an output.

    Args:
        type: of its values.
        line: its values as points.
        domain: the values that can come, if the head says so or the type has only some.
        order: of an output, its values by descending priority.
    """

    name: str
    type: Type
    line: Line
    domain: Cell | None = None
    order: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Row:
    """A row: a cell for each input, a value or None for each output, and its words."""

    name: str
    cells: tuple[Cell, ...]
    outputs: tuple[Any, ...]
    outcome: Outcome | None
    because: str
    number: int


@dataclass(frozen=True, eq=False)
class Table:
    """A decision table. `digest` stands for all of its content; its name and where it came from are not part of it."""

    name: str
    policy: Policy
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    rows: tuple[Row, ...]
    default: Row | None
    digest: str

    @property
    def decides(self) -> bool:
        """Whether its rows carry outcomes, so that they act as rules."""
        return any(column.name == OUTCOME for column in self.outputs)

    def output(self, name: str) -> int:
        """The place of an output.

        Raises:
            FlowError: there is none of this name.
        """
        names = [column.name for column in self.outputs]
        if name in names:
            return names.index(name)
        near = nearest(name, names)
        raise FlowError(
            f"The table {self.name} has no output {name!r}.",
            seen=", ".join(names),
            do=f"Did you mean {near}?" if near else "",
        )


def made(sheet: Sheet, types: Mapping[str, Type] | None = None, currency: str | None = None) -> Table:
    """The table that a sheet is.

    Args:
        sheet: the table as it was written.
        types: the types of its inputs by name, from the flow; without them they are declared or shown by the cells.
        currency: of amounts that name none.

    Raises:
        FlowError: a cell is not of its column's type or unit, with row, column and the nearest value; or what the rows
            say does not fit the hit policy.
    """
    return _Maker(sheet, types, currency).table()


class _Maker:
    def __init__(self, sheet: Sheet, types: Mapping[str, Type] | None, currency: str | None) -> None:
        self.sheet, self.types, self.currency = sheet, types, currency
        self.written = [*sheet.rows, *([sheet.default] if sheet.default else [])]

    def table(self) -> Table:
        sheet = self.sheet
        if self.types is not None:
            self._same_names(self.types)
        inputs = tuple(self._input(head) for head in sheet.of("if"))
        outputs = tuple(self._output(head) for head in sheet.of("then"))
        because = next(iter(sheet.of("because")), None)
        rows = [self._row(one, inputs, outputs, because) for one in sheet.rows]
        default = self._row(sheet.default, (), outputs, because) if sheet.default else None
        for column, head in zip(outputs, sheet.of("then"), strict=True):
            self._fit(column, head)
        _fit_policy(sheet, outputs)
        digest = _digest(sheet.policy, inputs, outputs, rows, default)
        return Table(sheet.name, sheet.policy, inputs, outputs, tuple(rows), default, digest)

    def _same_names(self, types: Mapping[str, Type]) -> None:
        names = [head.name for head in self.sheet.of("if")]
        for given in types:
            if given not in names:
                near = nearest(given, names)
                raise FlowError(
                    f"The table {self.sheet.told} has no input {given!r}.",
                    seen=", ".join(names),
                    do=f"Did you mean {near}?" if near else "",
                )
        for name in names:
            if name not in types:
                raise FlowError(
                    f"The table {self.sheet.told} reads {name!r}, and is not given it.",
                    seen=", ".join(types) or "no inputs",
                    do=f'Write of={{…, "{name}": …}}.',
                )

    def _at(self, row: Written, head: Head, error: FlowError) -> FlowError:
        where = self.sheet.where(row.number, head)
        return FlowError(f"{self.sheet.told}, {where}: {error.wrong}", seen=error.seen, do=error.do)

    def _typed(self, head: Head, read: Callable[[Any, Line], Any]) -> Type:
        """The type of a column, by its head or else by its cells."""
        if head.declared:
            try:
                return declared(head.declared)
            except FlowError as error:
                raise FlowError(
                    f"{self.sheet.told}, the head of {head.name}: {error.wrong}", seen=error.seen, do=error.do
                ) from None
        if head.constants in ("text", "bool"):
            return declared(head.constants)
        rows = self.sheet.rows if head.role == "if" else self.written
        found, odd = shown_by([row.values[head.place - 1] for row in rows], read, self.currency)
        if odd >= 0:
            value = rows[odd].values[head.place - 1]
            wrong = decimal_comma(value, read) or FlowError(
                f"Most of the column {head.name} is {found}, and this is not.",
                seen=str(value),
                do=f"Mend it, or head the column `{head.role} {head.name} (text)`.",
            )
            raise self._at(rows[odd], head, wrong)
        return found

    def _input(self, head: Head) -> Column:
        given = self.types[head.name] if self.types is not None else None
        said = self._typed(head, cell) if head.declared or given is None else given
        if given is not None and not fits(said, given):
            raise FlowError(
                f"{self.sheet.told} declares {head.name} as {head.declared}, and is given {given}.",
                do="Give it another feature, or correct its head.",
            )
        type = given or said
        if head.constants and head.constants != _written_as(type):
            raise FlowError(
                f"{self.sheet.told} compares {head.name}, which is {type}, with a {head.constants}: never equal.",
                do="Give it another feature, or write the cells in the feature's type.",
            )
        line = Line(type, said.currency or self.currency)
        domain = self._domain(head, line)
        if domain is not None and not head.only and type.is_word and all(low == high for low, high in domain.ranges):
            known = line.words
            line = Line(replace(type, choices=tuple(known.values())))  # so that a cell with another one is found
            line.words.update(known)
        return Column(head.name, type, line, domain)

    def _domain(self, head: Head, line: Line) -> Cell | None:
        if not head.values:
            if line.type.choices:
                return cell([f'"{choice}"' for choice in line.type.choices], line)
            return None
        try:
            return cell(head.values, line)
        except FlowError as error:
            raise FlowError(
                f"{self.sheet.told}, the head of {head.name}: {error.wrong}", seen=error.seen, do=error.do
            ) from None

    def _output(self, head: Head) -> Column:
        if head.name == OUTCOME:
            type = Type(Kind.TEXT, choices=OUTCOMES)
            return Column(OUTCOME, type, Line(type), order=tuple(reversed(OUTCOMES)))
        type = self._typed(head, lambda value, line: value_of(line, value))
        line = Line(type, self.currency)
        order: tuple[Any, ...] = ()
        if head.values:
            parts = [part.strip().strip('"') for part in head.values.split(",")]
            try:
                order = tuple(value_of(line, part) for part in parts)
            except FlowError as error:
                raise FlowError(
                    f"{self.sheet.told}, the head of {head.name}: {error.wrong}", seen=error.seen, do=error.do
                ) from None
            if type.kind is Kind.TEXT:
                type = replace(type, choices=tuple(parts))
                line = Line(type)
        return Column(head.name, replace(type, currency=line.currency or type.currency), line, order=order)

    def _row(self, row: Written, inputs: tuple[Column, ...], outputs: tuple[Column, ...], because: Head | None) -> Row:
        cells = []
        for column, head in zip(inputs, self.sheet.of("if"), strict=False):
            try:
                found = cell(row.values[head.place - 1], column.line)
                cells.append(only(found, column.domain) if head.only and column.domain is not None else found)
            except FlowError as error:
                raise self._at(row, head, error) from None
        values = []
        for column, head in zip(outputs, self.sheet.of("then"), strict=True):
            try:
                values.append(_output_value(row.values[head.place - 1], column.line))
            except FlowError as error:
                raise self._at(row, head, error) from None
        names = [column.name for column in outputs]
        said = values[names.index(OUTCOME)] if OUTCOME in names else None
        words = str(row.values[because.place - 1] or "").strip() if because else ""
        if said is not None and not words:
            head = because or next(head for head in self.sheet.of("then") if head.name == OUTCOME)
            raise self._at(
                row,
                head,
                FlowError(
                    "A row that decides says why, in words.",
                    do="Fill a column `because` in its row; in DMN, an annotation or else an output of that name.",
                ),
            )
        outcome = Outcome[said.upper()] if said is not None else None
        return Row(row.name, tuple(cells), tuple(values), outcome, words, row.number)

    def _fit(self, column: Column, head: Head) -> None:
        """What a column of outputs must hold for the hit policy."""
        policy = self.sheet.policy
        if not policy.is_sum or policy is Policy.COUNT:
            return
        has_sum = column.type.is_quantity if policy is Policy.SUM else column.line.has_order
        if not has_sum:
            raise FlowError(
                f"{self.sheet.told} puts {head.name} together by {policy.words}, which takes numbers.",
                seen=f"{column.type}",
            )
        for row in self.written:
            if str(row.values[head.place - 1] if row.values[head.place - 1] is not None else "").strip() in ("", "-"):
                raise self._at(row, head, FlowError(f"{policy.words} needs a value in every row.", seen="none"))


def _written_as(type: Type) -> str:
    """What a constant of a type is written as in a source that tells text, numbers and truth apart."""
    if type.kind is Kind.BOOL:
        return "bool"
    return "text" if type.kind is Kind.TEXT or (type.kind is Kind.KEY and not type.whole) else "number"


def _output_value(value: Any, line: Line) -> Any:
    if value is None or (isinstance(value, str) and value.strip() in ("", "-")):
        return None
    if isinstance(value, str):
        text = value.strip()
        quoted = len(text) > 1 and text[0] == text[-1] == '"'
        value = text[1:-1].replace('""', '"') if quoted else text
    return value_of(line, value)


def _fit_policy(sheet: Sheet, outputs: tuple[Column, ...]) -> None:
    """What the outputs must be for the hit policy."""
    names = [column.name for column in outputs]
    if sheet.policy.is_sum and (len(outputs) > 1 or OUTCOME in names):
        raise FlowError(
            f"{sheet.told} puts its rows together by {sheet.policy.words}, so it has one output.",
            seen=", ".join(names),
            do="Leave the others out, or make a table of each.",
        )
    if sheet.policy in (Policy.PRIORITY, Policy.OUTPUT_ORDER) and not any(column.order for column in outputs):
        raise FlowError(
            f"{sheet.told} goes by priority, and no output has one.",
            seen=", ".join(names),
            do=f"Name the values at the top, the highest first: `then {names[0]} (text: high, medium, low)`.",
        )


def _digest(
    policy: Policy,
    inputs: tuple[Column, ...],
    outputs: tuple[Column, ...],
    rows: list[Row],
    default: Row | None,
) -> str:
    """sha256 over everything that a decision can depend on or show."""
    digest = sha256(policy.value.encode())
    for column in (*inputs, *outputs):
        digest.update(repr((column.name, str(column.type), column.line.currency, column.order)).encode())
    for row in (*rows, *([default] if default else [])):
        cells = [(one.ranges, one.missing, one.text) for one in row.cells]
        digest.update(repr((row.name, cells, row.outputs, row.outcome, row.because)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def output_type(table: Table, place: int) -> Type:
    """The type of an output as the table gives it: a count is a whole number.

    Raises:
        FlowError: the hit policy makes a list of it, which no expression is.
    """
    column = table.outputs[place]
    if table.policy.is_list:
        raise FlowError(
            f"{table.name} gives a list of {column.name} by its hit policy, {table.policy.words}.",
            do="Let its rows carry outcomes; or use unique, first, priority, collect + < > or #.",
        )
    return INT if table.policy is Policy.COUNT else column.type


__all__ = ["ANY", "OUTCOME", "Column", "Row", "Table", "made", "output_type"]

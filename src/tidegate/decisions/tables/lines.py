"""Tables as lines of a flow: the rules that their rows are, and what a challenger changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tidegate.decisions.rule import Bands, Rule
from tidegate.decisions.tables.cells import Cell
from tidegate.decisions.tables.line import ordered
from tidegate.decisions.tables.node import DecisionTable, TableOutput
from tidegate.decisions.tables.table import Column
from tidegate.errors import FlowError
from tidegate.events.money import MOST_UNITS
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr, FieldRead, walk


def rules_of(name: str, line: Any) -> dict[str, Rule]:
    """The rules of a line: a rule is one, and a table whose rows carry outcomes is one for each of these."""
    if isinstance(line, Rule):
        return {name: line}
    if not isinstance(line, DecisionTable):
        return {}
    return {
        f"{name}.{outcome.word}": Rule(outcome, line.decides(outcome), f"Rows of the table {name} that {outcome.word}")
        for outcome in line.outcomes
    }


def readings(nodes: Iterable[Expr], tables: Mapping[str, DecisionTable]) -> tuple[DecisionTable, ...]:
    """Every table that a flow asks, once for each set of inputs: its own lines first."""
    found = {table.read: table for table in tables.values()}
    for node in nodes:
        if isinstance(node, TableOutput):
            found.setdefault(node.read, node.of)
    return tuple(found.values())


def renewed(value: Any, tables: Mapping[str, DecisionTable]) -> dict[int, Expr]:
    """What stands for the outputs, in a line of a flow, of tables that are defined again: old node to new."""
    if not tables:
        return {}
    roots: tuple[Expr, ...] = ()
    if isinstance(value, Expr):
        roots = (value,)
    elif isinstance(value, (Rule, Bands)):
        roots = (value.when if isinstance(value, Rule) else value.of,)
    elif isinstance(value, DecisionTable):
        roots = value.args
    found: dict[int, Expr] = {}
    for node in (node for root in roots for node in walk(root)):
        if isinstance(node, TableOutput) and node.read in tables:
            new = tables[node.read]
            found[id(node)] = new[node.name] if node.outcome is None else new.decides(node.outcome)
    return found


def fit_currency(tables: Iterable[DecisionTable], currency: str | None, called: Mapping[str, str]) -> None:
    """Amounts of open currency, read in the flow's, meet no cells of another.

    Args:
        called: by `read`, the lines of the flow that tables are, to tell the one of a mistake.

    Raises:
        FlowError: they do.
    """
    for table in tables:
        what = f"The table {table.table.name}" + (f" of {called[table.read]}" if table.read in called else "")
        one_currency(what, table.table.inputs, table.args, table.currencies, currency)


def one_currency(
    what: str, columns: Sequence[Column], args: Sequence[Expr], said: Mapping[str, str], currency: str | None
) -> None:
    """Each amount meets constants of its own currency; one whose currency is open is in `currency`.

    Raises:
        FlowError: it meets those of another.
    """
    for column, part in zip(columns, args, strict=True):
        given = part.type.currency or currency
        if column.type.kind is Kind.MONEY and column.name in said and said[column.name] != given:
            raise FlowError(
                f"{what} compares {column.name} with amounts of another currency.",
                seen=f"{said[column.name]} in its cells, {given or 'no currency'} in the flow",
                do="Convert one first.",
            )


def told(name: str, line: DecisionTable, write: Callable[[Expr], str]) -> Iterator[tuple[str, str]]:
    """A table as lines to compare: its head, and every row under a name of its own."""
    table = line.table
    inputs = [f"{c.name} = {write(part)} ({c.type})" for c, part in zip(table.inputs, line.args, strict=True)]
    outputs = [f"{column.name} ({column.type})" for column in table.outputs]
    yield name, f"{table.policy.words}: if {', '.join(inputs)} then {', '.join(outputs)}"
    for row in (*table.rows, *([table.default] if table.default else [])):
        cells = [f"{c.name} {cell.text}" for c, cell in zip(table.inputs, row.cells, strict=False) if not cell.any]
        values = [f"{c.name} {value}" for c, value in zip(table.outputs, row.outputs, strict=True) if value is not None]
        because = f", because={row.because!r}" if row.because else ""
        yield f"{name} row {row.name}", f"{', '.join(cells) or 'anything'}: {', '.join(values)}{because}"


def bounds(columns: Sequence[Column], args: Sequence[Expr]) -> tuple[dict[str, Cell], list[str]]:
    """What a flow's contracts say of what a table is given: the values that can come, and which can be missing."""
    domains: dict[str, Cell] = {}
    missing = []
    for column, part in zip(columns, args, strict=True):
        if not isinstance(part, FieldRead):
            missing.append(column.name)
            continue
        field = part.event.__contract__[part.name]
        if field.optional:
            missing.append(column.name)
        money = column.type.kind is Kind.MONEY
        if column.domain is not None or not (column.type.is_number or money):
            continue
        low, high = column.line.ends
        least = field.about.ge if field.about.ge is not None else 0 if money else None
        most = field.about.le if field.about.le is not None else MOST_UNITS if money else None
        point = ordered if column.type.is_float else int
        domains[column.name] = Cell(
            ((low if least is None else point(least), high if most is None else point(most)),), False, ""
        )
    return domains, missing

"""The one currency that a flow reads amounts of open currency in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tidegate.decisions.rule import Bands, Rule
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.tables.node import DecisionTable
from tidegate.errors import FlowError
from tidegate.events.currency import DECIMALS
from tidegate.events.types import Kind
from tidegate.expressions.node import Call, Expr, FieldRead, walk


def currency_of(
    nodes: dict[str, Expr],
    tables: tuple[DecisionTable | Scorecard, ...],
    said: str | None,
    flow: str,
    lines: Mapping[str, Any] = MappingProxyType({}),
) -> str | None:
    """The one currency that amounts without a currency of their own are read in.

    Args:
        lines: the flow's, by name, to tell the one of a mistake.

    Raises:
        FlowError: none is said and it is not plain which, or two meet in one expression.
    """
    named = {n.type.currency for n in nodes.values() if n.type.kind is Kind.MONEY and n.type.currency}
    named |= {currency for table in tables for currency in table.currencies.values()}
    opened = [
        n for n in nodes.values() if isinstance(n, FieldRead) and n.type.kind is Kind.MONEY and not n.type.currency
    ]
    if said is not None:
        if said not in DECIMALS:
            raise FlowError("currency is a three-letter ISO 4217 code.", seen=repr(said), do='Write currency = "EUR".')
        _no_other_currency(nodes, said, flow, lines)
        return said
    if opened and len(named) != 1:
        raise FlowError(
            f"{flow} reads {opened[0]}, whose currency is open.",
            seen=", ".join(sorted(named)) or "no currency",
            do='Write currency = "EUR".',
        )
    return next(iter(named)) if len(named) == 1 else None


def _no_other_currency(nodes: dict[str, Expr], currency: str, flow: str, lines: Mapping[str, Any]) -> None:
    """Amounts of open currency, read in the flow's, meet no amounts of another."""
    for node in nodes.values():
        met = {part.type.currency or currency for part in node.args if part.type.kind is Kind.MONEY}
        if isinstance(node, Call) and len(met) > 1:
            name = next((name for name, line in lines.items() if _holds(line, node)), "")
            raise FlowError(
                f"{f'{flow}.{name} has two' if name else 'Two'} currencies in one expression.",
                seen=f"{' and '.join(sorted(met))} in {node}",
                do="Convert one first.",
            )


def _holds(line: object, wanted: Expr) -> bool:
    """Whether an expression is a part of what a line of a flow says."""
    roots: tuple[Expr, ...] = ()
    if isinstance(line, Expr):
        roots = (line,)
    elif isinstance(line, Rule):
        roots = (line.when,)
    elif isinstance(line, Bands):
        roots = (line.of,)
    elif isinstance(line, DecisionTable):
        roots = line.args
    return any(node.key == wanted.key for root in roots for node in walk(root))

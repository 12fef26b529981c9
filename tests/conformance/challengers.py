"""Challengers: a flow with some lines written again, and the same written out in full, by text instead of by graph."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.events import Card, Shop
from tests.conformance.scorecards import again as scorecard_again
from tidegate.connectors.models import model
from tidegate.decisions.rule import Bands, Rule
from tidegate.decisions.tables.node import DecisionTable, TableOutput
from tidegate.expressions.node import Expr, walk
from tidegate.expressions.text import parse, write
from tidegate.features import aggregates
from tidegate.features.entity_list import entity_list
from tidegate.features.plan import AGGREGATES

_NAMES: dict[str, Any] = {
    "Card": Card,
    "Shop": Shop,
    "entity_list": entity_list,
    "model": model,
    "scorecard": scorecard_again,
    **{name: getattr(aggregates, name) for name in AGGREGATES},
}


def spelled_out(lines: Mapping[str, Any], again: Mapping[str, Any], events: Mapping[str, Any]) -> dict[str, Any]:
    """The lines of a challenger as its author would write them without a parent.

    Args:
        lines: the parent's, in the order in which they may name each other.
        again: what the challenger writes again, None for what it leaves out, and what it adds.
        events: the event types by name.
    """
    names: dict[int, str] = {}
    known: dict[str, Any] = {**_NAMES, **events}
    out: dict[str, Any] = {}
    for name, line in lines.items():
        made = again[name] if name in again else _again(line, names, known)
        if made is not None:
            out[name] = made
        if isinstance(line, Expr):
            # where others name this line they mean what stands there now; of a line left out, what stood there
            known[name] = _again(line, names, known) if made is None else made
            names.setdefault(id(line), name)
    return out | {name: line for name, line in again.items() if name not in lines and line is not None}


def _again(line: Any, names: dict[int, str], known: dict[str, Any]) -> Any:
    """A line as its text reads with other lines under the names in it."""
    if isinstance(line, DecisionTable):
        return line.over(tuple(_again(part, names, known) for part in line.args))
    if isinstance(line, TableOutput) and id(line) not in names:
        return line.with_args(tuple(_again(part, names, known) for part in line.args))
    if isinstance(line, Expr):
        # a table's outputs have a text form that tells what they are, and is not for reading
        outputs = [node for node in walk(line) if isinstance(node, TableOutput) and id(node) not in names]
        called = names | {id(node): f"output_{n}" for n, node in enumerate(outputs)}
        meant = known | {f"output_{n}": _again(node, names, known) for n, node in enumerate(outputs)}
        return parse(called.get(id(line)) or write(line, called), meant)
    if isinstance(line, Rule):
        return Rule(line.outcome, _again(line.when, names, known), line.because)
    if isinstance(line, Bands):
        return Bands(_again(line.of, names, known), line.names, line.thresholds)
    return line

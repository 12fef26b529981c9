"""Challengers: a flow's lines with those of its parent, what is defined again put in wherever it was used."""

from typing import Any

from tidegate.decisions.definition import Definition
from tidegate.decisions.drl.node import DrlPackage, replaced
from tidegate.decisions.rule import Bands, Rule
from tidegate.decisions.tables.lines import renewed
from tidegate.decisions.tables.node import DecisionTable
from tidegate.errors import FlowError
from tidegate.expressions.node import Expr, replace


def merged(parent: Definition | None, own: dict[str, Any], cls: type) -> dict[str, Any]:
    """The lines of the class after those of its parent, with what is defined again put in wherever it was used.

    Raises:
        FlowError: two of its names, that were one expression, are defined again.
    """
    if parent is None:
        return {name: value for name, value in own.items() if value is not None}
    by_hand = {name: rule for name, rule in parent.rules.items() if name.isidentifier()}  # not made by a table
    inherited: dict[str, Any] = dict(parent.features) | by_hand | dict(parent.tables) | dict(parent.packaged)
    settings = {"score": parent.score, "alarm": parent.alarm, "level": parent.level}
    for name in ("limits", "lateness", "currency", "learns"):
        settings[name] = next((base.__dict__[name] for base in cls.__mro__[1:] if name in base.__dict__), None)
    inherited |= {name: value for name, value in settings.items() if value is not None and name not in parent.features}
    swap = {
        id(inherited[name]): value
        for name, value in own.items()
        if isinstance(value, Expr) and isinstance(inherited.get(name), Expr)
    }
    alias = [name for name in own if isinstance(inherited.get(name), Expr) and isinstance(own[name], Expr)]
    if len({id(inherited[name]) for name in alias}) < len(alias):
        raise FlowError(
            "Two names of one expression are defined again.",
            seen=", ".join(alias),
            do="Give the parent's names own expressions.",
        )
    tables = {
        value.read: own[name]
        for name, value in inherited.items()
        if isinstance(value, DecisionTable) and isinstance(own.get(name), DecisionTable)
    }
    lines: dict[str, Any] = {}
    changed: dict[int, Expr] = dict(swap)
    changed |= replaced(inherited, own)
    for name, value in inherited.items():
        if name in own:
            lines[name] = own[name]
            continue
        lines[name] = _swapped(value, changed, tables)
        if isinstance(value, Expr) and lines[name] is not value:
            changed[id(value)] = lines[name]
    for name, value in own.items():
        if name not in inherited:
            lines[name] = value  # as it is written: what it reads of the parent is the parent's
    return {name: value for name, value in lines.items() if value is not None}


def _swapped(value: Any, other: dict[int, Expr], tables: dict[str, DecisionTable]) -> Any:
    other = other | renewed(value, tables)
    if not other:
        return value
    if isinstance(value, (DecisionTable, DrlPackage)):
        return value.over(tuple(replace(part, other) for part in value.args))
    if isinstance(value, Expr):
        return replace(value, other)
    if isinstance(value, Rule):
        return Rule(value.outcome, replace(value.when, other), value.because)
    if isinstance(value, Bands):
        return Bands(replace(value.of, other), value.names, value.thresholds)
    return value

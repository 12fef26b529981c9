"""Definitions: everything that a flow says, checked and with inheritance resolved."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tidegate.decisions.currency import currency_of
from tidegate.decisions.drl.node import DrlPackage, packages_in
from tidegate.decisions.flow_text import flow_text
from tidegate.decisions.owners import owned
from tidegate.decisions.reads import reads_only
from tidegate.decisions.rule import AtMost, Bands, Deadline, Rule, require_words
from tidegate.decisions.scorecards import lines as cards
from tidegate.decisions.scorecards.node import Scorecard
from tidegate.decisions.tables.lines import fit_currency, readings, rules_of
from tidegate.decisions.tables.node import DecisionTable
from tidegate.errors import FlowError, TidegateError
from tidegate.events.durations import microseconds
from tidegate.events.event import Event
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr, walk
from tidegate.features.entity_list import EntityList, ListCheck
from tidegate.features.window import LONGEST, Window
from tidegate.models.score import ModelScore

LINES = (Expr, Rule, EntityList, DecisionTable, DrlPackage)
"""What a line of a flow can be, but for its settings."""

SETTINGS = ("score", "alarm", "level", "limits", "lateness", "currency", "learns", "version", "signed_by")
"""The names of lines that are settings."""

_SEVERAL = (tuple, list, set, frozenset)


@dataclass(frozen=True)
class Definition:
    """Everything that a flow says, with inheritance resolved."""

    name: str
    purpose: str
    event: type[Event]
    learned: tuple[type[Event], ...]
    features: Mapping[str, Expr]
    rules: Mapping[str, Rule]
    tables: Mapping[str, DecisionTable]
    packaged: Mapping[str, DrlPackage]
    score: Expr | None
    alarm: Expr | None
    level: Bands | None
    caps: tuple[AtMost, ...]
    deadline: Deadline | None
    currency: str | None
    lateness: int
    windows: tuple[Window, ...]
    models: tuple[ModelScore, ...]
    readings: tuple[DecisionTable, ...]
    packages: tuple[DrlPackage, ...]
    scorecards: tuple[Scorecard, ...]
    lists: tuple[EntityList, ...]
    text: str
    digest: str
    signed_by: tuple[str, ...] = ()
    challenges: tuple[str, ...] = ()
    """The names of the flows that its class is a subclass of, the nearest first."""

    @property
    def kinds(self) -> tuple[type[Event], ...]:
        """The event types in order of their number: the one decided on is 0."""
        return (self.event, *self.learned)


def define(cls: type, event: type[Event], lines: dict[str, Any]) -> Definition:
    """What the lines of a flow's class say of the event it decides on.

    Raises:
        FlowError: for every mistake that can be seen without a plan.
    """
    extra = [kind for kind in _learned(cls.__name__, lines.get("learns")) if kind is not event]
    lines = owned(lines, event, extra)
    tables = {name: line for name, line in lines.items() if isinstance(line, DecisionTable)}
    packaged = {name: line for name, line in lines.items() if isinstance(line, DrlPackage)}
    rules = {name: rule for line, value in lines.items() for name, rule in rules_of(line, value).items()}
    features = {name: line for name, line in lines.items() if isinstance(line, Expr) and name != "alarm"}
    score, alarm, level = _number("score", lines.get("score")), lines.get("alarm"), lines.get("level")
    if alarm is not None and (not isinstance(alarm, Expr) or alarm.type.kind is not Kind.BOOL):
        raise FlowError("alarm is a condition.", seen=str(alarm), do="alarm = risk > 0.9")
    if level is not None and not isinstance(level, Bands):
        raise FlowError("level is made by bands(…).", seen=repr(level))
    roots = [*features.values(), *(rule.when for rule in rules.values())]
    roots += [alarm] if alarm is not None else []
    roots += [level.of] if level is not None else []
    roots += [part for table in tables.values() for part in table.args]
    roots += [part for package in packaged.values() for part in package.args]
    nodes: dict[str, Expr] = {}
    for root in roots:
        for node in walk(root):
            nodes.setdefault(node.key, node)
    windows = tuple(node for node in nodes.values() if isinstance(node, Window))
    limits = lines.get("limits") or ()
    limits = tuple(limits) if isinstance(limits, (list, tuple)) else (limits,)
    if any(not isinstance(limit, (AtMost, Deadline)) for limit in limits):
        raise FlowError("limits are made by at_most(…) and deadline(…).", seen=repr(limits))
    for root in roots:
        reads_only(root, event)
    learned = list(dict.fromkeys(w.of_event for w in windows if w.of_event is not None and w.of_event is not event))
    learned += [kind for kind in extra if kind not in learned]
    reads = [f"{kind.__name__}.{field}" for kind in (event, *learned) for field in kind.__contract__]
    require_words(cls.__name__, rules, [*reads, *map(str, windows)])
    longest = max((w.frame.last + w.frame.delay for w in windows), default=LONGEST)
    lateness = _lateness(cls.__name__, lines["lateness"]) if lines.get("lateness") is not None else longest
    asked = readings(nodes.values(), tables)
    scored = cards.scorecards_in(nodes.values())
    currency = currency_of(nodes, (*asked, *scored), lines.get("currency"), cls.__name__, lines)
    fit_currency(asked, currency, {table.read: f"{cls.__name__}.{name}" for name, table in tables.items()})
    cards.fit_currency(scored, currency, {line.key: f"{cls.__name__}.{name}" for name, line in features.items()})
    text = flow_text(cls, event, learned, lines, currency, lateness)
    return Definition(
        name=cls.__name__,
        purpose=(cls.__doc__ or "").strip(),
        event=event,
        learned=tuple(learned),
        features=MappingProxyType(features),
        rules=MappingProxyType(rules),
        tables=MappingProxyType(tables),
        packaged=MappingProxyType(packaged),
        score=score,
        alarm=alarm,
        level=level,
        caps=tuple(limit for limit in limits if isinstance(limit, AtMost)),
        deadline=next((limit for limit in limits if isinstance(limit, Deadline)), None),
        currency=currency,
        lateness=lateness,
        windows=windows,
        models=tuple(node for node in nodes.values() if isinstance(node, ModelScore)),
        readings=asked,
        packages=packages_in(nodes.values(), packaged.values()),
        scorecards=scored,
        lists=tuple(
            {node.entity_list.name: node.entity_list for node in nodes.values() if isinstance(node, ListCheck)}.values()
        ),
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        signed_by=_roles(cls),
        challenges=tuple(base.__name__ for base in cls.__mro__[1:] if "definition" in base.__dict__),
    )


def _number(name: str, value: Any) -> Expr | None:
    if value is None:
        return None
    if not isinstance(value, Expr) or not value.type.is_number:
        raise FlowError(f"{name} is a plain number.", seen=str(value))
    return value


def _learned(flow: str, said: Any) -> tuple[type[Event], ...]:
    """The further event types that a flow learns from: several, or the one that is named by itself."""
    kinds = tuple(said) if isinstance(said, _SEVERAL) else () if said is None else (said,)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Event)):
            name = kind if isinstance(kind, str) and kind.isidentifier() else "Login"
            raise FlowError(
                f"{flow}.learns names types of events.",
                seen=repr(kind),
                do=f"Write learns = ({name},), the class itself.",
            )
    return kinds


def _roles(cls: type) -> tuple[str, ...]:
    """Who must sign before a version of the flow goes live; of no effect on what is decided."""
    said = getattr(cls, "signed_by", ())
    roles = tuple(said) if isinstance(said, _SEVERAL) else () if said is None else (said,)
    if not all(isinstance(role, str) and role.strip() for role in roles):
        raise FlowError(
            f"{cls.__name__}.signed_by names roles.", seen=repr(said), do='Write signed_by = ("business", "data").'
        )
    return tuple(dict.fromkeys(roles))


def _lateness(flow: str, said: Any) -> int:
    try:
        return microseconds(said)
    except TidegateError as error:
        raise FlowError(f"{flow}.lateness is a length of time.", seen=error.seen or repr(said), do=error.do) from None

"""Flows: a function from an event and its past to a decision, written as a class."""

import difflib
import hashlib
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args, get_origin

from tidegate.decisions.drl.node import DrlPackage, packages_in, replaced
from tidegate.decisions.owners import owned
from tidegate.decisions.rule import AtMost, Bands, Deadline, Rule
from tidegate.decisions.tables.lines import fit_currency, readings, renewed, rules_of
from tidegate.decisions.tables.node import DecisionTable
from tidegate.errors import FlowError, TidegateError
from tidegate.events.currency import DECIMALS
from tidegate.events.durations import microseconds, written
from tidegate.events.event import Event, FieldContract
from tidegate.events.lines import Lines
from tidegate.events.money import Money
from tidegate.events.types import Kind
from tidegate.expressions.node import Call, Expr, FieldRead, replace, walk
from tidegate.expressions.operators import result_type
from tidegate.expressions.text import write
from tidegate.features.aggregates import probe_of
from tidegate.features.entity_list import EntityList, ListCheck
from tidegate.features.window import LONGEST, Window
from tidegate.models.score import ModelScore

if TYPE_CHECKING:
    from tidegate.decisions.plan import Plan

E = TypeVar("E", bound=Event)
_SETTINGS = ("score", "alarm", "level", "limits", "lateness", "currency", "learns", "version", "signed_by")
_MADE = ("definition", "plan")  # by us, when the class is made


@dataclass(frozen=True)
class Definition:
    """Everything that a flow says, with inheritance resolved."""

    name: str
    purpose: str
    event: type[Event]
    learned: tuple[type[Event], ...]
    features: dict[str, Expr]
    rules: dict[str, Rule]
    tables: dict[str, DecisionTable]
    packaged: dict[str, DrlPackage]
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
    lists: tuple[EntityList, ...]
    text: str
    digest: str
    signed_by: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[type[Event], ...]:
        """The event types in order of their number: the one decided on is 0."""
        return (self.event, *self.learned)


class _FlowType(type):
    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **_: Any) -> MutableMapping[str, object]:
        return Lines(name, (Expr, Rule, EntityList, Bands, DecisionTable, DrlPackage), _SETTINGS)


class Flow(Generic[E], metaclass=_FlowType):
    """What is known, inferred and thought of one type of event; subclass it and write one name a line.

    Features are expressions, rules are made by `approve`, `review` and `decline`, and by tables whose rows carry an
    outcome. Reserved names: `score` (a number),
    `level` (`bands`), `alarm` (a condition), `limits`, `lateness` (how late an event may come; default: the longest
    window), `currency` (of amounts whose contract leaves it open), `learns` (further event types), `signed_by` (the
    roles that must sign before a version goes live).

    A subclass of a flow is a challenger: what it defines again replaces the original wherever that was used.

    Raises:
        FlowError: when the class is made, for every mistake that can be seen then.
    """

    definition: ClassVar[Definition]
    plan: ClassVar["Plan"]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        parent = next((base.__dict__["definition"] for base in cls.__bases__ if "definition" in base.__dict__), None)
        if sum("definition" in base.__dict__ for base in cls.__bases__) > 1:
            raise FlowError(
                "A challenger challenges one flow.", seen=", ".join(base.__name__ for base in cls.__bases__)
            )
        event = _event_of(cls) or (parent.event if parent else None)
        if event is None:
            raise FlowError(
                "A flow says which event it decides on.",
                seen=cls.__name__,
                do=f"class {cls.__name__}(Flow[Payment]): …",
            )
        own = {name: value for name, value in cls.__dict__.items() if name[0] != "_" and name not in _MADE}
        _only_known(cls.__name__, own)
        cls.definition = _define(cls, event, _merged(parent, own, cls))
        from tidegate.decisions.planner import plan  # which reads definitions

        cls.plan = plan(cls.definition)


def _event_of(cls: type) -> type[Event] | None:
    for base in getattr(cls, "__orig_bases__", ()):
        for arg in get_args(base) if get_origin(base) is not None else ():
            if isinstance(arg, type) and issubclass(arg, Event):
                return arg
            if not isinstance(arg, TypeVar):
                raise FlowError("A flow decides on an Event.", seen=repr(arg))
    return None


def _only_known(flow: str, own: dict[str, Any]) -> None:
    for name, value in own.items():
        if isinstance(value, (Expr, Rule, EntityList, DecisionTable, DrlPackage)) or name in _SETTINGS or value is None:
            continue
        if callable(value) or isinstance(value, (property, classmethod, staticmethod)):
            raise FlowError(f"{flow}.{name} is code; a flow is data.", seen=repr(value), do="Write an expression.")
        near = difflib.get_close_matches(name, _SETTINGS, 1)
        do = "A line of a flow is an expression, a rule, or one of " + ", ".join(_SETTINGS) + "."
        if near:
            do = f"Did you mean {near[0]}?"
        elif isinstance(value, (int, float, str, Money)):
            do = f"Put constants above the class, or call it _{name}. {do}"
        raise FlowError(f"{flow}.{name} is nothing that a flow knows.", seen=repr(value), do=do)


def _merged(parent: Definition | None, own: dict[str, Any], cls: type) -> dict[str, Any]:
    """The lines of the class after those of its parent, with what is defined again put in wherever it was used."""
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
    merged: dict[str, Any] = {}
    changed: dict[int, Expr] = dict(swap)
    changed |= replaced(inherited, own)
    for name, value in inherited.items():
        if name in own:
            merged[name] = own[name]
            continue
        merged[name] = _swapped(value, changed, tables)
        if isinstance(value, Expr) and merged[name] is not value:
            changed[id(value)] = merged[name]
    for name, value in own.items():
        if name not in inherited:
            merged[name] = value  # as it is written: what it reads of the parent is the parent's
    return {name: value for name, value in merged.items() if value is not None}


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


def _number(name: str, value: Any) -> Expr | None:
    if value is None:
        return None
    if not isinstance(value, Expr) or not value.type.is_number:
        raise FlowError(f"{name} is a plain number.", seen=str(value))
    return value


def _define(cls: type, event: type[Event], lines: dict[str, Any]) -> Definition:
    extra = [kind for kind in lines.get("learns") or () if kind is not event]
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
        _reads_only(root, event)
    learned = list(dict.fromkeys(w.of_event for w in windows if w.of_event is not None and w.of_event is not event))
    learned += [kind for kind in extra if kind not in learned]
    longest = max((w.frame.last + w.frame.delay for w in windows), default=LONGEST)
    lateness = _lateness(cls.__name__, lines["lateness"]) if lines.get("lateness") is not None else longest
    asked = readings(nodes.values(), tables)
    currency = _currency(nodes, asked, lines.get("currency"), cls.__name__)
    fit_currency(asked, currency)
    text = _text(cls, event, learned, lines, currency, lateness)
    return Definition(
        name=cls.__name__,
        purpose=(cls.__doc__ or "").strip(),
        event=event,
        learned=tuple(learned),
        features=features,
        rules=rules,
        tables=tables,
        packaged=packaged,
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
        lists=tuple(
            {node.entity_list.name: node.entity_list for node in nodes.values() if isinstance(node, ListCheck)}.values()
        ),
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        signed_by=_roles(cls),
    )


def _roles(cls: type) -> tuple[str, ...]:
    """Who must sign before a version of the flow goes live; of no effect on what is decided."""
    said = getattr(cls, "signed_by", ())
    roles = (said,) if isinstance(said, str) else tuple(said or ())
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


def _reads_only(root: Expr, event: type[Event]) -> None:
    """What is decided on, and what `has_seen` looks for, reads the event's own fields and no label."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Window):
            if node.aggregate == "has_seen":
                stack.append(_probe(node, event))
            continue
        stack += node.args
        if not isinstance(node, FieldRead):
            continue
        if not issubclass(event, node.event):
            raise FlowError(
                f"{node} is not a field of {event.__name__}, the event decided on.", do="Read it through a window."
            )
        if node.event.__contract__[node.name].known_after is not None:
            raise FlowError(f"{node} is not known when the event is decided.", do="Read it through a delayed window.")


def _probe(window: Window, event: type[Event]) -> Expr:
    """What a `has_seen` looks for; it is compared cell by cell, so it is of the type of what was learned."""
    probe, value = probe_of(window, event), window.value
    if value is not None:
        result_type("eq", (probe, value))
        if probe.type.is_float is not value.type.is_float:
            raise FlowError("has_seen looks for a value of the same type.", seen=f"{probe.type} among {value.type}")
    return probe


def _currency(nodes: dict[str, Expr], tables: tuple[DecisionTable, ...], said: str | None, flow: str) -> str | None:
    """The one currency that amounts without a currency of their own are read in."""
    named = {n.type.currency for n in nodes.values() if n.type.kind is Kind.MONEY and n.type.currency}
    named |= {currency for table in tables for currency in table.currencies.values()}
    opened = [
        n for n in nodes.values() if isinstance(n, FieldRead) and n.type.kind is Kind.MONEY and not n.type.currency
    ]
    if said is not None:
        if said not in DECIMALS:
            raise FlowError("currency is a three-letter ISO 4217 code.", seen=repr(said), do='Write currency = "EUR".')
        _no_other_currency(nodes, said)
        return said
    if opened and len(named) != 1:
        raise FlowError(
            f"{flow} reads {opened[0]}, whose currency is open.",
            seen=", ".join(sorted(named)) or "no currency",
            do='Write currency = "EUR".',
        )
    return next(iter(named)) if len(named) == 1 else None


def _no_other_currency(nodes: dict[str, Expr], flow: str) -> None:
    """Amounts of open currency, read in the flow's, meet no amounts of another."""
    for node in nodes.values():
        met = {part.type.currency or flow for part in node.args if part.type.kind is Kind.MONEY}
        if isinstance(node, Call) and len(met) > 1:
            raise FlowError(
                "Two currencies in one expression.",
                seen=f"{' and '.join(sorted(met))} in {node}",
                do="Convert one first.",
            )


def _typed(field: FieldContract) -> str:
    """A field's type with everything that could change what is decided: bounds, choices, when a label is known."""
    kind = field.type
    out = f"one of {', '.join(kind.choices)}" if kind.choices else str(kind)
    out += " as a whole number" if kind.whole else ""
    out += f" up to {kind.bound}" if kind.kind in (Kind.INT, Kind.MONEY) else ""
    out += f" known after {written(field.known_after)}" if field.known_after is not None else ""
    out += f" = {field.default!r}" if field.default is not None else ""
    return out + (" | None" if field.optional else "")


def _text(
    cls: type,
    event: type[Event],
    learned: list[type[Event]],
    lines: dict[str, Any],
    currency: str | None,
    lateness: int,
) -> str:
    """The flow as text: what its digest is made of."""
    names: dict[int, str] = {}
    out = [
        f"flow on {event.__name__} v{event.__version__}",
        *(f"learns {e.__name__} v{e.__version__}" for e in learned),
    ]
    out += [f"currency = {currency!r}", f"lateness = {written(lateness)!r}"]
    for kind in (event, *learned):
        out += [f"{kind.__name__}.{f.name}: {_typed(f)}" for f in kind.__contract__.values()]
    for name, line in lines.items():
        if isinstance(line, Expr):
            out.append(f"{name} = {write(line, names)}")
            names.setdefault(id(line), name)
        elif isinstance(line, (DecisionTable, DrlPackage)):
            out.append(f"{name} = {line.written(partial(write, names=names))}")
            for node in line.outputs() if isinstance(line, DecisionTable) else line.results():
                names.setdefault(id(node), f"{name}.{node.label}")
        elif isinstance(line, Rule):
            out.append(f"{name} = {line.outcome.word}({write(line.when, names)}, because={line.because!r})")
        elif isinstance(line, Bands):
            steps = ", ".join(f"{n}={t!r}" for n, t in zip(line.names, line.thresholds, strict=True))
            out.append(f"{name} = bands({write(line.of, names)}, {steps})")
        elif name == "limits":
            out.append(f"limits = {line!r}")
    return "\n".join(out)

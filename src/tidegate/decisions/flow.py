"""Flows: a function from an event and its past to a decision, written as a class."""

import difflib
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args, get_origin

from tidegate.decisions.challenger import merged
from tidegate.decisions.definition import LINES, SETTINGS, Definition, define
from tidegate.decisions.rule import Bands
from tidegate.errors import FlowError
from tidegate.events.event import Event
from tidegate.events.lines import Lines
from tidegate.events.money import Money

if TYPE_CHECKING:
    from tidegate.decisions.plan import Plan

E = TypeVar("E", bound=Event)
_MADE = ("definition", "plan")  # by us, when the class is made


class _FlowType(type):
    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **_: Any) -> MutableMapping[str, object]:
        return Lines(name, (*LINES, Bands), SETTINGS)

    def __setattr__(cls, name: str, value: object) -> None:
        if name[:2] != "__" and (name not in _MADE or name in cls.__dict__):
            raise _unchangeable(cls.__name__, name)
        super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        raise _unchangeable(cls.__name__, name)


class Flow(Generic[E], metaclass=_FlowType):
    """What is known, inferred and thought of one type of event; subclass it and write one name a line.

    Features are expressions, rules are made by `approve`, `review` and `decline`, and by tables whose rows carry an
    outcome. Reserved names: `score` (a number), `level` (`bands`), `alarm` (a condition), `limits`, `lateness` (how
    late an event may come; default: the longest window), `currency` (of amounts whose contract leaves it open),
    `learns` (further event types), `signed_by` (the roles that must sign before a version goes live).

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
        own = {name: value for name, value in cls.__dict__.items() if name[0] != "_"}
        for name in _MADE:
            if name in own:
                raise FlowError(f"{cls.__name__}.{name} is what every flow has.", do="Call the line otherwise.")
        _only_known(cls.__name__, own)
        cls.definition = define(cls, event, merged(parent, own, cls))
        from tidegate.decisions.planner import plan  # which reads definitions

        cls.plan = plan(cls.definition)


def _unchangeable(flow: str, name: str) -> FlowError:
    return FlowError(
        f"{flow} does not change once it is made: {name} stays as it is.",
        do=f"Write a challenger, a subclass in which {name} is another: class Other({flow}): …",
    )


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
        if isinstance(value, LINES) or name in SETTINGS or value is None:
            continue
        if callable(value) or isinstance(value, (property, classmethod, staticmethod)):
            raise FlowError(f"{flow}.{name} is code; a flow is data.", seen=repr(value), do="Write an expression.")
        near = difflib.get_close_matches(name, SETTINGS, 1)
        do = "A line of a flow is an expression, a rule, or one of " + ", ".join(SETTINGS) + "."
        if near:
            do = f"Did you mean {near[0]}?"
        elif isinstance(value, (int, float, str, Money)):
            do = f"Put constants above the class, or call it _{name}. {do}"
        raise FlowError(f"{flow}.{name} is nothing that a flow knows.", seen=repr(value), do=do)

"""Whose fields the lines of a flow read: those of a parent type are the event's own that inherits them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.decisions.drl.node import DrlPackage
from tidegate.decisions.rule import Bands, Rule
from tidegate.decisions.tables.node import DecisionTable
from tidegate.errors import FlowError
from tidegate.events.event import Event
from tidegate.expressions.node import Expr, FieldRead
from tidegate.features.window import Window


def owned(lines: Mapping[str, Any], event: type[Event], learns: Sequence[type[Event]]) -> dict[str, Any]:
    """The lines with every field read on the event type that it is meant of.

    A line reads the event decided on, a window the events it is over; what either reads of a type that its event
    derives from, it reads of its event.

    Raises:
        FlowError: a window is over a type from which several of the flow's events derive.
    """
    owner = _Owner(event, learns)
    return {name: owner.line(line) for name, line in lines.items()}


def event_of(window: Window, event: type[Event], learns: Sequence[type[Event]]) -> type[Event]:
    """The type of event that a window is over: the one it names, or else the one of the flow's that derives from it.

    Raises:
        FlowError: several of them do.
    """
    said = window.of_event
    if said is None or said is event or said in learns:
        return said or event
    derived = [kind for kind in (event, *learns) if issubclass(kind, said)]
    if len(derived) > 1:
        raise FlowError(
            f"A window is over the events of one type, and several here are {said.__name__} events.",
            seen=f"{window}: {', '.join(kind.__name__ for kind in derived)}",
            do=f"Name one of them: {derived[0].__name__}.",
        )
    return derived[0] if derived else said


class _Owner:
    def __init__(self, event: type[Event], learns: Sequence[type[Event]]) -> None:
        self._event, self._learns = event, learns
        self._done: dict[tuple[int, type[Event]], Expr] = {}

    def line(self, line: Any) -> Any:
        """A line of the flow; what need not be changed is the same object."""
        if isinstance(line, Expr):
            return self._read(line, self._event)
        if isinstance(line, Rule):
            when = self._read(line.when, self._event)
            return line if when is line.when else Rule(line.outcome, when, line.because)
        if isinstance(line, Bands):
            of = self._read(line.of, self._event)
            return line if of is line.of else Bands(of, line.names, line.thresholds)
        if isinstance(line, (DecisionTable, DrlPackage)):
            return line.over(tuple(self._read(part, self._event) for part in line.args))
        return line

    def _read(self, node: Expr, by: type[Event]) -> Expr:
        """The node as it is read of an event of type `by`."""
        place = (id(node), by)
        if place not in self._done:
            self._done[place] = self._made(node, by)
        return self._done[place]

    def _made(self, node: Expr, by: type[Event]) -> Expr:
        if isinstance(node, FieldRead):
            inherited = node.event is not by and issubclass(by, node.event)
            return FieldRead(by, node.name, by.__contract__[node.name].type) if inherited else node
        if isinstance(node, Window):
            return self._window(node)
        args = tuple(self._read(part, by) for part in node.args)
        return node if all(a is b for a, b in zip(args, node.args, strict=True)) else node.with_args(args)

    def _window(self, node: Window) -> Window:
        over = event_of(node, self._event, self._learns)
        value = None if node.value is None else self._read(node.value, over)
        where = None if node.where is None else self._read(node.where, over)
        probe = None if node.probe is None else self._read(node.probe, self._event)
        named = node.of_event is None or node.of_event is over
        if named and value is node.value and where is node.where and probe is node.probe:
            return node
        return Window(
            node.aggregate,
            value,
            where,
            probe,
            per=node.per,
            seen_as=node.seen_as,
            frame=node.frame,
            of_event=node.of_event and over,
        )

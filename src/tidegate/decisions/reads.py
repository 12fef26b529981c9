"""What a flow may read of the event that it decides on."""

from tidegate.errors import FlowError
from tidegate.events.event import Event
from tidegate.expressions.node import Expr, FieldRead
from tidegate.expressions.operators import result_type
from tidegate.features.aggregates import probe_of
from tidegate.features.window import Window


def reads_only(root: Expr, event: type[Event]) -> None:
    """What is decided on, and what `has_seen` looks for, reads the event's own fields and no label.

    Raises:
        FlowError: it reads something else.
    """
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

"""What compiles and may still not be what its author meant: to be said aloud before a flow goes live."""

from typing import TYPE_CHECKING, NamedTuple

from tidegate.expressions.node import FieldRead, walk

if TYPE_CHECKING:
    from tidegate.decisions.definition import Definition


class Caution(NamedTuple):
    """Something to know: in two words, what is so, and what follows and can be done."""

    title: str
    what: str
    so: str


def cautions(flow: "Definition") -> tuple[Caution, ...]:
    """Everything to be said of a flow, the most serious first."""
    return tuple(found for found in (_currencies(flow), _own_labels(flow)) if found is not None)


def any_currency(flow: "Definition") -> tuple[str, ...]:
    """The money fields that the flow reads in its currency while their contract takes any."""
    from tidegate.decisions.planner import plan

    kinds = plan(flow).kinds
    return tuple(f"{kind.event}.{f.name}" for kind in kinds for f in kind.fields if f.currency and not f.type.currency)


def own_labels(flow: "Definition") -> tuple[str, ...]:
    """Labels of the event decided on that its windows read: a live event does not carry them."""
    read: dict[str, None] = {}
    for window in flow.windows:
        for part in (window.value, window.where):
            for node in walk(part) if part is not None else ():
                if isinstance(node, FieldRead) and issubclass(flow.event, node.event):
                    known = flow.event.__contract__[node.name].known_after
                    read |= {f"{flow.event.__name__}.{node.name}": None} if known is not None else {}
    return tuple(read)


def _currencies(flow: "Definition") -> Caution | None:
    fields, own = any_currency(flow), flow.currency
    if not fields:
        return None
    takes = "takes" if len(fields) == 1 else "take"
    return Caution(
        "any currency",
        f"{', '.join(fields)} {takes} amounts in any currency.",
        f"This flow reads {own} only: an amount in another counts as missing, in rules and in windows, and a rule\n"
        f"that compares it does not fire. To have such events refused instead, write\n"
        f'Annotated[Money, Field(currency="{own}")]; or convert to {own} before they are sent.',
    )


def _own_labels(flow: "Definition") -> Caution | None:
    labels = own_labels(flow)
    if not labels:
        return None
    return Caution(
        "own label",
        f"Windows read {', '.join(labels)}, which a live {flow.event.__name__} does not carry yet.",
        "In a backtest the labels are there, live they are missing, so the two decide differently. Learn what became\n"
        "of an event from an event of its own, such as a FraudReport, which is the same in both.",
    )

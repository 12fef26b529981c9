"""What compiles and may still not be what its author meant: to be said aloud before a flow goes live."""

import difflib
from typing import TYPE_CHECKING, NamedTuple

from tidegate.events.types import Kind
from tidegate.expressions.node import Call, Expr, FieldRead, walk
from tidegate.expressions.text import write
from tidegate.features.window import Window

if TYPE_CHECKING:
    from tidegate.decisions.definition import Definition


_NEVER_MISSING = ("count", "distinct", "total")  # windows that have a value over nothing
_FILLED = ("is_missing", "fill")
_MANY = 1_000_000  # events in one window of one entity, beyond which a total is not said to end
ENDS = 2**62
"""From here on a whole number is missing."""


class Caution(NamedTuple):
    """Something to know: in two words, what is so, and what follows and can be done."""

    title: str
    what: str
    so: str


def cautions(flow: "Definition") -> tuple[Caution, ...]:
    """Everything to be said of a flow, the most serious first."""
    every = (_misspelled(flow), _currencies(flow), _own_labels(flow), _unanswered(flow))
    return tuple(found for found in every if found is not None)


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


def unread_features(flow: "Definition") -> tuple[str, ...]:
    """The features that no other line reads: no rule, score, alarm, level, model, table or other feature."""
    whole = [rule.when for rule in flow.rules.values()]
    whole += [line for line in (flow.score, flow.alarm, flow.level.of if flow.level else None) if line is not None]
    whole += [part for table in flow.tables.values() for part in table.args]
    whole += [part for package in flow.packaged.values() for part in package.args]
    read = {node.key for root in whole for node in walk(root)}
    read |= {node.key for line in flow.features.values() for part in line.args for node in walk(part)}
    return tuple(name for name, line in flow.features.items() if line.key not in read)


def ending_totals(flow: "Definition") -> dict[str, int]:
    """The totals, as text, that so many values of the largest size bring to 2**62, where whole numbers are missing.

    Only those are told for which a million values or fewer do; how many come in a window nothing in a flow says.
    """
    found = {}
    for window in flow.windows:
        value = window.value
        if window.aggregate == "total" and value is not None and value.type.kind in (Kind.INT, Kind.MONEY):
            many = -(-ENDS // max(value.type.bound, 1))
            if many <= _MANY and not value.type.is_float:
                found[write(window)] = many
    return found


def _misspelled(flow: "Definition") -> Caution | None:
    """Features that only their name keeps from being the score or the alarm, which the flow lacks."""
    found = []
    for word, lacks in (("score", flow.score is None), ("alarm", flow.alarm is None)):
        fits = {
            name: idle
            for name, line in flow.features.items()
            if (line.type.kind is Kind.BOOL if word == "alarm" else line.type.is_number) and (idle := _idle(name, flow))
        }
        near = difflib.get_close_matches(word, fits, 1, 0.8) if lacks else []
        found += [(f"{name} {fits[name]}, and the flow has no {word}", word) for name in near]
    if not found:
        return None
    return Caution(
        "a feature only",
        "; ".join(said for said, _ in found) + ".",
        f"Did you mean {' and '.join(word for _, word in found)}? A line of another name is a feature, which decides "
        "nothing by itself.",
    )


def _idle(name: str, flow: "Definition") -> str:
    """In words, why a feature seems not to be read; empty if it is read."""
    own = flow.features[name].key
    same = [other for other, line in flow.features.items() if line.key == own and other != name]
    if same:  # which of the names was read cannot be told: they are one value
        return f"is another name of {same[0]}"
    roots = [line for other, line in flow.features.items() if other != name]
    roots += [rule.when for rule in flow.rules.values()]
    roots += [line for line in (flow.alarm, flow.level.of if flow.level else None) if line is not None]
    roots += [part for table in flow.tables.values() for part in table.args]
    roots += [part for package in flow.packaged.values() for part in package.args]
    return "" if any(node.key == own for root in roots for node in walk(root)) else "is read by no other line"


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


def _unanswered(flow: "Definition") -> Caution | None:
    """Values that may be missing, given to a model that has no answer then; of models that are files."""
    found = []
    for node in flow.models:
        scoring = node.scoring
        for one, part in zip(scoring.inputs if scoring is not None else (), node.args, strict=False):
            if not one.answers_missing and _may_be_missing(part):
                found.append(f"{one.name} of {node.reference.partition('@')[0]}")
    if not found:
        return None
    return Caution(
        "no answer",
        f"{', '.join(found)} may be missing, and the model has no answer then.",
        "Its otherwise= is used, and the decision says so. If the model answers where a value is missing, say\n"
        'missing="pass"; or give it a value in its place with .otherwise(…).',
    )


def _may_be_missing(node: Expr) -> bool:
    """Whether a field or window that may have no value is in an expression with nothing said in its place."""
    if isinstance(node, Call) and node.op in _FILLED:
        return False
    if isinstance(node, FieldRead):
        return bool(node.event.__contract__[node.name].optional)
    if isinstance(node, Window):
        return node.aggregate not in _NEVER_MISSING
    return any(_may_be_missing(part) for part in node.args)

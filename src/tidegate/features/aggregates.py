"""The aggregates an author writes: `count(per=Card, last="10m")`.

All of them take `per` (an entity, a field in that role, or a pair), `last` (how far back, 1 s to 400 d), and by keyword

- `where`: a condition on the learned event; only those for which it holds are counted,
- `delay`: the window ends this long before the event,
- `with_current`: count the event decided on as well,
- `seen_as`: the role under which events were filed, if not the one read (`per=Transfer.payer, seen_as=Transfer.payee`).

An event whose value is missing is not counted by aggregates over a value.
"""

from datetime import timedelta
from typing import Any, TypedDict, Unpack

from tidegate.errors import FlowError
from tidegate.events.event import Event
from tidegate.expressions.node import Expr, FieldRead, walk
from tidegate.features.window import Window, window


class Options(TypedDict, total=False):
    """What every aggregate takes beside its value, `per` and `last`."""

    where: Expr | None
    delay: str | timedelta
    with_current: bool
    seen_as: Any


def _of(event: type[Event] | None) -> type[Event] | None:
    if event is not None and not (isinstance(event, type) and issubclass(event, Event)):
        raise FlowError("What is counted is an event type.", seen=repr(event), do="Put conditions into where=.")
    return event


def count(of: type[Event] | None = None, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """How many events; of the flow's own type unless another is given.

    Where a parent type is given, those of the one type of the flow's that derives from it.
    """
    return window("count", None, of=_of(of), per=per, last=last, **options)


def total(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The sum of the value; zero over nothing.

    Of whole numbers, money (in minor units) and durations (in µs) it is exact below 2**62 and missing from there on; of
    floats it is missing where it is too large for a float.
    """
    return window("total", value, per=per, last=last, **options)


def mean(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The arithmetic mean; missing over nothing."""
    return window("mean", value, per=per, last=last, **options)


def std(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The sample standard deviation (n - 1); missing over fewer than two values."""
    return window("std", value, per=per, last=last, **options)


def minimum(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The smallest value; missing over nothing."""
    return window("minimum", value, per=per, last=last, **options)


def maximum(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The largest value; missing over nothing."""
    return window("maximum", value, per=per, last=last, **options)


def distinct(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """How many different values."""
    return window("distinct", value, per=per, last=last, **options)


def share(condition: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The share of events for which the condition holds, among those for which it is not missing; missing over none."""
    return window("share", condition, per=per, last=last, **options)


def mode(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The most frequent value; of equally frequent ones the most recently seen; missing over nothing."""
    return window("mode", value, per=per, last=last, **options)


def has_seen(
    value: Expr, *, per: Any, last: str | timedelta, current: Expr | None = None, **options: Unpack[Options]
) -> Window:
    """Whether the event's value occurs in the window; missing if the event's value is.

    `current` is the value to look for, where the window is over another type of event than the flow decides on.
    """
    return window("has_seen", value, per=per, last=last, probe=current, **options)


def first(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The oldest value in the window; missing over nothing."""
    return window("first", value, per=per, last=last, **options)


def last_value(value: Expr, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The newest value in the window; missing over nothing."""
    return window("last_value", value, per=per, last=last, **options)


def nth_previous(value: Expr, n: int, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """The n-th newest value in the window, 1 being the newest; missing over fewer."""
    if type(n) is not int or not 1 <= n <= 1000:
        raise FlowError(
            "nth_previous counts from 1 to 1000, in whole numbers.", seen=repr(n), do="1 is the newest of the window."
        )
    return window("nth_previous", value, n=n, per=per, last=last, **options)


def since_last(of: type[Event] | None = None, *, per: Any, last: str | timedelta, **options: Unpack[Options]) -> Window:
    """How long ago the newest event in the window was; missing over none."""
    return window("since_last", None, of=_of(of), per=per, last=last, **options)


def since_first(
    of: type[Event] | None = None, *, per: Any, last: str | timedelta, **options: Unpack[Options]
) -> Window:
    """How long ago the oldest event in the window was; missing over none."""
    return window("since_first", None, of=_of(of), per=per, last=last, **options)


def probe_of(has: Window, decided: type[Event]) -> Expr:
    """The expression over the event decided on that a `has_seen` looks for.

    Raises:
        FlowError: the window is over another type of event and `current=` was left out.
    """
    if has.probe is not None:
        return has.probe
    value = has.args[0]  # no has_seen is without one
    if any(isinstance(node, FieldRead) and not issubclass(decided, node.event) for node in walk(value)):
        raise FlowError(
            f"has_seen looks among {has.of_event.__name__ if has.of_event else 'other'} events.",
            seen=str(has),
            do=f"Say which value of {decided.__name__} to look for: current={decided.__name__}.….",
        )
    return value

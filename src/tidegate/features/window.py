"""Window features: what is known of an entity's past, as of an event."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tidegate.errors import FlowError
from tidegate.events.durations import microseconds, written
from tidegate.events.entity import EntityKey, entity_meant
from tidegate.events.event import Event, FieldContract
from tidegate.events.types import BOOL, DURATION, FLOAT, INT, Kind, Type
from tidegate.expressions.immutable import fill
from tidegate.expressions.node import Expr, FieldRead, walk

SHORTEST, LONGEST = 10**6, 400 * 86_400 * 10**6


@dataclass(frozen=True)
class Frame:
    """Which part of the past a window holds: `at - delay - last < at' <= at - delay`, in microseconds."""

    last: int
    delay: int = 0
    with_current: bool = False
    n: int = 1


class Window(Expr):
    """An aggregate over the learned events of one entity in a frame of time.

    `per` says whose events are read (entities, or fields of the event decided on); `seen_as` the role under which the
    events were filed, where it is another one.
    """

    __slots__ = ("_parts", "aggregate", "frame", "of_event", "per", "seen_as")
    aggregate: str
    per: tuple[Any, ...]
    seen_as: tuple[Any, ...]
    frame: Frame
    of_event: type[Event] | None
    _parts: tuple[bool, bool, bool]

    def __init__(
        self,
        aggregate: str,
        value: Expr | None,
        where: Expr | None,
        probe: Expr | None,
        *,
        per: tuple[Any, ...],
        seen_as: tuple[Any, ...],
        frame: Frame,
        of_event: type[Event] | None,
    ) -> None:
        fill(self, "aggregate", aggregate)
        fill(self, "per", per)
        fill(self, "seen_as", seen_as)
        fill(self, "frame", frame)
        fill(self, "of_event", of_event)
        fill(self, "_parts", (value is not None, where is not None, probe is not None))
        fill(self, "args", tuple(part for part in (value, where, probe) if part is not None))
        fill(self, "type", _result(aggregate, value))
        _check(self)

    def _own_key(self) -> tuple[Any, ...]:
        event = self.of_event.__name__ if self.of_event else ""
        return ("window", self.aggregate, event, _names(self.per), _names(self.seen_as), self.frame, self._parts)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """The same window over another value, condition and probe, as far as it has them."""
        left = iter(args)
        value, where, probe = (next(left) if there else None for there in self._parts)
        return Window(
            self.aggregate,
            value,
            where,
            probe,
            per=self.per,
            seen_as=self.seen_as,
            frame=self.frame,
            of_event=self.of_event,
        )

    def _part(self, index: int) -> Expr | None:
        return self.args[sum(self._parts[:index])] if self._parts[index] else None

    @property
    def value(self) -> Expr | None:
        """What is aggregated; none for plain counts."""
        return self._part(0)

    @property
    def where(self) -> Expr | None:
        """Which learned events count; none for all."""
        return self._part(1)

    @property
    def probe(self) -> Expr | None:
        """For `has_seen`, the value of the event decided on that is looked for."""
        return self._part(2)

    def write(self, inner: Any) -> str:
        """The text form, as the author would write it."""
        first: list[str] = []
        if self.of_event is not None and self.value is None:
            first.append(self.of_event.__name__)
        if self.value is not None:
            first.append(inner(self.value))
        if self.aggregate == "nth_previous":
            first.append(str(self.frame.n))
        first.append("per=" + _written_keys(self.per))
        if self.seen_as:
            first.append("seen_as=" + _written_keys(self.seen_as))
        first.append(f"last={written(self.frame.last)!r}")
        if self.where is not None:
            first.append("where=" + inner(self.where))
        if self.frame.delay:
            first.append(f"delay={written(self.frame.delay)!r}")
        if self.frame.with_current:
            first.append("with_current=True")
        if self.probe is not None and self.value is not None and self.probe.key != self.value.key:
            first.append("current=" + inner(self.probe))
        return f"{self.aggregate}({', '.join(first)})"


def _names(keys: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(k.entity_name if hasattr(k, "entity_name") else f"{k.event.__name__}.{k.name}" for k in keys)


def _written_keys(keys: tuple[Any, ...]) -> str:
    names = [k.__name__ if isinstance(k, type) else str(k) for k in keys]
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _events_in(expr: Expr) -> set[type[Event]]:
    return {node.event for node in walk(expr) if isinstance(node, FieldRead)}


def _result(aggregate: str, value: Expr | None) -> Type:
    if aggregate == "count":
        return INT
    if aggregate in ("since_last", "since_first"):
        return DURATION
    if value is None:
        raise FlowError(f"{aggregate} is of a value.", seen="None", do=f"Name one: {aggregate}(Payment.amount, …).")
    if aggregate == "distinct":
        return INT
    if aggregate == "share":
        return FLOAT
    if aggregate == "has_seen":
        return BOOL
    if aggregate in ("total", "mean", "std", "minimum", "maximum") and not value.type.is_quantity:
        do = "Write share for a condition; mode, distinct or last_value for texts, keys and times."
        raise FlowError(f"{aggregate} takes numbers, money or durations.", seen=f"{value} ({value.type})", do=do)
    if aggregate in ("mean", "std"):
        return value.type.averaged()
    return replace(value.type, bound=2**53) if aggregate == "total" else value.type


def _check(window: Window) -> None:
    frame = window.frame
    if not SHORTEST <= frame.last <= LONGEST:
        do = "Write last='1s' or more." if frame.last < SHORTEST else "Write last='400d' or less."
        raise FlowError("A window lasts from 1 second to 400 days.", seen=f"last={written(frame.last)!r}", do=do)
    if not 0 <= frame.delay <= LONGEST:
        do = "Write delay='400d' or less."
        raise FlowError("A window is delayed by 400 days at most.", seen=f"delay={written(frame.delay)!r}", do=do)
    if frame.delay and frame.with_current:
        raise FlowError("A delayed window cannot hold the current event.", do="Leave out delay= or with_current=.")
    if window.aggregate == "share" and window.value is not None and window.value.type.kind is not Kind.BOOL:
        raise FlowError("share takes a condition.", seen=f"{window.value} ({window.value.type})")
    for part in (window.value, window.where):
        if part is None:
            continue
        for node in walk(part):
            if isinstance(node, Window):
                raise FlowError("A window holds fields of events, not other windows.", seen=str(node))
            if isinstance(node, FieldRead):
                _no_leak(node, frame)
    if window.where is not None and window.where.type.kind is not Kind.BOOL:
        seen = f"{window.where} ({window.where.type})"
        raise FlowError("where= takes a condition.", seen=seen, do="Compare something: where=Payment.amount > eur(5).")


def _no_leak(node: FieldRead, frame: Frame) -> None:
    contract: FieldContract = node.event.__contract__[node.name]
    if contract.known_after is not None and frame.delay < contract.known_after:
        raise FlowError(
            f"{node} is known only {written(contract.known_after)} after the event: this window would leak the future.",
            seen=f"delay={written(frame.delay)!r}" if frame.delay else "a window without delay=",
            do=f"Write delay={written(contract.known_after)!r} or longer.",
        )


def _keys(per: Any, word: str) -> tuple[Any, ...]:
    keys = tuple(per) if isinstance(per, (tuple, list)) else (per,)
    for key in keys:
        entity = isinstance(key, type) and issubclass(key, EntityKey)
        field = isinstance(key, FieldRead) and key.type.kind is Kind.KEY
        if not (entity or field):
            raise FlowError(
                f"{word}= takes an entity, a field that is one, or two of them.", seen=repr(key), do=entity_meant(key)
            )
    if not 1 <= len(keys) <= 2:
        raise FlowError(f"{word}= takes one entity or a pair.", seen=f"{len(keys)} of them")
    return keys


def _single_event(parts: tuple[Expr | None, ...], aggregate: str) -> type[Event] | None:
    found: set[type[Event]] = set()
    for part in parts:
        if part is not None:
            found |= _events_in(part)
    # what an event inherits may be read of the type that it derives from
    found = {event for event in found if not any(other is not event and issubclass(other, event) for other in found)}
    if len(found) > 1:
        names = " and ".join(sorted(event.__name__ for event in found))
        raise FlowError(f"{aggregate} is over the events of one type.", seen=names)
    return next(iter(found), None)


def window(
    aggregate: str,
    value: Expr | None,
    *,
    per: Any,
    last: str | timedelta,
    of: type[Event] | None = None,
    where: Expr | None = None,
    delay: str | timedelta = "0s",
    with_current: bool = False,
    seen_as: Any = None,
    n: int = 1,
    probe: Expr | None = None,
) -> Window:
    """Make a window feature; the named aggregates (`count`, `mean`, …) are what authors call.

    Raises:
        FlowError: the frame is out of bounds, types do not fit, or the window would see a label before it is known.
    """
    for part, word in ((value, "what it is of"), (where, "where=")):
        if part is not None and not isinstance(part, Expr):
            do = "Leave where= out where every event counts." if isinstance(part, bool) else ""
            raise FlowError(f"{aggregate}: {word} is an expression.", seen=repr(part), do=do)
    event = _single_event((value, where), aggregate)
    if of is not None and event is not None and not issubclass(of, event):
        raise FlowError(
            f"{aggregate} is over {of.__name__} events, and reads a field of {event.__name__}.",
            seen=str(where if value is None else value),
            do=f"Write a condition on {of.__name__}, or count {event.__name__} events.",
        )
    if not isinstance(with_current, bool):
        raise FlowError("with_current= is True or False.", seen=repr(with_current), do="Write with_current=True.")
    event = of or event
    seen = () if seen_as is None else _keys(seen_as, "seen_as")
    for key in seen:
        if isinstance(key, FieldRead):
            event = event or key.event
    frame = Frame(microseconds(last), microseconds(delay), with_current, n)
    return Window(aggregate, value, where, probe, per=_keys(per, "per"), seen_as=seen, frame=frame, of_event=event)

"""Random event types, flows and streams."""

import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any

from hypothesis import strategies as st

from tests.conformance.formulas import EPOCH, TEXTS, Formulas
from tidegate.decisions.flow import Flow
from tidegate.decisions.lists import ListChange
from tidegate.decisions.rule import AtMost, approve, at_most, bands, decline, review
from tidegate.events.entity import entity
from tidegate.events.event import Event
from tidegate.events.field import Field
from tidegate.events.money import Money
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr, Literal
from tidegate.features.entity_list import entity_list
from tidegate.features.window import Window, window

Draw = Callable[[Any], Any]

Card = entity("card")
Shop = entity("shop", key=int)


class Channel(Enum):
    APP = "app"
    WEB = "web"
    DESK = "desk"


_CARDS = st.sampled_from(["a", "a", "a", "b", "ç"])
_SHOPS = st.sampled_from([0, 0, 1, -7, 2**62])
_EUROS = st.integers(0, 3000).map(lambda n: Money(n, "EUR"))
_FOREIGN = st.builds(Money, st.integers(0, 3000), st.sampled_from(["USD", "JPY"]))

FIELDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "small": (Annotated[int, Field(ge=-5, le=12)], st.integers(-5, 12)),
    "wide": (int, st.one_of(st.integers(-3, 3), st.integers(-(2**53), 2**53))),
    "eighths": (float, st.integers(-40, 80).map(lambda n: n / 8)),
    "rough": (float, st.floats(-1e6, 1e6, allow_subnormal=False)),
    "wild": (float, st.one_of(st.sampled_from([0.0, -0.0, 1e100, -1e100]), st.floats(-1e100, 1e100))),
    "flag": (bool, st.booleans()),
    "country": (str, st.sampled_from(TEXTS)),
    "channel": (Channel, st.sampled_from(Channel)),
    "euros": (Annotated[Money, Field(currency="EUR")], _EUROS),
    "amount": (
        Money,
        st.one_of(_EUROS, st.builds(Money, st.integers(0, 3000), st.sampled_from(["EUR", "USD", "JPY"]))),
    ),
    "since": (datetime, st.integers(0, 80).map(lambda n: EPOCH + timedelta(seconds=n / 4))),
}
"""Field name -> its annotation and values."""


@dataclass(frozen=True)
class Made:
    """A random event type, with how to draw each of its fields."""

    event: type[Event]
    values: dict[str, st.SearchStrategy[Any]]

    def draw(self, draw: Draw, number: int, at: datetime) -> Event:
        fields = {name: draw(values) for name, values in self.values.items()}
        return self.event(id=f"e{number}", at=at, **fields)

    def leaves(self) -> list[Expr]:
        """Its fields as expressions; keys too."""
        return [getattr(self.event, name) for name in ("at", *self.values)]

    def cards(self) -> list[Expr]:
        return [getattr(self.event, name) for name in ("card", "payee") if name in self.values]


def made_event(draw: Draw, name: str) -> Made:
    """An event type with a card, perhaps a shop and a second card in another role, and random fields, some optional."""
    hints: dict[str, Any] = {"card": Card}
    values: dict[str, st.SearchStrategy[Any]] = {"card": _CARDS}
    extra: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {}
    if draw(st.booleans()):
        extra["shop"] = (Shop, _SHOPS)
    if draw(st.integers(0, 3)) == 0:
        extra["payee"] = (Card, _CARDS)
    for field in draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=5, unique=True)):
        extra[field] = FIELDS[field]
    for field, (hint, strategy) in extra.items():
        optional = draw(st.booleans())
        hints[field] = _optional(hint) if optional else hint
        values[field] = st.one_of(strategy, strategy, strategy, st.none()) if optional else strategy
    event = type(Event)(name, (Event,), {"__annotations__": hints, "__module__": __name__})
    return Made(event, values)


def _optional(hint: Any) -> Any:
    inner = getattr(hint, "__origin__", None)
    if inner is not None and hasattr(hint, "__metadata__"):
        return Annotated[inner | None, *hint.__metadata__]
    return hint | None


_LASTS = ("1s", "2s", "3s", "5s", "10s", "10s", "1m", "1m", "1h", "400d")
_DELAYS = ("0s", "0s", "0s", "0s", "0s", "1s", "2s", "500ms")
_ANY = (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.TEXT, Kind.BOOL, Kind.TIME, Kind.DURATION)
_QUANTITIES = (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.DURATION)
_VALUES: dict[str, tuple[Kind, ...]] = {
    "count": (),
    "since_last": (),
    "since_first": (),
    "share": (Kind.BOOL,),
    **dict.fromkeys(("total", "mean", "std", "minimum", "maximum"), _QUANTITIES),
    **dict.fromkeys(("distinct", "mode", "has_seen", "first", "last_value", "nth_previous"), _ANY),
}


def made_window(draw: Draw, decided: Made, others: list[Made]) -> Window:
    """Any aggregate over any of the events, in any frame, by any keys."""
    of = draw(st.sampled_from([decided, decided, *others]))
    own = of is decided
    aggregate = draw(st.sampled_from(sorted(_VALUES)))
    value, probe = None, None
    formulas = Formulas(draw, of.leaves())
    if _VALUES[aggregate]:
        value = _value(draw, formulas, of, _VALUES[aggregate])
    if aggregate == "has_seen" and not own and value is not None:
        probe = Formulas(draw, decided.leaves()).of(value.type.kind, 1) if value.type.kind is not Kind.KEY else None
        unlike = probe is None or probe.type.is_float is not value.type.is_float
        if unlike or isinstance(probe, Literal) or isinstance(value, Literal):
            value, probe = of.event.at, decided.event.at
    where = _condition(draw, formulas, of) if draw(st.integers(0, 3)) == 0 else None
    per, seen_as = _keys(draw, decided, of)
    delay = draw(st.sampled_from(_DELAYS))
    return window(
        aggregate,
        value,
        per=per,
        seen_as=seen_as,
        of=None if own and draw(st.booleans()) and value is None and where is None else of.event,
        last=draw(st.sampled_from(_LASTS)),
        where=where,
        delay=delay,
        with_current=own and delay == "0s" and draw(st.integers(0, 3)) == 0,
        n=draw(st.integers(1, 3)) if aggregate == "nth_previous" else 1,
        probe=probe,
    )


def _value(draw: Draw, formulas: Formulas, of: Made, kinds: tuple[Kind, ...]) -> Expr:
    ready = [leaf for leaf in of.leaves() if leaf.type.kind in kinds or (kinds is _ANY and leaf.type.kind is Kind.KEY)]
    if ready and draw(st.integers(0, 3)):
        return draw(st.sampled_from(ready))  # type: ignore[no-any-return]
    return _own(formulas.of(draw(st.sampled_from(kinds)), 2), of)


def _condition(draw: Draw, formulas: Formulas, of: Made) -> Expr:
    return _own(formulas.of(Kind.BOOL, 2), of)


def _own(made: Expr, of: Made) -> Expr:
    """The expression, or one like it that reads the event where it is but a constant."""
    if not isinstance(made, Literal):
        return made
    return (of.event.card == "a") if made.type.kind is Kind.BOOL else of.event.at - of.event.at  # type: ignore[attr-defined, no-any-return]


def _keys(draw: Draw, decided: Made, of: Made) -> tuple[Any, Any]:
    """`per` and `seen_as` that name one field each in the event that reads and the event that is learned."""
    reads = draw(st.sampled_from(decided.cards()))
    files = draw(st.sampled_from(of.cards()))
    both_have_shops = "shop" in decided.values and "shop" in of.values
    choice = draw(st.integers(0, 3))
    if choice == 0 and both_have_shops:
        return Shop, None
    if choice == 1 and both_have_shops:
        return (reads, Shop), (files, Shop)
    if choice == 2 and len(decided.cards()) == len(of.cards()) == 1:
        return Card, None
    if of is decided and draw(st.booleans()):
        return reads, None
    return reads, files


def made_flow(draw: Draw) -> tuple[type[Flow[Any]], Made, list[Made]]:
    """A flow on a random event, learning from up to two others."""
    decided = made_event(draw, "Paid")
    watched = entity_list("watched", Card)
    others = [made_event(draw, name) for name in ("Login", "Report")[: draw(st.integers(0, 2))]]
    lines: dict[str, Any] = {"currency": "EUR"}
    formulas = Formulas(draw, [*decided.leaves(), *(watched.has(card) for card in decided.cards())])
    for number in range(draw(st.integers(1, 5))):
        lines[f"w{number}"] = made_window(draw, decided, others)
        formulas.leaves.append(lines[f"w{number}"])
    for number in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(_ANY))
        lines[f"d{number}"] = formulas.of(kind, 3)
        formulas.leaves.append(lines[f"d{number}"])
    for number in range(draw(st.integers(1, 3))):
        make = draw(st.sampled_from([approve, review, review, decline, decline]))
        lines[f"r{number}"] = make(formulas.of(Kind.BOOL, 2), because=f"Reason {number}")
    if draw(st.booleans()):
        lines["score"] = formulas.number(2)
        lines["level"] = bands(lines["score"], low=-1.0, middle=0.5, high=3.0)
    if draw(st.booleans()):
        lines["alarm"] = formulas.of(Kind.BOOL, 2)
    if draw(st.integers(0, 2)) == 0:
        lines["limits"] = [_cap(draw) for _ in range(draw(st.integers(1, 2)))]
    if draw(st.booleans()):
        lines["lateness"] = draw(st.sampled_from(["0s", "1s", "4s", "1h"]))
    if others:
        lines["learns"] = [other.event for other in others]
    flow = types.new_class("Random", (Flow[decided.event],), {}, lambda space: space.update(lines))  # type: ignore[name-defined]
    return flow, decided, others


def _cap(draw: Draw) -> AtMost:
    limited, then = draw(st.sampled_from([("decline", "review"), ("decline", "approve"), ("review", "approve")]))
    return at_most(draw(st.integers(1, 3)), limited, last=draw(st.sampled_from(_LASTS)), then=then)


_STEPS = st.sampled_from([0, 0, 0, 1, 250_000, 500_000, 500_000, 1_000_000, 1_000_000, 999_999, 2_000_000, 7_000_000])
_BACK = st.sampled_from([1, 250_000, 500_000, 1_000_000, 2_000_000, 3_500_000, 30_000_000])


def made_stream(draw: Draw, decided: Made, others: list[Made], lateness: int, longest: int = 30) -> list[Event]:
    """Events in order of arrival: ties, some late within the lateness, all kinds mixed."""
    clock, events = 0, []
    for number in range(draw(st.one_of(st.integers(1, longest), st.integers(longest // 2, longest)))):
        clock += draw(_STEPS)
        late = min(draw(_BACK), lateness, clock) if draw(st.integers(0, 4)) == 0 else 0
        at = EPOCH + timedelta(microseconds=clock - late)
        made = draw(st.sampled_from([decided] * 6 + others * 2 + [None]))
        events.append(made.draw(draw, number, at) if made else _list_change(draw, number, at))
    return events


def _list_change(draw: Draw, number: int, at: datetime) -> ListChange:
    until = at + timedelta(seconds=draw(st.integers(-1, 5))) if draw(st.booleans()) else None
    listed = draw(st.integers(0, 2)) > 0
    return ListChange(
        id=f"e{number}", at=at, list="watched", key=draw(_CARDS), listed=listed, until=until, because=None
    )


@st.composite
def cases(draw: Draw, longest: int = 30) -> tuple[type[Flow[Any]], list[Event]]:
    """A flow, and a stream of events for it in order of arrival."""
    flow, decided, others = made_flow(draw)
    events = made_stream(draw, decided, others, flow.definition.lateness, longest)
    # a change to a list that the flow does not read is refused; that has a test of its own
    return flow, [event for event in events if flow.definition.lists or not isinstance(event, ListChange)]

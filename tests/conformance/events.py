"""Random event types: their own fields, and those that they inherit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated, Any

from hypothesis import strategies as st

from tests.conformance.literals import EPOCH, TEXTS
from tidegate.events.entity import entity
from tidegate.events.event import Event
from tidegate.events.field import Field
from tidegate.events.money import Money
from tidegate.expressions.node import Expr

Draw = Callable[[Any], Any]
Values = dict[str, st.SearchStrategy[Any]]

Card = entity("card")
Shop = entity("shop", key=int)

CARDS = ("a", "b", "ç")
SHOPS = (0, 1, -7, 2**62)


class Channel(Enum):
    APP = "app"
    WEB = "web"
    DESK = "desk"


_CARDS = st.sampled_from([*CARDS[:1] * 3, *CARDS[1:]])
_SHOPS = st.sampled_from([*SHOPS[:1] * 2, *SHOPS[1:]])
_EUROS = st.integers(0, 3000).map(lambda n: Money(n, "EUR"))

FIELDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "small": (Annotated[int, Field(ge=-5, le=12)], st.integers(-5, 12)),
    "wide": (int, st.one_of(st.integers(-3, 3), st.integers(-(2**53), 2**53))),
    "eighths": (float, st.integers(-40, 80).map(lambda n: n / 8)),
    "rough": (float, st.floats(-1e6, 1e6, allow_subnormal=False)),
    "wild": (float, st.one_of(st.sampled_from([0.0, -0.0, 1e100, -1e100]), st.floats(-1e100, 1e100))),
    "vast": (float, st.sampled_from([1.0, 1e308, 1e308, -1e308, 1.7e308, -1.7e308])),
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
    """A random event type, how to draw each of its fields, and the type it derives from, if it is one of a family."""

    event: type[Event]
    values: Values
    parent: "Made | None" = None

    def draw(self, draw: Draw, number: int, at: datetime) -> Event:
        fields = {name: draw(values) for name, values in self.values.items()}
        return self.event(id=f"e{number}", at=at, **fields)

    def own(self) -> list[Expr]:
        """Its fields as expressions, keys too."""
        return [getattr(self.event, name) for name in ("at", *self.values)]

    def leaves(self) -> list[Expr]:
        """Its fields, and what it inherits once more as its parent's."""
        return self.own() + (self.parent.own() if self.parent else [])

    def cards(self) -> list[Expr]:
        return [getattr(self.event, name) for name in ("card", "payee") if name in self.values]


def made_event(draw: Draw, name: str, parent: Made | None = None) -> Made:
    """An event type with a card, perhaps a shop and a second card in another role, and random fields, some optional."""
    inherited: Values = parent.values if parent else {}
    values = dict(inherited) or {"card": _CARDS}
    hints: dict[str, Any] = {} if parent else {"card": Card}
    extra: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {}
    if draw(st.booleans()):
        extra["shop"] = (Shop, _SHOPS)
    if draw(st.integers(0, 3)) == 0:
        extra["payee"] = (Card, _CARDS)
    for field in draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=5, unique=True)):
        extra[field] = FIELDS[field]
    for field, (hint, strategy) in extra.items():
        if field in inherited:
            continue
        optional = draw(st.booleans())
        hints[field] = _optional(hint) if optional else hint
        values[field] = st.one_of(strategy, strategy, strategy, st.none()) if optional else strategy
    event = type(Event)(name, (parent.event if parent else Event,), {"__annotations__": hints, "__module__": __name__})
    return Made(event, values, parent)


def _optional(hint: Any) -> Any:
    inner = getattr(hint, "__origin__", None)
    if inner is not None and hasattr(hint, "__metadata__"):
        return Annotated[inner | None, *hint.__metadata__]
    return hint | None

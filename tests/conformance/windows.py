"""Random windows: any aggregate over any of the events, in any frame, by any keys."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.conformance.events import Card, Draw, Made, Shop
from tests.conformance.formulas import Formulas
from tidegate.events.types import Kind
from tidegate.expressions.node import Expr, FieldRead, Literal, walk
from tidegate.features.entity_list import EntityList
from tidegate.features.window import Window, window

LASTS = ("1s", "2s", "3s", "5s", "10s", "10s", "1m", "1m", "1h", "400d")
_DELAYS = ("0s", "0s", "0s", "0s", "0s", "1s", "2s", "500ms")
_ANY = (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.TEXT, Kind.BOOL, Kind.TIME, Kind.DURATION)
_QUANTITIES = (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.DURATION)
VALUES: dict[str, tuple[Kind, ...]] = {
    "count": (),
    "since_last": (),
    "since_first": (),
    "share": (Kind.BOOL,),
    **dict.fromkeys(("total", "mean", "std", "minimum", "maximum"), _QUANTITIES),
    **dict.fromkeys(("distinct", "mode", "has_seen", "first", "last_value", "nth_previous"), _ANY),
}
"""Every aggregate, and the kinds of value that it takes."""


def made_window(draw: Draw, decided: Made, others: Sequence[Made], lists: Sequence[EntityList] = ()) -> Window:
    """A window that the event decided on reads, over events of its own type or of another."""
    of = draw(st.sampled_from([decided, *others]))
    own = of is decided
    aggregate = draw(st.sampled_from(sorted(VALUES)))
    value, probe = None, None
    formulas = Formulas(draw, of.leaves())
    if VALUES[aggregate]:
        value = _value(draw, formulas, of, VALUES[aggregate])
    if aggregate == "has_seen" and value is not None and (not own or draw(st.integers(0, 3)) == 0):
        probe = Formulas(draw, decided.leaves()).of(value.type.kind, 1) if value.type.kind is not Kind.KEY else None
        unlike = probe is None or probe.type.is_float is not value.type.is_float
        if unlike or isinstance(probe, Literal) or isinstance(value, Literal):
            value, probe = of.event.at, decided.event.at
    where = _condition(formulas, of, lists) if draw(st.integers(0, 3)) == 0 else None
    per, seen_as = _keys(draw, decided, of)
    delay = draw(st.sampled_from(_DELAYS))
    return window(
        aggregate,
        value,
        per=per,
        seen_as=seen_as,
        of=None if own and draw(st.booleans()) and value is None and where is None else of.event,
        last=draw(st.sampled_from(LASTS)),
        where=where,
        delay=delay,
        with_current=own and delay == "0s" and draw(st.booleans()),
        n=draw(st.integers(1, 3)) if aggregate == "nth_previous" else 1,
        probe=probe,
    )


def _value(draw: Draw, formulas: Formulas, of: Made, kinds: tuple[Kind, ...]) -> Expr:
    ready = [leaf for leaf in of.own() if leaf.type.kind in kinds or (kinds is _ANY and leaf.type.kind is Kind.KEY)]
    if ready and draw(st.integers(0, 3)):
        return draw(st.sampled_from(ready))  # type: ignore[no-any-return]
    return _own(formulas.of(draw(st.sampled_from(kinds)), 2), of)


def _condition(formulas: Formulas, of: Made, lists: Sequence[EntityList]) -> Expr:
    """A condition on the learned event; it may ask whether that event's entity is on a list."""
    listed = checks(lists, of)
    if listed and formulas.draw(st.integers(0, 3)) == 0:
        found = formulas.pick(listed)
        return found if formulas.draw(st.booleans()) else ~found
    return _own(formulas.of(Kind.BOOL, 2), of)


def checks(lists: Sequence[EntityList], made: Made) -> list[Expr]:
    """Every question that an event's fields can ask of the lists."""
    keys = [leaf for leaf in made.leaves() if leaf.type.kind is Kind.KEY]
    return [known.has(key) for known in lists for key in keys if key.type.entity == known.entity.entity_name]


def _own(made: Expr, of: Made) -> Expr:
    """The expression, or one like it that reads the event itself where it is a constant or reads only its parent."""
    if any(isinstance(node, FieldRead) and node.event is of.event for node in walk(made)):
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

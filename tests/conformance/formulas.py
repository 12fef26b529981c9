"""Random well-typed expressions over given leaves."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.conformance.literals import LITERALS
from tests.conformance.scorecards import made_scorecard
from tidegate.events.types import Kind
from tidegate.expressions import functions as f
from tidegate.expressions.node import Expr, FieldRead, call, literal

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
_ORDERED = (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.DURATION, Kind.TIME)
_QUANTITIES = (Kind.INT, Kind.FLOAT, Kind.MONEY, Kind.DURATION)


class Formulas:
    """Draws expressions made of `leaves`. Money in them is in euros or in the flow's own currency."""

    def __init__(self, draw: Callable[[Any], Any], leaves: Sequence[Expr]) -> None:
        self.draw = draw
        self.leaves = list(leaves)
        self.scorecards = False  # a window, which reads fields alone, holds none

    def of(self, kind: Kind, depth: int = 2) -> Expr:
        """An expression of a kind (not a key)."""
        ready = [leaf for leaf in self.leaves if leaf.type.kind is kind]
        if depth <= 0 or self.draw(st.integers(0, 4)) == 0:
            if ready and self.draw(st.integers(0, 5)):
                return self.pick(ready)
            return literal(self.draw(LITERALS[kind]))
        forms = [*_FORMS[kind], *([_fill, _where] * (depth > 1))]
        forms += [_scored] * (kind is Kind.FLOAT and self.scorecards)
        return self.pick(forms)(self, kind, depth - 1)

    def whole(self, kind: Kind, depth: int) -> Expr:
        """An expression of a kind whose cells are whole numbers."""
        made = self.of(kind, depth)
        return literal(self.draw(LITERALS[kind])) if made.type.is_float else made

    def pick(self, choices: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(choices))

    def number(self, depth: int) -> Expr:
        return self.of(self.pick((Kind.INT, Kind.FLOAT)), depth)

    def words(self) -> list[Expr]:
        return [leaf for leaf in self.leaves if isinstance(leaf, FieldRead) and leaf.type.kind is Kind.TEXT]


def _fill(to: Formulas, kind: Kind, depth: int) -> Expr:
    return to.of(kind, depth).otherwise(to.of(kind, depth))


def _where(to: Formulas, kind: Kind, depth: int) -> Expr:
    return f.where(to.of(Kind.BOOL, depth), to.of(kind, depth), to.of(kind, depth))


def _plus(to: Formulas, kind: Kind, depth: int) -> Expr:
    a, b = to.of(kind, depth), to.of(kind, depth)
    return a + b if to.draw(st.booleans()) else a - b


def _bounded(to: Formulas, kind: Kind, depth: int) -> Expr:
    a, b = to.of(kind, depth), to.of(kind, depth)
    return to.pick([lambda: f.least(a, b), lambda: f.greatest(a, b), lambda: f.clip(a, b, to.of(kind, 0))])()


def _signed(to: Formulas, kind: Kind, depth: int) -> Expr:
    a = to.of(kind, depth)
    return abs(a) if to.draw(st.booleans()) else -a


def _times(to: Formulas, kind: Kind, depth: int) -> Expr:
    a, b = to.of(kind, depth), to.number(depth) if kind is not Kind.INT else to.of(Kind.INT, depth)
    return a * b if to.draw(st.booleans()) else b * a


def _over(to: Formulas, kind: Kind, depth: int) -> Expr:
    return to.of(kind, depth) / to.number(depth)


def _ratio(to: Formulas, kind: Kind, depth: int) -> Expr:
    unit = to.pick((Kind.MONEY, Kind.DURATION, Kind.INT, Kind.FLOAT))
    return to.of(unit, depth) / to.of(unit, depth)


def _mod(to: Formulas, kind: Kind, depth: int) -> Expr:
    return to.of(Kind.INT, depth) % to.of(Kind.INT, depth)


def _part(to: Formulas, kind: Kind, depth: int) -> Expr:
    part = to.pick((f.hour, f.minute, f.weekday, f.day, f.month, f.year))
    return part(to.of(Kind.TIME, depth), to.pick(ZONES))  # type: ignore[no-any-return]


def _as_number(to: Formulas, kind: Kind, depth: int) -> Expr:
    return f.as_number(to.of(Kind.BOOL, depth))


def _length(to: Formulas, kind: Kind, depth: int) -> Expr:
    return f.length(to.pick(to.words())) if to.words() else to.of(Kind.INT, 0)


def _float_of_number(to: Formulas, kind: Kind, depth: int) -> Expr:
    name = to.pick(("log", "log10", "log1p", "exp", "sqrt", "floor", "ceil"))
    return call(name, to.number(depth))


def _round(to: Formulas, kind: Kind, depth: int) -> Expr:
    return f.round_(to.number(depth), to.draw(st.integers(-3, 6)))


def _power(to: Formulas, kind: Kind, depth: int) -> Expr:
    return to.number(depth) ** to.draw(st.sampled_from([2, 0, -1, 0.5, 3]))


def _measured(to: Formulas, kind: Kind, depth: int) -> Expr:
    if to.draw(st.booleans()):
        return f.units(to.of(Kind.MONEY, depth))
    return to.pick((f.seconds, f.hours, f.days))(to.of(Kind.DURATION, depth))  # type: ignore[no-any-return]


def _apart(to: Formulas, kind: Kind, depth: int) -> Expr:
    return to.of(Kind.TIME, depth) - to.of(Kind.TIME, depth)


def _later(to: Formulas, kind: Kind, depth: int) -> Expr:
    a, b = to.of(Kind.TIME, depth), to.whole(Kind.DURATION, depth)
    return a + b if to.draw(st.booleans()) else a - b


def _compare(to: Formulas, kind: Kind, depth: int) -> Expr:
    unit = to.pick(_ORDERED)
    a, b = to.of(unit, depth), to.of(unit, depth)
    return to.pick([a.__lt__, a.__le__, a.__gt__, a.__ge__, a.__eq__, a.__ne__])(b)  # type: ignore[no-any-return]


def _same_word(to: Formulas, kind: Kind, depth: int) -> Expr:
    keys = [leaf for leaf in to.leaves if leaf.type.kind is Kind.KEY]
    if keys and to.draw(st.booleans()):
        key = to.pick(keys)
        others = [other for other in keys if other.type.entity == key.type.entity]
        return to.pick([key.__eq__, key.__ne__])(to.pick(others))  # type: ignore[no-any-return]
    a, b = to.of(Kind.TEXT, depth), to.of(Kind.TEXT, 0)
    if a.type.choices and not b.type.choices:
        return a.is_in(*to.draw(st.lists(st.sampled_from(a.type.choices), min_size=1, max_size=3)))
    if b.type.choices and not a.type.choices:
        return b == b.type.choices[0]
    return a == b if to.draw(st.booleans()) else a != b


def _logic(to: Formulas, kind: Kind, depth: int) -> Expr:
    a, b = to.of(Kind.BOOL, depth), to.of(Kind.BOOL, depth)
    return to.pick([lambda: a & b, lambda: a | b, lambda: ~a])()  # type: ignore[no-any-return]


def _missing(to: Formulas, kind: Kind, depth: int) -> Expr:
    return to.of(to.pick(tuple(LITERALS)), depth).is_missing()


def _member(to: Formulas, kind: Kind, depth: int) -> Expr:
    unit = to.pick((*_QUANTITIES, Kind.TIME))
    values = to.draw(st.lists(LITERALS[unit], min_size=1, max_size=4))
    return to.of(unit, depth).is_in(*values)


def _text_test(to: Formulas, kind: Kind, depth: int) -> Expr:
    if not to.words():
        return to.of(Kind.BOOL, 0)
    word = to.pick(to.words())
    word = to.pick([word, f.lower(word), f.upper(word)])
    return to.pick((f.starts_with, f.ends_with, f.contains))(word, to.pick(("", "d", "D", "E", "ss", "日")))  # type: ignore[no-any-return]


def _cased(to: Formulas, kind: Kind, depth: int) -> Expr:
    return to.pick((f.lower, f.upper))(to.pick(to.words())) if to.words() else to.of(Kind.TEXT, 0)  # type: ignore[no-any-return]


def _scored(to: Formulas, kind: Kind, depth: int) -> Expr:
    given = [to.of(to.pick(tuple(LITERALS)), depth) for _ in range(to.draw(st.integers(1, 3)))]
    inner = [_scored(to, kind, depth - 1)] if depth >= 0 and to.draw(st.booleans()) else []
    return made_scorecard(to.draw, given + inner)


_FORMS: dict[Kind, list[Callable[[Formulas, Kind, int], Expr]]] = {
    Kind.INT: [_plus, _bounded, _signed, _times, _mod, _part, _part, _part, _as_number, _length],
    Kind.FLOAT: [
        *(_plus, _bounded, _signed, _times, _over, _ratio),
        *(_float_of_number, _float_of_number, _round, _power, _measured, _measured),
    ],
    Kind.MONEY: [_plus, _bounded, _signed, _times, _over],
    Kind.DURATION: [_plus, _bounded, _signed, _times, _over, _apart],
    Kind.TIME: [_later],
    Kind.TEXT: [_cased],
    Kind.BOOL: [_compare, _compare, _compare, _same_word, _logic, _logic, _missing, _member, _text_test],
}

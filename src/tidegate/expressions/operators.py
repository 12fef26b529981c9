"""The operators of the language: how each is written and what type it gives."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from tidegate.errors import FlowError, meant
from tidegate.events.types import BOOL, DURATION, FLOAT, INT, TEXT, TIME, Kind, Type


class Typed(Protocol):
    """Anything with a type; an expression is."""

    type: Type


WRITTEN = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "pow": "**", "neg": "-",
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "and": "&", "or": "|", "not": "~",
}  # fmt: skip
"""Operators that Python has a sign for; everything else is written as a function."""


def _refuse(op: str, args: Sequence[Typed], do: str = "") -> FlowError:
    seen = (
        f" {WRITTEN[op]} ".join(str(a.type) for a in args)
        if op in WRITTEN and len(args) == 2
        else ", ".join(str(a.type) for a in args)
    )
    return FlowError(f"{WRITTEN.get(op, op)!r} does not take these types.", seen=seen, do=do)


def _currency(op: str, args: Sequence[Typed]) -> str | None:
    named = {a.type.currency for a in args if a.type.currency}
    if len(named) > 1:
        raise FlowError("Two currencies in one expression.", seen=" and ".join(sorted(named)), do="Convert one first.")
    return next(iter(named), None)


def _same_unit(op: str, args: Sequence[Typed], do: str = "") -> Type:
    """The common type of values that must have one unit: numbers with numbers, money with money of one currency."""
    kinds = {a.type.kind for a in args}
    if kinds <= {Kind.INT, Kind.FLOAT}:
        return FLOAT if Kind.FLOAT in kinds else INT
    if len(kinds) != 1:
        raise _refuse(op, args, do)
    first = args[0].type
    if first.kind is Kind.MONEY:
        return Type(Kind.MONEY, approx=any(a.type.approx for a in args), currency=_currency(op, args))
    if first.kind is Kind.DURATION:
        return Type(Kind.DURATION, approx=any(a.type.approx for a in args))
    if first.kind is Kind.KEY and any(a.type.entity != first.entity for a in args):
        raise _refuse(op, args, do)
    choices = first.choices if all(a.type.choices == first.choices for a in args) else ()
    return replace(first, bound=max(a.type.bound for a in args), choices=choices)


def _add(op: str, args: Sequence[Typed]) -> Type:
    a, b = args[0].type, args[1].type
    if a.kind is Kind.TIME and b.kind is Kind.DURATION:
        if b.approx:
            raise _refuse(op, args, "A time and a mean of durations do not add up.")
        return TIME
    if op == "sub" and a.kind is Kind.TIME and b.kind is Kind.TIME:
        return DURATION
    if not (a.is_quantity and b.is_quantity):
        raise _refuse(op, args)
    return _same_unit(op, args, "Money adds to money of the same currency, numbers to numbers, durations to durations.")


def _mul(op: str, args: Sequence[Typed]) -> Type:
    a, b = args[0].type, args[1].type
    if a.is_number and b.is_number:
        return FLOAT if Kind.FLOAT in (a.kind, b.kind) else INT
    if b.is_number and a.kind in (Kind.MONEY, Kind.DURATION):
        return replace(a, approx=a.approx or b.kind is Kind.FLOAT, bound=2**53)
    if a.is_number and b.kind in (Kind.MONEY, Kind.DURATION):
        return replace(b, approx=b.approx or a.kind is Kind.FLOAT, bound=2**53)
    raise _refuse(op, args, "Multiply by a plain number.")


def _div(op: str, args: Sequence[Typed]) -> Type:
    a, b = args[0].type, args[1].type
    if a.is_number and b.is_number:
        return FLOAT
    if b.is_number and a.kind in (Kind.MONEY, Kind.DURATION):
        return replace(a, approx=True)
    if a.kind is b.kind and a.kind in (Kind.MONEY, Kind.DURATION):
        _currency(op, args)
        return FLOAT
    raise _refuse(op, args, "Divide by a plain number, or by a value of the same unit to get a ratio.")


def _mod(op: str, args: Sequence[Typed]) -> Type:
    if not all(a.type.kind is Kind.INT for a in args):
        raise _refuse(op, args, "The remainder is for whole numbers.")
    return INT


def _equal(op: str, args: Sequence[Typed]) -> Type:
    a, b = args[0].type, args[1].type
    if {a.kind, b.kind} == {Kind.KEY, Kind.TEXT} and (a.is_word and b.is_word):
        return BOOL
    if {a.kind, b.kind} == {Kind.KEY, Kind.INT} and (a.whole or b.whole):
        return BOOL
    for one, other in ((args[0], args[1]), (args[1], args[0])):
        value = getattr(other, "value", None)
        if one.type.choices and isinstance(value, str) and value not in one.type.choices:
            do = f"{meant(value, one.type.choices)} It is {one.type}.".lstrip()
            raise FlowError("This is not one of the values there are.", seen=repr(value), do=do)
    _same_unit(op, args, "Compare money with money (eur(5)), a number with a number, text with text.")
    return BOOL


def _order(op: str, args: Sequence[Typed]) -> Type:
    if any(a.type.kind in (Kind.TEXT, Kind.KEY, Kind.BOOL) for a in args):
        raise _refuse(op, args, "Only numbers, money, times and durations have an order.")
    _same_unit(op, args, "Compare money with money (eur(5)), a number with a number.")
    return BOOL


def _bools(op: str, args: Sequence[Typed]) -> Type:
    if any(a.type.kind is not Kind.BOOL for a in args):
        raise _refuse(op, args, "Put comparisons in brackets: (a > 1) & (b < 2).")
    return BOOL


def _keep(op: str, args: Sequence[Typed]) -> Type:
    if not args[0].type.is_quantity:
        raise _refuse(op, args)
    return args[0].type


def _same(op: str, args: Sequence[Typed]) -> Type:
    if not all(a.type.is_quantity for a in args):
        raise _refuse(op, args)
    return _same_unit(op, args)


def _fill(op: str, args: Sequence[Typed]) -> Type:
    return _same_unit(op, args, "The value to use instead has the same type.")


def _where(op: str, args: Sequence[Typed]) -> Type:
    if args[0].type.kind is not Kind.BOOL:
        raise _refuse(op, args[:1], "where(condition, value, otherwise=value).")
    return _same_unit(op, args[1:], "Both values have the same type.")


def _is_in(op: str, args: Sequence[Typed]) -> Type:
    if len(args) < 2:
        raise FlowError("is_in needs at least one value to compare with.")
    for other in args[1:]:
        if not hasattr(other, "value"):
            raise FlowError(
                "is_in compares with constants.", seen=str(other), do="Write a == b for another expression."
            )
        _equal("eq", (args[0], other))
    return BOOL


def _number(op: str, args: Sequence[Typed]) -> Type:
    if not all(a.type.is_number for a in args):
        raise _refuse(op, args, "This takes plain numbers; divide money by money first.")
    return FLOAT


def _of(kind: Kind, gives: Type) -> Callable[[str, Sequence[Typed]], Type]:
    def rule(op: str, args: Sequence[Typed]) -> Type:
        if args[0].type.kind is not kind:
            raise _refuse(op, args, f"It takes a {kind.value}.")
        return gives

    return rule


def _text(gives: Type) -> Callable[[str, Sequence[Typed]], Type]:
    def rule(op: str, args: Sequence[Typed]) -> Type:
        if not all(a.type.is_word for a in args):
            raise _refuse(op, args, "It takes text.")
        if getattr(args[0], "op", None) not in (None, "lower", "upper") or hasattr(args[0], "aggregate"):
            raise FlowError("Functions of text read a field of the event.", seen=str(args[0]))
        if not all(hasattr(a, "value") for a in args[1:]):
            raise FlowError("What to look for in a text is a constant.", seen=str(args[1]))
        return gives

    return rule


def _first(op: str, args: Sequence[Typed]) -> Type:
    return args[0].type


def _truth_number(op: str, args: Sequence[Typed]) -> Type:
    if args[0].type.kind is not Kind.BOOL:
        raise _refuse(op, args)
    return Type(Kind.INT, bound=1)


RULES: dict[str, tuple[int, int, Callable[[str, Sequence[Typed]], Type]]] = {
    "add": (2, 2, _add), "sub": (2, 2, _add), "mul": (2, 2, _mul),
    "div": (2, 2, _div), "mod": (2, 2, _mod), "pow": (2, 2, _number), "neg": (1, 1, _keep), "abs": (1, 1, _keep),
    "least": (2, 2, _same), "greatest": (2, 2, _same), "clip": (3, 3, _same),
    "eq": (2, 2, _equal), "ne": (2, 2, _equal),
    "lt": (2, 2, _order), "le": (2, 2, _order), "gt": (2, 2, _order), "ge": (2, 2, _order),
    "and": (2, 2, _bools), "or": (2, 2, _bools), "not": (1, 1, _bools),
    "fill": (2, 2, _fill), "is_missing": (1, 1, lambda op, args: BOOL),
    "where": (3, 3, _where), "is_in": (1, 10_000, _is_in),
    "log": (1, 1, _number), "log10": (1, 1, _number), "log1p": (1, 1, _number),
    "exp": (1, 1, _number), "sqrt": (1, 1, _number),
    "floor": (1, 1, _number), "ceil": (1, 1, _number), "round": (2, 2, _number),
    "as_number": (1, 1, _truth_number), "units": (1, 1, _of(Kind.MONEY, FLOAT)),
    "seconds": (1, 1, _of(Kind.DURATION, FLOAT)),
    "hours": (1, 1, _of(Kind.DURATION, FLOAT)), "days": (1, 1, _of(Kind.DURATION, FLOAT)),
    "hour": (1, 1, _of(Kind.TIME, INT)), "minute": (1, 1, _of(Kind.TIME, INT)), "weekday": (1, 1, _of(Kind.TIME, INT)),
    "day": (1, 1, _of(Kind.TIME, INT)), "month": (1, 1, _of(Kind.TIME, INT)), "year": (1, 1, _of(Kind.TIME, INT)),
    "feel": (1, 10_000, _first),
    "lower": (1, 1, _text(TEXT)), "upper": (1, 1, _text(TEXT)), "length": (1, 1, _text(INT)),
    "starts_with": (2, 2, _text(BOOL)), "ends_with": (2, 2, _text(BOOL)), "contains": (2, 2, _text(BOOL)),
}  # fmt: skip
"""Operator -> fewest and most arguments, and the rule that gives the type of the result or refuses."""


def result_type(op: str, args: Sequence[Typed]) -> Type:
    """The type that an operator gives on these arguments.

    Raises:
        FlowError: the operator does not take them, or two units or currencies meet.
    """
    least, most, rule = RULES[op]
    if not least <= len(args) <= most:
        raise FlowError(f"{op} takes {least} arguments.", seen=str(len(args)))
    return rule(op, args)

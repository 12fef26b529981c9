"""The types of a table's columns: as the head declares them, as the flow has them, or as the cells show them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tidegate.decisions.tables.line import Line
from tidegate.errors import FlowError, nearest
from tidegate.events.currency import DECIMALS
from tidegate.events.types import BOOL, DURATION, FLOAT, INT, TEXT, TIME, Kind, Type

MONEY = Type(Kind.MONEY)
_NAMES = {
    "number": FLOAT, "float": FLOAT, "double": FLOAT, "whole number": INT, "integer": INT, "int": INT, "long": INT,
    "text": TEXT, "string": TEXT, "bool": BOOL, "boolean": BOOL, "yes/no": BOOL, "time": TIME, "date": TIME,
    "duration": DURATION, "money": MONEY,
}  # fmt: skip


def declared(text: str) -> Type:
    """The type that a head names: `number`, `whole number`, `money EUR`, `text`, `bool`, `time`, `duration`.

    Raises:
        FlowError: there is no such type.
    """
    plain = " ".join(text.lower().split())
    if plain in _NAMES:
        return _NAMES[plain]
    first, _, code = plain.partition(" ")
    if first == "money" and code.upper() in DECIMALS:
        return replace(MONEY, currency=code.upper())
    near = nearest(plain, _NAMES)
    raise FlowError(
        "There is no such type.",
        seen=repr(text),
        do=f"Did you mean {near}?" if near else "It is number, whole number, money EUR, text, bool, time or duration.",
    )


def fits(said: Type, real: Type) -> bool:
    """Whether a column declared so can read values of a flow's type."""
    if said.kind is Kind.TEXT:
        return real.kind is Kind.TEXT or (real.kind is Kind.KEY and not real.whole)
    if said.kind is Kind.INT and real.kind is Kind.KEY:
        return real.whole
    if said.kind in (Kind.INT, Kind.FLOAT) and real.is_number:
        return said.kind is Kind.FLOAT or real.kind is Kind.INT
    if said.kind is Kind.MONEY and real.kind is Kind.MONEY:
        return said.currency is None or real.currency is None or said.currency == real.currency
    return said.kind is real.kind


_TRIED = (BOOL, INT, FLOAT, MONEY, TIME, DURATION)


def shown_by(cells: Sequence[Any], read: Callable[[Any, Line], Any], currency: str | None) -> tuple[Type, int]:
    """The type that the cells are of: the first of truth, whole number, number, money, time, duration; else text.

    Returns:
        The type, and -1; or, where most cells are of a type and some are not, that type and the place of the first odd
        one: a slip of the pen must not turn a column of numbers into one of text. So also where all are numbers with a
        decimal comma, if they compare: text does not.
    """
    filled = [(n, cell) for n, cell in enumerate(cells) if str(cell).strip() not in ("", "-", "missing", "None")]
    odd: tuple[Type, int] | None = None
    for kind in _TRIED if filled else ():
        line = Line(kind, currency if kind is MONEY else None)
        fail = [n for n, cell in filled if not _reads(cell, read, line)]
        found = replace(kind, currency=line.currency) if kind is MONEY else kind
        if not fail:
            return found, -1
        if odd is None and kind is not INT and 2 * len(fail) < len(filled):
            odd = found, fail[0]
    return odd or _pointed(filled, read) or (TEXT, -1)


_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")


def _pointed(filled: Sequence[tuple[int, Any]], read: Callable[[Any, Line], Any]) -> tuple[Type, int] | None:
    """A number, and where the first comma stands for a point, if cells such as `< 1,5` are no text and else numbers."""
    text, number = Line(TEXT), Line(FLOAT)
    if all(_reads(cell, read, text) for _, cell in filled):
        return None
    if not all(_reads(_DECIMAL_COMMA.sub(".", str(cell)), read, number) for _, cell in filled):
        return None
    return next(((FLOAT, n) for n, cell in filled if not _reads(cell, read, number)), None)


def decimal_comma(cell: Any, read: Callable[[Any, Line], Any]) -> FlowError | None:
    """What is said of a cell that a decimal comma keeps from being a number, if that is so."""
    if not _reads(_DECIMAL_COMMA.sub(".", str(cell)), read, Line(FLOAT)):
        return None
    try:
        read(cell, Line(FLOAT))
    except FlowError as error:
        return error
    return None


def _reads(cell: Any, read: Callable[[Any, Line], Any], line: Line) -> bool:
    try:
        read(cell, line)
    except FlowError:
        return False
    return True

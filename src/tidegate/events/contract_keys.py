"""Names that stand twice in one JSON object. RFC 8259 leaves open what they mean, and readers differ.

An event whose sender means one amount and whose reader takes another is not to be decided on. The parser that makes
events takes the last and says nothing, and a second parser would cost as much again. So the quotes are counted: an
event whose names stand once each accounts for every one of them.
"""

import json
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from tidegate.errors import ContractError
from tidegate.events.contract_faults import Contract, pointer
from tidegate.events.event import Event
from tidegate.events.types import Kind

_NAME, _TEXT, _OBJECT = 2, 4, 8
"""Quotes of a field whose value has none, is a text, or is `{"units": 1, "currency": "EUR"}`; its name included."""


class _Varying:
    """A field that need not stand there, or whose value can be spelled in two ways."""

    __slots__ = ("default", "get", "may_lack", "money", "quotes", "spelled")

    def __init__(self, name: str, quotes: int, default: Any, *, money: bool, may_lack: bool) -> None:
        self.get: Callable[[Any], Any] = attrgetter(name)
        self.quotes, self.default, self.money, self.may_lack = quotes, default, money, may_lack
        # As bytes that can only be a name: a quote inside of a text has a backslash before it, and what money's own
        # names are is left out.
        self.spelled = f'"{name}":'.encode() if may_lack and name not in ("units", "currency") else b""


class OnceEach:
    """Sees that every name of an event's JSON stands once.

    Args:
        event: the name of the event type.
        contract: its fields.

    Attributes:
        quotes: how many the JSON of an event has if none of its fields vary.
    """

    def __init__(self, event: str, contract: Contract) -> None:
        self._event = event
        self.quotes = 0
        self._varying: list[_Varying] = []
        for name, field in contract.items():
            kind, money = field.type.kind, field.type.kind is Kind.MONEY
            text = money or kind in (Kind.TEXT, Kind.TIME) or (kind is Kind.KEY and not field.type.whole)
            may_lack = field.optional or field.default is not None
            quotes = _TEXT if text else _NAME
            if money or may_lack:
                self._varying.append(_Varying(name, quotes, field.default, money=money, may_lack=may_lack))
            else:
                self.quotes += quotes

    def check(self, body: bytes | str, event: Event) -> None:
        """Look at the JSON that an event was just read from.

        Every field that is not as it would be if left out stands there at least once, with a known number of quotes; a
        name that stands twice has two more. So with no more quotes than the event accounts for, no name does.

        Raises:
            ContractError: a name stands twice in one object; `pointer` says which.
        """
        spare = (body.count(b'"') if isinstance(body, bytes) else body.count('"')) - self.quotes
        lacking: list[_Varying] = []
        for field in self._varying:
            value = field.get(event)
            if field.may_lack and (value is field.default or value == field.default):
                lacking.append(field)
            elif value is None:
                spare -= _NAME
            else:
                spare -= _OBJECT if field.money and not isinstance(value, str) else field.quotes
        if not spare:
            return
        # Some of them may be spelled out all the same: as null, or as what they are when left out.
        data = body if isinstance(body, bytes) else body.encode(errors="replace")
        for field in lacking:
            if field.spelled and field.spelled in data:
                as_object = field.money and field.spelled + b"{" in data
                spare -= _NAME if field.default is None else _OBJECT if as_object else field.quotes
        if spare:
            once(self._event, body)


class _Twice:
    """Stands in the place of an object that has a name twice, in it or below."""

    def __init__(self, *path: str) -> None:
        self.path = path


def _below(value: Any) -> _Twice | None:
    """The object with a name twice that a value is, or holds."""
    if isinstance(value, list):
        for place, part in enumerate(value):
            if (found := _below(part)) is not None:
                return _Twice(str(place), *found.path)
        return None
    return value if isinstance(value, _Twice) else None


def _object(pairs: list[tuple[str, Any]]) -> Any:
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen:
            return _Twice(name)
        seen.add(name)
        if (found := _below(value)) is not None:
            return _Twice(name, *found.path)
    return None


def once(event: str, body: bytes | str) -> None:
    """Look at well-formed JSON, whatever it holds, with a parser that shows each name.

    Raises:
        ContractError: a name stands twice in one object; `pointer` says which.
    """
    try:
        # Numbers are not made, since one of a million digits would take its time.
        found = _below(json.loads(body, strict=False, object_pairs_hook=_object, parse_int=len, parse_float=len))
    except RecursionError:
        raise ContractError(f"{event} is nested too deeply.", do="Send an object of plain values.") from None
    if found is not None:
        raise ContractError(
            f"{event} has the name {found.path[-1][:60]!a} twice in one object, so its value is not certain.",
            do="Send each name once.",
            pointer=pointer(*(step[:200] for step in found.path)),
        )

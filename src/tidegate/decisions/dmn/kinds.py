"""What a variable may hold: a FEEL type, and of its values those that pass the tests of the item definition.

FEEL's own types know no such tests: `256 instance of tByte` is true where tByte is a number with allowed values. A
variable declared so holds null instead of 256.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tidegate.expressions.feel import types
from tidegate.expressions.feel.expression import UnaryTests
from tidegate.expressions.feel.extent import shown
from tidegate.expressions.feel.given import Given
from tidegate.expressions.feel.types import ListType, OneOf, Type


class Check(Protocol):
    """What a value has to pass besides being of the type."""

    def wrong(self, value: Any) -> str:
        """What is wrong with a value, in words; nothing if it passes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type, and what its values have to pass besides, if anything."""

    type: Type
    check: Check | None = None

    def coerce(self, value: Any) -> tuple[Any, str]:
        """A value as one of this kind, by the conversions of FEEL, and why it became null, if it did."""
        if value is None:
            return None, ""
        if self.type is not types.ANY:
            value, why = types.coerce(value, self.type)
            if why:
                return None, why
        if self.check is not None and value is not None:
            why = self.check.wrong(value)
            if why:
                return None, why
        return value, ""

    def __str__(self) -> str:
        return f"{self.type}" if not isinstance(self.check, Passes) else f"{self.type}: {self.check.text}"


ANY = Kind(types.ANY)


@dataclass(frozen=True, slots=True)
class Passes:
    """The tests of an item definition; null passes where they name it."""

    tests: UnaryTests
    text: str

    def wrong(self, value: Any) -> str:
        """What is wrong with a value."""
        if self.tests.holds(value, {}, Given()) is True:
            return ""
        return f"{shown(value)} is none of the values allowed: {self.text}"


@dataclass(frozen=True, slots=True)
class Both:
    """One check and then another."""

    first: Check
    then: Check

    def wrong(self, value: Any) -> str:
        """What is wrong with a value."""
        return self.first.wrong(value) or self.then.wrong(value)


@dataclass(frozen=True, slots=True)
class Each:
    """A check of each element of a list."""

    check: Check

    def wrong(self, value: Any) -> str:
        """What is wrong with a value."""
        return next(filter(None, map(self.check.wrong, value)), "") if isinstance(value, list) else ""


@dataclass(frozen=True, slots=True)
class Entries:
    """Checks of the entries of a context."""

    checks: Mapping[str, Check]

    def wrong(self, value: Any) -> str:
        """What is wrong with a value."""
        if not isinstance(value, dict):
            return ""
        for name, check in self.checks.items():
            why = check.wrong(value.get(name))
            if why:
                return f'in "{name}" {why}'
        return ""


@dataclass(frozen=True, slots=True)
class Again:
    """A type that is met again inside itself, as in a tree: looked up when there is a value to check."""

    find: Callable[[], Kind]

    def wrong(self, value: Any) -> str:
        """What is wrong with a value."""
        return "" if value is None else self.find().coerce(value)[1]


@dataclass(frozen=True, slots=True)
class Alone:
    """A check of a list, for a value that may be an element of it alone."""

    check: Check

    def wrong(self, value: Any) -> str:
        """What is wrong with a value."""
        return self.check.wrong(value if isinstance(value, list) else [value])


def or_element(kind: Kind, type: ListType) -> Kind:
    """What holds a list of some kind, or one element of it as it is."""
    return Kind(OneOf((type, type.item)), None if kind.check is None else Alone(kind.check))


def both(first: Check | None, then: Check | None) -> Check | None:
    """Two checks as one; either may be none."""
    if first is None or then is None:
        return first or then
    return Both(first, then)

"""Queries: what people look for, as `level:high amount>5000 merchant:"Corner Shop" since:7d`.

terms beside each other all hold;  OR, NOT (or -) and parentheses mean what they say
word  "several words"             free words, in the event's texts, the rules' words, the reasons
field:value  field:a,b            equal, or to one of several; upper and lower case are the same
field:begin*  field:*             begins so; is there at all
field>5  field>=5  field:<5       of numbers, with a colon or without; an amount in major units
since:7d  until:2026-01-31        a time, a date, or a length of time before the newest event
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from tidegate.actions.document import tokens
from tidegate.errors import FlowError, TidegateError
from tidegate.events.durations import microseconds
from tidegate.events.times import microseconds_of


@dataclass(frozen=True)
class Equal:
    """A field is one of the values, which are in lower case."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Begins:
    """A field's text begins so; with nothing to begin with, the field is there."""

    field: str
    start: str


@dataclass(frozen=True)
class Compare:
    """A number is `>`, `>=`, `<` or `<=` the bound."""

    field: str
    sign: str
    bound: float


@dataclass(frozen=True)
class Phrase:
    """Words beside each other in the text."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Time:
    """`since` or `until` a time (microseconds since 1970 UTC), or, if `before` is set, so long before the newest."""

    sign: str
    at: int
    before: bool = False

    def resolved(self, newest: int) -> int:
        """The time, where the newest event's is known."""
        return newest - self.at if self.before else self.at


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Query"


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple["Query", ...]


@dataclass(frozen=True)
class Any:
    """One of the parts holds."""

    parts: tuple["Query", ...]


Query = Equal | Begins | Compare | Phrase | Time | Not | All | Any

_MOST, _DEEPEST = 4096, 32
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<paren>[()])
    | (?P<minus>-)(?=\S)
    | (?P<field>[^\W\d][\w-]*)\s*(?P<sign>:?(?:>=|<=|>|<)|:)\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s()"]+)?
    | (?P<text>"(?:[^"\\]|\\.)*"|[^\s()":<>]+)
    )""",
    re.VERBOSE,
)


def parse(text: str) -> Query:
    """The query of a text; an empty one finds everything.

    Raises:
        TidegateError: it is not one; the message says where.
    """
    if len(text) > _MOST:
        raise TidegateError(f"A query has at most {_MOST} characters.", seen=f"{len(text)}")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found = list(self._split())

    def _split(self) -> Iterator["re.Match[str]"]:
        at = 0
        while self.text[at:].strip():
            found = _TOKEN.match(self.text, at)
            if found is None:
                self._refuse(at, 'Write words, "several words" or field:value.')
            yield found
            at = found.end()

    def _refuse(self, at: int, do: str) -> NoReturn:
        rest = self.text[at:].strip()
        raise TidegateError(
            "The query cannot be read.", seen=f"{rest[:40]!r} after {self.text[:at].strip()[-40:]!r}", do=do
        )

    def _next(self) -> "re.Match[str] | None":
        return self.found[self.at] if self.at < len(self.found) else None

    def whole(self) -> Query:
        """All of it."""
        query = self._any(0)
        left = self._next()
        if left is not None:
            self._refuse(left.start(), "A parenthesis closes that was not opened.")
        return query

    def _any(self, depth: int) -> Query:
        if depth > _DEEPEST:
            raise TidegateError(f"Parentheses in a query go {_DEEPEST} deep.", do="Write it flatter.")
        parts = [self._all(depth)]
        while (found := self._next()) is not None and found["text"] == "OR":
            self.at += 1
            parts.append(self._all(depth, needed=found))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all(self, depth: int, needed: "re.Match[str] | None" = None) -> Query:
        parts: list[Query] = []
        while (found := self._next()) is not None and found["paren"] != ")" and found["text"] != "OR":
            if found["text"] == "AND":
                self.at += 1
                continue
            parts.append(self._one(depth))
        if needed is not None and not parts:
            self._refuse(needed.start(), "Something has to follow OR.")
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, depth: int) -> Query:
        found = self._next()
        if found is None or found["paren"] == ")":
            self._refuse(len(self.text) if found is None else found.start(), "Something has to follow NOT.")
        self.at += 1
        if found["minus"] or found["text"] == "NOT":
            if depth > _DEEPEST:
                raise TidegateError(f"NOT in a query goes {_DEEPEST} deep.", do="Write it flatter.")
            return Not(self._one(depth + 1))
        if found["paren"] == "(":
            inner = self._any(depth + 1)
            closing = self._next()
            if closing is None:
                self._refuse(found.start(), "Close the parenthesis.")
            self.at += 1
            return inner
        if found["field"]:
            return self._field(found)
        words = tuple(tokens(_unquoted(found["text"])))
        if not words:
            self._refuse(found.start(), "Write letters or digits to look for.")
        return Phrase(words)

    def _field(self, found: "re.Match[str]") -> Query:
        name, sign, given = found["field"], found["sign"].lstrip(":") or ":", found["value"]
        if given is None:
            self._refuse(found.start(), f"Write a value behind {name}{sign}")
        value, quoted = _unquoted(given), given.startswith('"')
        if name in ("since", "until"):
            if sign != ":":
                self._refuse(found.start(), f"Write {name}:7d or {name}:2026-01-31.")
            return _time(name, value)
        if sign != ":":
            bound = as_number(value)
            if bound is None:
                self._refuse(found.start(), f"{name}{sign} compares with a number.")
            return Compare(name, sign, bound)
        if not quoted and value.endswith("*") and "," not in value:
            return Begins(name, value[:-1].lower())
        parts = (value,) if quoted else tuple(part for part in value.split(",") if part)
        if not parts:
            self._refuse(found.start(), f"Write a value behind {name}:")
        return Equal(name, tuple(part.lower() for part in parts))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _time(sign: str, value: str) -> Time:
    try:
        at = datetime.fromisoformat(value)
        return Time(sign, microseconds_of(at if at.tzinfo else at.replace(tzinfo=UTC)))
    except ValueError:
        pass
    try:
        return Time(sign, microseconds(value), before=True)
    except FlowError:
        raise TidegateError(
            f"{sign}: takes a date, a time, or a length of time.",
            seen=value[:40],
            do=f"Write {sign}:2026-01-31, {sign}:2026-01-31T08:00 or {sign}:7d.",
        ) from None


def fields(query: Query) -> Iterator[str]:
    """The names of the fields that a query asks for."""
    match query:
        case Equal() | Begins() | Compare():
            yield query.field
        case Not():
            yield from fields(query.part)
        case All() | Any():
            for part in query.parts:
                yield from fields(part)


def as_number(text: str) -> float | None:
    """The finite number that a text is; None if it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None

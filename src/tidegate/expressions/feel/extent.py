"""How large a value is once it is written out, where what several lists share stands in each of them.

A value that shares its lists takes little memory and few steps, and as a text may not end: `[s, s]` of `[s, s]`,
thirty deep, has a thousand million elements. It is measured before it leaves an evaluation.
"""

from collections.abc import Mapping
from math import inf
from typing import Any, NamedTuple

from tidegate.expressions.feel.literals import literal_of
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.types import told

MOST_WRITTEN = 1_000_000
"""How many elements a value may have once it is written out; sixteen characters of a string count as one."""
MOST_NESTED = 200
"""How deep lists and contexts may lie in each other in a value that is written out."""
MOST_SHOWN = 80


class Extent(NamedTuple):
    """How many elements a value has once it is written out, and how deep they are nested."""

    size: float
    depth: float


_ENDLESS = Extent(inf, inf)


def extent(value: Any) -> Extent:
    """The extent of a value, of FEEL or of Python; each of its lists is looked at once. One in itself is endless."""
    known: dict[int, Extent] = {}
    held: dict[int, list[Any]] = {}
    begun: set[int] = set()
    waiting = [value]
    while waiting:
        key = id(waiting[-1])
        if key not in held:
            begun.add(key)
            within = held[key] = _within(waiting[-1])
            inner = [each for each in within if _holds(each) and id(each) not in known]
            if any(id(each) in begun for each in inner):
                return _ENDLESS
            waiting.extend(inner)
            continue
        waiting.pop()
        begun.discard(key)
        if key not in known:
            within = held[key]
            parts = [known[id(each)] if _holds(each) else Extent(_length(each), 0) for each in within]
            size = 1 + sum(part.size for part in parts)
            known[key] = Extent(size, 1 + max((part.depth for part in parts), default=0))
    return known[id(value)] if _holds(value) else Extent(_length(value), 0)


def too_large(value: Any, most: int = MOST_WRITTEN, deepest: float = MOST_NESTED) -> str:
    """What of a value is too large to be written out, in words; nothing where it is not."""
    if not isinstance(value, str) and not _holds(value):
        return ""
    size, depth = extent(value)
    if depth == inf or depth > deepest:
        return "it holds itself" if depth == inf else f"it is nested {depth:.0f} deep, and at most {deepest}"
    if size > most:
        many = f"{size:,.0f}" if size < 10**15 else "more than 10**15"
        return f"{many} elements once it is written out, and at most {most:,}"
    return ""


def shown(value: Any) -> str:
    """A value as FEEL writes it, cut short where it is long; in a few words where it is too large to be written."""
    if too_large(value):
        return told(value)
    text = literal_of(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def _holds(value: Any) -> bool:
    return isinstance(value, list | dict | Range | tuple | Mapping)


def _within(value: Any) -> list[Any]:
    """What a value holds."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        return list(value)
    return [value.low, value.high] if isinstance(value, Range) else []


def _length(value: Any) -> int:
    return 1 + len(value) // 16 if isinstance(value, str) else 1

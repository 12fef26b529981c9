"""Values as FEEL writes them: what is behind an @, and a literal for any value that has one."""

from collections.abc import Callable
from typing import Any, TypeAlias

from tidegate.expressions.feel import numbers, types
from tidegate.expressions.feel.durations import parse_duration
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.scanner import is_name
from tidegate.expressions.feel.temporal import parse_date, parse_date_time, parse_time

Sized: TypeAlias = Callable[[int], None]


def _free(size: int) -> None:
    """Nobody counts."""


def at_value(text: str) -> Any:
    """The date, date and time, time or duration of a text, or None where it is none of them."""
    for parse in (parse_date, parse_time, parse_duration, parse_date_time):
        if (found := parse(text)) is not None:
            return found
    return None


_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """A string as a literal."""
    return '"' + "".join(_ESCAPED.get(c) or (c if c.isprintable() else _code(c)) for c in text) + '"'


def _code(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:06X}"


def text_of(value: Any, sized: Sized = _free) -> str:
    """A value as text, as `string()` gives it: strings as they are, and within lists and contexts quoted."""
    if isinstance(value, str):
        return value
    return literal_of(value, sized) if isinstance(value, (list, dict)) else _plain(value, sized)


def literal_of(value: Any, sized: Sized = _free) -> str:
    """A value as FEEL writes it; a function, which has no literal, as its name. `sized` is told how long it gets."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return _joined("[", [literal_of(each, sized) for each in value], "]", sized)
    if isinstance(value, dict):
        entries = [f"{_key(key)}: {literal_of(inner, sized)}" for key, inner in value.items()]
        return _joined("{", entries, "}", sized)
    plain = value is None or isinstance(value, (bool, Range)) or types.kind_of(value) in ("number", "function")
    return _plain(value, sized) if plain else f'@"{value}"'


def _plain(value: Any, sized: Sized) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Range):
        return _range(value, sized)
    if types.kind_of(value) == "function":
        return str(value.name)
    return numbers.written(value) if types.kind_of(value) == "number" else str(value)


def _joined(start: str, parts: list[str], end: str, sized: Sized) -> str:
    sized(sum(map(len, parts)) + 2 * len(parts) + 2)
    return start + ", ".join(parts) + end


def _key(name: str) -> str:
    return name if is_name(name) else quoted(name)


def _range(value: Range, sized: Sized) -> str:
    if value.unary:
        return f"({value.unary} {literal_of(value.high if value.low is None else value.low, sized)})"
    start, end = "[" if value.low_included else "(", "]" if value.high_included else ")"
    return f"{start}{literal_of(value.low, sized)}..{literal_of(value.high, sized)}{end}"

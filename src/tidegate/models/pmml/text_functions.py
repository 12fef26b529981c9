"""The built-in functions of texts. They make texts that no model could list beforehand, so Python runs them."""

import re
from datetime import date

from tidegate.models.pmml.scope import HostCall

__all__ = ["TEXT_FUNCTIONS"]

LONGEST = 10_000
"""The most characters of a text that patterns are tried on."""


def _substring(text: str, start: float, length: float) -> str | None:
    begin = int(start) - 1
    return text[begin : begin + int(length)] if begin >= 0 and length >= 0 else None


def _concat(*parts: str) -> str:
    return "".join(parts)


def _literal(pattern: str) -> re.Pattern[str] | None:
    """A pattern that cannot take exponential time: no repetition of what holds a repetition or an alternative."""
    if len(pattern) > 1000 or re.search(r"\((?:[^()\\]|\\.)*[*+}|](?:[^()\\]|\\.)*\)[*+{]", pattern):
        return None
    if pattern.count("*") + pattern.count("+") + pattern.count("{") > 4 or re.search(r"\\[1-9]", pattern):
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _replace(text: str, pattern: str, instead: str) -> str | None:
    compiled = _literal(pattern)
    if compiled is None or len(text) > LONGEST:
        return None
    return compiled.sub(lambda match: re.sub(r"\$(\d)", lambda group: match[int(group[1])] or "", instead), text)


def _matches(text: str, pattern: str) -> float | None:
    compiled = _literal(pattern)
    if compiled is None or len(text) > LONGEST:
        return None
    return float(compiled.search(text) is not None)


_CONVERSION = re.compile(r"%[-+ 0#,]*\d{0,2}(?:\.\d{1,2})?[diufFeEgG]")


def _format_number(value: float, pattern: str) -> str | None:
    found = _CONVERSION.findall(pattern)
    if len(found) != 1:
        return None
    return pattern.replace("%%", "%") % () if not found else _printed(pattern, found[0], value)


def _printed(pattern: str, conversion: str, value: float) -> str:
    grouped = "," in conversion
    plain = conversion.replace(",", "")
    number = int(value) if plain[-1] in "diu" else value
    if grouped:
        places = re.search(r"\.(\d+)", plain)
        digits = int(places[1]) if places else 0 if plain[-1] in "diu" else 6
        return pattern.replace(conversion, f"{value:,.{digits}f}")
    return pattern.replace(conversion, plain % number)


_DIRECTIVES = set("aAbBcdHIjmMpSUwWxXyY%")


def _format_date(value: date, pattern: str) -> str | None:
    if any(letter not in _DIRECTIVES for letter in re.findall(r"%(.)", pattern)):
        return None
    return value.strftime(pattern)


TEXT_FUNCTIONS: dict[str, tuple[int, int, str, HostCall]] = {
    "uppercase": (1, 1, "string", lambda text: text.upper()),
    "lowercase": (1, 1, "string", lambda text: text.lower()),
    "trimBlanks": (1, 1, "string", lambda text: text.strip()),
    "stringLength": (1, 1, "integer", lambda text: float(len(text))),
    "substring": (3, 3, "string", _substring),
    "concat": (1, 100, "string", _concat),
    "replace": (3, 3, "string", _replace),
    "matches": (2, 2, "boolean", _matches),
    "formatNumber": (2, 2, "string", _format_number),
    "formatDatetime": (2, 2, "string", _format_date),
}
"""By name: fewest and most arguments, the type of the value, and the function."""

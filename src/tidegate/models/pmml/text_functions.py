"""The built-in functions of texts. They make texts that no model could list beforehand, so Python runs them.

What each takes is checked when a document is read; `concat` alone casts what it is given to text, as the specification
has it (a month of 2 and a year of 2000 make "2-2000").
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from tidegate.documents.xml import Element
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.patterns import matching, replacing
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.scope import HostCall, Scope, Value
from tidegate.models.pmml.texts import clock, written

__all__ = ["LONGEST_MADE", "TEXT_FUNCTIONS", "constant_kinds", "text_call"]

LONGEST_MADE = 100_000
"""The most characters of a text that functions put together: concat of concat of concat would fill all memory."""

Make = Callable[[list[Value], Element, Scope], HostCall]
"""What makes a function for one place of a document: it may look at arguments that are constant."""


@dataclass(frozen=True, slots=True)
class TextFunction:
    """What a function takes, the data type of what it gives, and how it is made.

    `takes` are "text", "number", "moment" (a date, a time or both) or "any"; with `more` the last may be repeated.
    """

    takes: tuple[str, ...]
    kind: str
    make: Make
    more: bool = False


_KINDS = {
    "text": (frozenset(["string"]), "a text"),
    "number": (frozenset(["integer", "float", "double"]), "a number"),
    "moment": (frozenset(["date", "time", "dateTime"]), "a date or time"),
}


def constant_kinds(name: str, count: int) -> list[str]:
    """The data types that a function's constants are read as: what is a text's place is a text, `007` too."""
    function = TEXT_FUNCTIONS[name]
    takes = [*function.takes, *function.takes[-1:] * count][:count]
    return ["string" if each in ("text", "any") else "" for each in takes]


def text_call(name: str, given: list[Value], element: Element, scope: Scope, code: Code) -> Value:
    """A function of texts applied. Raises DocumentError if it is given too few, too many, or what it does not take."""
    function = TEXT_FUNCTIONS[name]
    least = len(function.takes)
    if len(given) < least or (len(given) > least and not function.more):
        raise refuse(element, f"The function {name} takes {least} arguments.", seen=f"{len(given)} arguments")
    takes = [*function.takes, *function.takes[-1:] * len(given)]
    for place, (value, wanted) in enumerate(zip(given, takes, strict=False), start=1):
        if wanted != "any" and value.kind not in _KINDS[wanted][0]:
            raise refuse(
                element, f"Argument {place} of {name} is {_KINDS[wanted][1]}.", seen=f"of the data type {value.kind}",
                do="Give it a derived field of the data type that it takes.",
            )  # fmt: skip
    fault = scope.builder.fault(f"{name} of values that it is not defined for", element)
    return scope.document.call(code, function.make(given, element, scope), given, function.kind, fault)


def _plain(function: HostCall) -> Make:
    return lambda given, element, scope: function


def _substring(text: str, start: float, length: float) -> str | None:
    if not (math.isfinite(start) and math.isfinite(length)) or start < 1 or length < 0:
        return None
    begin = int(start) - 1
    return text[begin : begin + int(length)]


def _concat(given: list[Value], element: Element, scope: Scope) -> HostCall:
    kinds = [value.kind for value in given]
    long = scope.builder.numbers[scope.builder.fault("concat of more than a text may hold", element)]

    def concat(*parts: Any) -> str | float | None:
        texts = list[str]()
        for part, kind in zip(parts, kinds, strict=True):
            text = written(part, kind)
            if text is None:
                return None
            texts.append(text)
        return "".join(texts) if sum(map(len, texts)) <= LONGEST_MADE else long

    return concat


_CONVERSION = re.compile(r"%%|%([-+ 0#,]*)(\d{0,2})(?:\.(\d{1,2}))?([diufFeEgG])")


def _format_number(given: list[Value], element: Element, scope: Scope) -> HostCall:
    constant = scope.document.constant_text(given[1])
    if constant is not None and not _converts_one(constant):
        raise refuse(
            element, "The pattern of formatNumber has one conversion, as %3d or %.2f.", seen=repr(constant),
            do="Write a sign % that stands for itself as %%.",
        )  # fmt: skip
    return _number_as


def _converts_one(pattern: str) -> bool:
    found = [each for each in _CONVERSION.finditer(pattern) if each[4]]
    return len(found) == 1 and "%" not in _CONVERSION.sub("", pattern)


def _number_as(value: float, pattern: str) -> str | None:
    if not math.isfinite(value) or not _converts_one(pattern):
        return None
    return _CONVERSION.sub(lambda each: _converted(each, value), pattern)


def _converted(each: re.Match[str], value: float) -> str:
    flags, width, places, letter = each.groups()
    if letter is None:
        return "%"
    whole = letter in "diu"
    number = int(value) if whole else value
    point = f".{places}" if places else ""
    if "," not in flags:
        return f"%{flags}{width}{point}{'d' if whole else letter}" % number
    digits = format(number, ",d" if whole else f",{point}{letter if letter in 'fF' else 'f'}")
    return digits.rjust(int(width or 0))


_DIRECTIVES = set("aAbBcdHIjmMpSUwWxXyY%")


def _format_moment(given: list[Value], element: Element, scope: Scope) -> HostCall:
    constant, kind = scope.document.constant_text(given[1]), given[0].kind
    if constant is not None and not _directs(constant):
        raise refuse(
            element, "The pattern of formatDatetime holds what is not supported.", seen=repr(constant),
            do=f"These may follow a %: {' '.join(sorted(_DIRECTIVES))}.",
        )  # fmt: skip

    def moment_as(moment: date | time | None, pattern: str) -> str | None:
        return moment.strftime(pattern) if moment is not None and _directs(pattern) else None

    # A time of day is decoded as its seconds.
    return moment_as if kind != "time" else lambda seconds, pattern: moment_as(clock(seconds), pattern)


def _directs(pattern: str) -> bool:
    return "\0" not in pattern and all(letter in _DIRECTIVES for letter in re.findall(r"%(.?)", pattern, re.DOTALL))


def _matches(given: list[Value], element: Element, scope: Scope) -> HostCall:
    return matching(given[1], element, scope)


def _replace(given: list[Value], element: Element, scope: Scope) -> HostCall:
    return replacing(given[1], given[2], element, scope, LONGEST_MADE)


TEXT_FUNCTIONS = {
    "uppercase": TextFunction(("text",), "string", _plain(lambda text: text.upper())),
    "lowercase": TextFunction(("text",), "string", _plain(lambda text: text.lower())),
    "trimBlanks": TextFunction(("text",), "string", _plain(lambda text: text.strip())),
    "stringLength": TextFunction(("text",), "integer", _plain(lambda text: float(len(text)))),
    "substring": TextFunction(("text", "number", "number"), "string", _plain(_substring)),
    "concat": TextFunction(("any",), "string", _concat, more=True),
    "replace": TextFunction(("text", "text", "text"), "string", _replace),
    "matches": TextFunction(("text", "text"), "boolean", _matches),
    "formatNumber": TextFunction(("number", "text"), "string", _format_number),
    "formatDatetime": TextFunction(("moment", "text"), "string", _format_moment),
}
"""By name."""

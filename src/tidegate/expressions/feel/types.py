"""The types of FEEL, which value is of which, and the conversions that happen by themselves (DMN 1.5, 10.3.2.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tidegate.expressions.feel.durations import DaysTime, YearsMonths
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.temporal import Date, DateTime, Time


@dataclass(frozen=True, slots=True)
class Type:
    """A type without parts: number, string, boolean, date and so on, Any and Null."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType(Type):
    """Lists whose elements are of one type."""

    item: Type

    def __init__(self, item: Type) -> None:
        object.__setattr__(self, "name", f"list<{item}>")
        object.__setattr__(self, "item", item)


@dataclass(frozen=True, slots=True)
class RangeType(Type):
    """Ranges whose ends are of one type."""

    item: Type

    def __init__(self, item: Type) -> None:
        object.__setattr__(self, "name", f"range<{item}>")
        object.__setattr__(self, "item", item)


@dataclass(frozen=True, slots=True, eq=False)
class ContextType(Type):
    """Contexts that have these entries, of these types, and maybe more."""

    entries: Mapping[str, Type]

    def __init__(self, entries: Mapping[str, Type], name: str = "") -> None:
        inner = ", ".join(f"{key}: {value}" for key, value in entries.items())
        object.__setattr__(self, "name", name or f"context<{inner}>")
        object.__setattr__(self, "entries", dict(entries))


@dataclass(frozen=True, slots=True)
class FunctionType(Type):
    """Functions of these parameters and of this result."""

    parameters: tuple[Type, ...]
    result: Type

    def __init__(self, parameters: tuple[Type, ...], result: Type) -> None:
        object.__setattr__(self, "name", f"function<{', '.join(map(str, parameters))}>->{result}")
        object.__setattr__(self, "parameters", parameters)
        object.__setattr__(self, "result", result)


@dataclass(frozen=True, slots=True)
class OneOf(Type):
    """Any of several types; what some built-in functions take."""

    options: tuple[Type, ...]

    def __init__(self, options: tuple[Type, ...]) -> None:
        object.__setattr__(self, "name", " or ".join(map(str, options)))
        object.__setattr__(self, "options", options)


ANY, NULL = Type("Any"), Type("Null")
NUMBER, STRING, BOOLEAN = Type("number"), Type("string"), Type("boolean")
DATE, TIME, DATE_TIME = Type("date"), Type("time"), Type("date and time")
YEARS_MONTHS, DAYS_TIME = Type("years and months duration"), Type("days and time duration")
CONTEXT, LIST, FUNCTION, RANGE = Type("context"), Type("list"), Type("function"), Type("range")
"""Any context, list, function and range, whatever is in it."""

_NAMED = {
    each.name: each
    for each in (
        ANY, NUMBER, STRING, BOOLEAN, DATE, TIME, DATE_TIME, YEARS_MONTHS, DAYS_TIME, CONTEXT, LIST, FUNCTION, RANGE,
    )
} | {
    "any": ANY, "Null": NULL, "null": NULL,
    "dateTime": DATE_TIME, "datetime": DATE_TIME, "date time": DATE_TIME,
    "yearMonthDuration": YEARS_MONTHS, "dayTimeDuration": DAYS_TIME,
    "years and months duration": YEARS_MONTHS, "days and time duration": DAYS_TIME,
}  # fmt: skip
_KINDS: dict[type, Type] = {
    type(None): NULL, bool: BOOLEAN, Decimal: NUMBER, str: STRING, Date: DATE, Time: TIME, DateTime: DATE_TIME,
    YearsMonths: YEARS_MONTHS, DaysTime: DAYS_TIME, list: LIST, dict: CONTEXT, Range: RANGE,
}  # fmt: skip


def named(name: str) -> Type | None:
    """The type that is built in under this name, those of DMN 1.1 (`dateTime`, `dayTimeDuration`) included."""
    return _NAMED.get(name)


def named_all() -> list[str]:
    """The names of all types that are built in."""
    return list(_NAMED)


def kind_of(value: Any) -> str:
    """What a value is, in one word or a few: number, string, date and time, list, context, function, null."""
    found = _KINDS.get(type(value))
    return "null" if found is NULL else found.name if found is not None else "function"


def instance_of(value: Any, type: Type) -> bool:
    """Whether a value is of a type. Null is of the type Null and of no other."""
    if type is ANY:
        return value is not None
    return value is not None and _fits(value, type) if type is not NULL else value is None


def _fits(value: Any, type: Type) -> bool:
    """Whether a value is of a type, where null passes for a value of any."""
    if value is None or type is ANY:
        return True
    if isinstance(type, OneOf):
        return any(_fits(value, option) for option in type.options)
    if isinstance(type, ListType):
        return isinstance(value, list) and all(_fits(each, type.item) for each in value)
    if isinstance(type, ContextType):
        return isinstance(value, dict) and all(
            key in value and _fits(value[key], inner) for key, inner in type.entries.items()
        )
    if isinstance(type, RangeType):
        ends = [value.low, value.high] if isinstance(value, Range) else []
        return bool(ends) and all(_fits(end, type.item) for end in ends)
    if isinstance(type, FunctionType):
        return kind_of(value) == "function" and _function_fits(value, type)
    return _KINDS.get(value.__class__, FUNCTION) == type


def _function_fits(value: Any, type: FunctionType) -> bool:
    """A function may stand in for another if it takes at least what that takes and gives at most what that gives.

    What a function gives that says nothing of it may be anything.
    """
    parameters = value.parameters
    return (
        len(parameters) == len(type.parameters)
        and all(conforms(wanted, own.type) for own, wanted in zip(parameters, type.parameters, strict=True))
        and (value.result is ANY or conforms(value.result, type.result))
    )


def conforms(one: Type, other: Type) -> bool:
    """Whether every value of the first type is one of the second (DMN 1.5, 10.3.2.9.2)."""
    if other is ANY or one is NULL or one == other:
        return True
    if isinstance(other, OneOf):
        return any(conforms(one, option) for option in other.options)
    if isinstance(other, ListType):
        return isinstance(one, ListType) and conforms(one.item, other.item)
    if isinstance(other, RangeType):
        return isinstance(one, RangeType) and conforms(one.item, other.item)
    if isinstance(other, ContextType):
        return isinstance(one, ContextType) and all(
            key in one.entries and conforms(one.entries[key], inner) for key, inner in other.entries.items()
        )
    if isinstance(other, FunctionType):
        return (
            isinstance(one, FunctionType)
            and len(one.parameters) == len(other.parameters)
            and all(conforms(b, a) for a, b in zip(one.parameters, other.parameters, strict=True))
            and conforms(one.result, other.result)
        )
    family = {LIST: ListType, CONTEXT: ContextType, RANGE: RangeType, FUNCTION: FunctionType}.get(other)
    return family is not None and isinstance(one, family)


def coerce(value: Any, type: Type) -> tuple[Any, str]:
    """A value as one of this type, by the conversions that happen by themselves, and why it became null, if it did.

    A list of one element becomes the element where none is asked for, an element the list of it where a list is, a
    date its midnight in UTC where a date and time is (DMN 1.5, 10.3.2.9.4).
    """
    if value is None or type is ANY or _fits(value, type):
        return value, ""
    if isinstance(type, ListType) or type is LIST:
        if not isinstance(value, list) and (type is LIST or _fits(value, type.item)):  # type: ignore[attr-defined]
            return [value], ""
    elif isinstance(value, list) and len(value) == 1 and _fits(value[0], type) and value[0] is not None:
        return value[0], ""
    if type is DATE_TIME and isinstance(value, Date):
        return DateTime(value, Time(0, 0, 0, offset=0)), ""
    return None, _misfit(value, type)


def _misfit(value: Any, type: Type, path: str = "") -> str:
    """What of a value is not of a type: the first of its entries and elements that is not, or all of it."""
    if isinstance(type, ContextType) and isinstance(value, dict):
        for key, inner in type.entries.items():
            within = f"{path}.{key}" if path else key
            if key not in value:
                return f"{within} is missing"
            if not _fits(value[key], inner):
                return _misfit(value[key], inner, within)
    if isinstance(type, ListType) and isinstance(value, list):
        for number, each in enumerate(value, 1):
            if not _fits(each, type.item):
                return _misfit(each, type.item, f"{path}[{number}]")
    return f"{path}{': ' if path else ''}{told(value)} is not of the type {type}"


def told(value: Any) -> str:
    """A value in a few words, for reasons: `the number 5`, `the string "abc"`, `a list of 3`."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return (
            f"a context of {', '.join(list(value)[:4])}{'…' if len(value) > 4 else ''}"
            if value
            else "a context of nothing"
        )
    kind = kind_of(value)
    if kind in ("function", "range", "null"):
        return "null" if kind == "null" else f"a {kind}"
    text = str(value) if len(str(value)) <= 40 else str(value)[:39] + "…"
    return f'the string "{text}"' if kind == "string" else f"the {kind} {text.lower() if kind == 'boolean' else text}"


def type_of(value: Any) -> Type:
    """The narrowest type that a value is of."""
    if isinstance(value, list):
        kinds = {type_of(each) for each in value} if len(value) < 1000 else set()
        return ListType(kinds.pop() if len(kinds) == 1 else ANY)
    if isinstance(value, dict):
        return ContextType({key: type_of(inner) for key, inner in value.items()})
    if isinstance(value, Range):
        return RangeType(type_of(value.low if value.low is not None else value.high))
    found = _KINDS.get(type(value))
    if found is not None:
        return found
    return FunctionType(tuple(each.type for each in value.parameters), value.result)

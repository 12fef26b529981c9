"""Unary tests that say plainly which values pass: constants, and ranges between constants of one type.

Whether a value passes such a test is known without evaluating it, so a table of them can be kept as an index.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, NamedTuple

from tidegate.expressions.feel import nodes
from tidegate.expressions.feel.arithmetic import negated
from tidegate.expressions.feel.durations import DaysTime, YearsMonths, parse_duration
from tidegate.expressions.feel.ranges import Range, unary_range
from tidegate.expressions.feel.temporal import Date, parse_date
from tidegate.expressions.feel.values import order

_FUNCTIONS = {"date": parse_date, "duration": parse_duration}
_KEYS = {
    Decimal: lambda value: value,
    str: lambda value: value,
    bool: lambda value: value,
    Date: lambda value: value.days,
    YearsMonths: lambda value: value.months,
    DaysTime: lambda value: value.nanoseconds,
}
"""The types whose values have one order that does not hang on where a clock stands, and what they are ordered by."""


class Plain(NamedTuple):
    """What passes: the values in one of the ranges, or those in none of them.

    Args:
        type: the Python type of all constants.
        ranges: the ranges; null passes none of them.
        negated: whether it is what lies in none of them that passes.
    """

    type: type
    ranges: tuple[Range, ...]
    negated: bool


def key_of(value: Any) -> Any:
    """What a value of a plain test's type is ordered by."""
    return _KEYS[type(value)](value)


def plain(tests: nodes.Tests, hidden: Collection[str] = ()) -> Plain | None:
    """What tests say plainly; None where they must be evaluated to know.

    Args:
        tests: the tests.
        hidden: names in scope, which may hide the functions that make dates and durations.
    """
    ranges = [_range(each, hidden) for each in tests.tests]
    found = [each for each in ranges if each is not None]
    if not found or len(found) < len(ranges):
        return None
    kinds = {type(end) for each in found for end in (each.low, each.high) if end is not None}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if kind is bool and any(each.unary != "=" for each in found):
        return None
    return Plain(kind, tuple(found), tests.negated)


def _range(node: nodes.Node, hidden: Collection[str]) -> Range | None:
    if isinstance(node, nodes.UnaryRange):
        value = _value(node.value, hidden)
        return None if value is None else unary_range(node.operator, value)
    if isinstance(node, nodes.Interval):
        low, high = _value(node.low, hidden), _value(node.high, hidden)
        if low is None or high is None or order(low, high) not in (-1, 0):
            return None
        return Range(low, high, node.low_included, node.high_included)
    value = _value(node, hidden)
    return None if value is None else unary_range("=", value)


def _value(node: nodes.Node, hidden: Collection[str]) -> Any:
    """A constant's value, of a type that has a key; None where the node is no such constant."""
    value: Any = None
    if isinstance(node, nodes.Constant):
        value = node.value
    elif isinstance(node, nodes.Negation) and isinstance(node.operand, nodes.Constant):
        value = negated(node.operand.value)
    elif isinstance(node, nodes.Invocation) and isinstance(node.function, nodes.Name):
        name, text = node.function.name, node.arguments[0] if len(node.arguments) == 1 else None
        if name in _FUNCTIONS and name not in hidden and isinstance(text, nodes.Constant):
            value = _FUNCTIONS[name](text.value) if isinstance(text.value, str) else None
    return value if type(value) in _KEYS else None

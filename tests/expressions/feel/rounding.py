"""Where the graph may say something else than FEEL: how far rounding to 53 bits can move the sides of a comparison.

A running error bound (Higham, Accuracy and Stability of Numerical Algorithms, 3.3) of every number that a text
computes, beside its value in FEEL's decimals. Whole numbers and money have none, until they are divided or meet a
float.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from tidegate.expressions.feel import nodes
from tidegate.expressions.feel.expression import Expression

UNIT = Decimal(2) ** -50
"""Eight times the rounding of one operation, since what the platform's exp and log do is not rounded correctly."""
_WIDEST, _TINIEST = Decimal("1.7e308"), Decimal("2.3e-308")
_MOST = Decimal(2**62) / 100  # in minor units
_FUNCTIONS = ("abs", "min", "max", "floor", "ceiling", "sqrt", "exp", "log")


class Number(NamedTuple):
    """A number, how far the graph's may be from it, and whether the graph has it as a whole number."""

    value: Decimal
    error: Decimal
    whole: bool


class _AnyoneCanSayError(Exception):
    """The exception of the docs holds: the graph may say something else."""


def may_differ(root: nodes.Node, text: str, scope: Mapping[str, Any]) -> bool:
    """Whether a comparison in the text hangs on rounding, or a number leaves the range of the graph's."""
    try:
        _Bounds(text, scope).all_of(root)
    except _AnyoneCanSayError:
        return True
    return False


class _Bounds:
    def __init__(self, text: str, scope: Mapping[str, Any]) -> None:
        self.text, self.scope = text, scope

    def value(self, node: nodes.Node) -> Any:
        return Expression(self.text, node, (), "").evaluate(self.scope)

    def all_of(self, node: Any) -> None:
        """Look at every comparison in a node."""
        match node:
            case nodes.Comparison():
                self.apart(node.left, node.right)
            case nodes.Between():
                self.apart(node.value, node.low)
                self.apart(node.value, node.high)
            case nodes.In():
                self.tests(node.value, node.tests)
            case nodes.Logic():
                for each in node.operands:
                    self.all_of(each)
            case nodes.Invocation():
                for each in node.arguments:
                    self.all_of(each)
            case _:
                self.number(node)

    def tests(self, value: nodes.Node, tests: Any) -> None:
        for each in tests:
            match each:
                case nodes.Interval():
                    self.apart(value, each.low)
                    self.apart(value, each.high)
                case nodes.UnaryRange():
                    self.apart(value, each.value)
                case nodes.ListOf():
                    self.tests(value, each.items)
                case _:
                    self.apart(value, each)

    def apart(self, left: nodes.Node, right: nodes.Node) -> None:
        a, b = self.number(left), self.number(right)
        if a is None or b is None:
            return
        both = a.whole and b.whole
        error = Decimal(0) if both else a.error + b.error + (abs(a.value) + abs(b.value)) * UNIT
        if not both and abs(a.value - b.value) <= error:
            raise _AnyoneCanSayError

    def number(self, node: nodes.Node) -> Number | None:
        """The bound of a node; None where it is null or no number."""
        value = self.value(node)
        parts = self.parts(node)
        if not isinstance(value, Decimal):
            if isinstance(node, (nodes.Arithmetic, nodes.Invocation)) and any(one and one.error for one in parts):
                raise _AnyoneCanSayError  # a root or a quotient of what may be zero
            return None
        if isinstance(node, nodes.Path) or (isinstance(node, nodes.Invocation) and self.name(node) not in _FUNCTIONS):
            return Number(value, Decimal(0), True)
        made = self.bound(node, value, parts)
        low, high = (Decimal(0), _MOST) if made.whole else (_TINIEST, _WIDEST)
        if abs(value) >= high or 0 < abs(value) < low:
            raise _AnyoneCanSayError
        return made

    def name(self, node: nodes.Invocation) -> str:
        return node.function.name if isinstance(node.function, nodes.Name) else ""

    def parts(self, node: nodes.Node) -> list[Number | None]:
        match node:
            case nodes.Arithmetic():
                return [self.number(node.first), *(self.number(each) for _, each in node.rest)]
            case nodes.Negation():
                return [self.number(node.operand)]
            case nodes.If():
                for test, _ in node.branches:
                    self.all_of(test)
                return [self.number(each) for each in (*(one for _, one in node.branches), node.otherwise)]
            case nodes.Invocation():
                items = [
                    i for each in node.arguments for i in (each.items if isinstance(each, nodes.ListOf) else [each])
                ]
                return [self.number(each) for each in items]
        return []

    def bound(self, node: nodes.Node, value: Decimal, parts: list[Number | None]) -> Number:
        known = [one for one in parts if one is not None]
        whole = all(one.whole for one in known)
        if isinstance(node, nodes.Arithmetic):
            return self.arithmetic(node, known)
        if not known:  # a name or a constant
            floats = isinstance(node, nodes.Name) and node.name == "x"
            whole = not floats and (isinstance(node, nodes.Name) or value == value.to_integral_value())
            return Number(value, Decimal(0) if whole else abs(value) * UNIT, whole)
        error = max(one.error for one in known)
        if isinstance(node, nodes.Invocation):
            first, name = known[0], self.name(node)
            low, high = first.value - first.error, first.value + first.error
            if name in ("floor", "ceiling"):
                if low.to_integral_value("ROUND_FLOOR") != high.to_integral_value("ROUND_FLOOR") and first.error:
                    raise _AnyoneCanSayError
                return Number(value, abs(value) * UNIT, whole)
            if name in ("sqrt", "log"):
                if low <= 0:
                    raise _AnyoneCanSayError
                error = first.error / low if name == "log" else first.error / low.sqrt()
                return Number(value, error + abs(value) * UNIT, False)
            if name == "exp":
                return Number(value, value * (first.error * 2 + UNIT) + value * abs(first.value) * UNIT, False)
        return Number(value, Decimal(0) if whole else error + abs(value) * UNIT, whole)

    def arithmetic(self, node: nodes.Arithmetic, known: list[Number]) -> Number:
        made = known[0]
        for (sign, _), other in zip(node.rest, known[1:], strict=True):
            a, b = made.value, other.value
            whole = made.whole and other.whole and sign != "/"
            value = {"+": a + b, "-": a - b, "*": a * b}[sign] if sign != "/" else a / b
            error = made.error + other.error
            if sign == "*":
                error = abs(a) * other.error + abs(b) * made.error + made.error * other.error
            if sign == "/":
                if abs(b) <= other.error:
                    raise _AnyoneCanSayError
                error = (made.error + abs(value) * other.error) / (abs(b) - other.error)
            made = Number(value, Decimal(0) if whole else error + (abs(value) + abs(a) * (sign in "+-")) * UNIT, whole)
        return made

"""FEEL as a second way to write the expression graph: what both can say is compiled, the rest refused with its place.

The two agree: the graph's missing is FEEL's null, and where FEEL's rules differ they are written out. In FEEL `x = 1`
is false for a null x, and never null; `if` goes on at `else` where its condition is null. Whole numbers and money are
exact in both, and times are: FEEL orders them by all their digits, and by `=` compares whole seconds. What is constant
is computed in decimals once, when the text is compiled: `0.1 + 0.2 = 0.3` holds in both.

The graph computes floats, and whatever is divided, in binary doubles, and ends whole numbers at 2**62, where FEEL has
decimals of 34 digits. So a text in which that can change what is decided is `held`: a bound of the rounding is computed
beside it, and where that leaves a comparison open, or a number overflows, FEEL's exact evaluator says (`certainty`).
What a text gives as a number is a double, or a whole number of 62 bits, as every number of a flow.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any

from tidegate.errors import FlowError
from tidegate.events.currency import decimals
from tidegate.events.money import Money
from tidegate.events.types import DURATION, TIME, Kind
from tidegate.expressions import functions
from tidegate.expressions.feel import nodes
from tidegate.expressions.feel.durations import DaysTime, parse_duration
from tidegate.expressions.feel.expression import Expression, parse
from tidegate.expressions.feel.given import Given, Trace
from tidegate.expressions.feel.held import held
from tidegate.expressions.feel.nodes import Node
from tidegate.expressions.feel.refusals import FeelError, FeelLimitError
from tidegate.expressions.feel.temporal import DateTime, parse_date_time
from tidegate.expressions.node import Expr, Literal, call, literal

_COMPARE = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_SECOND = 1_000_000
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Expr]]] = {
    "not": (1, lambda a: call("not", a)),
    "abs": (1, lambda a: call("abs", a)),
    "floor": (1, functions.floor),
    "ceiling": (1, functions.ceil),
    "sqrt": (1, functions.sqrt),
    "exp": (1, functions.exp),
    "log": (1, functions.log),
    "min": (0, lambda *of: reduce(functions.least, of)),
    "max": (0, lambda *of: reduce(functions.greatest, of)),
    "starts with": (2, functions.starts_with),
    "ends with": (2, functions.ends_with),
    "contains": (2, functions.contains),
    "upper case": (1, functions.upper),
    "lower case": (1, functions.lower),
    "string length": (1, functions.length),
}
_PARTS: Mapping[str, Callable[[Expr], Expr]] = {
    "year": functions.year,
    "month": functions.month,
    "day": functions.day,
    "hour": functions.hour,
    "minute": functions.minute,
    "weekday": lambda at: functions.weekday(at) + 1,
}


def feel(text: str, names: Mapping[str, Expr] | None = None, /, *, currency: str = "", **more: Expr) -> Expr:
    """An expression written in FEEL, the DMN standard's language: `feel("amount > 5000", amount=Payment.amount)`.

    Args:
        text: constants, comparisons, arithmetic, `and`, `or`, `not(…)`, `between`, `in`, ranges, lists of constants,
            `if`, parts of a time (`at.hour`, in UTC), and functions of numbers and texts that both languages have.
        names: what names in it stand for; names with blanks are given in this mapping, others as keywords.
        currency: of the numbers that amounts are compared with; only needed where no amount says its own.

    Raises:
        FeelError: the text cannot be read, or says what expressions cannot; with the line and the column.
        FlowError: types or units do not fit.
    """
    known = {**(names or {}), **more}
    read = parse(text, names=dict.fromkeys(known))
    if read.unknown:
        first = read.unknown[0]
        do = f"Did you mean {first.nearest}?" if first.nearest else f"Known are {', '.join(known) or 'no names'}."
        raise FeelError(f"Nothing is called {first.name!r}.", text, first.start, first.end, do=do)
    graph = _Graph(text, known, currency)
    made = graph.expr(read.root)
    return held(made, text, currency, {name: known[name] for name in known if name in graph.used}, graph.rounded)


class _Graph:
    """Compiles the nodes of one text."""

    def __init__(self, text: str, names: Mapping[str, Expr], currency: str) -> None:
        self._text, self._names = text, names
        self.used: set[str] = set()
        """The names that were met."""
        self.rounded: set[float] = set()
        """The constants that are not the decimals they stand for."""
        found = {expr.type.currency for expr in names.values() if expr.type.kind is Kind.MONEY and expr.type.currency}
        self._currency = currency or (next(iter(found)) if len(found) == 1 else "")

    def expr(self, node: Node) -> Expr:
        """The expression that a node is."""
        made = self._made(node)
        if made is None:
            raise self._refused(node, "null stands alone only in `x = null`")
        return made

    def _made(self, node: Node) -> Expr | None:
        try:
            return self._compiled(node)
        except FeelError:
            raise
        except FlowError as error:
            raise FeelError(error.wrong.rstrip("."), self._text, node.start, node.end, do=error.do) from None

    def _compiled(self, node: Node) -> Expr | None:
        if not isinstance(node, nodes.Constant) and self._is_constant(node):
            return self._folded(node)
        match node:
            case nodes.Constant():
                return self._constant(node)
            case nodes.Name():
                if node.name in self._names:
                    self.used.add(node.name)
                    return self._names[node.name]
            case nodes.Arithmetic():
                return self._arithmetic(node)
            case nodes.Negation():
                return call("neg", self.expr(node.operand))
            case nodes.Logic():
                op = node.operator
                return reduce(lambda a, b: call(op, a, b), map(self.expr, node.operands))
            case nodes.Comparison():
                return self._comparison(node.operator, node.left, node.right)
            case nodes.Between():
                low = self._comparison(">=", node.value, node.low)
                return low & self._comparison("<=", node.value, node.high)
            case nodes.In():
                return self._any(node.value, node.tests)
            case nodes.If():
                return self._branches(node)
            case nodes.Path():
                source = self.expr(node.source)
                if source.type.kind is Kind.TIME and node.name in _PARTS:
                    return _PARTS[node.name](source)
            case nodes.Invocation():
                return self._invocation(node)
            case _:
                pass
        raise self._refused(node)

    def _refused(self, node: Node, why: str = "expressions cannot say this") -> FeelError:
        do = "Write it in a DMN model, or as a feature of the flow that this text then names."
        return FeelError(f"This cannot be compiled: {why}.", self._text, node.start, node.end, do=do)

    def _is_constant(self, node: Node) -> bool:
        """Whether nothing that this node is made of has a name of the flow's."""
        waiting: list[Any] = [node]
        while waiting:
            each = waiting.pop()
            if isinstance(each, nodes.Name) and each.name in self._names:
                return False
            if isinstance(each, (Node, nodes.Iteration)):
                waiting.extend(getattr(each, name) for name in each.__dataclass_fields__ if name != "shape")
            elif isinstance(each, tuple):
                waiting.extend(each)
        return True

    def _folded(self, node: Node) -> Expr:
        """What a constant node comes to, computed as FEEL does, in decimals."""
        trace = Trace()
        try:
            value = Expression(self._text, node, (), "").evaluate({}, Given(trace=trace))
        except FeelLimitError as error:
            raise self._refused(node, error.wrong.rstrip(".")) from None
        if value is None:
            raise self._refused(node, trace.reasons[0].why if trace.reasons else "it is null")
        if isinstance(value, Decimal):
            return self._number(value)
        if isinstance(value, bool | str):
            return literal(value)
        return self._temporal(node, value)

    def _number(self, value: Decimal) -> Expr:
        if value == value.to_integral_value() and abs(value) <= 2**53:
            return literal(int(value))
        if Decimal(repr(float(value))) != value:
            self.rounded.add(float(value))
        return literal(float(value))

    def _constant(self, node: nodes.Constant) -> Expr | None:
        value = node.value
        if value is None:
            return None
        if isinstance(value, Decimal):
            made = self._number(value)
            if isinstance(made, Literal) and Decimal(repr(made.value)) != value:
                raise self._refused(node, "the number has more digits than a float has")
            return made
        if isinstance(value, bool | str):
            return literal(value)
        return self._temporal(node, value)

    def _temporal(self, node: Node, value: Any) -> Expr:
        if isinstance(value, DaysTime):
            microseconds, rest = divmod(value.nanoseconds, 1000)
            if not rest:
                return Literal(microseconds, DURATION)
        if isinstance(value, DateTime):
            if value.offset is not None and value.instant % 1000 == 0:
                return Literal(value.instant // 1000, TIME)
            raise self._refused(node, "a time here has its zone, to the microsecond")
        raise self._refused(node, "only times and durations of days and hours are values here")

    def _arithmetic(self, node: nodes.Arithmetic) -> Expr:
        made = self.expr(node.first)
        for operator, operand in node.rest:
            op = _ARITHMETIC.get(operator)
            if op is None:
                raise self._refused(node)
            other = self.expr(operand)
            if op in ("add", "sub"):
                made, other = self._alike(made, other, node)
            if Kind.TEXT in (made.type.kind, other.type.kind):
                raise self._refused(node, "texts are not put together")
            made = call(op, made, other)
        return made

    def _alike(self, left: Expr, right: Expr, node: Node) -> tuple[Expr, Expr]:
        """A number beside an amount is an amount, in whole units of its currency."""
        for a, b, turned in ((left, right, False), (right, left, True)):
            if a.type.kind is Kind.MONEY and isinstance(b, Literal) and b.type.is_number:
                code = a.type.currency or self._currency
                if not code:
                    raise self._refused(node, "of which currency the number is, is not said; give currency=")
                units = Decimal(str(b.value)).scaleb(decimals(code))
                if units != units.to_integral_value():
                    raise self._refused(node, f"{code} has no parts as small as that")
                money = literal(Money(int(units), code))
                return (money, a) if turned else (a, money)
        return left, right

    def _comparison(self, operator: str, left: Node, right: Node) -> Expr:
        a, b = self._made(left), self._made(right)
        if a is None or b is None:
            only = a if a is not None else b
            if only is None or operator not in ("=", "!="):
                raise self._refused(left if a is None else right, "nothing is compared with null but by = and !=")
            return only.is_missing() if operator == "=" else ~only.is_missing()
        if operator not in _COMPARE and a.type.kind is Kind.TIME and b.type.kind is Kind.TIME:
            return self._same_second(operator, a, b, left)
        a, b = self._alike(a, b, left)
        if operator in _COMPARE:
            return call(_COMPARE[operator], a, b)
        equal = (a == b).otherwise(False)
        if not isinstance(a, Literal) and not isinstance(b, Literal):
            equal = equal | (a.is_missing() & b.is_missing())
        return equal if operator == "=" else ~equal

    def _same_second(self, operator: str, a: Expr, b: Expr, node: Node) -> Expr:
        """Times are equal in FEEL if their whole seconds are, and in the graph to the microsecond."""
        if isinstance(a, Literal):
            a, b = b, a
        if not isinstance(b, Literal):
            raise self._refused(node, "FEEL asks whether two times are equal by whole seconds, and expressions do not")
        begins = b.value // _SECOND * _SECOND
        within = ((a >= Literal(begins, TIME)) & (a < Literal(begins + _SECOND, TIME))).otherwise(False)
        return within if operator == "=" else ~within

    def _any(self, value: Node, tests: Sequence[Node]) -> Expr:
        return reduce(lambda a, b: a | b, [self._test(value, test) for test in tests])

    def _test(self, value: Node, test: Node) -> Expr:
        match test:
            case nodes.Interval():
                for end in (test.low, test.high):
                    if not self._is_constant(end):
                        raise self._refused(end, "the ends of a range are constants here; write `between`")
                low = self._comparison(">=" if test.low_included else ">", value, test.low)
                return low & self._comparison("<=" if test.high_included else "<", value, test.high)
            case nodes.UnaryRange():
                return self._comparison(test.operator, value, test.value)
            case nodes.ListOf():
                if test.items:
                    return self._any(value, test.items)
                raise self._refused(test, "an empty list holds nothing")
            case nodes.Constant() | nodes.Name() | nodes.Negation() | nodes.Invocation() | nodes.Arithmetic():
                return self._comparison("=", value, test)
            case _:
                raise self._refused(test)

    def _branches(self, node: nodes.If) -> Expr:
        made = self.expr(node.otherwise)
        for condition, value in reversed(node.branches):
            then, made = self._alike(self.expr(value), made, node)
            made = functions.where(self.expr(condition).otherwise(False), then, made)
        return made

    def _invocation(self, node: nodes.Invocation) -> Expr:
        name = node.function.name if isinstance(node.function, nodes.Name) else ""
        arguments = node.arguments
        if name in ("min", "max") and len(arguments) == 1 and isinstance(arguments[0], nodes.ListOf):
            arguments = arguments[0].items
        only = arguments[0] if len(arguments) == 1 else None
        if isinstance(only, nodes.Constant) and isinstance(only.value, str):
            if name == "duration":
                return self._temporal(node, parse_duration(only.value))
            if name == "date and time":
                return self._temporal(node, parse_date_time(only.value))
        many, function = _FUNCTIONS.get(name, (-1, None))
        if function is None or node.names or (many and len(arguments) != many) or not arguments:
            raise self._refused(node)
        if name in ("starts with", "ends with", "contains"):
            second = arguments[1]
            if not isinstance(second, nodes.Constant) or not isinstance(second.value, str):
                raise self._refused(second, f"what `{name}` looks for is written as a text here")
            return function(self.expr(arguments[0]), second.value)
        return function(*map(self.expr, arguments))

"""Where doubles decide as decimals do: an instruction beside every step that bounds how far the two are apart.

A running error bound (Higham, Accuracy and Stability of Numerical Algorithms, 3.3), kept for each row with the value.
A comparison is certain where its sides are further apart than their bounds; `floor` and `ceiling`, where both ends of
the bound give the same number. What overflows, or comes close to the smallest doubles, is never certain. Where a row
is not certain it is for the exact evaluator to say, so that both always agree.

Fields, windows and constants stand for the decimal that their shortest text is, and are ordered as those are: two of
them are compared without any bound.
"""

from collections.abc import Collection
from typing import NamedTuple

from tidegate.events.types import Kind
from tidegate.expressions.node import Call, Expr, FieldRead, Literal
from tidegate.expressions.program import Columns, Compiler

UNIT = 2.0**-50
"""Eight times the rounding of one operation: covers that of the bounds, and the platform's exp and log."""
_TINY = 1e-290
_BIG, _EXACT, _TIMES = 2**62, 2**53, 2**58
_ORDER = ("lt", "le", "gt", "ge", "eq", "ne")
_LEAVES = ("lower", "upper", "length", "starts_with", "ends_with", "contains")
_CALENDAR = ("hour", "minute", "weekday", "day", "month", "year")


class _Number(NamedTuple):
    """A number as a double, how far it may be from FEEL's (None: not at all), and whether order needs no bound."""

    column: int
    error: int | None
    ordered: bool
    leaf: bool = False


def may_differ(root: Expr, given: Collection[int], rounded: Collection[float] = ()) -> bool:
    """Whether there are values on which doubles and whole numbers of 62 bits decide otherwise than decimals.

    Args:
        root: the expression.
        given: the nodes, by `id`, whose cells are what FEEL is given.
        rounded: constants that are not the decimals they stand for.
    """
    columns = Columns()
    return Certainty(Compiler(columns, lambda node: columns.new()), given, rounded).column(root) is not None


class Certainty:
    """Compiles, beside an expression, whether its value in a row is FEEL's.

    Args:
        to: what the instructions are added to.
        given, rounded: as for `may_differ`.
    """

    def __init__(self, to: Compiler, given: Collection[int], rounded: Collection[float] = ()) -> None:
        self._to, self._emit = to, to.emit
        self._given, self._rounded = frozenset(given), frozenset(rounded)
        self._needs: list[int] = []
        self._numbers: dict[int, _Number] = {}
        self._errors: dict[int, int | None] = {}
        self._seen: set[int] = set()

    def column(self, root: Expr) -> int | None:
        """The column that is 1 where the value is certain; None where it always is."""
        self._look(root)
        needs = list(dict.fromkeys(self._needs))
        if not needs:
            return None
        made = needs[0]
        for need in needs[1:]:
            made = self._emit("and", made, need)
        return made

    def _constant(self, value: float) -> int:
        return self._to.columns.constant(value)

    def _otherwise(self, condition: int, value: int) -> int:
        return self._emit("fill_i", condition, self._constant(value))

    def _look(self, node: Expr) -> None:
        """Meet every comparison and step in an expression."""
        if id(node) in self._seen or id(node) in self._given or not isinstance(node, Call):
            return
        self._seen.add(id(node))
        if node.op in _ORDER and _counts(node.args[0]):
            self._apart(*node.args)
        elif node.op in ("floor", "ceil", *_CALENDAR) or (node.op == "is_missing" and _counts(node.args[0])):
            self._number(node if node.op in ("floor", "ceil") else node.args[0])
        elif node.op not in _LEAVES:
            for part in node.args:
                self._look(part)

    def _apart(self, left: Expr, right: Expr) -> None:
        a, b = self._number(left), self._number(right)
        if not (left.type.is_float or right.type.is_float) or (a.ordered and b.ordered):
            return
        errors = [e for e in (self._error(a), self._error(b)) if e is not None]
        if not errors:
            return
        error = errors[0] if len(errors) == 1 else self._emit("add_f", *errors)
        between = self._emit("abs_f", self._emit("sub_f", a.column, b.column))
        clear = self._emit("or", self._emit("lt_f", error, between), self._emit("eq_f", error, self._constant(0.0)))
        missing = self._emit("or", self._emit("missing_f", a.column), self._emit("missing_f", b.column))
        self._needs.append(self._emit("or", missing, self._otherwise(clear, 0)))

    def _error(self, one: _Number) -> int | None:
        """The bound of a number that is about to be computed with."""
        if not one.leaf:
            return one.error
        if one.column not in self._errors:
            size = self._emit("abs_f", one.column)
            self._errors[one.column] = self._emit("mul_f", size, self._constant(UNIT))
            self._not_tiny(one.column, one.column)
        return self._errors[one.column]

    def _not_tiny(self, value: int, *zeros: int) -> None:
        """A value is not so close to zero that its bound is lost, unless one of the others is zero."""
        clear = self._emit("lt_f", self._constant(_TINY), self._emit("abs_f", value))
        for zero in zeros:
            clear = self._emit("or", clear, self._emit("eq_f", zero, self._constant(0.0)))
        self._needs.append(self._otherwise(clear, 1))

    def _there(self, value: int, form: str, operands: list[int], divisor: int | None = None) -> None:
        """A value is there if its operands are, or it is left to decimals, which do not overflow."""
        gone = self._emit(f"missing_{form}", value)
        for operand in operands:
            gone = self._emit("and", gone, self._emit("not", self._emit(f"missing_{form}", operand)))
        if divisor is not None:
            gone = self._emit("and", gone, self._emit("not", self._emit("eq_f", divisor, self._constant(0.0))))
        self._needs.append(self._emit("not", gone))

    def _sum(self, parts: list[int]) -> int:
        made = parts[0]
        for part in parts[1:]:
            made = self._emit("add_f", made, part)
        return made

    def _own(self, value: int) -> int:
        """The rounding of the last step."""
        return self._emit("mul_f", self._emit("abs_f", value), self._constant(UNIT))

    def _number(self, node: Expr) -> _Number:
        if id(node) not in self._numbers:
            self._numbers[id(node)] = self._made(node)
        return self._numbers[id(node)]

    def _made(self, node: Expr) -> _Number:
        if node.type.kind is Kind.DURATION and node.type.is_float:
            self._needs.append(self._constant(0))  # FEEL counts nanoseconds
            return _Number(self._to.floating(node), None, True)
        if id(node) in self._given or not isinstance(node, Call) or node.op in _LEAVES:
            return self._leaf(node)
        if node.op == "where":
            self._look(node.args[0])
        if not node.type.is_float:
            return self._whole(node)
        if node.op == "where":
            return self._either(node, *map(self._number, node.args[1:]))
        parts = [self._number(part) for part in node.args]
        if node.op in ("neg", "abs"):
            return parts[0]._replace(column=self._to.floating(node))
        if node.op in ("least", "greatest"):
            return self._either(node, *parts)
        if node.op in ("floor", "ceil"):
            return self._step(node, parts[0])
        if node.op in ("sqrt", "log", "exp"):
            return self._function(node, parts[0])
        if node.op in ("add", "sub", "mul", "div"):
            return self._arithmetic(node, *parts)
        self._needs.append(self._constant(0))
        return _Number(self._to.floating(node), None, True)

    def _leaf(self, node: Expr) -> _Number:
        column = self._to.floating(node)
        if not node.type.is_float:
            return self._fits(node, column)
        if isinstance(node, Literal) and node.value in self._rounded and id(node) not in self._given:
            if abs(node.value) < _TINY:
                self._needs.append(self._constant(0))
            return _Number(column, self._constant(abs(node.value) * UNIT), False)
        return _Number(column, None, True, leaf=True)

    def _fits(self, node: Expr, column: int) -> _Number:
        """A whole number as a double, which has it exactly up to 2**53."""
        small = largest(node) <= _EXACT
        return _Number(column, None if small else self._own(column), small)

    def _whole(self, node: Call) -> _Number:
        for part in node.args:
            if _counts(part):
                self._number(part)
            else:
                self._look(part)
        if node.op in ("add", "sub", "mul") and largest(node) >= _BIG:
            self._there(self._to.column(node), "i", [self._to.column(part) for part in node.args])
        return self._fits(node, self._to.floating(node))

    def _either(self, node: Call, a: _Number, b: _Number) -> _Number:
        """One of two numbers: the smaller, the larger, or the one that a condition says."""
        column = self._to.floating(node)
        if a.ordered and b.ordered:
            return _Number(column, None, True, leaf=a.leaf or b.leaf)
        errors = [self._constant(0.0) if e is None else e for e in (self._error(a), self._error(b))]
        if node.op == "where":
            return _Number(column, self._emit("where_f", self._to.column(node.args[0]), *errors), False)
        return _Number(column, self._emit("greatest_f", *errors), False)

    def _step(self, node: Call, of: _Number) -> _Number:
        column = self._to.floating(node)
        error = None if of.ordered else self._error(of)
        if error is not None:
            ends = [self._emit(node.op, self._emit(f"{sign}_f", of.column, error)) for sign in ("sub", "add")]
            self._needs.append(self._sure(of.column, self._emit("eq_f", *ends)))
        if of.leaf or error is not None:
            size = self._emit("abs_f", column)
            self._needs.append(self._sure(of.column, self._emit("lt_f", size, self._constant(float(_EXACT)))))
        return _Number(column, None, True)

    def _sure(self, value: int, condition: int) -> int:
        """A condition that must hold where a value is there."""
        return self._emit("or", self._emit("missing_f", value), self._otherwise(condition, 0))

    def _function(self, node: Call, of: _Number) -> _Number:
        """A root, logarithm or power of e: how much of its operand's bound it passes on is told by its slope."""
        value, error = self._to.floating(node), self._error(of)
        own = self._own(value)
        if node.op == "exp":
            passed = self._own(of.column) if error is None else self._emit("add_f", self._own(of.column), error)
            self._needs.append(self._sure(of.column, self._emit("lt_f", passed, self._constant(0.5))))
            self._there(value, "f", [of.column])
            self._not_tiny(value)
            twice = self._emit("add_f", passed, passed)
            return _Number(value, self._emit("add_f", own, self._emit("mul_f", value, twice)), False)
        if error is None:
            return _Number(value, own, False)
        low = self._emit("sub_f", of.column, error)
        if not of.ordered:
            self._needs.append(self._sure(of.column, self._emit("lt_f", self._constant(0.0), low)))
        slope = low if node.op == "log" else self._emit("sqrt", low)
        # Of nothing there is no slope: the root of an exact zero is zero.
        passed = self._emit("fill_f", self._emit("div", error, slope), self._constant(0.0))
        return _Number(value, self._emit("add_f", passed, own), False)

    def _arithmetic(self, node: Call, a: _Number, b: _Number) -> _Number:
        value, emit = self._to.floating(node), self._emit
        x, y = self._error(a), self._error(b)
        own = self._own(value)
        if node.op in ("add", "sub"):
            self._there(value, "f", [a.column, b.column])
            return _Number(value, self._sum([own, *(e for e in (x, y) if e is not None)]), False)
        if node.op == "mul":
            self._there(value, "f", [a.column, b.column])
            self._not_tiny(value, a.column, b.column)
            parts = [own]
            parts += [emit("mul_f", emit("abs_f", b.column), x)] if x is not None else []
            parts += [emit("mul_f", emit("abs_f", a.column), y)] if y is not None else []
            parts += [emit("mul_f", x, y)] if x is not None and y is not None else []
            return _Number(value, self._sum(parts), False)
        self._there(value, "f", [a.column, b.column], b.column)
        self._not_tiny(value, a.column)
        size = emit("abs_f", b.column)
        above = [] if x is None else [x]
        above += [] if y is None else [emit("mul_f", emit("abs_f", value), y)]
        if y is not None and not b.ordered:
            self._needs.append(self._sure(b.column, emit("lt_f", y, size)))
        below = size if y is None else emit("sub_f", size, y)
        return _Number(value, self._sum([own, *([emit("div", self._sum(above), below)] if above else [])]), False)


def _counts(node: Expr) -> bool:
    """Whether it is a number, an amount, a duration or a time."""
    return node.type.is_quantity or node.type.kind is Kind.TIME


def largest(node: Expr) -> int:
    """The largest absolute value that a whole cell of this expression can have, as far as is known."""
    if isinstance(node, Literal):
        return abs(int(node.value))
    if node.type.kind in (Kind.TIME, Kind.DURATION) and not isinstance(node, Call):
        return _TIMES
    if isinstance(node, FieldRead) or getattr(node, "aggregate", "total") != "total":
        return node.type.bound
    if isinstance(node, Call):
        if node.op in (*_CALENDAR, "length", "as_number"):
            return 2**31
        parts = [largest(part) for part in node.args if _counts(part) and not part.type.is_float]
        if node.op in ("add", "sub"):
            return sum(parts)
        if node.op == "mul" and len(parts) == 2:
            return parts[0] * parts[1]
        if node.op in ("neg", "abs", "least", "greatest", "where", "fill", "feel") and parts:
            return max(parts)
    return _BIG


__all__ = ["Certainty", "may_differ"]

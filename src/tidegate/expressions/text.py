"""The text form of an expression: reads like Python, and parses back to the same graph."""

import ast
import difflib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tidegate.errors import ContractError, FlowError, TidegateError
from tidegate.events.durations import written
from tidegate.events.money import Money
from tidegate.events.types import Kind
from tidegate.expressions import functions
from tidegate.expressions.node import Call, Expr, FieldRead, Literal, call, literal
from tidegate.expressions.operators import WRITTEN

_LEVEL = {
    "or": 1,
    "and": 2,
    "eq": 4,
    "ne": 4,
    "lt": 4,
    "le": 4,
    "gt": 4,
    "ge": 4,
    "add": 5,
    "sub": 5,
    "mul": 6,
    "div": 6,
    "mod": 6,
}
_LEVEL |= {"neg": 7, "not": 7, "pow": 8}
_METHODS = {"fill": "otherwise", "is_missing": "is_missing", "is_in": "is_in"}
_NAMES = {"round": "round_"}


def write(expr: Expr, names: Mapping[int, str] | None = None) -> str:
    """The text of an expression; nodes whose `id` is in `names` are written as that name."""
    return _write(expr, names or {}, top=True)[0]


def _write(expr: Expr, names: Mapping[int, str], top: bool = False) -> tuple[str, int]:
    if not top and id(expr) in names:
        return names[id(expr)], 9
    if isinstance(expr, FieldRead):
        return f"{expr.event.__name__}.{expr.name}", 9
    if isinstance(expr, Literal):
        text = _literal(expr)
        return text, 7 if text.startswith("-") else 9  # -0.0 too
    if not isinstance(expr, Call) or expr.op == "feel":
        return expr.write(lambda part: _write(part, names)[0]), 9  # type: ignore[attr-defined]
    op = expr.op

    def inner(part: Expr, level: int) -> str:
        text, own = _write(part, names)
        return text if own >= level else f"({text})"

    if op == "abs":
        return f"abs({inner(expr.args[0], 0)})", 9
    if op in ("neg", "not"):
        return WRITTEN[op] + inner(expr.args[0], 8), 7
    if op in WRITTEN:
        level = _LEVEL[op]
        # comparisons bind looser than & and | in Python, so they are always bracketed inside those
        left, right = (5, 5) if level <= 4 else (level, level + 1)
        if op == "pow":
            left, right = 9, 9
        return f"{inner(expr.args[0], left)} {WRITTEN[op]} {inner(expr.args[1], right)}", level
    if op in _METHODS:
        rest = ", ".join(inner(part, 0) for part in expr.args[1:])
        # 5.otherwise(…) is no Python, (5).otherwise(…) is
        number = isinstance(expr.args[0], Literal) and expr.args[0].type.is_number
        return f"{inner(expr.args[0], 10 if number else 9)}.{_METHODS[op]}({rest})", 9
    rest = ", ".join(inner(part, 0) for part in expr.args)
    zone = f", {expr.option!r}" if expr.option and expr.option != "UTC" else ""
    return f"{_NAMES.get(op, op)}({rest}{zone})", 9


def _literal(expr: Literal) -> str:
    kind = expr.type.kind
    if kind is Kind.MONEY:
        return f"money({str(Money(expr.value, expr.type.currency or ''))!r})"
    if kind is Kind.DURATION:
        return f"duration({written(expr.value)!r})" if expr.value >= 0 else f"duration({str(expr.value) + 'us'!r})"
    if kind is Kind.TIME:
        return f"time({(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=expr.value)).isoformat()!r})"
    return repr(expr.value)


_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Mod: "mod", ast.Pow: "pow",
    ast.BitAnd: "and", ast.BitOr: "or",
    ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
}  # fmt: skip


def parse(text: str, names: Mapping[str, Any]) -> Expr:
    """The expression that a text stands for. `names` are the event types, entities, aggregates and features it may use.

    Nothing is executed: only operators, calls of known functions, fields and constants are understood.

    Raises:
        FlowError: the text is not an expression, uses an unknown name, or its types do not fit.
    """
    known: dict[str, Any] = {name: getattr(functions, name) for name in _function_names()}
    known |= {
        "abs": lambda value: call("abs", value),
        "money": Money.parse,
        "duration": _duration,
        "time": datetime.fromisoformat,
        "feel": _feel,
        **names,
    }
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FlowError("This is not an expression.", seen=text[:200], do=str(getattr(error, "msg", error))) from None
    return literal(_Reader(known, text).read(tree.body))


def _function_names() -> list[str]:
    return [
        name
        for name, value in vars(functions).items()
        if callable(value) and value.__module__ == functions.__name__ and name[0] != "_"
    ]


def _feel(*args: Any, **more: Any) -> Expr:
    from tidegate.expressions.feel.graph import feel

    return feel(*args, **more)


def _duration(text: str) -> timedelta:
    from tidegate.events.durations import microseconds

    sign = -1 if text.startswith("-") else 1
    return sign * timedelta(microseconds=microseconds(text.lstrip("-")))


class _Reader:
    def __init__(self, known: Mapping[str, Any], text: str) -> None:
        self.known, self.text = known, text

    def read(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float, bool, type(None))):
            return node.value
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(self.read(part) for part in node.elts)
        if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
            values = zip(node.keys, node.values, strict=True)
            return {key.value: self.read(value) for key, value in values if isinstance(key, ast.Constant)}
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return self._binary(_BINARY[type(node.op)], self.read(node.left), self.read(node.right))
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _BINARY:
            return self._binary(_BINARY[type(node.ops[0])], self.read(node.left), self.read(node.comparators[0]))
        if isinstance(node, ast.Call):
            function = self.read(node.func)
            try:
                return function(
                    *(self.read(a) for a in node.args), **{k.arg or "": self.read(k.value) for k in node.keywords}
                )
            except ContractError as error:
                raise FlowError(error.wrong, seen=error.seen, do=error.do) from None
            except TidegateError:
                raise
            except (TypeError, ValueError) as error:
                raise FlowError(
                    "A function is called with arguments it does not take.", seen=self._source(node), do=str(error)
                ) from None
        hint = "Write & | ~ for and, or, not." if isinstance(node, ast.BoolOp) else ""
        raise FlowError("This is not part of the expression language.", seen=self._source(node), do=hint)

    def _source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or ast.dump(node)

    def _named(self, name: str) -> Any:
        if name in self.known:
            return self.known[name]
        near = difflib.get_close_matches(name, list(self.known), 1)
        raise FlowError("Unknown name.", seen=name, do=f"Did you mean {near[0]}?" if near else "")

    def _attribute(self, node: ast.Attribute) -> Any:
        owner = self.read(node.value)
        if node.attr in _METHODS.values() and isinstance(owner, (bool, int, float, str, Money, timedelta, datetime)):
            owner = literal(owner)
        if isinstance(owner, type):
            contract = getattr(owner, "__contract__", {})
            if node.attr in contract:
                return getattr(owner, node.attr)
            near = difflib.get_close_matches(node.attr, list(contract), 1)
            raise FlowError(
                f"{owner.__name__} has no field {node.attr!r}.",
                seen=self._source(node),
                do=f"Did you mean {near[0]}?" if near else "",
            )
        if (isinstance(owner, Expr) and node.attr in _METHODS.values()) or node.attr == "has":
            return getattr(owner, node.attr)
        raise FlowError("This is not part of the expression language.", seen=self._source(node))

    def _unary(self, node: ast.UnaryOp) -> Any:
        operand = self.read(node.operand)
        if isinstance(node.op, ast.USub):
            return -operand if isinstance(operand, (int, float)) else call("neg", operand)
        if isinstance(node.op, ast.Invert):
            return call("not", operand)
        raise FlowError("This is not part of the expression language.", seen=self._source(node), do="Write ~ for not.")

    def _binary(self, op: str, left: Any, right: Any) -> Expr:
        return call(op, left, right)

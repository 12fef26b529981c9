"""What a model reads without a name of its own, in words: its name is the expression's text, which is for authors."""

import ast
from collections.abc import Collection, Mapping

_WINDOWS = {
    "count": "the number of", "total": "the total of", "mean": "the mean of", "std": "the deviation of",
    "minimum": "the smallest", "maximum": "the largest", "distinct": "the number of different",
    "share": "the share of", "mode": "the most frequent", "first": "the first", "last_value": "the last",
    "since_last": "the time since the last", "since_first": "the time since the first",
}  # fmt: skip
_SIGNS: Mapping[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.Pow: "**", ast.BitAnd: "and",
    ast.BitOr: "or", ast.Eq: "is", ast.NotEq: "is not", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_IN_A_ZONE = ("hour", "minute", "weekday", "day", "month", "year")
_COMPOUND = (ast.BinOp, ast.Compare, ast.UnaryOp)


class _UnspokenError(Exception):
    """It holds something that has no words here."""


def in_words(name: str, events: Collection[str]) -> str:
    """The words for an expression's text; a name, and what has no words, stays as it is.

    Args:
        name: of a model's input.
        events: the names of the event types, which are left out before a field: `Payment.amount` is `amount`.
    """
    if name.isidentifier():
        return name
    try:
        return _Spoken(events).whole(ast.parse(name, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError, _UnspokenError):
        return name


class _Spoken:
    def __init__(self, events: Collection[str]) -> None:
        self._events = events

    def whole(self, node: ast.expr) -> str:
        """The words of a node; in quotes where they would run into a sentence around them."""
        said = self.of(node)
        return f'"{said}"' if "," in said or " if " in said else said

    def of(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id):
                return id
            case ast.Constant(value):
                return str(value)
            case ast.Attribute(ast.Name(event), field):
                return field if event in self._events else f"{event}.{field}"
            case ast.UnaryOp(ast.Invert(), operand):
                return f"not {self._inner(operand)}"
            case ast.UnaryOp(ast.USub(), operand):
                return f"-{self._inner(operand)}"
            case ast.BinOp(left, sign, right) | ast.Compare(left, [sign], [right]):
                return f"{self._inner(left)} {_SIGNS[type(sign)]} {self._inner(right)}"
            case ast.Call(ast.Attribute(inner, "otherwise"), [other], []):
                return f"{self.of(inner)}, or {self.of(other)} where it is missing"
            case ast.Call(ast.Name(function), given, options):
                return self._call(function, given, {one.arg or "": one.value for one in options})
        raise _UnspokenError

    def _inner(self, node: ast.expr) -> str:
        said = self.of(node)
        compound = isinstance(node, _COMPOUND) or said.startswith("the ")
        return f"({said})" if compound or "," in said or " if " in said else said

    def _call(self, function: str, given: list[ast.expr], options: dict[str, ast.expr]) -> str:
        if "per" in options and function in _WINDOWS:
            return self._window(_WINDOWS[function], given, options)
        if options or not given:
            raise _UnspokenError
        if function == "money":
            return self.of(given[0])
        if function == "where" and len(given) == 3:
            condition, value, otherwise = given
            return f"{self._inner(value)} if {self.of(condition)}, else {self._inner(otherwise)}"
        if function == "is_missing":
            return f"{self._inner(given[0])} is missing"
        if function == "round_":
            return f"{self._inner(given[0])} rounded to {self.of(given[1])} digits"
        joint = "in" if function in _IN_A_ZONE else "and"
        return f"{function} of {f' {joint} '.join(map(self._inner, given))}"

    def _window(self, what: str, given: list[ast.expr], options: dict[str, ast.expr]) -> str:
        if set(options) - {"per", "last", "where", "delay"}:
            raise _UnspokenError
        per = options["per"]
        keys = per.elts if isinstance(per, ast.Tuple) else [per]
        of = self._inner(given[0]) if given else "events" if what.endswith(" of") else "event"
        said = f"{what} {of} per {' and '.join(map(self.of, keys))} in {self.of(options['last'])}"
        if "where" in options:
            said += f" where {self._inner(options['where'])}"
        return said + (f" until {self.of(options['delay'])} before" if "delay" in options else "")

"""The nodes of the one expression graph, and the Python operators that make them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from hashlib import blake2b
from typing import Any, NoReturn

from tidegate.errors import FlowError, meant
from tidegate.events.currency import DECIMALS
from tidegate.events.money import Money
from tidegate.events.times import microseconds_of
from tidegate.events.types import BOOL, DURATION, FLOAT, INT, TEXT, TIME, Kind, Type
from tidegate.expressions.immutable import Immutable, fill
from tidegate.expressions.operators import result_type

DEEPEST, LARGEST = 250, 50_000
"""How deep an expression may be nested, and how many operators it may have when it is written out."""


class Expr(Immutable):
    """An expression: typed, immutable, made with Python operators, and data rather than code.

    `type` is the type of its value and `args` are the expressions it is made of. Two expressions are the same when
    their `key` is; `==` between expressions makes a third one.
    """

    __slots__ = ("_key", "args", "type")
    type: Type
    args: tuple["Expr", ...]
    _key: str

    @property
    def key(self) -> str:
        """What this expression is: equal for equal expressions. A digest, so that shared parts are looked at once."""
        try:
            return self._key
        except AttributeError:
            own = repr((self._own_key(), [part.key for part in self.args]))
            fill(self, "_key", blake2b(own.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest())
            return self._key

    def _own_key(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def with_args(self, args: tuple["Expr", ...]) -> "Expr":
        """The same node over other arguments, type-checked again."""
        raise NotImplementedError

    def __bool__(self) -> NoReturn:
        raise FlowError(
            "An expression has no truth value while the flow is being written.",
            seen=str(self),
            do="Write & for and, | for or, ~ for not, (1 < x) & (x < 5) for 1 < x < 5, where(…) for if, "
            "and is_in(…) for in.",
        )

    def __hash__(self) -> int:
        return id(self)

    def __str__(self) -> str:
        from tidegate.expressions.text import write

        return write(self)

    __repr__ = __str__

    def __add__(self, other: object) -> "Expr":
        return call("add", self, other)

    def __radd__(self, other: object) -> "Expr":
        return call("add", other, self)

    def __sub__(self, other: object) -> "Expr":
        return call("sub", self, other)

    def __rsub__(self, other: object) -> "Expr":
        return call("sub", other, self)

    def __mul__(self, other: object) -> "Expr":
        return call("mul", self, other)

    def __rmul__(self, other: object) -> "Expr":
        return call("mul", other, self)

    def __truediv__(self, other: object) -> "Expr":
        return call("div", self, other)

    def __rtruediv__(self, other: object) -> "Expr":
        return call("div", other, self)

    def __mod__(self, other: object) -> "Expr":
        return call("mod", self, other)

    def __rmod__(self, other: object) -> "Expr":
        return call("mod", other, self)

    def __pow__(self, other: object) -> "Expr":
        return call("pow", self, other)

    def __rpow__(self, other: object) -> "Expr":
        return call("pow", other, self)

    def __floordiv__(self, other: object) -> NoReturn:
        raise FlowError("`//` does not make an expression.", do="Write floor(a / b).")

    def __xor__(self, other: object) -> NoReturn:
        raise FlowError("`^` does not make an expression.", do="Write a ** b for a power; a != b for either of two.")

    __rfloordiv__, __rxor__ = __floordiv__, __xor__

    def __neg__(self) -> "Expr":
        return call("neg", self)

    def __abs__(self) -> "Expr":
        return call("abs", self)

    def __eq__(self, other: object) -> "Expr":  # type: ignore[override]  # an expression, as in Polars and SQLAlchemy
        return call("eq", self, other)

    def __ne__(self, other: object) -> "Expr":  # type: ignore[override]
        return call("ne", self, other)

    def __lt__(self, other: object) -> "Expr":
        return call("lt", self, other)

    def __le__(self, other: object) -> "Expr":
        return call("le", self, other)

    def __gt__(self, other: object) -> "Expr":
        return call("gt", self, other)

    def __ge__(self, other: object) -> "Expr":
        return call("ge", self, other)

    def __and__(self, other: object) -> "Expr":
        return call("and", self, other)

    def __rand__(self, other: object) -> "Expr":
        return call("and", other, self)

    def __or__(self, other: object) -> "Expr":
        return call("or", self, other)

    def __ror__(self, other: object) -> "Expr":
        return call("or", other, self)

    def __invert__(self) -> "Expr":
        return call("not", self)

    def __contains__(self, item: object) -> NoReturn:
        raise FlowError("`in` does not make an expression.", do="Write `is_in(value, a, b, …)`.")

    def otherwise(self, value: object) -> "Expr":
        """This value, or `value` where it is missing."""
        return call("fill", self, value)

    def is_missing(self) -> "Expr":
        """Whether the value is missing; never missing itself."""
        return call("is_missing", self)

    def is_in(self, *values: object) -> "Expr":
        """Whether the value is one of the given constants."""
        return call("is_in", self, *values)


class FieldRead(Expr):
    """A field of an event: `Payment.amount`."""

    __slots__ = ("event", "name")
    event: Any
    name: str

    def __init__(self, event: Any, name: str, type: Type) -> None:
        fill(self, "event", event)
        fill(self, "name", name)
        fill(self, "type", type)
        fill(self, "args", ())

    def _own_key(self) -> tuple[Any, ...]:
        return ("field", self.event.__name__, self.name)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """This node: it has no arguments."""
        return self


class Literal(Expr):
    """A constant."""

    __slots__ = ("value",)
    value: Any

    def __init__(self, value: Any, type: Type) -> None:
        fill(self, "value", value)
        fill(self, "type", type)
        fill(self, "args", ())

    def _own_key(self) -> tuple[Any, ...]:
        return ("literal", self.type.kind.value, self.type.currency, repr(self.value))

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """This node: it has no arguments."""
        return self


class Call(Expr):
    """An operator or function applied to its arguments; `option` is a constant of its own, such as a time zone."""

    __slots__ = ("depth", "op", "option", "size")
    op: str
    option: str
    depth: int
    size: int

    def __init__(self, op: str, args: tuple[Expr, ...], option: str = "") -> None:
        depth = 1 + max((getattr(part, "depth", 1) for part in args), default=0)
        size = 1 + sum(getattr(part, "size", 1) for part in args)
        if depth > DEEPEST or size > LARGEST:
            raise FlowError(
                "An expression is too large to be read.",
                seen=f"{depth} operators deep, {size} in all",
                do=f"Stay under {DEEPEST} deep and {LARGEST} in all.",
            )
        fill(self, "op", op)
        fill(self, "option", option)
        fill(self, "args", args)
        fill(self, "depth", depth)
        fill(self, "size", size)
        fill(self, "type", result_type(op, args))

    def _own_key(self) -> tuple[Any, ...]:
        return ("call", self.op, self.option)

    def with_args(self, args: tuple[Expr, ...]) -> Expr:
        """The same operator on other arguments."""
        return Call(self.op, args, self.option)


def literal(value: object) -> Expr:
    """A Python value as an expression; an expression is passed through.

    Raises:
        FlowError: the value is of a type that expressions do not have.
    """
    if isinstance(value, Expr):
        return value
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return Literal(value, BOOL)
    if isinstance(value, int):
        if abs(value) > 2**53:
            do = "Beyond that, floats hold no whole number exactly; write long numbers as text."
            raise FlowError("Whole numbers lie within 2**53.", seen=str(value), do=do)
        return Literal(value, INT)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            do = "Write is_missing(x) to ask for what is not there; leave the comparison out where nothing limits."
            raise FlowError("A constant is a finite number.", seen=repr(value), do=do)
        return Literal(value, FLOAT)
    if isinstance(value, str):
        return Literal(value, TEXT)
    if isinstance(value, Money):
        if type(value.units) is not int or value.currency not in DECIMALS:
            do = meant(value.currency, DECIMALS) or "Write Money.of('4.99', 'EUR')."
            raise FlowError(
                "Money is a whole number of minor units of a currency in ISO 4217.", seen=repr(value), do=do
            )
        return Literal(value.units, Type(Kind.MONEY, currency=value.currency, bound=abs(value.units)))
    if isinstance(value, timedelta):
        return Literal(value // timedelta(microseconds=1), DURATION)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise FlowError("A time has a time zone.", seen=repr(value), do="Write datetime(…, tzinfo=UTC).")
        return Literal(microseconds_of(value), TIME)
    raise FlowError("This value cannot stand in an expression.", seen=f"{value!r} ({type(value).__name__})")


def call(op: str, *args: object, option: str = "") -> Expr:
    """Apply an operator by name; Python values among the arguments become literals, and minus a number is a number."""
    if op == "neg" and isinstance(args[0], Literal) and args[0].type.is_number:
        return Literal(-args[0].value, args[0].type)
    return Call(op, tuple(literal(arg) for arg in args), option)


def walk(root: Expr) -> Iterator[Expr]:
    """Every node below `root` once, arguments before what is made of them."""
    seen: set[int] = set()

    def visit(node: Expr) -> Iterator[Expr]:
        if id(node) in seen:
            return
        seen.add(id(node))
        for part in node.args:
            yield from visit(part)
        yield node

    yield from visit(root)


def replace(root: Expr, other: dict[int, Expr]) -> Expr:
    """The graph with some nodes (by `id`) replaced; untouched parts are shared."""
    done: dict[int, Expr] = {}

    def visit(node: Expr) -> Expr:
        if id(node) in other:
            return other[id(node)]
        if id(node) not in done:
            args = tuple(visit(part) for part in node.args)
            same = all(a is b for a, b in zip(args, node.args, strict=True))
            done[id(node)] = node if same else node.with_args(args)
        return done[id(node)]

    return visit(root)

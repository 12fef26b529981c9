"""The nodes of a FEEL text once it is read. `start` and `end` are where in the text, and no part of what a node is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tidegate.expressions.feel.types import Type

Shape: TypeAlias = Mapping[str, Any]
"""The names of the entries that a value is known to have, and the shapes of these; a list has its elements'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of a FEEL text. `shape` is what is known of its value's entries, or None."""

    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)
    shape: Shape | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """A value as it is written: a number, a string, a boolean, null, or an at-literal (`at` is its text)."""

    value: Any
    at: str = ""


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name. `known` says whether something in scope was called so when the text was read."""

    name: str
    known: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """Operators of one level, from left to right: `first + a - b`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """Minus something."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`and` or `or` between two or more."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`=`, `!=`, `<`, `<=`, `>` or `>=` between two."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`value between low and high`, both ends included."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """`value in test`, which is `lone`, or `value in (test, test, …)`."""

    value: Node
    tests: tuple[Node, ...]
    lone: bool = False


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """`value instance of type`. `type` is None where nothing is called so; `written` is how it was written."""

    value: Node
    type: Type | None
    written: str


@dataclass(frozen=True, slots=True)
class Interval(Node):
    """A range between two ends: `[low..high]`, `(low..high)`, `]low..high[`."""

    low: Node
    high: Node
    low_included: bool
    high_included: bool


@dataclass(frozen=True, slots=True)
class UnaryRange(Node):
    """A range of one end: `< value`; `(= value)` and `(!= value)` too."""

    operator: str
    value: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """`[a, b, …]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextOf(Node):
    """`{key: value, …}`."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`source.name`."""

    source: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """`source[condition]`."""

    source: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Invocation(Node):
    """`function(a, b)`, or `function(x: a, y: b)`: `names` are then those of the arguments, else empty."""

    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if condition then value else otherwise`; a chain of them is one node with several branches."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Iteration:
    """`name in source`, or `name in source..until`."""

    name: str
    source: Node
    until: Node | None = None


@dataclass(frozen=True, slots=True)
class For(Node):
    """`for a in x, b in y return result`."""

    iterations: tuple[Iteration, ...]
    result: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """`some` or `every` `a in x, b in y satisfies condition`."""

    quantifier: str
    iterations: tuple[Iteration, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class FormalParameter:
    """A parameter of a function written in FEEL. `type` is None where none, or none that is known, is written."""

    name: str
    type: Type | None = None
    written: str = ""


@dataclass(frozen=True, slots=True)
class FunctionOf(Node):
    """`function(a, b) body`, or `function(a, b) external {…}`."""

    parameters: tuple[FormalParameter, ...]
    body: Node
    external: bool = False


@dataclass(frozen=True, slots=True)
class Tests(Node):
    """Unary tests of a value: any of them, none of them (`not(…)`), or `-`, which is always true."""

    tests: tuple[Node, ...]
    negated: bool = False

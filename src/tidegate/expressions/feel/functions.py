"""Functions as values: built in, written in FEEL, or made by whoever calls FEEL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidegate.expressions.feel.types import ANY, Type

if TYPE_CHECKING:
    from tidegate.expressions.feel.given import Run


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function.

    Args:
        name: what it is called, spaces included.
        type: what it takes.
        optional: whether it may be left out; it is null then.
        nullable: whether null is a value like any other to the function.
        variadic: whether it takes all arguments that are left, as a list.
    """

    name: str
    type: Type = ANY
    optional: bool = False
    nullable: bool = True
    variadic: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Function:
    """A function that FEEL can call. Two functions are the same only if they are one.

    Args:
        name: what it is called in reasons.
        parameters: what it takes, in order.
        run: what it does: the arguments in the order of the parameters, already converted to their types, and the run.
        result: the type of what it gives; the answer is converted to it.
        depth: how deep Python's stack is below it, in frames, to bound recursion.
        strict: whether it gives null for an argument of another type, as those do that are built in; otherwise the
            argument becomes null.
        overloads: the functions that go by this name; the first that takes the arguments is called.
    """

    name: str
    parameters: tuple[Parameter, ...]
    run: Callable[[list[Any], "Run"], Any]
    result: Type = ANY
    depth: int = 8
    strict: bool = False
    overloads: Sequence["Function"] = field(default=())

"""How built-in functions are declared: `@builtin("substring(string: string, start: number, length?: number)")`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tidegate.expressions.feel import types
from tidegate.expressions.feel.functions import Function, Parameter
from tidegate.expressions.feel.types import ANY, Type

LIBRARY: dict[str, Function] = {}
"""The built-in functions by name."""


def builtin(*signatures: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a built-in function with one signature or more; the first that takes the arguments is run.

    A signature is a name and parameters, each `name: type`. `name?` may be left out or null; `...name` takes all that
    are left as a list; a type may be several with `|`, and `any` takes null too. The Python function is given the run
    and the arguments, and says null through `run.why`.
    """

    def declare(python: Callable[..., Any]) -> Callable[..., Any]:
        for signature in signatures:
            name, _, rest = signature.partition("(")
            parameters = tuple(_parameter(each) for each in rest.rstrip(")").split(",") if each.strip())
            function = Function(name, parameters, lambda values, run: python(run, *values), strict=True)
            known = LIBRARY.get(name)
            if known is not None:
                function = replace(function, overloads=(*(known.overloads or (known,)), function))
            LIBRARY[name] = function
        return python

    return declare


def _parameter(text: str) -> Parameter:
    name, _, kind = (part.strip() for part in text.partition(":"))
    variadic, optional = name.startswith("..."), name.endswith("?")
    type = _type(kind)
    return Parameter(name.strip(".?"), type, optional, optional or variadic or type is ANY, variadic)


def _type(text: str) -> Type:
    if "|" in text:
        return types.OneOf(tuple(_type(part.strip()) for part in text.split("|")))
    if text.startswith("list<"):
        return types.ListType(_type(text[5:-1]))
    found = types.named(text)
    if found is None:
        raise LookupError(text)
    return found

"""The static methods of Java that the kit's models call, for a host that is not Java."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tidegate.expressions.feel.numbers import number

Method = Callable[..., Any]


def _double(value: Decimal) -> float:
    if not isinstance(value, Decimal):
        raise TypeError("a number is wanted")
    return float(value)


def _whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number within the bounds of a Java type."""

    def made(value: Any) -> int:
        if not isinstance(value, Decimal) or value != int(value) or not low <= value <= high:
            raise TypeError(f"a whole number from {low} to {high} is wanted")
        return int(value)

    return made


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a string is wanted")
    return value


def _character(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1:
        raise TypeError("a single character is wanted")
    return value


def _any(value: Any) -> Any:
    return value


_TYPES: dict[str, Callable[[Any], Any]] = {
    "double": _double,
    "float": _double,
    "byte": _whole(-(2**7), 2**7 - 1),
    "short": _whole(-(2**15), 2**15 - 1),
    "int": _whole(-(2**31), 2**31 - 1),
    "long": _whole(-(2**63), 2**63 - 1),
    "char": _character,
    "java.lang.String": _text,
    "[Ljava.lang.Object;": _any,
}
_REAL = ("double", "float")
_NUMERIC = ("double", "float", "int", "long")


def _formatted(pattern: str, *values: Any) -> str:
    return pattern % values


def _methods() -> dict[tuple[str, str], Method]:
    found: dict[tuple[str, str], Method] = {}
    for kind in _NUMERIC:
        for name, method in (("max", max), ("min", min)):
            found["java.lang.Math", f"{name}({kind},{kind})"] = method
        found["java.lang.Math", f"abs({kind})"] = abs
    for name in ("cos", "sin", "tan", "sqrt", "exp", "log", "log10", "floor", "ceil"):
        found["java.lang.Math", f"{name}(double)"] = getattr(math, name)
    found["java.lang.Math", "pow(double,double)"] = math.pow
    for boxed, kind in (("Byte", "byte"), ("Short", "short"), ("Integer", "int"), ("Long", "long")):
        found[f"java.lang.{boxed}", f"valueOf({kind})"] = int
        found[f"java.lang.{boxed}", "valueOf(java.lang.String)"] = int
    for boxed in ("Float", "Double"):
        found[f"java.lang.{boxed}", f"valueOf({boxed.lower()})"] = float
        found[f"java.lang.{boxed}", "valueOf(java.lang.String)"] = float
    found["java.lang.String", "valueOf(char)"] = str
    found["java.lang.String", "format(java.lang.String,[Ljava.lang.Object;)"] = _formatted
    return found


_METHODS = _methods()


def call_java(function: dict[str, Any], parameters: list[str], arguments: list[Any]) -> Any:
    """Call a static method by class and signature, as FEEL's external functions name them.

    Raises:
        LookupError: there is no such method here.
        TypeError: the arguments are not what it takes.
    """
    where = function.get("java")
    if not isinstance(where, dict):
        raise LookupError("only functions of Java are known")
    signature = str(where.get("method signature", "")).replace(" ", "")
    method = _METHODS[str(where.get("class", "")), signature]
    kinds = signature[signature.index("(") + 1 : -1].split(",")
    made = method(*(_TYPES[kind](value) for kind, value in zip(kinds, arguments, strict=True)))
    if isinstance(made, bool | str):
        return made
    return number(made)

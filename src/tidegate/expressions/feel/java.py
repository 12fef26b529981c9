"""Functions of `java.lang` that models name as external ones, computed here: there is no JVM (DMN 1.5, 10.3.2.13).

They are those that only compute: `Math`, the `valueOf` and `parse…` of the number classes, `valueOf` and `format` of
`String`.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tidegate.expressions.feel import numbers
from tidegate.expressions.feel.literals import text_of

_SIGNATURE = re.compile(r"\s*(\w+)\s*\(([^()]*)\)\s*")
_WHOLE = {"byte": 7, "short": 15, "int": 31, "long": 63}
_REAL = ("float", "double")
_BOXED = {
    f"java.lang.{name}": short
    for name, short in {
        "Byte": "byte", "Short": "short", "Integer": "int", "Long": "long", "Float": "float", "Double": "double",
        "Character": "char", "Boolean": "boolean", "String": "String", "Object": "Object",
    }.items()
} | {"[Ljava.lang.Object;": "Object...", "java.lang.Object...": "Object..."}  # fmt: skip

_OF_DOUBLES: dict[str, Callable[..., float]] = {
    "sqrt": math.sqrt, "cbrt": math.cbrt, "exp": math.exp, "expm1": math.expm1, "log": math.log,
    "log10": math.log10, "log1p": math.log1p, "sin": math.sin, "cos": math.cos, "tan": math.tan, "asin": math.asin,
    "acos": math.acos, "atan": math.atan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "toRadians": math.radians, "toDegrees": math.degrees, "signum": lambda x: math.copysign(1.0, x) if x else x,
    "ceil": lambda x: float(math.ceil(x)), "floor": lambda x: float(math.floor(x)), "rint": lambda x: float(round(x)),
    "pow": math.pow, "atan2": math.atan2, "hypot": math.hypot,
}  # fmt: skip
_OF_ANY: dict[str, Callable[..., float]] = {"abs": abs, "max": max, "min": min}
_OF_WHOLE: dict[str, Callable[..., int]] = {
    "floorMod": lambda x, y: x % y, "floorDiv": lambda x, y: x // y, "addExact": lambda x, y: x + y,
    "subtractExact": lambda x, y: x - y, "multiplyExact": lambda x, y: x * y, "negateExact": lambda x: -x,
}  # fmt: skip
_TWO = {
    "pow", "atan2", "hypot", "max", "min", "floorMod", "floorDiv", "addExact", "subtractExact", "multiplyExact",
}  # fmt: skip
_NUMBERS = {
    "Byte": "byte", "Short": "short", "Integer": "int", "Long": "long", "Float": "float", "Double": "double",
}  # fmt: skip
_PARSED = {"Byte": "parseByte", "Short": "parseShort", "Integer": "parseInt", "Long": "parseLong"} | {
    "Float": "parseFloat", "Double": "parseDouble"
}  # fmt: skip


def java_function(definition: dict[str, Any], names: list[str], arguments: list[Any]) -> Any:
    """What a Java function gives: `{java: {class: "java.lang.Math", method signature: "max(double, double)"}}`.

    Raises:
        LookupError: it is none of those that are known, or does not take the arguments; the words say why.
    """
    java = definition.get("java")
    name, signature = (java.get("class"), java.get("method signature")) if isinstance(java, dict) else (None, None)
    found = _SIGNATURE.fullmatch(signature) if isinstance(signature, str) else None
    if not isinstance(name, str) or found is None:
        raise LookupError("an external function is {java: {class: …, method signature: …}}; others are not known")
    types = [_BOXED.get(each.strip(), each.strip()) for each in found[2].split(",") if each.strip()]
    function = _method(name, found[1], types)
    if function is None:
        raise LookupError(f"{name} has no method {found[0].strip()} among those that are known here")
    try:
        return _feel(function(*_converted(types, arguments)))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise LookupError(f"{name}.{found[1]} fails: {error}") from None


def _method(owner: str, method: str, types: list[str]) -> Callable[..., Any] | None:
    numeric = bool(types) and len(set(types)) == 1 and types[0] in (*_WHOLE, *_REAL)
    if owner == "java.lang.Math":
        if not numeric or len(types) != (2 if method in _TWO else 1):
            return None
        if method == "round" and types[0] in _REAL:
            return lambda x: math.floor(x + 0.5)
        whole = types[0] in ("int", "long")
        exact = _OF_WHOLE.get(method) if whole else None
        return exact or _OF_ANY.get(method) or (_OF_DOUBLES.get(method) if types[0] == "double" else None)
    short = owner.removeprefix("java.lang.")
    if short in _NUMBERS and method in ("valueOf", _PARSED[short]) and types in (["String"], [_NUMBERS[short]]):
        return lambda value: _number(value, _NUMBERS[short])
    if short == "Boolean" and method in ("valueOf", "parseBoolean") and types in (["String"], ["boolean"]):
        return lambda value: value.lower() == "true" if isinstance(value, str) else value
    if short == "String" and method == "valueOf" and len(types) == 1:
        return text_of
    return _formatted if short == "String" and method == "format" and types == ["String", "Object..."] else None


def _converted(types: list[str], arguments: list[Any]) -> list[Any]:
    if types and types[-1] == "Object...":
        return [*_converted(types[:-1], arguments[: len(types) - 1]), *arguments[len(types) - 1 :]]
    if len(types) != len(arguments):
        raise TypeError(f"it takes {len(types)} arguments, and there are {len(arguments)}")
    return [_argument(type, value) for type, value in zip(types, arguments, strict=True)]


def _argument(type: str, value: Any) -> Any:
    if type in (*_WHOLE, *_REAL) and isinstance(value, Decimal):
        return _number(value, type)
    fits = {
        "char": isinstance(value, str) and len(value) == 1,
        "String": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "Object": True,
    }
    if not fits.get(type):
        raise TypeError(f"{text_of(value)} is no {type}")
    return value


def _single(real: float) -> float:
    """A float of 32 bits, by the shortest digits that tell it from the others, as Java writes it."""
    import numpy as np  # here, so that declaring a flow, or asking for help, does not wait for it

    with np.errstate(over="ignore"):
        return float(str(np.float32(real)))


def _number(value: Any, type: str) -> Any:
    """A number as Java has it: within the bits of the type."""
    if type in _REAL:
        real = float(value)
        return _single(real) if type == "float" else real
    whole = int(value) if not isinstance(value, Decimal) else numbers.whole(value)
    if whole is None or not -(2 ** _WHOLE[type]) <= whole < 2 ** _WHOLE[type]:
        raise ValueError(f"{value} is no {type}")
    return whole


_CONVERSION = re.compile(r"%(?:(\d+)\$)?([-+0 ,#]*)(\d{1,3})?(\.\d{1,2})?([sdfexXcbn%])")


def _formatted(pattern: str, *values: Any) -> str:
    """`String.format` for %s, %d, %f, %e, %x, %c, %b, %n and %%, with width, precision and places."""
    following = iter(values)

    def one(found: re.Match[str]) -> str:
        place, flags, width, precision, kind = found.groups()
        if kind in "n%":
            return "\n" if kind == "n" else "%"
        try:
            value = values[int(place) - 1] if place else next(following)
        except (IndexError, StopIteration):
            raise ValueError("there are fewer arguments than places for them") from None
        text, comma = f"%{flags.replace(',', '')}{width or ''}{precision or ''}", "," in flags
        if kind in "sbc":
            return f"{text}s" % text_of(value)
        number = int(value) if kind in "dxX" else value
        if comma:
            spec = f"{'+' if '+' in flags else ''}{'0' if '0' in flags else ''}{width or ''},{precision or ''}{kind}"
            return format(number, spec if kind != "f" or precision else f"{spec[:-1]}.6f")
        return f"{text}{kind}" % number

    return _CONVERSION.sub(one, pattern)


def _feel(value: Any) -> Any:
    """What a Java function gave, as a value of FEEL."""
    if isinstance(value, (bool, str)):
        return value
    found = numbers.number(value)
    if found is None:
        raise ValueError("the result is no number")
    return found

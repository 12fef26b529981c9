"""The built-in functions of PMML 4.4, and DefineFunction, which is written out where it is applied."""

import difflib
import math
from datetime import date

from tidegate.documents.xml import Element, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.expressions import EXPRESSIONS, Parameters, cast, data_type, expression
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, required
from tidegate.models.pmml.scope import Scope, Value
from tidegate.models.pmml.text_functions import TEXT_FUNCTIONS, constant_kinds, text_call
from tidegate.models.pmml.texts import is_text

__all__ = ["apply"]

_ONE = {
    "not": o.NOT, "abs": o.ABS, "exp": o.EXP, "ln": o.LN, "log10": o.LOG10, "sqrt": o.SQRT, "floor": o.FLOOR,
    "ceil": o.CEIL, "round": o.ROUND, "rint": o.RINT, "sin": o.SIN, "cos": o.COS, "tan": o.TAN, "asin": o.ASIN,
    "acos": o.ACOS, "atan": o.ATAN, "sinh": o.SINH, "cosh": o.COSH, "tanh": o.TANH, "expm1": o.EXPM1, "ln1p": o.LN1P,
    "erf": o.ERF, "stdNormalCDF": o.STD_NORMAL_CDF, "stdNormalPDF": o.STD_NORMAL_PDF,
    "stdNormalIDF": o.STD_NORMAL_IDF, "isMissing": o.IS_MISSING, "isNotMissing": o.IS_NOT_MISSING,
    "isValid": o.IS_VALID, "isNotValid": o.IS_NOT_VALID,
}  # fmt: skip
_TWO = {
    "+": o.ADD, "-": o.SUBTRACT, "*": o.MULTIPLY, "/": o.DIVIDE, "pow": o.POWER, "modulo": o.MODULO,
    "threshold": o.THRESHOLD, "atan2": o.ATAN2, "hypot": o.HYPOT,
}  # fmt: skip
_COMPARED = {
    "equal": o.EQUAL, "notEqual": o.NOT_EQUAL, "lessThan": o.LESS, "lessOrEqual": o.LESS_EQUAL,
    "greaterThan": o.GREATER, "greaterOrEqual": o.GREATER_EQUAL,
}  # fmt: skip
_MANY = {
    "min": o.MINIMUM, "max": o.MAXIMUM, "sum": o.SUM, "avg": o.AVERAGE, "median": o.MEDIAN, "product": o.PRODUCT,
    "and": o.AND, "or": o.OR,
}  # fmt: skip
_NORMAL = ("normalCDF", "normalPDF", "normalIDF")
_DATES = ("dateDaysSinceYear", "dateSecondsSinceYear", "dateSecondsSinceMidnight")
_TRUTHS = {"not", "and", "or", "isMissing", "isNotMissing", "isValid", "isNotValid", *_COMPARED}
_WHOLE = {"floor", "ceil", "round"}
_KEEP = {"+", "-", "*", "abs", "min", "max", "sum", "product", "modulo"}
_OTHERS = {"if", "isIn", "isNotIn"}
MOST_APPLIED = 50_000
"""How often functions of a document's own may be applied in it, each time being written out."""

KNOWN = {*_ONE, *_TWO, *_COMPARED, *_MANY, *_NORMAL, *_DATES, *_OTHERS, *TEXT_FUNCTIONS}


def apply(
    element: Element, scope: Scope, code: Code, parameters: Parameters | None, want: str, depth: int
) -> Value:  # fmt: skip
    """An Apply: a built-in function or one of the document's, and what is done with missing and invalid values."""
    name = required(element, "function")
    parts = [part for part in children(element) if name_of(part) in EXPRESSIONS]
    treatment = choice(element, "invalidValueTreatment", ("returnInvalid", "asIs", "asMissing"), "returnInvalid")
    known = name in scope.document.functions
    if not known and name not in KNOWN:
        near = difflib.get_close_matches(name, [*KNOWN, *scope.document.functions], n=1)
        raise refuse(
            element, f"The function {name} is not known.", seen=f'<Apply function="{name}">',
            do=f"Did you mean {near[0]}?" if near else "Define it with DefineFunction.",
        )  # fmt: skip
    kinds = _hint(name, parts, scope, parameters, want, known)
    given = [
        expression(part, scope, code, parameters=parameters, want=kind, depth=depth + 1)
        for part, kind in zip(parts, kinds, strict=True)
    ]
    if known:
        value = _defined(scope.document.functions[name], given, element, scope, code, want, depth)
    else:
        value = _built_in(name, given, parts, element, scope, code)
    # What `if` does not choose may be missing.
    return _treated(element, value, [given[0], value] if name == "if" and given else given, treatment, scope, code)


def _treated(
    element: Element, value: Value, given: list[Value], treatment: str, scope: Scope, code: Code
) -> Value:  # fmt: skip
    builder, document = scope.builder, scope.document
    if treatment == "asMissing":
        to, nothing = builder.register(), document.constant(math.nan, value.kind)
        builder.emit(code, o.VALID_OR, to, value.register, nothing.register, builder.missing)
        value = Value(to, value.kind)
    text = element.get("mapMissingTo")
    if text is not None:
        instead = document.constant(document.texts.constant(str(text), value.kind, element), value.kind)
        choices = list[int]()
        for argument in given:
            choices += [builder.register(), instead.register]
            builder.emit(code, o.IS_MISSING, choices[-2], argument.register, builder.missing)
        to = builder.register()
        builder.emit(code, o.CHOOSE, to, 0, len(given), *choices, value.register)
        value = Value(to, value.kind)
    text = element.get("defaultValue")
    if text is not None:
        instead = document.constant(document.texts.constant(str(text), value.kind, element), value.kind)
        to = builder.register()
        builder.emit(code, o.DEFAULT, to, value.register, instead.register, builder.missing)
        value = Value(to, value.kind)
    return value


def _hint(
    name: str, parts: list[Element], scope: Scope, parameters: Parameters | None, want: str, known: bool
) -> list[str]:  # fmt: skip
    """The data type that each argument's constants are read as: what they are compared with, or what is wanted."""
    if known:
        return [""] * len(parts)
    if name in TEXT_FUNCTIONS:
        return constant_kinds(name, len(parts))
    if name == "if":
        return ["", *[want] * (len(parts) - 1)]
    if name in _COMPARED or name in ("isIn", "isNotIn"):
        for part in parts:
            if name_of(part) == "FieldRef":
                field = required(part, "field")
                held = (parameters or {}).get(field) or (scope.find(field, part).value if parameters is None else None)
                return [held.kind if held else ""] * len(parts)
    return [""] * len(parts)


def _defined(
    function: Element, given: list[Value], element: Element, scope: Scope, code: Code, want: str, depth: int
) -> Value:  # fmt: skip
    name = required(function, "name")
    wanted = list(children(function, "ParameterField"))
    if len(wanted) != len(given):
        raise refuse(element, f"The function {name} has {len(wanted)} parameters.", seen=f"{len(given)} arguments")
    bound = Parameters()
    for parameter, value in zip(wanted, given, strict=True):
        kind = data_type(parameter, value.kind)
        bound[required(parameter, "name")] = cast(value, kind, scope, code, parameter)
    body = [part for part in children(function) if name_of(part) in EXPRESSIONS]
    if len(body) != 1:
        raise refuse(function, f"The function {name} is made of one expression.", seen=f"{len(body)} of them")
    scope.document.applied += 1
    if depth > 60 or scope.document.applied > MOST_APPLIED:
        raise refuse(function, f"The function {name} is applied within itself, or too often.", "Write it out.")
    kind = data_type(function, want) if function.get("dataType") or want else ""
    value = expression(body[0], scope, code, parameters=bound, want=kind, depth=depth + 3)
    return cast(value, kind, scope, code, function) if kind else value


def _built_in(
    name: str, given: list[Value], parts: list[Element], element: Element, scope: Scope, code: Code
) -> Value:  # fmt: skip
    builder = scope.builder
    fault = builder.fault(f"{name} of values that it is not defined for", element)

    def count(low: int, high: int) -> None:
        if not low <= len(given) <= high:
            raise refuse(element, f"The function {name} takes {low} arguments.", seen=f"{len(given)} arguments")

    def emit(operation: int, *registers: int) -> Value:
        to = builder.register()
        builder.emit(code, operation, to, *registers)
        return Value(to, _kind(name, given))

    if name in TEXT_FUNCTIONS:
        return text_call(name, given, element, scope, code)
    if name == "if":
        count(2, 3)
        if len(given) == 3 and is_text(given[1].kind) != is_text(given[2].kind):
            raise refuse(element, "Both outcomes of an if are texts, or neither.")
        return emit(o.CHOOSE, 1, 1, given[0].register, given[1].register, given[2].register if len(given) == 3 else -1)
    if name in ("isIn", "isNotIn"):
        count(2, 100_000)
        operation = o.IS_IN if name == "isIn" else o.IS_NOT_IN
        return Value(emit(operation, fault, len(given), *[one.register for one in given]).register, "boolean")
    numeric = name not in _COMPARED and name not in ("isMissing", "isNotMissing", "isValid", "isNotValid")
    mixed = len({is_text(one.kind) for one in given}) > 1
    ordered = name in _COMPARED and name not in ("equal", "notEqual")
    if any(is_text(one.kind) for one in given) and (numeric or ordered or mixed):
        raise refuse(element, f"The function {name} is of numbers.", "Give it no texts.", seen="a text")
    if name in _ONE:
        count(1, 1)
        return emit(_ONE[name], given[0].register, fault)
    if name in ("+", "-") and len(given) == 1:
        return emit(o.NEGATE, given[0].register, fault) if name == "-" else given[0]
    if name in _TWO or name in _COMPARED:
        count(2, 2)
        return emit((_TWO | _COMPARED)[name], given[0].register, given[1].register, fault)
    if name in _MANY:
        count(1, 100_000)
        return emit(_MANY[name], fault, len(given), *[one.register for one in given])
    if name in _NORMAL:
        count(3, 3)
        x, mean, spread = (one.register for one in given)
        if name == "normalIDF":
            return emit(o.ADD, mean, emit(o.MULTIPLY, spread, emit(o.STD_NORMAL_IDF, x, fault).register, fault).register, fault)  # fmt: skip  # noqa: E501
        z = emit(o.DIVIDE, emit(o.SUBTRACT, x, mean, fault).register, spread, fault).register
        if name == "normalCDF":
            return emit(o.STD_NORMAL_CDF, z, fault)
        return emit(o.DIVIDE, emit(o.STD_NORMAL_PDF, z, fault).register, spread, fault)
    return _dated(name, given, parts, element, scope, code, fault)


def _dated(
    name: str, given: list[Value], parts: list[Element], element: Element, scope: Scope, code: Code, fault: int
) -> Value:  # fmt: skip
    builder, document = scope.builder, scope.document
    two = name != "dateSecondsSinceMidnight"
    if len(given) != 1 + two or (two and name_of(parts[1]) != "Constant"):
        raise refuse(element, f"The function {name} takes a date{' and a constant year' if two else ''}.")
    value = given[0]
    if value.kind not in (("date", "dateTime") if two else ("time", "dateTime")):
        raise refuse(element, f"The function {name} takes a date.", seen=f"a {value.kind}")

    def with_constant(operation: int, register: int, number: float) -> int:
        to = builder.register()
        other = document.constant(number, "double")
        builder.emit(code, operation, to, register, other.register, fault)
        return to

    if not two:
        return Value(with_constant(o.MODULO, value.register, 86400.0), "integer")
    text = (parts[1].text or "").strip()
    if not text.isdecimal() or not 1 <= int(text) <= 9999:
        raise refuse(parts[1], "That is no year.", seen=text)
    year = int(text)
    start = float(date(year, 1, 1).toordinal() - date(1970, 1, 1).toordinal())
    if name == "dateDaysSinceYear":
        days = value.register
        if value.kind == "dateTime":
            days = builder.register()
            builder.emit(code, o.FLOOR, days, with_constant(o.DIVIDE, value.register, 86400.0), fault)
        return Value(with_constant(o.SUBTRACT, days, start), "integer")
    seconds = value.register
    if value.kind == "date":
        seconds = with_constant(o.MULTIPLY, seconds, 86400.0)
    return Value(with_constant(o.SUBTRACT, seconds, start * 86400.0), "integer")


def _kind(name: str, given: list[Value]) -> str:
    """The data type of a function's value."""
    if name in _TRUTHS:
        return "boolean"
    if name == "if":
        kinds = [one.kind for one in given[1:]]
        return kinds[0] if len(set(kinds)) == 1 else "double"
    if name in _WHOLE:
        return "integer"
    if name in _KEEP and all(one.kind == "integer" for one in given):
        return "integer"
    return "double"

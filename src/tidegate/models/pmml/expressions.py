"""Expressions: constants, references, normalizations, tables, functions. Each becomes operations and a register."""

import math
from itertools import pairwise

from tidegate.documents.xml import Element, child, children, name_of
from tidegate.models.pmml import operations as o
from tidegate.models.pmml import reading
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.program import Code
from tidegate.models.pmml.reading import choice, number, optional, required
from tidegate.models.pmml.scope import DEEPEST, Field, HostCall, Scope, Value
from tidegate.models.pmml.texts import TYPES, is_text, parsed, written

__all__ = ["EXPRESSIONS", "Parameters", "cast", "closure", "data_type", "derived", "expression", "interval"]

EXPRESSIONS = (
    "Constant", "FieldRef", "NormContinuous", "NormDiscrete", "Discretize", "MapValues", "TextIndex", "Apply",
)  # fmt: skip
Parameters = dict[str, Value]
_OUTLIERS = ("asIs", "asMissingValues", "asExtremeValues")


def data_type(element: Element, default: str | None = None) -> str:
    """The data type that an element declares."""
    kind = required(element, "dataType") if default is None else optional(element, "dataType", default)
    if kind not in TYPES:
        raise refuse(element, f"The data type {kind} is not supported.", f"Use one of {', '.join(sorted(TYPES))}.")
    return kind


def derived(element: Element, scope: Scope) -> Field:
    """A DerivedField, written into its scope."""
    kind = data_type(element)
    made = [part for part in children(element) if name_of(part) in EXPRESSIONS]
    if len(made) != 1:
        raise refuse(element, "A derived field is made of one expression.", seen=f"{len(made)} of them")
    value = cast(expression(made[0], scope, scope.code, want=kind), kind, scope, scope.code, element)
    texts = scope.document.texts
    values = tuple(texts.constant(required(part, "value"), kind, part) for part in children(element, "Value"))
    return Field(optional(element, "name"), value.register, kind, optional(element, "optype", "continuous"), values)


def cast(value: Value, kind: str, scope: Scope, code: Code, element: Element) -> Value:
    """The value as one of another data type; invalid where it is none."""
    if value.kind == kind:
        return value
    if is_text(kind) or is_text(value.kind):
        fault = scope.builder.fault(f"a value that is no {kind}", element)
        function = _written_as(value.kind) if is_text(kind) else _read_as(kind)
        return scope.document.call(code, function, [value], kind, fault)
    operation = {"integer": o.TO_INTEGER, "float": o.TO_FLOAT, "boolean": o.TO_BOOLEAN}.get(kind)
    timed = {"date", "time", "dateTime"}
    if kind in timed or value.kind in timed:
        raise refuse(element, f"A {value.kind} cannot be read as a {kind}.")
    if operation is None or (kind == "integer" and value.kind == "boolean"):
        return Value(value.register, kind)
    to = scope.builder.register()
    fault = scope.builder.fault(f"a value that is no {kind}", element)
    scope.builder.emit(code, operation, to, value.register, fault)
    return Value(to, kind)


def _written_as(kind: str) -> HostCall:
    return lambda value: written(value, kind)


def _read_as(kind: str) -> HostCall:
    def read(text: str) -> float | None:
        value = parsed(text.strip(), kind)
        return None if math.isnan(value) else value

    return read


def expression(
    element: Element,
    scope: Scope,
    code: Code,
    *,
    parameters: Parameters | None = None,
    want: str = "",
    depth: int = 0,
) -> Value:
    """An expression, written into `code`.

    Args:
        parameters: inside a function: what its parameters stand for; other fields cannot be seen there.
        want: the data type that constants without one are read as.
    """
    if depth > DEEPEST:
        raise refuse(
            element, f"Expressions are nested more than {DEEPEST} deep.", "Make derived fields of their parts."
        )
    name = name_of(element)
    if name == "Constant":
        return constant(element, scope, want)
    if name == "Apply":
        from tidegate.models.pmml.functions import apply

        return apply(element, scope, code, parameters, want, depth)
    if name == "MapValues":
        return _map(element, scope, code, parameters, want)
    if name == "TextIndex":
        return _index(element, scope, code, parameters, depth)
    source = _referred(element, scope, parameters)
    made = {"FieldRef": _same, "NormContinuous": _norm, "NormDiscrete": _is, "Discretize": _discretize}[name]
    return _mapped(element, made(element, source, scope, code, want), source, scope, code)


def constant(element: Element, scope: Scope, want: str) -> Value:
    """A Constant; its type is its own, else the one wanted, else what it looks like."""
    text = element.text or ""
    if reading.flag(element, "missing", False):
        return scope.document.constant(math.nan, want or "double")
    kind = data_type(element) if element.get("dataType") is not None else ""
    if is_text(want) or (want and kind in ("", "string")):
        kind = want
    if not kind:
        looks = parsed(text.strip(), "double")
        kind = "string" if math.isnan(looks) else "integer" if looks == int(looks) and "." not in text else "double"
    return scope.document.constant(scope.document.texts.constant(text, kind, element), kind)


def _index(element: Element, scope: Scope, code: Code, parameters: Parameters | None, depth: int) -> Value:
    from tidegate.models.pmml.text_index import text_index

    made = [part for part in children(element) if name_of(part) in EXPRESSIONS]
    if len(made) != 1:
        raise refuse(element, "A TextIndex is of one term.", seen=f"{len(made)} expressions")
    text = cast(_referred(element, scope, parameters, "textField"), "string", scope, code, element)
    term = expression(made[0], scope, code, parameters=parameters, want="string", depth=depth + 1)
    return text_index(element, text, cast(term, "string", scope, code, made[0]), scope, code)


def _referred(element: Element, scope: Scope, parameters: Parameters | None, key: str = "field") -> Value:
    name = required(element, key)
    if parameters is not None:
        if name not in parameters:
            raise refuse(element, f"A function sees only its parameters, and {name!r} is none.", seen=name)
        return parameters[name]
    return scope.find(name, element).value


def _mapped(element: Element, value: Value, source: Value, scope: Scope, code: Code) -> Value:
    """With mapMissingTo, a value where the source is missing."""
    text = element.get("mapMissingTo")
    if text is None:
        return value
    instead = scope.document.constant(scope.document.texts.constant(str(text), value.kind, element), value.kind)
    absent, to = scope.builder.register(), scope.builder.register()
    scope.builder.emit(code, o.IS_MISSING, absent, source.register, scope.builder.missing)
    scope.builder.emit(code, o.CHOOSE, to, 0, 1, absent, instead.register, value.register)
    return Value(to, value.kind)


def _same(element: Element, source: Value, scope: Scope, code: Code, want: str) -> Value:
    return source


def _norm(element: Element, source: Value, scope: Scope, code: Code, want: str) -> Value:
    if is_text(source.kind):
        raise refuse(element, "A text cannot be normalized as a number.")
    points = [(number(part, "orig"), number(part, "norm")) for part in children(element, "LinearNorm")]
    origs = [orig for orig, _ in points]
    if len(points) < 2 or any(b <= a for a, b in pairwise(origs)):
        raise refuse(element, "NormContinuous has two or more points in ascending order.", seen=f"{len(points)} points")
    outliers = _OUTLIERS.index(choice(element, "outliers", _OUTLIERS, "asIs"))
    to, builder = scope.builder.register(), scope.builder
    builder.emit(
        code, o.NORM, to, source.register, outliers, len(points), builder.table(origs),
        builder.table([norm for _, norm in points]),
    )  # fmt: skip
    return Value(to, "double")


def _is(element: Element, source: Value, scope: Scope, code: Code, want: str) -> Value:
    choice(element, "method", ("indicator",), "indicator")
    value = scope.document.texts.constant(required(element, "value"), source.kind, element)
    to = scope.builder.register()
    other = scope.document.constant(value, source.kind)
    scope.builder.emit(code, o.EQUAL, to, source.register, other.register, scope.builder.missing)
    return Value(to, "double")


def closure(element: Element) -> int:
    """An interval's ends: bit 1 for a closed left one, bit 0 for a closed right one."""
    return ("openOpen", "openClosed", "closedOpen", "closedClosed").index(
        choice(element, "closure", ("openOpen", "openClosed", "closedOpen", "closedClosed"))
    )


def interval(element: Element, kind: str, scope: Scope) -> list[float]:
    """An Interval as `left, right, closure`; an end that is not there is infinite."""
    ends = []
    for name, infinite in (("leftMargin", -math.inf), ("rightMargin", math.inf)):
        text = element.get(name)
        ends.append(infinite if text is None else scope.document.texts.constant(str(text), kind, element))
    return [*ends, float(closure(element))]


def _discretize(element: Element, source: Value, scope: Scope, code: Code, want: str) -> Value:
    if is_text(source.kind):
        raise refuse(element, "A text cannot be discretized.")
    kind, texts = data_type(element, want or "string"), scope.document.texts
    bins = list[float]()
    for part in children(element, "DiscretizeBin"):
        held = child(part, "Interval")
        if held is None:
            raise refuse(part, "A bin has an Interval.")
        bins += [*interval(held, source.kind, scope), texts.constant(required(part, "binValue"), kind, part)]
    default = element.get("defaultValue")
    otherwise = math.nan if default is None else texts.constant(str(default), kind, element)
    to, builder = scope.builder.register(), scope.builder
    builder.emit(
        code, o.DISCRETIZE, to, source.register, builder.number(otherwise), len(bins) // 4, builder.table(bins)
    )
    return Value(to, kind)


def _map(element: Element, scope: Scope, code: Code, parameters: Parameters | None, want: str) -> Value:
    kind, texts = data_type(element, want or "string"), scope.document.texts
    pairs = list(children(element, "FieldColumnPair"))
    sources = [_referred(pair, scope, parameters) for pair in pairs]
    columns = [reading.column(required(pair, "column")) for pair in pairs]
    output = reading.column(required(element, "outputColumn"))
    if not pairs:
        raise refuse(element, "MapValues has at least one FieldColumnPair.")
    table = dict[tuple[float, ...], float]()
    inline = child(element, "InlineTable")
    for row, cells in enumerate(reading.rows(inline, element)):
        missing = [column for column in [*columns, output] if column not in cells]
        if missing:
            raise refuse(element, f"Row {row + 1} of the table lacks the column {missing[0]!r}.", seen=str(list(cells)))
        keys = tuple(
            texts.constant(cells[column], source.kind, element)
            for column, source in zip(columns, sources, strict=True)
        )  # fmt: skip
        table.setdefault(keys, texts.constant(cells[output], kind, element))
    default = element.get("defaultValue")
    otherwise = math.nan if default is None else texts.constant(str(default), kind, element)
    flat = [number for keys in sorted(table) for number in (*keys, table[keys])]
    to, builder = scope.builder.register(), scope.builder
    builder.emit(
        code, o.LOOKUP, to, builder.number(otherwise), len(columns), len(table), builder.table(flat),
        *[source.register for source in sources],
    )  # fmt: skip
    value = Value(to, kind)
    text = element.get("mapMissingTo")
    if text is not None:
        instead = scope.document.constant(texts.constant(str(text), kind, element), kind)
        absent = []
        for source in sources:
            absent.append(builder.register())
            builder.emit(code, o.IS_MISSING, absent[-1], source.register, builder.missing)
        chosen = builder.register()
        choices = [register for one in absent for register in (one, instead.register)]
        builder.emit(code, o.CHOOSE, chosen, 0, len(absent), *choices, to)
        value = Value(chosen, kind)
    return value

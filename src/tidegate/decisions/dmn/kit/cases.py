"""Test cases of the kit, from XML."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tidegate.documents import xml
from tidegate.documents.xml import child, children, line_of, name_of
from tidegate.errors import DocumentError
from tidegate.expressions.feel import temporal
from tidegate.expressions.feel.durations import parse_duration
from tidegate.expressions.feel.numbers import number

NAMESPACE = "http://www.omg.org/spec/DMN/20160719/testcase"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_READERS: dict[str, Callable[[str], Any]] = {
    "string": lambda text: text,
    "boolean": lambda text: {"true": True, "1": True, "false": False, "0": False}.get(text.strip()),
    "date": lambda text: temporal.parse_date(text.strip()),
    "time": lambda text: temporal.parse_time(text.strip()),
    "dateTime": lambda text: temporal.parse_date_time(text.strip()),
    "duration": lambda text: parse_duration(text.strip()),
    "decimal": lambda text: number(text.strip()),
}
CLOSE = Decimal("0.00000001")
"""How far a number may be from the one expected, by the convention of the kit."""
_NUMBERS = ("double", "float", "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger")


@dataclass(frozen=True, slots=True)
class Expected:
    """One result that a case looks at: of which element, and the value it must have."""

    name: str
    namespace: str
    value: Any


@dataclass(frozen=True, slots=True)
class Case:
    """A test case: what is asked (a decision, service or function), with which inputs, and what must come out."""

    id: str
    kind: str
    invocable: str
    inputs: dict[str, Any]
    results: tuple[Expected, ...]
    line: int

    @property
    def has_value(self) -> bool:
        """Whether anything but null is expected; an engine that always answers null passes all the others."""
        return any(result.value is not None for result in self.results)


@dataclass(frozen=True, slots=True)
class Cases:
    """A file of test cases, and the model file they are about."""

    model: str
    cases: tuple[Case, ...]


def is_cases(data: bytes) -> bool:
    """Whether a file looks like one of test cases."""
    return NAMESPACE.encode() in data[:10_000]


def read_cases(data: bytes, file: str) -> Cases:
    """The test cases of a file.

    Raises:
        DocumentError: it is no XML or holds no test cases; with the line.
    """
    root = xml.read(data, file)
    if name_of(root) != "testCases":
        raise DocumentError(
            f"{file} holds no test cases.", seen=f"<{name_of(root)}>", do="It should begin with <testCases>."
        )
    model = child(root, "modelName")
    return Cases(
        "" if model is None else (model.text or "").strip(),
        tuple(_case(one, file) for one in children(root, "testCase")),
    )


def _case(element: xml.Element, file: str) -> Case:
    inputs = {}
    for one in children(element, "inputNode"):
        name, namespace = one.get("name", ""), one.get("namespace", "")
        inputs[f"{{{namespace}}}{name}" if namespace else name] = _value(one, file)
    results = []
    for one in children(element, "resultNode"):
        expected = child(one, "expected")
        value = None if expected is None else _value(expected, file)
        results.append(Expected(one.get("name", ""), one.get("namespace", ""), value))
    return Case(
        element.get("id", ""),
        element.get("type", "decision"),
        element.get("invocableName", ""),
        inputs,
        tuple(results),
        line_of(element),
    )


def _value(element: xml.Element, file: str) -> Any:
    """A value: null, simple, a context of components, or a list."""
    if element.get(_NIL) in ("true", "1"):
        return None
    components = list(children(element, "component"))
    if components:
        return {one.get("name", ""): _value(one, file) for one in components}
    listed = child(element, "list")
    if listed is not None:
        nil = listed.get(_NIL) in ("true", "1")
        return None if nil else [_value(one, file) for one in children(listed, "item")]
    simple = child(element, "value")
    return None if simple is None else _simple(simple, file)


def _simple(element: xml.Element, file: str) -> Any:
    if element.get(_NIL) in ("true", "1"):
        return None
    kind, text = element.get(_TYPE, "string").rpartition(":")[2], element.text or ""
    read = _READERS.get("decimal" if kind in _NUMBERS else kind)
    made = None if read is None else read(text)
    if made is None:
        raise DocumentError(
            f"{file} has a value that cannot be read.", seen=f'"{text}" as {kind}', line=line_of(element)
        )
    return made


def same(expected: Any, seen: Any) -> bool:
    """Whether a value is the one expected.

    Numbers may differ by less than `CLOSE`, as in all of the kit's own runners: the kit writes what is not finite, such
    as a third, cut off. Everything else must be the same value: the same kind, the same entries and elements, the same
    day, time, offset and zone.
    """
    if isinstance(expected, Decimal) and isinstance(seen, Decimal):
        return abs(expected - seen) < CLOSE
    if type(expected) is not type(seen):
        return False
    if isinstance(expected, list):
        return len(expected) == len(seen) and all(map(same, expected, seen))
    if isinstance(expected, dict):
        return expected.keys() == seen.keys() and all(same(value, seen[key]) for key, value in expected.items())
    return bool(expected == seen)

"""Scorecards of others in PMML, as far as each of their characteristics is over one field: read into bins.

What PMML allows beyond that, such as partial scores that are computed, runs as a model; here it is refused by its line.
An attribute of PMML holds where its predicate is true and none before it was; a predicate on a value that is missing is
unknown, and holds then only by `isMissing` or `True`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tidegate.decisions.scorecards.written import OTHERWISE, WrittenBin, WrittenCard, WrittenCharacteristic
from tidegate.decisions.tables.cells import FULL, Cell, cell, complement, merged
from tidegate.decisions.tables.line import Line, Ranges
from tidegate.decisions.tables.telling import cell_in_words
from tidegate.documents.xml import Element, child, children, line_of, name_of, read
from tidegate.errors import FlowError
from tidegate.events.types import Kind
from tidegate.models.pmml.fields import ACTIVE, Treatment, treatment_of
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.model import read_pmml
from tidegate.models.pmml.predicates import PREDICATES
from tidegate.models.pmml.reading import choice, flag, number, optional, required, words

_KINDS = {"double": "number", "integer": "whole number", "string": "text", "boolean": "bool"}
_DO = "Run it as a model, or write it with one field a characteristic."
_BEST: dict[str, Callable[[list[float]], float]] = {"max": max, "min": min}
_SIGNS = {
    "lessThan": "<", "lessOrEqual": "<=", "greaterThan": ">", "greaterOrEqual": ">=",
}  # fmt: skip


def read_pmml_scorecard(data: bytes, what: str, name: str) -> WrittenCard:
    """The scorecard in a PMML document.

    Args:
        data: the document.
        what: what it is called in messages, as in "application.pmml".
        name: what the scorecard is called if it does not say.

    Raises:
        DocumentError: it is no PMML, or no scorecard whose characteristics are each over one field; with the line.
    """
    read_pmml(data, what)  # whatever of PMML is not supported is refused here, by its line
    root = read(data, what)
    model = child(root, "Scorecard")
    if model is None:
        other = next((one for one in children(root) if name_of(one).endswith(("Model", "Network"))), root)
        raise refuse(other, f"{what} is no scorecard.", "Run it as a model.", seen=name_of(other))
    return _Reader(root, model, what).card(name)


@dataclass(frozen=True)
class _Field:
    """A field: its type in words, which of its values are valid, and what becomes of those that are not or missing."""

    name: str
    declared: str
    element: Element
    treatment: Treatment

    def valid(self, line: Line) -> Ranges:
        """The points of the values that are valid."""
        values = [required(one, "value") for one in children(self.element, "Value")]
        intervals = list(children(self.element, "Interval"))
        if not values and not intervals:
            return FULL
        runs = [run for value in values for run in _equal(line, value)]
        for one in intervals:
            closure = required(one, "closure")
            left, right = one.get("leftMargin"), one.get("rightMargin")
            low = FULL if left is None else _side(line, ">=" if closure.startswith("closed") else ">", str(left))
            high = FULL if right is None else _side(line, "<=" if closure.endswith("Closed") else "<", str(right))
            runs += _both(low, high)
        return merged(iter(runs))


@dataclass(frozen=True)
class _Truth:
    """Where a predicate is true: for which values, and for none, where it can be unknown."""

    ranges: Ranges
    missing: bool | None


@dataclass(frozen=True)
class _Attribute:
    """An attribute's predicate, as a cell once the type of its field is known."""

    element: Element
    of: _Field
    said: str = field(default="")

    def on(self, line: Line) -> Cell:
        """The values that it holds for, those that count as missing or invalid treated as the mining schema says."""
        treatment, valid = self.of.treatment, self.of.valid(line)
        truth = _truth(next(children(self.element, *PREDICATES)), line)
        missing = truth.missing
        if treatment.missing == "returnInvalid":
            missing = None
        elif treatment.missing_value is not None:
            point = _equal(line, treatment.missing_value)
            missing = bool(point) and bool(_both(truth.ranges, point))
        ranges = truth.ranges
        if treatment.invalid == "returnInvalid":
            ranges = _both(ranges, valid)
        elif treatment.invalid == "asMissing":
            ranges = _both(ranges, valid) if not missing else merged(iter((*_both(ranges, valid), *complement(valid))))
        held = Cell(ranges, missing is True, "")
        return Cell(ranges, held.missing, self._text(held, line))

    def _text(self, held: Cell, line: Line) -> str:
        """The bin as it was written before it became PMML, if it was and means the same; else in words."""
        try:
            same = cell(self.said, line) if self.said and self.said != OTHERWISE else held
        except FlowError:
            same = None
        if self.said and same is not None and (same.ranges, same.missing) == (held.ranges, held.missing):
            return self.said
        return cell_in_words(line, held.ranges, held.missing)

    def __str__(self) -> str:
        return self.said or f"line {line_of(self.element)}"


class _Reader:
    def __init__(self, root: Element, model: Element, what: str) -> None:
        self.model, self.what = model, what
        self.method = optional(model, "baselineMethod", "other")
        dictionary = child(root, "DataDictionary")
        self.data = {str(one.get("name")): one for one in children(dictionary)} if dictionary is not None else {}
        schema = child(model, "MiningSchema")
        active = [one for one in children(schema, "MiningField") if optional(one, "usageType", "active") in ACTIVE] \
            if schema is not None else []  # fmt: skip
        self.schema = {required(one, "name"): one for one in active}

    def card(self, name: str) -> WrittenCard:
        """The scorecard."""
        held = child(self.model, "Characteristics")
        parts = [self._characteristic(one) for one in children(held, "Characteristic")] if held is not None else []
        names = [part[0] for part in parts]
        # By the field that it is over, as a flow gives it; two over one field by their own names.
        found = [one if names.count(field) > 1 else _named(one, field) for field, one in parts]
        settings: dict[str, Any] = {"initial score": number(self.model, "initialScore", 0.0)}
        above = choice(self.model, "reasonCodeAlgorithm", ("pointsAbove", "pointsBelow"), "pointsBelow")
        settings["baseline"] = self.method if self.method in _BEST else ""
        settings["higher"] = "worse" if above == "pointsAbove" else "better"
        settings["reasons"] = extension(self.model, "reasons") or "4"
        if not flag(self.model, "useReasonCodes", True):
            settings["reasons"] = 0
        for said in ("pdo", "base points", "base odds"):
            value = extension(self.model, said)
            settings |= {said: value} if value else {}
        places = {said: f"{self.what}, line {line_of(self.model)}" for said in settings}
        return WrittenCard(optional(self.model, "modelName") or name, tuple(found), settings, places, self.what)

    def _characteristic(self, part: Element) -> tuple[str, WrittenCharacteristic]:
        at = f"{self.what}, line {line_of(part)}"
        names = dict.fromkeys(name for one in children(part, "Attribute") for name in _fields(one))
        if len(names) != 1:
            raise refuse(part, "A characteristic is over one field.", _DO, seen=", ".join(names) or "no field")
        of = self._field(next(iter(names)), part)
        bins = tuple(self._bin(one, of) for one in children(part, "Attribute"))
        baseline = number(part, "baselineScore", number(self.model, "baselineScore", float("nan")))
        points = [number(one, "partialScore") for one in children(part, "Attribute")]
        if self.method in _BEST and baseline == _BEST[self.method](points):
            baseline = float("nan")  # not given, but found
        return of.name, WrittenCharacteristic(
            optional(part, "name", of.name), bins, extension(part, "because"), optional(part, "reasonCode"),
            None if baseline != baseline else baseline, of.declared, "", at, in_order=True,
        )  # fmt: skip

    def _field(self, name: str, part: Element) -> _Field:
        element, mined = self.data.get(name), self.schema.get(name)
        if element is None or mined is None:
            raise refuse(part, f"{name} is computed, and a bin is over a field as it is given.", _DO)
        kind, treatment = required(element, "dataType"), treatment_of(mined)
        if kind not in _KINDS:
            raise refuse(element, f"The data type {kind} is not read into bins.", _DO)
        if treatment.outliers != "asIs" or treatment.invalid == "asValue":
            raise refuse(mined, "Values that are replaced, outlying or invalid, are not read into bins.", _DO)
        if any(optional(one, "property", "valid") != "valid" for one in children(element, "Value")):
            raise refuse(element, "Values that count as missing or invalid are not read into bins.", _DO)
        return _Field(name, extension(element, "type") or _KINDS[kind], element, treatment)

    def _bin(self, one: Element, of: _Field) -> WrittenBin:
        if child(one, "ComplexPartialScore") is not None:
            raise refuse(one, "A partial score that is computed is no bin's points.", _DO)
        return WrittenBin(
            _Attribute(one, of, extension(one, "bin")), number(one, "partialScore"), extension(one, "because"),
            optional(one, "reasonCode"), extension(one, "count") or None, extension(one, "events") or None,
            f"{self.what}, line {line_of(one)}",
        )  # fmt: skip


def _named(one: WrittenCharacteristic, name: str) -> WrittenCharacteristic:
    return replace(one, name=name, code=one.code or one.name)


def extension(element: Element, name: str) -> str:
    """What an Extension of this name says, or nothing."""
    found = (one for one in children(element, "Extension") if one.get("name") == name)
    return next((optional(one, "value") for one in found), "")


def _fields(element: Element) -> Iterator[str]:
    for part in element.iter():
        if isinstance(part.tag, str) and name_of(part) in ("SimplePredicate", "SimpleSetPredicate"):
            yield required(part, "field")


def _both(one: Ranges, other: Ranges) -> Ranges:
    """The points that are in both."""
    pairs = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return merged(pair for pair in pairs if pair[0] <= pair[1])


def _written(line: Line, value: str) -> str:
    """A value of PMML as a cell of the flow's type has it: durations are in seconds, amounts in major units."""
    kind = line.type.kind
    if kind is Kind.DURATION:
        return f"{int(Decimal(value) * 1_000_000)}us"
    if kind is Kind.BOOL:
        return {"1": "true", "0": "false"}.get(value, value)
    return value


def _equal(line: Line, value: str) -> Ranges:
    text = _written(line, value)
    if line.type.kind is Kind.INT and Decimal(text) != int(Decimal(text)):
        return ()  # no whole number is that
    return line.equal(text)


def _side(line: Line, sign: str, value: str) -> Ranges:
    return cell(f'{sign} "{_written(line, value)}"', line).ranges


def _truth(element: Element, line: Line) -> _Truth:
    """Where a predicate is true."""
    name = name_of(element)
    if name in ("True", "False"):
        return _Truth(FULL, True) if name == "True" else _Truth((), False)
    if name == "SimpleSetPredicate":
        array = child(element, "Array")
        values = words(array) if array is not None else []
        ranges = merged(run for value in values for run in _equal(line, value))
        return _Truth(ranges if optional(element, "booleanOperator") == "isIn" else complement(ranges), None)
    if name == "SimplePredicate":
        return _simple(element, line)
    parts = [_truth(one, line) for one in children(element, *PREDICATES)]
    return _JOINED[optional(element, "booleanOperator")](parts)


def _simple(element: Element, line: Line) -> _Truth:
    operator = required(element, "operator")
    if operator in ("isMissing", "isNotMissing"):
        return _Truth((), True) if operator == "isMissing" else _Truth(FULL, False)
    value = required(element, "value")
    if operator in ("equal", "notEqual"):
        ranges = _equal(line, value)
        return _Truth(ranges if operator == "equal" else complement(ranges), None)
    if not line.has_order:
        raise refuse(element, "Values without an order are not compared in a bin.", _DO, seen=operator)
    return _Truth(_side(line, _SIGNS[operator], value), None)


def _and(parts: list[_Truth]) -> _Truth:
    ranges = FULL
    for one in parts:
        ranges = _both(ranges, one.ranges)
    said = [one.missing for one in parts]
    return _Truth(ranges, False if False in said else None if None in said else True)


def _or(parts: list[_Truth]) -> _Truth:
    said = [one.missing for one in parts]
    ranges = merged(run for one in parts for run in one.ranges)
    return _Truth(ranges, True if True in said else None if None in said else False)


def _xor(parts: list[_Truth]) -> _Truth:
    ranges, missing = parts[0].ranges, parts[0].missing
    for one in parts[1:]:
        ranges = merged(iter((*_both(ranges, complement(one.ranges)), *_both(complement(ranges), one.ranges))))
        missing = None if missing is None or one.missing is None else missing != one.missing
    return _Truth(ranges, missing)


def _surrogate(parts: list[_Truth]) -> _Truth:
    known = [one.missing for one in parts if one.missing is not None]
    return _Truth(parts[0].ranges, known[0] if known else None)


_JOINED: dict[str, Callable[[list[_Truth]], _Truth]] = {"and": _and, "or": _or, "xor": _xor, "surrogate": _surrogate}

__all__ = ["extension", "read_pmml_scorecard"]

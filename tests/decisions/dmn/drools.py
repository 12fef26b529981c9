"""Drools, the reference among DMN engines, asked in process: an oracle for models and inputs that nobody thought of.

Its jars are fetched by Maven once, into the user's cache. Values of both engines are compared as plain ones: numbers by
what they are worth, times by what they say.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from functools import cache
from typing import Any

from tidegate.connectors.drools.jars import fetch
from tidegate.connectors.drools.java import java
from tidegate.decisions.dmn.values import to_feel
from tidegate.expressions.feel.durations import DaysTime, YearsMonths
from tidegate.expressions.feel.functions import Function
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.temporal import Date, DateTime, Time

_WIDE = Context(prec=100, Emin=-99_999, Emax=99_999)
_CLOCK = re.compile(r"(.*T)?(\d\d:\d\d)(:\d\d)?(\.\d+)?([^\[]*?)(?:\[(.*)\]|@(.*))?")


def java_class(name: str) -> Any:
    """A class of Drools or Java."""
    return _java().JClass(name)


@cache
def _java() -> Any:
    fetch()
    return java()


class Drools:
    """A model in Drools.

    Args:
        data: the model's file.
        imports: the files of the models that it imports.
    """

    def __init__(self, data: bytes, imports: Sequence[bytes] = ()) -> None:
        jpype = _java()
        resources = java_class("java.util.ArrayList")()
        for number, one in enumerate((data, *imports)):
            made = java_class("org.kie.internal.io.ResourceFactory").newByteArrayResource(
                jpype.JArray(jpype.JByte)(one)
            )
            made.setSourcePath(f"model{number}.dmn")
            resources.add(made)
        check = java_class("org.kie.dmn.core.compiler.RuntimeTypeCheckOption")(True)
        builder = java_class("org.kie.dmn.core.internal.utils.DMNRuntimeBuilder").fromDefaults().setOption(check)
        fail = jpype.JProxy(
            "java.util.function.Function", dict={"apply": lambda e: java_class("java.lang.RuntimeException")(str(e))}
        )
        self.runtime = builder.buildConfiguration().fromResources(resources).getOrElseThrow(fail)
        name, space = [re.search(rb"<[^>]*?definitions[^>]*?\s" + key + rb'="([^"]*)"', data) for key in _NAMES]
        assert name and space
        self.model = self.runtime.getModel(space[1].decode(), name[1].decode())

    def context(self, inputs: Mapping[str, Any]) -> Any:
        """Inputs, values of Python or FEEL, as Drools takes them."""
        context = self.runtime.newContext()
        for name, value in inputs.items():
            context.set(name, to_java(to_feel(value)))
        return context

    def evaluate(self, decision: str, inputs: Mapping[str, Any]) -> Any:
        """What a decision comes to, as a plain value."""
        result = self.runtime.evaluateByName(self.model, self.context(inputs), decision)
        return plain_of_java(result.getDecisionResultByName(decision).getResult())

    def evaluate_all(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What all decisions come to, by name."""
        found = self.runtime.evaluateAll(self.model, self.context(inputs)).getDecisionResults()
        return {str(one.getDecisionName()): plain_of_java(one.getResult()) for one in found}

    def service(self, name: str, inputs: Mapping[str, Any]) -> Any:
        """What the decisions of a service come to, by name."""
        result = self.runtime.evaluateDecisionService(self.model, self.context(inputs), name)
        return {str(one.getDecisionName()): plain_of_java(one.getResult()) for one in result.getDecisionResults()}


_NAMES = (b"name", b"namespace")


def to_java(value: Any) -> Any:
    """A FEEL value as Drools has it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return java_class("java.lang.Boolean").valueOf(value)
    if isinstance(value, Decimal):
        return java_class("java.math.BigDecimal")(str(value))
    if isinstance(value, list):
        made = java_class("java.util.ArrayList")()
        for one in value:
            made.add(to_java(one))
        return made
    if isinstance(value, dict):
        made = java_class("java.util.LinkedHashMap")()
        for key, one in value.items():
            made.put(key, to_java(one))
        return made
    if isinstance(value, str):
        return _java().JString(value)
    return _feel().evaluate(f'@"{value}"')  # a date, time or duration


@cache
def _feel() -> Any:
    return java_class("org.kie.dmn.feel.lang.impl.FEELBuilder").builder().build()


def plain_of_java(value: Any) -> Any:
    """A value of Drools as a plain one."""
    if value is None:
        return None
    for name, plain in _PLAIN.items():
        if isinstance(value, java_class(name)):
            return plain(value)
    return _moment(str(value))


_PLAIN: dict[str, Any] = {
    "java.lang.Boolean": bool,
    "java.lang.Number": lambda value: _number(Decimal(str(value))),
    "java.util.Map": lambda value: {str(key): plain_of_java(value.get(key)) for key in value.keySet()},
    "java.util.Collection": lambda value: [plain_of_java(one) for one in value],
    "java.lang.CharSequence": lambda value: ("string", str(value)),
    "java.time.LocalDate": lambda value: ("date", str(value).lstrip("+")),
    "java.time.Duration": lambda value: ("days and time", int(value.getSeconds()) * 10**9 + int(value.getNano())),
    "java.time.chrono.ChronoPeriod": lambda value: ("years and months", _months(value)),
    "org.kie.dmn.feel.runtime.FEELFunction": lambda value: "function",
    "org.kie.dmn.feel.runtime.Range": lambda value: (
        "range",
        *(str(side) == "CLOSED" for side in (value.getLowBoundary(), value.getHighBoundary())),
        *(plain_of_java(end) for end in (value.getLowEndPoint(), value.getHighEndPoint())),
    ),
    "org.kie.dmn.feel.runtime.impl.UndefinedValueComparable": lambda value: None,
}


def _months(value: Any) -> int:
    unit = java_class("java.time.temporal.ChronoUnit")
    return int(value.get(unit.YEARS)) * 12 + int(value.get(unit.MONTHS))


def plain_of_feel(value: Any) -> Any:
    """A value of ours as a plain one."""
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, list):
        return [plain_of_feel(one) for one in value]
    if isinstance(value, dict):
        return {key: plain_of_feel(one) for key, one in value.items()}
    if isinstance(value, Date):
        return ("date", str(value))
    if isinstance(value, YearsMonths):
        return ("years and months", value.months)
    if isinstance(value, DaysTime):
        return ("days and time", value.nanoseconds)
    if isinstance(value, Time | DateTime):
        return _moment(str(value))
    if isinstance(value, Range):
        ends = plain_of_feel(value.low), plain_of_feel(value.high)
        return ("range", value.low_included, value.high_included, *ends)
    return "function" if isinstance(value, Function) else value


def _number(value: Decimal) -> tuple[str, Decimal]:
    return ("number", value.normalize(_WIDE) if value else Decimal(0))


def _moment(text: str) -> tuple[str, str]:
    """A time, or a date and time, as both write it; a zone's offset is not told."""
    found = _CLOCK.fullmatch(text)
    assert found, text
    date, minutes, seconds, fraction, offset, *zones = found.groups()
    zone = next(filter(None, zones), None)
    place = f"@{zone}" if zone else "Z" if offset == "+00:00" else offset
    return ("moment", f"{date or ''}{minutes}{seconds or ':00'}{(fraction or '').rstrip('0').rstrip('.')}{place}")

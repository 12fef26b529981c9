"""Drools, the reference among DMN engines, asked in process: an oracle for models and inputs that nobody thought of.

Its jars are fetched by Maven once, into a cache folder. Without Java or Maven there is no oracle, and no test of it.
"""

import os
import shutil
from decimal import Decimal
from functools import cache
from typing import Any

from tidegate.connectors.drools.jars import fetch
from tidegate.connectors.drools.java import java

THERE = os.environ.get("TIDEGATE_DROOLS") == "1" and bool(shutil.which("mvn") and shutil.which("java"))
"""Whether the oracle is asked for, and what fetches and runs it is there."""


@cache
def _java() -> Any:
    fetch()
    return java()


class Drools:
    """A model in Drools."""

    def __init__(self, data: bytes) -> None:
        jpype = _java()
        resource = jpype.JClass("org.kie.internal.io.ResourceFactory").newByteArrayResource(list(data))
        resource.setSourcePath("model.dmn")
        listed = jpype.JClass("java.util.Collections").singletonList(resource)
        check = jpype.JClass("org.kie.dmn.core.compiler.RuntimeTypeCheckOption")(True)
        builder = jpype.JClass("org.kie.dmn.core.internal.utils.DMNRuntimeBuilder").fromDefaults()
        made = builder.setOption(check).buildConfiguration().fromResources(listed)
        if made.isLeft():
            raise ValueError(str(made.getLeft().getMessage() if hasattr(made, "getLeft") else made))
        self.runtime = made.get() if hasattr(made, "get") else made.getOrElseThrow(None)
        self.model = self.runtime.getModels().get(0)

    def context(self, inputs: dict[str, Any]) -> Any:
        context = self.runtime.newContext()
        for name, value in inputs.items():
            context.set(name, _to_java(value))
        return context

    def evaluate(self, decision: str, inputs: dict[str, Any]) -> Any:
        """What a decision comes to, as plain values."""
        result = self.runtime.evaluateByName(self.model, self.context(inputs), decision)
        return _plain(result.getDecisionResultByName(decision).getResult())

    def service(self, name: str, inputs: dict[str, Any]) -> Any:
        """What the decisions of a service come to, by name."""
        result = self.runtime.evaluateDecisionService(self.model, self.context(inputs), name)
        return {str(one.getDecisionName()): _plain(one.getResult()) for one in result.getDecisionResults()}


def _to_java(value: Any) -> Any:
    jpype = _java()
    if isinstance(value, bool) or value is None:
        return None if value is None else jpype.JClass("java.lang.Boolean")(value)
    if isinstance(value, int | Decimal | float):
        return jpype.JClass("java.math.BigDecimal")(str(value))
    if isinstance(value, list):
        made = jpype.JClass("java.util.ArrayList")()
        for one in value:
            made.add(_to_java(one))
        return made
    if isinstance(value, dict):
        made = jpype.JClass("java.util.LinkedHashMap")()
        for key, one in value.items():
            made.put(key, _to_java(one))
        return made
    return jpype.JString(value)


def _plain(value: Any) -> Any:
    jpype = _java()
    if value is None:
        return None
    if isinstance(value, jpype.JClass("java.lang.Boolean")):
        return bool(value)
    if isinstance(value, jpype.JClass("java.lang.Number")):
        return Decimal(str(value))
    if isinstance(value, jpype.JClass("java.util.Map")):
        return {str(key): _plain(value.get(key)) for key in value.keySet()}
    if isinstance(value, jpype.JClass("java.util.Collection")):
        return [_plain(one) for one in value]
    return str(value)

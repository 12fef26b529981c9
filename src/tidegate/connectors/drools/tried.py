"""A package of rules tried out on plain facts, without a flow: what `tidegate drools run` does with a line."""

from collections.abc import Mapping
from typing import Any

from tidegate.connectors.drools.java import java_class
from tidegate.connectors.drools.package import Package
from tidegate.connectors.drools.session import Runner
from tidegate.connectors.drools.values import to_java
from tidegate.errors import TidegateError, nearest


class Tried:
    """Runs a package on facts as plain values.

    Args:
        package: the package.
        deadline: microseconds for one run.
    """

    def __init__(self, package: Package, deadline: int) -> None:
        self._package = package
        self._runner = Runner(package, (), (), (), deadline)
        kinds = [package.fact_type(name) for name in package.types]
        self._runner.warm(lambda: [kind.newInstance() for kind in kinds], self._left)

    def run(self, facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The facts of declared types that are left, the rules that fired, and `failed` if the rules gave no answer.

        Raises:
            TidegateError: a type or field is not declared, or a value is not of its Java type.
        """
        made = [self._fact(owner, fields) for owner, fields in facts.items()]
        left: dict[str, list[dict[str, Any]]] = {}
        answer = self._runner.over(made, lambda session: left.update(self._left(session)))
        told: dict[str, Any] = {"facts": left, "rules": answer.rules, "fired": answer.fired}
        return told | ({"failed": answer.otherwise} if answer.otherwise else {})

    def _fact(self, owner: str, fields: Mapping[str, Any]) -> Any:
        if owner == "Map" and owner not in self._package.types:
            fact = java_class("java.util.HashMap")()
            for name, value in fields.items():
                fact.put(name, _java(value, "java.lang.Object", f"Map.{name}"))
            return fact
        if owner not in self._package.types:
            near = nearest(owner, list(self._package.types))
            raise TidegateError(
                f"The package declares no type {owner}.",
                seen=", ".join(self._package.types) or "no types",
                do=f"Did you mean {near}?" if near else "",
            )
        kind, known = self._package.fact_type(owner), self._package.types[owner]
        fact = kind.newInstance()
        for name, value in fields.items():
            if name not in known:
                near = nearest(name, list(known))
                raise TidegateError(
                    f"{owner} has no field {name}.", seen=", ".join(known), do=f"Did you mean {near}?" if near else ""
                )
            if value is not None:
                kind.set(fact, name, _java(value, known[name], f"{owner}.{name}"))
        return fact

    def _left(self, session: Any) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        filters = java_class("org.kie.api.runtime.ClassObjectFilter")
        for owner, fields in self._package.types.items():
            kind = self._package.fact_type(owner)
            for fact in session.getObjects(filters(kind.getFactClass())):
                found.setdefault(owner, []).append({name: _plain(kind.get(fact, name)) for name in fields})
        return found


def _java(value: Any, java_type: str, name: str) -> Any:
    """A value of JSON for a field of a Java type.

    Raises:
        TidegateError: it is of another type, or a number that the type cannot hold.
    """
    text = java_type in ("java.lang.String", "java.lang.CharSequence")
    truth = java_type in ("boolean", "java.lang.Boolean")
    kinds = isinstance(value, str) is text and isinstance(value, bool) is truth
    if java_type != "java.lang.Object" and not (kinds and isinstance(value, str | bool | int | float)):
        raise TidegateError(f"{name} is a Java {java_type}.", seen=repr(value)[:80])
    if not isinstance(value, str | bool | int | float | None):
        raise TidegateError(f"{name} is a text, a number or a truth value.", seen=repr(value)[:80])
    try:
        return to_java(value, java_type)
    except TidegateError as error:
        raise TidegateError(f"{name}: {error.wrong}", seen=error.seen, do=error.do) from None


def _plain(value: Any) -> Any:
    """A Java value as JSON has it; numbers that are not whole as floats."""
    if value is None:
        return None
    if isinstance(value, (bool, java_class("java.lang.Boolean"))):
        return bool(value)
    if isinstance(value, (int, float, java_class("java.lang.Number"))):
        text = str(value)
        return int(text) if text.lstrip("-").isdigit() else float(text)
    return str(value)


__all__ = ["Tried"]

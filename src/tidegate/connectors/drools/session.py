"""A package of rules run for one event: facts in, rules fired until none is left or time is up, results out."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any

from tidegate.connectors.drools.java import heap, java, java_class
from tidegate.connectors.drools.package import Package
from tidegate.connectors.drools.values import to_java, to_python
from tidegate.connectors.drools.worker import LateError, Worker
from tidegate.decisions.drl.plan import DrlAnswer, Value
from tidegate.errors import TidegateError
from tidegate.events.durations import written
from tidegate.events.types import Type

MOST_RULES = 20
"""Rules that an answer names."""
_FIRST, _WARMING, _WARM_UP = 3.0, 0.3, 100
"""Seconds that the first and any other run to warm up may take, and how many: Java compiles what it runs often."""
_LATE = "the rules were not done within"


class WrongError(Exception):
    """The rules gave no answer that is of use; says why."""


class Runner:
    """Runs a package, an event at a time, each in a session of its own.

    Args:
        package: the package.
        given: the type (of the DRL, or Map) and field of each input.
        gives: the type and field, or "" and the global, of each result, and its type.
        otherwise: the results where the package cannot answer.
        deadline: microseconds.
    """

    def __init__(
        self,
        package: Package,
        given: Sequence[tuple[str, str]],
        gives: Sequence[tuple[str, str, Type]],
        otherwise: tuple[Value, ...],
        deadline: int,
    ) -> None:
        self._package, self._given, self._gives = package, tuple(given), tuple(gives)
        self._otherwise, self._deadline = otherwise, deadline
        self._worker = Worker(f"{package.name}.")
        self._types = {name: package.fact_type(name) for name in package.types}
        filters = java_class("org.kie.api.runtime.ClassObjectFilter")
        asked = {owner for owner, _, _ in gives if owner}
        self._filters = {owner: filters(self._types[owner].getFactClass()) for owner in asked}
        self._inserted = tuple(dict.fromkeys(owner for owner, _ in given))
        self._lists = [n for n, kind in package.globals.items() if kind in ("java.util.List", "java.util.Collection")]
        self._maps = [n for n, kind in package.globals.items() if kind == "java.util.Map"]
        samples = _samples(package.source)
        self.warm(lambda: [self._sample(name, samples) for name in self._inserted])

    def answer(self, values: Sequence[Any]) -> DrlAnswer:
        """What the package says of these inputs, in the order of `given`."""
        return self._timed(lambda: self._facts(values), self._deadline / 1e6)

    def over(self, facts: list[Any], look: Callable[[Any], Any]) -> DrlAnswer:
        """Run over facts as Java objects; `look` sees the session when no rule is left to fire."""
        return self._timed(lambda: facts, self._deadline / 1e6, look)

    def warm(self, facts: Callable[[], list[Any]], look: Callable[[Any], Any] | None = None) -> None:
        """Run over facts that stand for none, for the sake of speed; what comes of it is of no interest."""
        late = 0
        for number in range(_WARM_UP):
            late += (self._timed(facts, _WARMING if number else _FIRST, look).otherwise or "").startswith(_LATE)
            if late == 2:
                return

    def _sample(self, owner: str, samples: Iterator[tuple[float, str]]) -> Any:
        """A fact with numbers and texts that the DRL itself compares with, so that its rules fire."""
        fact = self._types[owner].newInstance() if owner in self._types else _map()
        for place, (of, field) in enumerate(self._given):
            if of != owner:
                continue
            number, text = next(samples)
            if owner not in self._types:
                fact.put(field, to_java(text if place % 2 else number, "java.lang.Object"))
                continue
            java_type = self._package.types[owner][field]
            if java_type in ("java.lang.String", "java.lang.Object"):
                self._types[owner].set(fact, field, to_java(text, java_type))
            elif java_type in ("double", "java.lang.Double", "java.math.BigDecimal"):
                self._types[owner].set(fact, field, to_java(number, java_type))
            elif java_type in ("long", "int", "java.lang.Long", "java.lang.Integer"):
                self._types[owner].set(fact, field, to_java(int(number), java_type))
            elif java_type in ("boolean", "java.lang.Boolean"):
                self._types[owner].set(fact, field, to_java(number > 0, java_type))
        return fact

    def _timed(
        self, facts: Callable[[], list[Any]], within: float, look: Callable[[Any], Any] | None = None
    ) -> DrlAnswer:
        fired: dict[str, int] = {}
        session: list[Any] = []

        def run() -> tuple[Value, ...]:
            session.append(self._package.base.newKieSession())
            try:
                values = self._run(session[0], facts(), fired)
                if look is not None:
                    look(session[0])
                return values
            finally:
                session[0].dispose()

        try:
            values, otherwise = self._worker.call(run, within, lambda: _halt(session)), None
        except LateError:
            values, otherwise = self._otherwise, f"{_LATE} {written(self._deadline)}"
        except WrongError as error:
            values, otherwise = self._otherwise, str(error)
        except java().JException as error:
            values, otherwise = self._otherwise, _told(error)
        fired = dict(fired)
        return DrlAnswer(values, tuple(list(fired)[:MOST_RULES]), sum(fired.values()), otherwise)

    def _run(self, session: Any, facts: list[Any], fired: dict[str, int]) -> tuple[Value, ...]:
        for name in self._lists:
            session.setGlobal(name, java_class("java.util.ArrayList")())
        for name in self._maps:
            session.setGlobal(name, _map())
        session.addEventListener(_listener(fired))
        for fact in facts:
            session.insert(fact)
        session.fireAllRules()
        found = {owner: self._only(session, owner) for owner in self._filters}
        results: list[Value] = []
        for owner, field, kind in self._gives:
            held = self._types[owner].get(found[owner], field) if owner else session.getGlobal(field)
            name = f"{owner}.{field}" if owner else field
            try:
                results.append(to_python(held, kind))
            except TidegateError as error:
                raise WrongError(f"{name} is no {kind}: {error.seen}") from None
        return tuple(results)

    def _only(self, session: Any, owner: str) -> Any:
        there = list(session.getObjects(self._filters[owner]))
        if len(there) == 1:
            return there[0]
        raise WrongError(f"no rule gave a fact {owner}" if not there else f"the rules gave {len(there)} facts {owner}")

    def _facts(self, values: Sequence[Any]) -> list[Any]:
        made: dict[str, Any] = {}
        for (owner, field), value in zip(self._given, values, strict=True):
            if owner not in self._types:
                made.setdefault(owner, _map()).put(field, to_java(value, "java.lang.Object"))
                continue
            if owner not in made:
                made[owner] = self._types[owner].newInstance()
            java_type = self._package.types[owner][field]
            if value is not None:
                self._types[owner].set(made[owner], field, _held(value, java_type, f"{owner}.{field}"))
            elif "." not in java_type:
                raise WrongError(f"{owner}.{field} is missing, and a Java {java_type} cannot be")
        return list(made.values())


def _held(value: Any, java_type: str, name: str) -> Any:
    try:
        return to_java(value, java_type)
    except TidegateError as error:
        raise WrongError(f"{name}: {error.wrong[0].lower()}{error.wrong[1:].rstrip('.')}: {error.seen}") from None


def _samples(source: str) -> Iterator[tuple[float, str]]:
    """Pairs of a number and a text, without end, of those that stand in some DRL and a little beside them."""
    said = [float(number) for number in re.findall(r"(?<![\w.])\d{1,8}(?:\.\d+)?(?![\w.])", source)][:50]
    numbers = [near for number in said for near in (number + 1, number - 1, number)] or [0.0, 1.0]
    texts = ["?", *re.findall(r'"([^"\n]{0,40})"', source)[:50]]
    return zip(cycle(numbers), cycle(texts), strict=False)


def _halt(session: list[Any]) -> None:
    """Tell a session to fire no more, if it is there by now."""
    for one in session:
        one.halt()


def _map() -> Any:
    return java_class("java.util.HashMap")()


def _told(error: Any) -> str:
    """A failure of Java's in words."""
    name = str(error.getClass().getSimpleName())
    if name == "OutOfMemoryError":
        return f"the rules took more memory than the {heap()} that Java has here"
    if name == "StackOverflowError":
        return "the rules call themselves without end"
    cause = error.getCause()
    if name == "ConsequenceException" and cause is not None:
        rule = str(error.getRule().getName()) if error.getRule() is not None else ""
        if str(cause.getClass().getSimpleName()) in ("OutOfMemoryError", "StackOverflowError"):
            return _told(cause)
        return f"the rule {rule!r} failed: {' '.join(str(cause.toString()).split())[:200]}"
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    if cause is not None and str(cause.getClass().getSimpleName()) in ("OutOfMemoryError", "StackOverflowError"):
        return _told(cause)
    return f"the rules failed: {' '.join(str((cause or error).toString()).split())[:200]}"


_made: list[type[Any]] = []


def _listener(fired: dict[str, int]) -> Any:
    """An AgendaEventListener that counts the rules which fire, by name."""
    if not _made:
        _made.append(_listener_type())
    return _made[0](fired)


def _listener_type() -> type[Any]:
    jpype = java()

    def before(self: Any, event: Any) -> None:
        name = str(event.getMatch().getRule().getName())
        self.fired[name] = self.fired.get(name, 0) + 1

    def nothing(self: Any, event: Any) -> None:
        pass

    def made(self: Any, fired: dict[str, int]) -> None:
        self.fired = fired

    other = (
        "afterMatchFired matchCreated matchCancelled agendaGroupPopped agendaGroupPushed beforeRuleFlowGroupActivated "
        "afterRuleFlowGroupActivated beforeRuleFlowGroupDeactivated afterRuleFlowGroupDeactivated"
    )
    body: dict[str, Any] = {"__init__": made, "beforeMatchFired": jpype.JOverride(before)}
    for name in other.split():
        body[name] = jpype.JOverride(_named(nothing, name))
    before.__name__ = "beforeMatchFired"
    found: type[Any] = jpype.JImplements("org.kie.api.event.rule.AgendaEventListener")(type("FiredRules", (), body))
    return found


def _named(function: Any, name: str) -> Any:
    def copied(self: Any, event: Any) -> None:
        function(self, event)

    copied.__name__ = name
    return copied


__all__ = ["MOST_RULES", "Runner"]

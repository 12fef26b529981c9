"""Decisions made: each once an evaluation, what it requires first, in a scope of what it requires and nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tidegate.decisions.dmn.elements import Decision, Knowledge, Service
from tidegate.decisions.dmn.kinds import Kind
from tidegate.decisions.dmn.logic import FunctionLogic, HostLogic, Logic
from tidegate.decisions.dmn.parts import Found
from tidegate.decisions.dmn.run import Run, Site, Step
from tidegate.expressions.feel.functions import Function, Parameter

Key = tuple[str, str]


@dataclass(eq=False, slots=True)
class Ready:
    """An element made ready: its place, the type of its variable, its logic, and what it requires."""

    found: Found
    site: Site
    kind: Kind
    logic: Logic
    required: tuple[Found, ...]
    parameters: tuple[tuple[Parameter, Key], ...] = ()
    """Of a decision service: its parameters, and the elements that they stand for, whose kinds they are of."""
    outputs: tuple[Found, ...] = ()
    """Of a decision service: the decisions it answers with."""


class Evaluation:
    """The values of elements, as they are found.

    Args:
        ready: every element of the model and its imports, by key.
        run: what notes reasons and steps.
        given: values that are given, of inputs, and of decisions that are not to be made.
        refused: those of them whose value was refused. What requires them is not made: nothing is decided on bad data.
    """

    def __init__(
        self, ready: Mapping[Key, Ready], run: Run, given: Mapping[Key, Any], refused: Collection[Key] = ()
    ) -> None:
        self.ready, self.run = ready, run
        self.values: dict[Key, Any] = dict(given)
        self.refused = set(refused)

    def value(self, key: Key) -> Any:
        """The value of an element. Decisions it requires are made first, without recursion: chains may be long."""
        stack = [key]
        while stack:
            top = stack[-1]
            if top in self.values:
                stack.pop()
                continue
            one = self.ready[top]
            waiting = [
                found.key
                for found in one.required
                if isinstance(found.element, Decision) and found.key not in self.values
            ]
            if waiting and isinstance(one.found.element, Decision):
                stack.extend(reversed(waiting))
                continue
            self.values[top] = self._made(one)
            stack.pop()
        return self.values[key]

    def _made(self, one: Ready) -> Any:
        element = one.found.element
        if isinstance(element, Decision):
            return self._decide(one)
        if isinstance(element, Knowledge):
            return self._function(one)
        if isinstance(element, Service):
            return self._service(one)
        return self.run.nothing(one.site, "it was not given.")

    def _scope(self, one: Ready) -> dict[str, Any]:
        """The names that an element sees: of what it requires, that of other models under the import's name."""
        scope: dict[str, Any] = {}
        self._fill(scope, one)
        return scope

    def _fill(self, scope: dict[str, Any], one: Ready) -> None:
        """Add the values of what an element requires; the name of an import hides an element of the same name."""
        imported: dict[str, dict[str, Any]] = {}
        for found in one.required:
            value = self.value(found.key)
            if found.prefix is None:
                scope[found.element.name] = value
            else:
                imported.setdefault(found.prefix, {})[found.element.name] = value
        scope.update(imported)

    def _decide(self, one: Ready) -> Any:
        step = Step("decision", one.site.place, one.site.line)
        bad = next((found for found in one.required if found.key in self.refused), None)
        if bad is not None:
            self.refused.add(one.found.key)
            self.run.steps.append(step)
            return self.run.nothing(one.site, f"it requires {bad.part.said(bad.element)}, whose value was refused.")
        raw = one.logic.evaluate(self._scope(one), self.run)
        step.value = self.run.bounded(self.run.coerced(raw, one.kind, one.site), one.site)
        self.run.steps.append(step)
        return step.value

    def _function(self, one: Ready) -> Any:
        """A business knowledge model as a function. It is known before what it requires is, so that both may be one."""
        element = one.found.element
        scope: dict[str, Any] = {}
        if not isinstance(one.logic, FunctionLogic | HostLogic):
            return one.logic.evaluate(scope, self.run)
        function: Function = one.logic.evaluate(scope, self.run, element.name)
        self.values[one.found.key] = function
        scope[element.name] = function
        self._fill(scope, one)
        return function

    def _service(self, one: Ready) -> Any:
        """A decision service as a function of what it is given."""
        names = tuple(parameter for parameter, _ in one.parameters)

        def apply(arguments: list[Any], _: Any) -> Any:
            given, refused = {}, set()
            for (_, key), value in zip(one.parameters, arguments, strict=True):
                given[key] = self.run.coerced(value, self.ready[key].kind, self.ready[key].site)
                if value is not None and given[key] is None:
                    refused.add(key)
            return self.serve(one, given, refused)

        function = Function(one.found.element.name, names, apply)
        prefixes = {part.definitions.namespace: name for name, part in one.found.part.imports.items() if name}
        if not any(key[0] in prefixes for _, key in one.parameters):
            return function
        # What is imported may be bound by its own name, or as the model calls it, with the import's name before it.
        full = tuple(
            replace(parameter, name=f"{prefixes[key[0]]}.{parameter.name}") if key[0] in prefixes else parameter
            for parameter, key in one.parameters
        )
        return replace(function, overloads=(function, replace(function, parameters=full)))

    def serve(self, one: Ready, given: Mapping[Key, Any], refused: Collection[Key] = ()) -> Any:
        """What a decision service answers: the value of its one output, or a context of its outputs."""
        inner = Evaluation(self.ready, self.run, given, refused)
        made = {found.element.name: inner.value(found.key) for found in one.outputs}
        value = next(iter(made.values())) if len(one.outputs) == 1 else made
        value = self.run.bounded(self.run.coerced(value, one.kind, one.site), one.site)
        self.run.steps.append(Step("service", one.site.place, one.site.line, value))
        return value

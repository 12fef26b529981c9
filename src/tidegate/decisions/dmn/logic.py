"""Boxed expressions made ready: each is evaluated in a scope, as part of a run."""

from collections.abc import Sequence
from typing import Any, Protocol

from tidegate.decisions.dmn.kinds import Kind
from tidegate.decisions.dmn.run import Run, Scope, Site
from tidegate.expressions.feel.evaluator import depth_of
from tidegate.expressions.feel.expression import Expression
from tidegate.expressions.feel.functions import Function, Parameter
from tidegate.expressions.feel.given import Frame, Place
from tidegate.expressions.feel.invocation import invoke

FRAMES = 6
"""How many frames of Python's stack a boxed expression adds to those of its FEEL; recursion is bounded by them."""


class Logic(Protocol):
    """What can be evaluated."""

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """The value, of the names in scope; null, with a reason noted in the run, where there is none."""


class Feel:
    """A FEEL expression at its place."""

    def __init__(self, site: Site, expression: Expression) -> None:
        self.site, self.expression = site, expression
        self.depth = depth_of(expression.root) + FRAMES

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """Its value."""
        outer, feel = run.enter(self.site), run.feel
        feel.depth += self.depth
        value = self.expression.value(Frame(scope, None, feel))
        feel.depth -= self.depth
        run.leave(outer)
        return value


class Nothing:
    """What cannot be evaluated, and why."""

    def __init__(self, site: Site, why: str, text: str = "") -> None:
        self.site, self.why, self.text = site, why, text

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """Null."""
        run.nothing(self.site, self.why, self.text)


class Entry:
    """An entry of a boxed context; one without a name is its result."""

    def __init__(self, site: Site, name: str, kind: Kind, logic: Logic) -> None:
        self.site, self.name, self.kind, self.logic = site, name, kind, logic


class ContextLogic:
    """A boxed context: each entry sees those before it, and a function also itself.

    `hides` says that an entry's name is a name outside too: functions made before it must go on to see the outer one.
    """

    def __init__(self, entries: Sequence[Entry], *, hides: bool) -> None:
        self.entries, self.hides = tuple(entries), hides

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """A context, or the result if the last entry has no name."""
        inner, made = dict(scope), {}
        for entry in self.entries:
            value = run.coerced(entry.logic.evaluate(inner, run), entry.kind, entry.site)
            if not entry.name:
                return value
            if self.hides and not isinstance(value, Function):
                inner = dict(inner)
            inner[entry.name] = made[entry.name] = value
        return made


class ItemsLogic:
    """A boxed list."""

    def __init__(self, items: Sequence[Logic]) -> None:
        self.items = tuple(items)

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """A list."""
        return [item.evaluate(scope, run) for item in self.items]


class RelationLogic:
    """A relation: rows of values under named columns."""

    def __init__(self, columns: Sequence[tuple[str, Kind, Site]], rows: Sequence[Sequence[Logic]]) -> None:
        self.columns, self.rows = tuple(columns), tuple(tuple(row) for row in rows)

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """A list of contexts."""
        return [
            {
                name: run.coerced(cell.evaluate(scope, run), kind, site)
                for (name, kind, site), cell in zip(self.columns, row, strict=False)
            }
            for row in self.rows
        ]


class Call:
    """A boxed invocation."""

    def __init__(self, site: Site, called: Logic, text: str, bindings: Sequence[tuple[str, Logic]]) -> None:
        self.site, self.called, self.bindings = site, called, tuple(bindings)
        self.place = Place(text, 0, len(text))

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """What the function gives for the arguments."""
        function = self.called.evaluate(scope, run)
        arguments = {name: logic.evaluate(scope, run) for name, logic in self.bindings}
        if not isinstance(function, Function):
            return run.nothing(self.site, "what is invoked here is no function.")
        for parameter in function.parameters:
            if parameter.name not in arguments and not parameter.variadic and not function.overloads:
                run.nothing(self.site, f"nothing is bound to the parameter {parameter.name!r}, so it is null.")
                arguments[parameter.name] = None
        outer = run.enter(self.site)
        value = invoke(function, list(arguments.values()), list(arguments), run.feel, self.place)
        run.leave(outer)
        return value


class FunctionLogic:
    """A function definition: a function that remembers the scope it was made in."""

    def __init__(self, site: Site, parameters: Sequence[tuple[str, Kind, Site]], result: Kind, body: Logic) -> None:
        self.site, self.result, self.body = site, result, body
        self.parameters = tuple(Parameter(name, kind.type) for name, kind, _ in parameters)
        self._names = tuple(name for name, _, _ in parameters)
        self._checked = tuple(one for one in parameters if one[1].check is not None)

    def evaluate(self, scope: Scope, run: Run, name: str = "") -> Any:
        """The function."""

        def apply(arguments: list[Any], _: Any) -> Any:
            inner = {**scope, **dict(zip(self._names, arguments, strict=True))}
            for parameter, kind, site in self._checked:
                inner[parameter] = run.coerced(inner[parameter], kind, site)
            return run.coerced(self.body.evaluate(inner, run), self.result, self.site)

        return Function(name, self.parameters, apply)


class HostLogic:
    """A function whose body is elsewhere, in the host (`java`) or a model (`pmml`); who asks provides it."""

    def __init__(self, site: Site, kind: str, parameters: Sequence[Parameter], body: Logic) -> None:
        self.site, self.kind, self.parameters, self.body = site, kind, tuple(parameters), body

    def evaluate(self, scope: Scope, run: Run, name: str = "") -> Any:
        """The function."""
        names = [parameter.name for parameter in self.parameters]
        where = self.body.evaluate(scope, run)

        def apply(arguments: list[Any], _: Any) -> Any:
            outer = run.enter(self.site)
            value = run.host({self.kind.lower(): where}, names, arguments)
            run.leave(outer)
            return value

        return Function(name, self.parameters, apply)

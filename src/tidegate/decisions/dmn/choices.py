"""Boxed conditionals, filters and iterators made ready."""

from functools import cache
from typing import Any

from tidegate.decisions.dmn.logic import Logic
from tidegate.decisions.dmn.run import Run, Scope, Site
from tidegate.expressions.feel.expression import Expression, parse
from tidegate.expressions.feel.functions import Function, Parameter
from tidegate.expressions.feel.given import Frame
from tidegate.expressions.feel.types import kind_of


class ConditionalLogic:
    """If, then, else."""

    def __init__(self, site: Site, condition: Logic, then: Logic, otherwise: Logic) -> None:
        self.site, self.condition, self.then, self.otherwise = site, condition, then, otherwise

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """One of the two; null if the condition is neither a boolean nor null."""
        holds = self.condition.evaluate(scope, run)
        if holds is True:
            return self.then.evaluate(scope, run)
        if holds is False or holds is None:
            return self.otherwise.evaluate(scope, run)
        return run.nothing(self.site, f"the condition is a {kind_of(holds)}, not a boolean.")


class FilterLogic:
    """The elements of a list that match; always a list."""

    def __init__(self, site: Site, source: Logic, match: Logic) -> None:
        self.site, self.source, self.match = site, source, match

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """A list; null if there is none to filter, or a match is no boolean."""
        source = self.source.evaluate(scope, run)
        if source is None:
            return run.nothing(self.site, "there is no list to filter.")
        kept = []
        for item in source if isinstance(source, list) else [source]:
            inner = {**scope, **item, "item": item} if isinstance(item, dict) else {**scope, "item": item}
            holds = self.match.evaluate(inner, run)
            if holds is True:
                kept.append(item)
            elif holds is not False and holds is not None:
                return run.nothing(self.site, f"a match is a {kind_of(holds)}, not a boolean.")
        return kept


@cache
def _for() -> Expression:
    """The iteration in FEEL, whose meaning the boxed form has."""
    return parse("for element in source return body(element, partial)", {"source": None, "body": None})


class ForLogic:
    """A variable that goes through a list; the list of what is made of each element."""

    def __init__(self, site: Site, variable: str, source: Logic, body: Logic) -> None:
        self.site, self.variable, self.source, self.body = site, variable, source, body

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """What FEEL's own `for` makes of it."""

        def apply(arguments: list[Any], _: Any) -> Any:
            return self.body.evaluate({**scope, "partial": arguments[1], self.variable: arguments[0]}, run)

        body = Function("", (Parameter("element"), Parameter("partial")), apply)
        source = self.source.evaluate(scope, run)
        outer = run.enter(self.site)
        value = _for().value(Frame({"source": source, "body": body}, None, run.feel))
        run.leave(outer)
        return value


class QuantifiedLogic:
    """Whether some, or every, element of a list satisfies something.

    Unlike in FEEL, one that satisfies does not outweigh another for which the question has no answer.
    """

    def __init__(self, site: Site, each: ForLogic, *, every: bool) -> None:
        self.site, self.each, self.every = site, each, every

    def evaluate(self, scope: Scope, run: Run) -> Any:
        """Yes or no; null if there is no list, or what is to be satisfied is no boolean."""
        found = self.each.evaluate(scope, run)
        if found is None:
            return None
        for one in found:
            if one is not None and not isinstance(one, bool):
                return run.nothing(self.site, f"what is to be satisfied is a {kind_of(one)}, not a boolean.")
        settles = not self.every
        if settles in found:
            return settles
        return None if None in found else self.every

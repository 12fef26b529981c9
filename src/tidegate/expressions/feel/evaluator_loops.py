"""Makes nodes that call functions and go through lists: invocations, functions, `for`, `some` and `every`."""

from collections.abc import Callable, Iterator
from typing import Any

from tidegate.expressions.feel import nodes, numbers
from tidegate.expressions.feel.evaluator import Made, Maker, depth_of
from tidegate.expressions.feel.functions import Function, Parameter
from tidegate.expressions.feel.given import Frame, Place, Run, Word
from tidegate.expressions.feel.invocation import invoke
from tidegate.expressions.feel.java import java_function
from tidegate.expressions.feel.ranges import Range
from tidegate.expressions.feel.temporal import Date, date_after
from tidegate.expressions.feel.types import ANY


def _invocation(maker: Maker, node: nodes.Invocation) -> Made:
    function, names, place = maker.make(node.function), node.names, maker.place(node)
    arguments = [maker.make(each) for each in node.arguments]

    def made(frame: Frame) -> Any:
        called = function(frame)
        return invoke(called, [argument(frame) for argument in arguments], names, frame.run, place)

    return made


def _function(maker: Maker, node: nodes.FunctionOf) -> Made:
    parameters = tuple(Parameter(each.name, each.type or ANY) for each in node.parameters)
    names = [each.name for each in parameters]
    body, depth, place = maker.make(node.body), depth_of(node.body), maker.place(node)
    if node.external:
        return _external(parameters, body, place)

    def made(frame: Frame) -> Any:
        def run(arguments: list[Any], run: Run) -> Any:
            return body(Frame(dict(zip(names, arguments, strict=True)), frame, run))

        return Function("function", parameters, run, depth=depth)

    return made


def _external(parameters: tuple[Parameter, ...], body: Made, place: Place) -> Made:
    names = [each.name for each in parameters]

    def made(frame: Frame) -> Any:
        definition = body(frame)
        if not isinstance(definition, dict):
            return frame.run.null(place, "an external function is defined by a context, and this is {}", definition)

        def run(arguments: list[Any], run: Run) -> Any:
            outside = run.given.external or java_function
            try:
                return outside(definition, names, arguments)
            except LookupError as unknown:
                return run.null(place, "{}", Word(unknown.args[0]))

        return Function("external function", parameters, run)

    return made


def _for(maker: Maker, node: nodes.For) -> Made:
    turns = _turns(maker, node.iterations)
    result, place = maker.make(node.result), maker.place(node)
    partial = _reads(node.result, "partial")

    def made(frame: Frame) -> Any:
        found: list[Any] = []
        budget = frame.run.budget
        for inner in turns(frame):
            if inner is None:
                return frame.run.null(place, "there is nothing to go through")
            if partial:
                budget.sized(len(found))
                inner.names["partial"] = list(found)
            found.append(result(inner))
            if len(found) >= budget.size:
                budget.sized(len(found) + 1)
        return found

    return made


def _quantified(maker: Maker, node: nodes.Quantified) -> Made:
    turns = _turns(maker, node.iterations)
    condition, place = maker.make(node.condition), maker.place(node)
    decides = node.quantifier == "some"

    def made(frame: Frame) -> Any:
        unknown = False
        for inner in turns(frame):
            if inner is None:
                return frame.run.null(place, "there is nothing to go through")
            found = condition(inner)
            if found is decides:
                return decides
            unknown = unknown or found is not (not decides)
        if unknown:
            return frame.run.null(place, "the condition is neither true nor false of some of what is gone through")
        return not decides

    return made


def _reads(node: Any, name: str) -> bool:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, nodes.Name) and each.name == name:
            return True
        if isinstance(each, (nodes.Node, nodes.Iteration)):
            waiting.extend(getattr(each, key) for key in each.__dataclass_fields__ if key != "shape")
        elif isinstance(each, tuple):
            waiting.extend(each)
    return False


def _turns(maker: Maker, iterations: tuple[nodes.Iteration, ...]) -> Callable[[Frame], Iterator[Frame | None]]:
    """The frames of all turns, the last name turning fastest; None where one of the values cannot be gone through."""
    sources = [(each.name, _source(maker, each)) for each in iterations]

    def turns(frame: Frame, level: int = 0) -> Iterator[Frame | None]:
        name, source = sources[level]
        values = source(frame)
        if values is None:
            yield None
            return
        spend = frame.run.spend
        for value in values:
            spend(1)
            inner = Frame({name: value}, frame, frame.run)
            if level + 1 == len(sources):
                yield inner
            else:
                yield from turns(inner, level + 1)

    return turns


def _source(maker: Maker, iteration: nodes.Iteration) -> Callable[[Frame], Any]:
    """What an iteration goes through: the elements of a list, or all whole numbers or days from one to another."""
    source, place = maker.make(iteration.source), maker.place(iteration.source)
    if iteration.until is not None:
        until = maker.make(iteration.until)
        return lambda frame: _counted(source(frame), until(frame), True, True, frame.run, place)

    def made(frame: Frame) -> Any:
        value = source(frame)
        if type(value) is list:
            return value
        if isinstance(value, Range):
            if value.low is None or value.high is None:
                return frame.run.null(place, "a range without an end cannot be gone through")
            return _counted(value.low, value.high, value.low_included, value.high_included, frame.run, place)
        return None if value is None else [value]

    return made


def _counted(low: Any, high: Any, low_included: bool, high_included: bool, run: Run, place: Place) -> Any:
    if isinstance(low, Date) and isinstance(high, Date):
        start, end = low.days, high.days
    else:
        try:
            start, end = int(low), int(high)
        except (TypeError, ValueError):
            return run.null(place, "one cannot count from {} to {}", low, high)
        if start != low or end != high:
            return run.null(place, "one cannot count from {} to {}: they are no whole numbers", low, high)
    step = 1 if start <= end else -1
    days = range(start + (0 if low_included else step), end + (step if high_included else 0), step)
    if isinstance(low, Date):
        return map(date_after, days)
    return map(numbers.number, days)


MAKERS: dict[type[nodes.Node], Callable[[Maker, Any], Made]] = {
    nodes.Invocation: _invocation,
    nodes.FunctionOf: _function,
    nodes.For: _for,
    nodes.Quantified: _quantified,
}

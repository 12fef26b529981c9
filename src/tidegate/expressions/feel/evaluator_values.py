"""Makes nodes that work on values: arithmetic, paths and filters."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tidegate.expressions.feel import nodes, numbers
from tidegate.expressions.feel.arithmetic import OPERATIONS, calculated, negated
from tidegate.expressions.feel.evaluator import Made, Maker
from tidegate.expressions.feel.given import Frame, Place, Run, Word
from tidegate.expressions.feel.numbers import Failure
from tidegate.expressions.feel.properties import PROPERTIES

_BOOLEAN = (nodes.Logic, nodes.Comparison, nodes.Between, nodes.In, nodes.InstanceOf, nodes.Quantified)


def _arithmetic(maker: Maker, node: nodes.Arithmetic) -> Made:
    first = maker.make(node.first)
    rest = [
        (
            operator,
            maker.make(operand),
            Place(maker.text, node.start, operand.end, maker.label),
            OPERATIONS[operator].get((Decimal, Decimal)),
        )
        for operator, operand in node.rest
    ]

    def made(frame: Frame) -> Any:
        value = first(frame)
        for operator, operand, place, plain in rest:
            other = operand(frame)
            if type(value) is Decimal and type(other) is Decimal and plain is not None:
                try:
                    value = plain(value, other)
                    continue
                except Failure:
                    pass
            if type(value) is str and type(other) is str:
                frame.run.budget.sized(len(value) + len(other))
            found, why = calculated(operator, value, other)
            if why:
                return frame.run.null(place, why, value, other)
            value = found
        return value

    return made


def _negation(maker: Maker, node: nodes.Negation) -> Made:
    operand, place = maker.make(node.operand), maker.place(node)

    def made(frame: Frame) -> Any:
        value = operand(frame)
        found = negated(value)
        return (
            found
            if found is not None
            else frame.run.null(place, "minus is of a number or duration, and this is {}", value)
        )

    return made


def _path(maker: Maker, node: nodes.Path) -> Made:
    source, name, place = maker.make(node.source), node.name, maker.place(node)
    return lambda frame: member(source(frame), name, frame.run, place)


def member(value: Any, name: str, run: Run, place: Place) -> Any:
    """What is called so in a value: an entry, a property, or for a list those of its elements."""
    if type(value) is dict:
        if name in value:
            return value[name]
        return run.null(place, "{} has no entry {}", value, Word(repr(name)))
    if type(value) is list:
        run.spend(len(value) + 1)
        return [member(each, name, run, place) for each in value]
    if value is None:
        return run.null(place, "null has no {}", Word(name))
    read = PROPERTIES.get(type(value), {}).get(name)
    return run.null(place, "{} has no {}", value, Word(name)) if read is None else read(value)


def _filter(maker: Maker, node: nodes.Filter) -> Made:
    source, condition, place = maker.make(node.source), maker.make(node.condition), maker.place(node.condition)
    may_count = not isinstance(node.condition, _BOOLEAN)
    whole = maker.place(node)

    def made(frame: Frame) -> Any:
        value, run = source(frame), frame.run
        if value is None:
            return run.null(whole, "null has no elements")
        elements = value if type(value) is list else [value]
        run.spend(1)
        if may_count:
            index = condition(frame if not elements else _within(elements[0], frame))
            if type(index) is Decimal:
                return _element(elements, index, run, whole)
        run.spend(len(elements))
        kept = []
        for each in elements:
            found = condition(_within(each, frame))
            if found is True:
                kept.append(each)
            elif found is not False and found is not None:
                run.null(place, "a filter is a boolean or a number, and this is {}", found)
        return kept

    return made


def _within(element: Any, frame: Frame) -> Frame:
    """The frame in which a filter looks at an element: its entries, and `item` unless one is called so."""
    inner = Frame({"item": element}, frame, frame.run)
    return Frame(element, inner, frame.run) if type(element) is dict else inner


def _element(elements: list[Any], index: Decimal, run: Run, place: Place) -> Any:
    at = numbers.whole(index)
    if at is None or at == 0 or abs(at) > len(elements):
        why = "{} is no place in {}: places count from 1, or from -1 at the end"
        return run.null(place, why, index, elements)
    return elements[at - 1 if at > 0 else at]


MAKERS: dict[type[nodes.Node], Callable[[Maker, Any], Made]] = {
    nodes.Arithmetic: _arithmetic,
    nodes.Negation: _negation,
    nodes.Path: _path,
    nodes.Filter: _filter,
}

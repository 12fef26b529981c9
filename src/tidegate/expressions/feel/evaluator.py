"""Makes a FEEL node into a Python function of a frame, once; what the node's parts are is looked up no more.

A node that is deep costs one Python frame a level, which is how the depth of calls is counted.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tidegate.expressions.feel import nodes, types
from tidegate.expressions.feel.given import Frame, Place, Word
from tidegate.expressions.feel.nodes import Node
from tidegate.expressions.feel.ranges import Range, unary_range
from tidegate.expressions.feel.values import equal, order, within

Made: TypeAlias = Callable[[Frame], Any]
"""A node made into a function."""

ABSENT: Any = object()


class Maker:
    """Makes the nodes of one text.

    Args:
        text: the text.
        makers: what makes a node of each class.
        library: the functions that are built in.
        label: whose text it is, for reasons.
    """

    def __init__(
        self, text: str, makers: Mapping[type[Node], Any], library: Mapping[str, Any], label: str = ""
    ) -> None:
        self.text, self.makers, self.library, self.label = text, makers, library, label

    def place(self, node: Node) -> Place:
        """Where a node stands."""
        return Place(self.text, node.start, node.end, self.label)

    def make(self, node: Node) -> Made:
        """The node as a function of a frame."""
        made: Made = self.makers[type(node)](self, node)
        return made


def depth_of(node: Any) -> int:
    """How many levels of nodes lie in this one, itself included."""
    deepest = 0
    waiting: list[tuple[Any, int]] = [(node, 1)]
    while waiting:
        each, depth = waiting.pop()
        if isinstance(each, (Node, nodes.Iteration)):
            deepest = max(deepest, depth)
            waiting.extend((getattr(each, name), depth + 1) for name in each.__dataclass_fields__ if name != "shape")
        elif isinstance(each, tuple):
            waiting.extend((inner, depth) for inner in each)
    return deepest


def _constant(maker: Maker, node: nodes.Constant) -> Made:
    value = node.value
    if node.at and value is None:
        place = maker.place(node)
        return lambda frame: frame.run.null(place, "this is no date, time, date and time, or duration")
    return lambda frame: value


def _name(maker: Maker, node: nodes.Name) -> Made:
    name, place = node.name, maker.place(node)
    builtin = maker.library.get(name, ABSENT)

    def made(frame: Frame) -> Any:
        at: Frame | None = frame
        while at is not None:
            found = at.names.get(name, ABSENT)
            if found is not ABSENT:
                return found
            at = at.outer
        if builtin is not ABSENT:
            return builtin
        return frame.run.null(place, "nothing in scope is called {}", Word(repr(name)))

    return made


def _logic(maker: Maker, node: nodes.Logic) -> Made:
    """Three-valued: what decides, decides; otherwise one null makes null (DMN 1.5, table 50)."""
    operands = [(maker.make(each), maker.place(each)) for each in node.operands]
    decides = node.operator == "or"
    operator = Word(node.operator)

    def made(frame: Frame) -> Any:
        unknown = False
        for operand, place in operands:
            value = operand(frame)
            if value is decides:
                return decides
            if value is not True and value is not False:
                unknown = True
                if value is not None:
                    frame.run.null(place, "'{}' is of booleans, and this is {}", operator, value)
        return None if unknown else not decides

    return made


def _comparison(maker: Maker, node: nodes.Comparison) -> Made:
    left, right, place = maker.make(node.left), maker.make(node.right), maker.place(node)
    operator = Word(node.operator)
    if node.operator in ("=", "!="):
        wanted = node.operator == "="

        def same(frame: Frame) -> Any:
            a, b = left(frame), right(frame)
            found = equal(a, b, frame.run.spend)
            if found is None:
                return frame.run.null(place, "'{}' does not compare {} with {}", operator, a, b)
            return found is wanted

        return same
    holds = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[node.operator]

    def ordered(frame: Frame) -> Any:
        a, b = left(frame), right(frame)
        found = order(a, b)
        if found is None:
            return frame.run.null(place, "'{}' does not compare {} with {}", operator, a, b)
        return found in holds

    return ordered


def _between(maker: Maker, node: nodes.Between) -> Made:
    parts = [maker.make(each) for each in (node.value, node.low, node.high)]
    place = maker.place(node)

    def made(frame: Frame) -> Any:
        value, low, high = [part(frame) for part in parts]
        above, below = order(low, value), order(value, high)
        if (above is not None and above > 0) or (below is not None and below > 0):
            return False
        if above is None or below is None:
            return frame.run.null(place, "'between' does not compare {} with {} and {}", value, low, high)
        return True

    return made


def _instance_of(maker: Maker, node: nodes.InstanceOf) -> Made:
    value, place, type = maker.make(node.value), maker.place(node), node.type
    if type is None:
        written = Word(node.written)
        return lambda frame: frame.run.null(place, "no type is called {}", written)
    return lambda frame: types.instance_of(value(frame), type)


def _interval(maker: Maker, node: nodes.Interval) -> Made:
    low, high, place = maker.make(node.low), maker.make(node.high), maker.place(node)
    low_included, high_included = node.low_included, node.high_included

    def made(frame: Frame) -> Any:
        a, b = low(frame), high(frame)
        found = order(a, b)
        if found is None:
            return frame.run.null(place, "a range cannot go from {} to {}", a, b)
        if found > 0:
            return frame.run.null(place, "a range cannot start at {} and end before it, at {}", a, b)
        return Range(a, b, low_included, high_included)

    return made


def _unary_range(maker: Maker, node: nodes.UnaryRange) -> Made:
    value, operator = maker.make(node.value), node.operator
    return lambda frame: unary_range(operator, value(frame))


def _list(maker: Maker, node: nodes.ListOf) -> Made:
    items = [maker.make(each) for each in node.items]
    return lambda frame: [item(frame) for item in items]


def _context(maker: Maker, node: nodes.ContextOf) -> Made:
    entries = [(key, maker.make(value)) for key, value in node.entries]

    def made(frame: Frame) -> Any:
        found: dict[str, Any] = {}
        inner = Frame(found, frame, frame.run)
        for key, value in entries:
            found[key] = value(inner)
        return found

    return made


def _if(maker: Maker, node: nodes.If) -> Made:
    branches = [(maker.make(test), maker.make(value), maker.place(test)) for test, value in node.branches]
    otherwise = maker.make(node.otherwise)

    def made(frame: Frame) -> Any:
        for test, value, place in branches:
            found = test(frame)
            if found is True:
                return value(frame)
            if found is not False and found is not None:
                frame.run.null(place, "the condition of 'if' is a boolean, and this is {}", found)
        return otherwise(frame)

    return made


def _in(maker: Maker, node: nodes.In) -> Made:
    value, place = maker.make(node.value), maker.place(node)
    tests = [make_test(maker, each, lone=node.lone, unlike=None) for each in node.tests]

    def made(frame: Frame) -> Any:
        seen = value(frame)
        inner = Frame({"?": seen}, frame, frame.run)
        unknown = False
        for test in tests:
            found = test(inner, seen)
            if found is True:
                return True
            unknown = unknown or found is None
        return frame.run.null(place, "'in' does not compare {} with this", seen) if unknown else False

    return made


def make_test(
    maker: Maker, node: Node, *, lone: bool = False, unlike: bool | None = False
) -> Callable[[Frame, Any], bool | None]:
    """A unary test as a function of a frame, in which `?` is the value tested, and of the value.

    A range that is null tells nothing; nor does null where a list stands, the `lone` test of `in`. `unlike` is what a
    constant of another kind than the value comes to.
    """
    made, asks, lone = maker.make(node), _asks(node), lone or isinstance(node, nodes.Interval)

    def test(frame: Frame, seen: Any) -> bool | None:
        found = made(frame)
        if (asks and (found is True or found is False)) or (found is None and (asks or lone)):
            return found
        return passes(seen, found, frame.run.spend, unlike)

    return test


def _asks(node: Any) -> bool:
    """Whether a test reads `?`."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, nodes.Name) and each.name == "?":
            return True
        if isinstance(each, (Node, nodes.Iteration)):
            waiting.extend(getattr(each, name) for name in each.__dataclass_fields__ if name != "shape")
        elif isinstance(each, tuple):
            waiting.extend(each)
    return False


def passes(seen: Any, test: Any, spend: Callable[[int], None], unlike: bool | None = False) -> bool | None:
    """Whether a value passes a test: lies in the range, is in the list or equals it (DMN 1.5, 7.3.3 and table 53).

    None is for what lies neither in a range nor outside of it; `unlike` is for a value of another kind than the test.
    """
    same = equal(seen, test, spend)
    if isinstance(test, Range) and same is not True:
        found = within(seen, test)
        if found is None and test.unary in ("=", "!="):
            return None if unlike is None else (test.unary == "!=")
        return found
    if isinstance(test, list) and same is not True:
        spend(len(test))
        return any(_is(seen, each, spend) for each in test)
    return unlike if same is None else same


def _is(seen: Any, element: Any, spend: Callable[[int], None]) -> bool:
    """Whether a value is an element of a list of tests, or lies in it."""
    if isinstance(element, Range) and not isinstance(seen, Range):
        return within(seen, element) is True
    return equal(seen, element, spend) is True


MAKERS: dict[type[Node], Callable[[Maker, Any], Made]] = {
    nodes.Constant: _constant,
    nodes.Name: _name,
    nodes.Logic: _logic,
    nodes.Comparison: _comparison,
    nodes.Between: _between,
    nodes.InstanceOf: _instance_of,
    nodes.Interval: _interval,
    nodes.UnaryRange: _unary_range,
    nodes.ListOf: _list,
    nodes.ContextOf: _context,
    nodes.If: _if,
    nodes.In: _in,
}

"""A FEEL text, read once and evaluated often."""

from collections.abc import Mapping
from typing import Any

from tidegate.expressions.feel import evaluator, evaluator_loops, evaluator_values, nodes
from tidegate.expressions.feel.evaluator import Maker, depth_of, make_test
from tidegate.expressions.feel.given import Frame, Given, Run
from tidegate.expressions.feel.invocation import too_deep
from tidegate.expressions.feel.library import LIBRARY
from tidegate.expressions.feel.names import Known, Unknown, shape_of
from tidegate.expressions.feel.nodes import Node
from tidegate.expressions.feel.parser import Parser
from tidegate.expressions.feel.refusals import FeelError
from tidegate.expressions.feel.types import Type

_MAKERS = evaluator.MAKERS | evaluator_values.MAKERS | evaluator_loops.MAKERS
_BUILTIN = Known(dict.fromkeys(LIBRARY))


class Expression:
    """An expression, read. `unknown` are the names in it that nothing in scope is called: they are null."""

    def __init__(self, text: str, root: Node, unknown: tuple[Unknown, ...], label: str) -> None:
        self.text, self.root, self.unknown, self.label = text, root, unknown, label
        self._made = Maker(text, _MAKERS, LIBRARY, label).make(root)
        self._depth = depth_of(root)

    def evaluate(self, scope: Mapping[str, Any], given: Given | None = None) -> Any:
        """The value, where `scope` holds the values of names.

        Raises:
            FeelLimitError: it takes more work than its budget allows.
        """
        run = Run(given or Given())
        run.depth = self._depth
        return self.value(Frame(scope, None, run))

    def value(self, frame: Frame) -> Any:
        """The value in a frame, for those who evaluate several expressions in one run."""
        try:
            return self._made(frame)
        except RecursionError:
            raise too_deep(self.label or "an expression") from None


class UnaryTests:
    """Unary tests, read: those of a cell of a decision table, or of allowed values."""

    def __init__(self, text: str, root: nodes.Tests, unknown: tuple[Unknown, ...], label: str) -> None:
        self.text, self.root, self.unknown, self.label = text, root, unknown, label
        maker = Maker(text, _MAKERS, LIBRARY, label)
        self._place = maker.place(root)
        self._tests = [make_test(maker, each) for each in root.tests]
        self._depth = depth_of(root)

    def holds(self, value: Any, scope: Mapping[str, Any], given: Given | None = None) -> bool | None:
        """Whether a value passes: True, False, or None where it cannot be told, with a reason in the trace.

        Raises:
            FeelLimitError: it takes more work than its budget allows.
        """
        run = Run(given or Given())
        run.depth = self._depth
        return self.passes(value, Frame(scope, None, run))

    def passes(self, value: Any, frame: Frame) -> bool | None:
        """Whether a value passes in a frame, for those who evaluate several tests in one run."""
        if not self._tests:
            return True
        inner = Frame({"?": value}, frame, frame.run)
        unknown = False
        try:
            for test in self._tests:
                found = test(inner, value)
                if found is True:
                    return not self.root.negated
                unknown = unknown or found is None
        except RecursionError:
            raise too_deep(self.label or "a test") from None
        if unknown:
            frame.run.null(self._place, "{} cannot be compared with this", value)
            return None
        return self.root.negated


def _reader(text: str, names: Mapping[str, Type | None], types: Mapping[str, Type]) -> Parser:
    return Parser(text, {name: shape_of(type) for name, type in names.items()}, _BUILTIN, types)


def parse(
    text: str, names: Mapping[str, Type | None] = {}, types: Mapping[str, Type] = {}, label: str = ""
) -> Expression:
    """Read an expression.

    Args:
        text: what is written.
        names: the names in scope, with their types where they are known. The longest that stands at a place is meant.
        types: the types that have names of their own.
        label: whose text this is, for reasons: "decision 'Fee'".

    Raises:
        FeelError: the text is no expression.
    """
    try:
        reader = _reader(text, names, types)
        root = reader.whole()
        return Expression(text, root, tuple(reader.unknown), label)
    except RecursionError:
        raise FeelError("This text is nested too deeply.", text, 0, 1) from None


def parse_tests(
    text: str, names: Mapping[str, Type | None] = {}, types: Mapping[str, Type] = {}, label: str = ""
) -> UnaryTests:
    """Read unary tests: `-`, `not(…)`, or one or more with commas between; `?` is the value that is tested.

    Args:
        text: what is written.
        names: the names in scope, with their types where they are known.
        types: the types that have names of their own.
        label: whose text this is, for reasons.

    Raises:
        FeelError: the text is no unary test.
    """
    try:
        reader = _reader(text, names, types)
        root = reader.tests()
        return UnaryTests(text, root, tuple(reader.unknown), label)
    except RecursionError:
        raise FeelError("This text is nested too deeply.", text, 0, 1) from None

"""Reads FEEL: operators, from the loosest to the tightest (DMN 1.5, rules 1 to 26 and 47 to 57)."""

from collections.abc import Mapping

from tidegate.expressions.feel import nodes
from tidegate.expressions.feel.names import KEYWORDS, Known
from tidegate.expressions.feel.nodes import Node, Shape
from tidegate.expressions.feel.parser_boxed import BoxedParser
from tidegate.expressions.feel.refusals import FeelError
from tidegate.expressions.feel.types import Type

_COMPARISONS = ("<=", ">=", "!=", "<", ">", "=")
_OR, _AND, _COMPARE, _ADD, _MULTIPLY, _POWER = range(1, 7)
_WORD_LEVELS = {"or": _OR, "and": _AND, "between": _COMPARE, "in": _COMPARE, "instance": _COMPARE}
_SIGN_LEVELS = {"+": _ADD, "-": _ADD, "*": _MULTIPLY, "/": _MULTIPLY, "<": _COMPARE, ">": _COMPARE, "=": _COMPARE}
_SIGNS = {_ADD: ("+", "-"), _MULTIPLY: ("*", "/"), _POWER: ("**",)}
DEEPEST = 80
"""How deep a FEEL text may be nested."""


class Parser(BoxedParser):
    """Reads one text; `frames` are the names in scope, the innermost last."""

    def __init__(self, text: str, names: Mapping[str, Shape | None], builtin: Known, types: Mapping[str, Type]) -> None:
        super().__init__(text, names, builtin, types)
        self.depth = 0
        self.closings: set[int] = set()  # where a bracket closes the range before it

    def whole(self) -> Node:
        """The one expression that the text is.

        Raises:
            FeelError: it is none, or something is left behind it.
        """
        if self.at_end:
            self.unexpected("an expression")
        node = self.expression()
        if not self.at_end:
            self.unexpected("an operator or the end of the text")
        return node

    def expression(self) -> Node:
        """An expression; `< 5` and its like are ranges here."""
        for operator in _COMPARISONS:
            if self.sees(operator):
                return self.unary_range(operator)
        return self.climb(_OR)

    def unary_range(self, operator: str) -> Node:
        """`< 5`, which is the range below 5."""
        start = self.place
        self.takes(operator)
        value = self.climb(_ADD)
        return nodes.UnaryRange(operator, value, start=start, end=self.before())

    def climb(self, least: int) -> Node:
        """Operands and the operators between them that bind at least so tightly (precedence climbing)."""
        start = self.place
        left = self.operand()
        while (level := self._level()) >= least:
            if level <= _AND:
                left = self._logic(left, level, start)
            elif level == _COMPARE:
                left = self._compared(left, start)
            else:
                left = self._arithmetic(left, level, start)
        return left

    def _level(self) -> int:
        """How tightly the operator binds that stands here; 0 where none does."""
        text, place = self.text, self.place
        if place >= len(text):
            return 0
        sign = text[place]
        if sign == "*" and text.startswith("**", place):
            return _POWER
        if sign == "!":
            return _COMPARE if text.startswith("!=", place) else 0
        return _SIGN_LEVELS.get(sign) or (_WORD_LEVELS.get(self.word(), 0) if sign.isalpha() else 0)

    def _logic(self, left: Node, level: int, start: int) -> Node:
        word = "or" if level == _OR else "and"
        operands = [left]
        while self.takes_word(word):
            operands.append(self.climb(level + 1))
        return nodes.Logic(word, tuple(operands), start=start, end=self.before())

    def _arithmetic(self, left: Node, level: int, start: int) -> Node:
        rest: list[tuple[str, Node]] = []
        while self._level() == level:
            operator = next(sign for sign in _SIGNS[level] if self.takes(sign))
            rest.append((operator, self.climb(level + 1)))
        return nodes.Arithmetic(left, tuple(rest), start=start, end=self.before())

    def _compared(self, left: Node, start: int) -> Node:
        if self.takes_word("between"):
            low = self.climb(_ADD)
            self.expect_word("and", "between the two ends of 'between'")
            return nodes.Between(left, low, self.climb(_ADD), start=start, end=self.before())
        if self.takes_word("in"):
            lone = not self.sees("(")
            return nodes.In(left, self._in_tests(), lone, start=start, end=self.before())
        if self.takes_word("instance"):
            self.expect_word("of", "after 'instance'")
            type, written = self.type()
            return nodes.InstanceOf(left, type, written, start=start, end=self.before())
        operator = next(sign for sign in _COMPARISONS if self.takes(sign))
        return nodes.Comparison(operator, left, self.climb(_ADD), start=start, end=self.before())

    def _in_tests(self) -> tuple[Node, ...]:
        """What follows `in`: one test, or several in brackets."""
        self.frames.append(self.tested())
        try:
            start = self.place
            if not self.takes("("):
                return (self._test(_ADD),)
            tests = [self._test(_OR)]
            if self.sees(".."):
                return (self.interval(tests[0], False, start),)
            while self.takes(","):
                tests.append(self._test(_OR))
            self.expect(")", "after the tests of 'in'")
            return tuple(tests)
        finally:
            self.frames.pop()

    def _test(self, least: int) -> Node:
        for operator in _COMPARISONS:
            if self.sees(operator):
                return self.unary_range(operator)
        return self.climb(least)

    def operand(self) -> Node:
        """A value, with a minus before it or what is asked of it behind it."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail("This text is nested too deeply.", do=f"Stay under {DEEPEST} levels, or give a part a name.")
        start = self.place
        negations: list[int] = []
        while self.sees("-"):
            negations.append(self.place)
            self.move(self.place + 1)
        node = self._followed(self._primary(), start if not negations else self.place)
        for begin in reversed(negations):
            node = nodes.Negation(node, start=begin, end=self.before())
        self.depth -= 1
        return node

    def _followed(self, node: Node, start: int) -> Node:
        """A value with its paths, filters and arguments."""
        while True:
            if self.sees(".") and not self.sees(".."):
                self.takes(".")
                name = self.member_name(node.shape)
                node = nodes.Path(node, name, start=node.start, end=self.before(), shape=(node.shape or {}).get(name))
            elif self.sees("("):
                node = self._invocation(node)
            elif self.sees("[") and not self._closes():
                filtered = self._filter(node)
                if filtered is None:
                    return node
                node = filtered
            else:
                return node

    def _closes(self) -> bool:
        return self.endpoint and self.place in self.closings

    def _filter(self, node: Node) -> Node | None:
        """`node[condition]`; None where the bracket closes the range whose end is being read."""
        start, endpoint, depth, frames, unknown = (
            self.place,
            self.endpoint,
            self.depth,
            len(self.frames),
            len(self.unknown),
        )
        self.endpoint = False
        opened = node.shape is None or isinstance(node, nodes.Invocation)  # of what a call gives, its shape is a guess
        self.open += opened
        try:
            self.takes("[")
            self.frames.append(self.elements(node.shape))
            condition = self.expression()
            self.expect("]", "after a filter")
        except FeelError:
            if not endpoint:
                raise
            self.closings.add(start)
            self.place, self.depth = start, depth
            del self.frames[frames:], self.unknown[unknown:]
            return None
        finally:
            self.endpoint = endpoint
            self.open -= opened
        self.frames.pop()
        return nodes.Filter(node, condition, start=node.start, end=self.before(), shape=node.shape)

    def _invocation(self, function: Node) -> Node:
        self.takes("(")
        endpoint, self.endpoint = self.endpoint, False
        arguments: list[Node] = []
        names: list[str] = []
        while not self.sees(")"):
            if arguments:
                self.expect(",", "between arguments, or ')' after them")
            name = self.argument_name()
            if arguments and bool(name) is not bool(names):
                self.fail("Arguments are either all named or none is.", do="Write f(a: 1, b: 2) or f(1, 2).")
            if name:
                names.append(name)
            arguments.append(self.expression())
        self.takes(")")
        self.endpoint = endpoint
        shape = function.shape if function.shape is not None else (arguments[0].shape if arguments else None)
        return nodes.Invocation(
            function, tuple(arguments), tuple(names), start=function.start, end=self.before(), shape=shape
        )

    def _primary(self) -> Node:
        start = self.place
        if self.at_end:
            self.unexpected("an expression")
        if (name := self.scoped_name()) is not None:
            return self._name(*name)
        character = self.text[start]
        if character == '"':
            return nodes.Constant(self.string(), start=start, end=self.before())
        if character == "@":
            return self.at_literal()
        if character in "([{]":
            return self.boxed(character)
        if (number := self.number()) is not None:
            return nodes.Constant(number, start=start, end=self.before())
        word = self.word()
        if word in ("true", "false", "null"):
            self.move(start + len(word))
            value = {"true": True, "false": False, "null": None}[word]
            return nodes.Constant(value, start=start, end=self.before())
        if word in self.forms:
            return self.forms[word](self)
        if not word or word in KEYWORDS:
            self.unexpected("an expression")
        return self._unknown(start)

    def _name(self, name: str, end: int) -> Node:
        start = self.place
        self.move(end)
        return nodes.Name(name, start=start, end=end, shape=self.shape_in_scope(name)[1])

    def _unknown(self, start: int) -> Node:
        name = self.loose_name()
        self.note_unknown(name, start, self.before())
        return nodes.Name(name, known=False, start=start, end=self.before())

    def tests(self) -> nodes.Tests:
        """Unary tests: `-`, `not(…)`, or one or more with commas between.

        Raises:
            FeelError: the text is none.
        """
        start = self.place
        if self.text.strip() == "-":
            return nodes.Tests((), start=start, end=len(self.text))
        self.frames.append(self.tested())
        if self.takes_word("not") and self.takes("("):
            tests = self._listed_tests()
            if self.takes(")"):
                if self.at_end:
                    return nodes.Tests(tests, True, start=start, end=self.before())
                if self.sees(","):
                    self.unexpected("the end", "`not(…)` stands alone; write all that it negates in its brackets.")
            self.place = start
            self.unknown.clear()
        self.place = start
        tests = self._listed_tests()
        if not self.at_end:
            self.unexpected("',' or the end of the tests")
        return nodes.Tests(tests, start=start, end=self.before())

    def _listed_tests(self) -> tuple[Node, ...]:
        tests = [self._test(_OR)]
        while self.takes(","):
            tests.append(self._test(_OR))
        return tuple(tests)

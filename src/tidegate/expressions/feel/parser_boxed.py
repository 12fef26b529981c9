"""Reads the parts of FEEL that begin with a bracket or a keyword: lists, contexts, ranges, functions, `if`, `for`."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from tidegate.expressions.feel import nodes
from tidegate.expressions.feel.literals import at_value
from tidegate.expressions.feel.names import KEYWORDS, Known, merged, shape_of
from tidegate.expressions.feel.nodes import Node, Shape
from tidegate.expressions.feel.parser_types import TypeReader
from tidegate.expressions.feel.scanner import is_part

LONGEST_NAME = 1000


class BoxedParser(TypeReader):
    """The forms that begin with a bracket or a keyword. What is within them, `expression` and `climb` read."""

    forms: ClassVar[Mapping[str, Callable[[Any], Node]]]
    endpoint = False  # whether the end of a range is being read, which '[' may close

    def expression(self) -> Node:
        """An expression."""
        raise NotImplementedError

    def climb(self, least: int) -> Node:
        """Operands and the operators between them."""
        raise NotImplementedError

    def before(self) -> int:
        """Where what was read ends, without the white space behind it."""
        end = self.place
        while end > 0 and self.text[end - 1].isspace():
            end -= 1
        return end

    def tested(self) -> Known:
        """The scope of a test: `?` is the value that is tested."""
        return Known({"?": None})

    def elements(self, shape: Shape | None) -> Known:
        """The scope of a filter: `item` is the element, and its entries are in scope."""
        return Known({"item": shape, **(shape or {})})

    def at_literal(self) -> Node:
        """`@"…"`: a date, a time, a date and time or a duration."""
        start = self.place
        self.takes("@")
        if not self.sees('"'):
            self.unexpected("a string after '@'")
        text = self.string()
        return nodes.Constant(at_value(text), text, start=start, end=self.before())

    def boxed(self, bracket: str) -> Node:
        """What begins with this bracket."""
        endpoint, self.endpoint = self.endpoint, False
        try:
            if bracket == "{":
                return self._context()
            start = self.place
            self.takes(bracket)
            if bracket == "[" and self.sees("]"):
                self.takes("]")
                return nodes.ListOf((), start=start, end=self.before())
            first = self.expression()
            if self.sees(".."):
                return self.interval(first, bracket == "[", start)
            if bracket == "(":
                self.expect(")", "after an expression in brackets")
                return first
            if bracket == "]":
                self.unexpected("'..' within a range")
            return self._list(first, start)
        finally:
            self.endpoint = endpoint

    def _list(self, first: Node, start: int) -> Node:
        items = [first]
        while self.takes(","):
            items.append(self.expression())
        self.expect("]", "after the elements of a list, or ',' between them")
        shape = merged(each.shape for each in items)
        return nodes.ListOf(tuple(items), start=start, end=self.before(), shape=shape)

    def interval(self, low: Node, low_included: bool, start: int) -> Node:
        """The rest of a range, from its two dots."""
        self.takes("..")
        endpoint, self.endpoint = self.endpoint, True
        high = self.climb(4)
        self.endpoint = endpoint
        closing = self.text[self.place : self.place + 1]
        if closing not in ("]", ")", "["):
            self.unexpected("']', ')' or '[' at the end of a range")
        self.takes(closing)
        return nodes.Interval(low, high, low_included, closing == "]", start=start, end=self.before())

    def _context(self) -> Node:
        start = self.place
        self.takes("{")
        scope = Known({})
        self.frames.append(scope)
        entries: list[tuple[str, Node]] = []
        shape: dict[str, Shape | None] = {}
        while not self.sees("}"):
            if entries:
                self.expect(",", "between the entries of a context, or '}' after them")
            begin = self.place
            key = self._key()
            if key in shape:
                self.fail(f"A context has two entries {key!r}.", start=begin, end=self.before())
            self.expect(":", "after the name of an entry")
            if self.word() == "function":
                scope.add(key, None)  # it may call itself
            value = self.expression()
            entries.append((key, value))
            shape[key] = value.shape
            scope.add(key, value.shape)
        self.takes("}")
        self.frames.pop()
        self._known_when_called(entries)
        return nodes.ContextOf(tuple(entries), start=start, end=self.before(), shape=shape)

    def _known_when_called(self, entries: list[tuple[str, Node]]) -> None:
        """Forget that a function of a context knows no entry that stands after it: it does when it is called."""
        names = {key for key, _ in entries}
        functions = [value for _, value in entries if isinstance(value, nodes.FunctionOf)]
        self.unknown = [
            one
            for one in self.unknown
            if one.name not in names or not any(each.start <= one.start < each.end for each in functions)
        ]

    def _key(self) -> str:
        if self.sees('"'):
            return self.string()
        key = self._name_before(":")
        if not key:
            self.unexpected("the name of an entry and ':'")
        return key

    def _name_before(self, sign: str) -> str:
        """The name that stands here, if the sign follows it; nothing is read where it does not."""
        end = self.text.find(sign, self.place, self.place + LONGEST_NAME)
        name = self.text[self.place : end].strip() if end >= 0 else ""
        if not name or not self.word() or not all(is_part(c) or c.isspace() or c in "./-’'+*" for c in name):
            return ""
        if "//" in name or "/*" in name:
            return ""
        self.move(end)
        return " ".join(name.split())

    def argument_name(self) -> str:
        """The name of an argument, if there is one, read with its colon."""
        name = self._name_before(":")
        if name:
            self.takes(":")
        return name

    def _if(self) -> Node:
        start = self.place
        branches: list[tuple[Node, Node]] = []
        while True:
            self.takes_word("if")
            condition = self.expression()
            self.expect_word("then", "after the condition of 'if'")
            branches.append((condition, self.expression()))
            self.expect_word("else", "after the value of 'then'")
            if self.word() != "if" or self.scoped_name() is not None:
                break
        otherwise = self.expression()
        shape = merged([value.shape for _, value in branches] + [otherwise.shape])
        return nodes.If(tuple(branches), otherwise, start=start, end=self.before(), shape=shape)

    def _iterations(self) -> tuple[nodes.Iteration, ...]:
        """`a in x, b in y`; each name is in scope of what follows it. The caller takes the scope away."""
        scope = Known({})
        self.frames.append(scope)
        found: list[nodes.Iteration] = []
        while True:
            name = self._variable()
            self.expect_word("in", f"after the name {name!r}")
            source, until = self.expression(), None
            if self.takes(".."):
                until = self.expression()
            found.append(nodes.Iteration(name, source, until))
            scope.add(name, source.shape)
            if not self.takes(","):
                return tuple(found)

    def _variable(self) -> str:
        """The name of a variable, up to `in`."""
        start = self.place
        if not self.word() or self.word() in KEYWORDS - {"of", "external"}:
            self.unexpected("the name of a variable")
        while not self.at_end and self.word() != "in":
            self.move(self.place + max(len(self.word()), 1))
        name = self.text[start : self.place].strip()
        if not all(is_part(c) or c.isspace() or c in "./-’'+*" for c in name):
            self.fail("This is no name of a variable.", start=start, end=self.before(), do="Write: name in values.")
        return " ".join(name.split())

    def _for(self) -> Node:
        start = self.place
        self.takes_word("for")
        iterations = self._iterations()
        self.expect_word("return", "after what 'for' goes through")
        self.frames[-1].add("partial", None)
        result = self.expression()
        self.frames.pop()
        return nodes.For(iterations, result, start=start, end=self.before(), shape=result.shape)

    def _quantified(self) -> Node:
        start, quantifier = self.place, self.word()
        self.takes_word(quantifier)
        iterations = self._iterations()
        self.expect_word("satisfies", f"after what {quantifier!r} goes through")
        condition = self.expression()
        self.frames.pop()
        return nodes.Quantified(quantifier, iterations, condition, start=start, end=self.before())

    def _function(self) -> Node:
        start = self.place
        self.takes_word("function")
        self.expect("(", "after 'function'")
        parameters: list[nodes.FormalParameter] = []
        while not self.sees(")"):
            if parameters:
                self.expect(",", "between parameters, or ')' after them")
            begins = self.place
            parameters.append(self._parameter())
            if parameters[-1].name in {each.name for each in parameters[:-1]}:
                self.fail("Two parameters have one name.", start=begins, do="Rename one of them.")
        self.takes(")")
        self.frames.append(Known({each.name: shape_of(each.type) for each in parameters}))
        external = self.takes_word("external")
        body = self.expression()
        self.frames.pop()
        return nodes.FunctionOf(
            tuple(parameters), body, external, start=start, end=self.before(), shape=None if external else body.shape
        )

    def _parameter(self) -> nodes.FormalParameter:
        if name := self._name_before(":"):
            self.takes(":")
            type, written = self.type()
            return nodes.FormalParameter(name, type, written)
        start = self.place
        while not self.at_end and self.text[self.place] not in ",):":
            self.move(self.place + max(len(self.word()), 1))
        name = " ".join(self.text[start : self.place].split())
        if not name or not is_part(name[0]):
            self.unexpected("the name of a parameter")
        return nodes.FormalParameter(name)


BoxedParser.forms = {
    "if": BoxedParser._if,
    "for": BoxedParser._for,
    "some": BoxedParser._quantified,
    "every": BoxedParser._quantified,
    "function": BoxedParser._function,
}

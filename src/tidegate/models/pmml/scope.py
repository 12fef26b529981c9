"""Which fields can be seen from where, and the document that they are part of."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tidegate.documents.xml import Element
from tidegate.errors import DocumentError
from tidegate.models.pmml import operations as o
from tidegate.models.pmml.additive import Additive
from tidegate.models.pmml.grammar import refuse
from tidegate.models.pmml.program import Code, ProgramBuilder
from tidegate.models.pmml.texts import Texts, is_text

__all__ = ["DEEPEST", "Document", "Field", "HostCall", "Scope", "TextIndex", "Value"]

DEEPEST = 100
"""How deep expressions, predicates, functions and models may be nested."""


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression comes to: a register, and the data type of what is in it."""

    register: int
    kind: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field that expressions and predicates can name.

    `values` are the valid values in their declared order, which is the order of an ordinal field; `additive` the sum of
    trees that it is, if it is what a model before says.
    """

    name: str
    register: int
    kind: str
    optype: str = "continuous"
    values: tuple[float, ...] = ()
    additive: Additive | None = None

    @property
    def value(self) -> Value:
        """The same as an expression."""
        return Value(self.register, self.kind)


HostCall = Callable[..., float | str | None]
"""A function of texts, run by Python: decoded arguments to a value; None where it has none, or a fault's NaN."""


class TextIndex(Protocol):
    """What a TextIndex says of texts: shared by all the terms that are looked up by it."""

    logarithmic: bool

    def of(self, term: str) -> HostCall:
        """How a constant term is weighed in a text."""

    def of_any(self, text: str, term: str) -> float | None:
        """How any term is weighed in a text."""


MOST_STEPS_READ = 5_000_000
"""How many steps regular expressions may take while a document is read, for its verification: some seconds."""


@dataclass(slots=True)
class Document:
    """What is shared by all parts of a document: texts, constants, functions, and the program being written."""

    version: str
    builder: ProgramBuilder = field(default_factory=ProgramBuilder)
    texts: Texts = field(default_factory=Texts)
    constants: Code = field(default_factory=list)
    functions: dict[str, Element] = field(default_factory=dict)
    data: dict[str, Element] = field(default_factory=dict)
    host: list[tuple[HostCall, tuple[str, ...], str, float]] = field(default_factory=list)
    indexes: dict[Element, "TextIndex"] = field(default_factory=dict)
    applied: int = 0
    steps_left: float = MOST_STEPS_READ
    _constants: dict[tuple[float, str], Value] = field(default_factory=dict)
    _constant_texts: dict[int, str] = field(default_factory=dict)

    def constant(self, value: float, kind: str) -> Value:
        """A constant as a value; NaN is a missing one."""
        key = (value, kind) if value == value else (-1.25e300, kind)
        if key not in self._constants:
            register = self.builder.register()
            self.builder.emit(self.constants, o.CONSTANT, register, self.builder.number(value))
            self._constants[key] = Value(register, kind)
            if is_text(kind) and value == value:
                self._constant_texts[register] = self.texts.texts[int(value)]
        return self._constants[key]

    def constant_text(self, value: Value) -> str | None:
        """The text that a value is in every row; None if it is no constant text."""
        return self._constant_texts.get(value.register)

    def call(self, code: Code, function: HostCall, arguments: list[Value], kind: str, fault: int) -> Value:
        """Have Python compute a value of this type between two runs of the kernels; `fault` is what it is where there
        is none."""
        to = self.builder.register()
        kinds = tuple(argument.kind for argument in arguments)
        self.host.append((function, kinds, kind, self.builder.numbers[fault]))
        registers = [argument.register for argument in arguments]
        self.builder.emit(code, o.HOST, len(self.host) - 1, to, len(registers), *registers)
        return Value(to, kind)


class Scope:
    """The fields of one model: its mining schema's, its transformations', and those of the models it is part of.

    A derived field is written into `code`, which runs before the model, when it is first asked for. `unused` are fields
    that are inputs only if something names them, `actual` what makes an input of a target's actual value.
    """

    def __init__(self, document: Document, parent: "Scope | None" = None) -> None:
        self.document, self.parent = document, parent
        self.code: Code = []
        self.fields: dict[str, Field] = {}
        self.pending: dict[str, Element] = {}
        self.unused: dict[str, Callable[[], None]] = {}
        self.actual: dict[str, Callable[[], Field]] = {}
        self.depth: int = parent.depth + 1 if parent else 0
        self._busy: list[str] = []

    @property
    def builder(self) -> ProgramBuilder:
        """Of the document's program."""
        return self.document.builder

    def find(self, name: str, element: Element) -> Field:
        """The field that a name stands for here. Raises DocumentError, with the nearest name, if there is none."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.unused:
                scope.unused.pop(name)()
            if name in scope.fields:
                return scope.fields[name]
            if name in scope.pending:
                return scope._derive(name, element)
            scope = scope.parent
        known = self.names()
        near = difflib.get_close_matches(name, known, n=1)
        raise refuse(
            element, f"There is no field {name!r} here.", seen=", ".join(sorted(known)[:12]) or "no fields",
            do=f"Did you mean {near[0]!r}?" if near else "Name a field of the mining schema or a derived one.",
        )  # fmt: skip

    def names(self) -> set[str]:
        """Every name that `find` knows."""
        own = {*self.fields, *self.pending, *self.unused}
        return own | (self.parent.names() if self.parent else set())

    def _derive(self, name: str, element: Element) -> Field:
        from tidegate.models.pmml.expressions import derived

        if name in self._busy:
            circle = " → ".join([*self._busy[self._busy.index(name) :], name])
            raise refuse(self.pending[name], "A derived field is made of itself.", seen=circle)
        if len(self._busy) >= DEEPEST:
            raise refuse(self.pending[name], f"Derived fields are built on each other more than {DEEPEST} deep.")
        self._busy.append(name)
        try:
            made = derived(self.pending[name], self)
        except RecursionError:
            raise DocumentError("The document is nested too deep.", seen=name) from None
        finally:
            self._busy.pop()
        self.fields[name] = replace(made, name=name)
        return self.fields[name]

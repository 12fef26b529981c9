"""Boxed expressions as a model file has them: what decisions, contexts and functions are made of.

Each has the line it stands on and, where the file says so, the name of its type. FEEL is kept as text; it is parsed
once it is known which names are in scope.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Boxed:
    """What every boxed expression has: its line and the type that the file declares, or ""."""

    line: int
    type_ref: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text in an expression language, and its line."""

    text: str
    line: int
    language: str = ""


@dataclass(frozen=True, slots=True)
class Literal(Boxed):
    """A literal expression."""

    text: Text


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a context; one without a name is its result."""

    name: str
    type_ref: str
    value: Boxed | None
    line: int


@dataclass(frozen=True, slots=True)
class Context(Boxed):
    """A context: entries that see those before them."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A formal parameter, or a binding's."""

    name: str
    type_ref: str
    line: int


@dataclass(frozen=True, slots=True)
class Definition(Boxed):
    """A function definition; `kind` is FEEL, Java or PMML."""

    kind: str
    parameters: tuple[Parameter, ...]
    body: Boxed | None


@dataclass(frozen=True, slots=True)
class Invocation(Boxed):
    """A function called with named arguments."""

    called: Boxed | None
    bindings: tuple[tuple[Parameter, Boxed | None], ...]


@dataclass(frozen=True, slots=True)
class Items(Boxed):
    """A list."""

    items: tuple[Boxed, ...]


@dataclass(frozen=True, slots=True)
class Relation(Boxed):
    """A list of contexts, written as a table of rows."""

    columns: tuple[Parameter, ...]
    rows: tuple[tuple[Boxed, ...], ...]


@dataclass(frozen=True, slots=True)
class Conditional(Boxed):
    """If, then, else."""

    condition: Boxed | None
    then: Boxed | None
    otherwise: Boxed | None


@dataclass(frozen=True, slots=True)
class Filter(Boxed):
    """The elements of a list that match."""

    source: Boxed | None
    match: Boxed | None


@dataclass(frozen=True, slots=True)
class Iterator(Boxed):
    """`for`, `some` or `every` (in `kind`): a variable that goes through a list."""

    kind: str
    variable: str
    variable_type: str
    source: Boxed | None
    body: Boxed | None


@dataclass(frozen=True, slots=True)
class Input:
    """An input clause of a decision table."""

    label: str
    expression: Text
    type_ref: str
    values: Text | None
    line: int


@dataclass(frozen=True, slots=True)
class Output:
    """An output clause of a decision table."""

    name: str
    label: str
    type_ref: str
    values: Text | None
    default: Text | None
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a decision table: a row, or a column where the table lies on its side; its cells in order."""

    id: str
    tests: tuple[Text, ...]
    outputs: tuple[Text, ...]
    annotations: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Table(Boxed):
    """A decision table. `hit_policy` and `aggregation` are written as in the standard: UNIQUE, COLLECT, SUM."""

    name: str
    hit_policy: str
    aggregation: str
    orientation: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    annotations: tuple[str, ...]
    rules: tuple[Rule, ...]

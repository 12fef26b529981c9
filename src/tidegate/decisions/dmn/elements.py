"""The elements of a model file: types, inputs, decisions, functions, services, imports, and what they require."""

from dataclasses import dataclass, field

from tidegate.decisions.dmn.boxed import Boxed, Definition, Parameter, Text


@dataclass(frozen=True, slots=True)
class Item:
    """An item definition or a component of one: a named type."""

    name: str
    line: int
    type_ref: str = ""
    collection: bool = False
    allowed: Text | None = None
    """Tests that each value, each element of a collection, must pass."""
    constraint: Text | None = None
    """Tests that the value as a whole must pass."""
    components: "tuple[Item, ...]" = ()
    function: "tuple[tuple[Parameter, ...], str] | None" = None
    """Parameters and the name of the result's type, where the type is a function's."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What an element requires: the namespace ("" for its own model) and id of another."""

    namespace: str
    id: str
    line: int


@dataclass(frozen=True, slots=True)
class Element:
    """What inputs, decisions, functions and services have in common.

    `name` is what others call it, its variable's; `type_ref` is the variable's type, or "".
    """

    id: str
    name: str
    type_ref: str
    line: int


@dataclass(frozen=True, slots=True)
class InputData(Element):
    """What the model is given."""


@dataclass(frozen=True, slots=True)
class Decision(Element):
    """What the model decides, of what it requires."""

    logic: Boxed | None = None
    information: tuple[Reference, ...] = ()
    knowledge: tuple[Reference, ...] = ()
    question: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge(Element):
    """A business knowledge model: a function with a name."""

    logic: Definition | None = None
    knowledge: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Service(Element):
    """A decision service: decisions that are asked for as one, given others and inputs."""

    outputs: tuple[Reference, ...] = ()
    encapsulated: tuple[Reference, ...] = ()
    given_decisions: tuple[Reference, ...] = ()
    given_inputs: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """Another model that this one refers to, under a name of its own choice; "" merges the names of both."""

    name: str
    namespace: str
    location: str
    kind: str
    line: int


@dataclass(frozen=True, slots=True)
class Definitions:
    """A model file as read."""

    file: str
    name: str
    namespace: str
    version: str
    items: tuple[Item, ...]
    imports: tuple[Import, ...]
    elements: tuple[Element, ...]
    other: frozenset[str] = field(default_factory=frozenset)
    """Ids of elements that are there for people, such as knowledge sources."""

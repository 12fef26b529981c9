"""Where the inputs and outputs of a table, or of an engine outside, lie among the columns of a batch."""

from dataclasses import dataclass

from tidegate.events.types import Type


@dataclass(frozen=True)
class InputPlan:
    """An input: its name, its column and its type."""

    name: str
    column: int
    type: Type


@dataclass(frozen=True)
class OutputPlan:
    """An output: its name, the column that its value goes to (-1: it is a list, and has none) and its type."""

    name: str
    column: int
    type: Type

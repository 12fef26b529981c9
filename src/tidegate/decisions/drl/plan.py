"""A package of rules as plain data, as it is kept in a flow's plan; and what a record keeps of its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from tidegate.decisions.tables.columns import InputPlan, OutputPlan

Value = bool | int | float | str | None
"""What a package gives: None is missing."""


class DrlAnswer(msgspec.Struct, array_like=True, frozen=True):
    """What a package of rules said of one event.

    `values` are its results in order, `rules` those that fired, each once, in order of their first firing, at most
    twenty; `fired` is how often any did. `otherwise` says why there is no answer, if there is none; `values` are then
    the declared ones.
    """

    values: tuple[Value, ...]
    rules: tuple[str, ...] = ()
    fired: int = 0
    otherwise: str | None = None


@dataclass(frozen=True)
class DrlPlan:
    """A package over columns of cells: its DRL, what it is given, what it gives, and what holds where it cannot say.

    `deadline` is in microseconds; `read` stands for the package and its inputs.
    """

    name: str
    digest: str
    source: str
    read: str
    inputs: tuple[InputPlan, ...]
    outputs: tuple[OutputPlan, ...]
    otherwise: tuple[Value, ...]
    deadline: int


class DrlRunner(Protocol):
    """Runs a package of rules: what a runtime hands a decider for each package."""

    def answer(self, values: Sequence[Any]) -> DrlAnswer:
        """What the package says of these inputs; it never fails and never takes much longer than the deadline."""


__all__ = ["DrlAnswer", "DrlPlan", "DrlRunner", "Value"]

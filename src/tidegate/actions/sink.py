"""Sinks: whatever is told of decisions, such as an index, a webhook or a topic."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tidegate.actions.document import Document
from tidegate.errors import TidegateError


class UnavailableError(TidegateError):
    """A sink cannot take anything now; the same documents are sent again later, which changes nothing twice."""


class Rejected(NamedTuple):
    """A document that a sink will never take as it is: the decision's id, and the sink's reason."""

    id: str
    reason: str


class Sink(Protocol):
    """Takes documents; what it was sent before, and is sent again, changes nothing."""

    name: str
    """What it is called: an address without secrets."""

    most: int
    """At most so many documents at once."""

    def send(self, documents: Sequence[Document]) -> list[Rejected]:
        """Take all of them but those that are given back.

        Raises:
            UnavailableError: it took none, or perhaps some of them; send them all again later.
        """

    def close(self) -> None:
        """Let go of connections."""

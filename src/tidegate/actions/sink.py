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


class Gone(NamedTuple):
    """A decision whose record was erased: its number in the store, its id, and its event's time in microseconds."""

    seq: int
    id: str
    us: int


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

    def forget(self, gone: Sequence[Gone]) -> None:
        """Let these go, or tell those who have them to; whoever never had them has nothing to do.

        Raises:
            UnavailableError: it cannot now; the same are given again later.
        """

    def close(self) -> None:
        """Let go of connections."""

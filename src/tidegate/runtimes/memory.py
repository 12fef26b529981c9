"""Recognising repeated events without a store: the latest ids, in memory."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from tidegate.events.event import Event
from tidegate.evidence.record import Entry, Refusal


class Known(Protocol):
    """What is known of an id that came before."""

    answer: Any

    def same(self, event: Event) -> bool:
        """Whether this event has the content that the id had the first time."""

    def touched(self) -> bool:
        """Whether the answer was changed since by something else."""

    def erased(self) -> bool:
        """Whether what was kept under the id was erased since."""


class Past(Protocol):
    """What has been answered before, and where answers are kept."""

    def find(self, ids: Sequence[str]) -> Mapping[str, Known]:
        """What is known of those of the ids that came before."""

    def keep(
        self, entries: Sequence[Entry], refusals: Sequence[Refusal], answered: Iterable[tuple[Event, Any]]
    ) -> None:
        """Keep a batch; it is safe when this returns."""


class Remembered(msgspec.Struct, gc=False):
    """An event and the answer it got; out of the garbage collector's sight, whose pauses grow with what it sees."""

    event: Event
    answer: Any

    def same(self, event: Event) -> bool:
        """Whether the events are equal, field by field."""
        return type(event) is type(self.event) and event == self.event

    def touched(self) -> bool:
        """No: it is as it was given."""
        return False

    def erased(self) -> bool:
        """No: only a store is erased from."""
        return False


class Memory:
    """The last `most` events with their answers, by id."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, Remembered] = {}
        self._order: deque[str] = deque()  # of arrival; an ordered dictionary takes twice the time

    def find(self, ids: Sequence[str]) -> Mapping[str, Remembered]:
        """What is known of those of the ids that are still remembered."""
        known = self._known
        return {id: known[id] for id in ids if id in known}

    def __contains__(self, id: str) -> bool:
        return id in self._known

    def keep_one(self, event: Event, answer: Any) -> None:
        """What `keep` does of one answer."""
        known, order = self._known, self._order
        known[event.id] = Remembered(event, answer)
        order.append(event.id)
        if len(order) > self._most:
            del known[order.popleft()]

    def keep(
        self, entries: Sequence[Entry], refusals: Sequence[Refusal], answered: Iterable[tuple[Event, Any]]
    ) -> None:
        """Remember the answers, and forget the oldest beyond the limit."""
        known, order = self._known, self._order
        for event, answer in answered:
            known[event.id] = Remembered(event, answer)
            order.append(event.id)
        while len(order) > self._most:
            del known[order.popleft()]

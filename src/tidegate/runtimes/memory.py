"""Recognising repeated events without a store: the latest ids, in memory."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from tidegate.evidence.record import Entry, Refusal


class Known(NamedTuple):
    """What is known of an id: the digest of its content and the first answer."""

    digest: bytes
    answer: Any


class Past(Protocol):
    """What has been answered before, and where answers are kept."""

    def find(self, ids: Sequence[str]) -> Mapping[str, Any]:
        """What is known of those of the ids that came before, each with `digest` and `answer`."""

    def keep(self, entries: Sequence[Entry], refusals: Sequence[Refusal], answered: Sequence[tuple[str, bytes, Any]]) -> None:
        """Keep a batch; it is safe when this returns."""


class Memory:
    """The last `most` ids with their digests and answers."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, Known] = OrderedDict()

    def find(self, ids: Sequence[str]) -> Mapping[str, Known]:
        """What is known of those of the ids that are still remembered."""
        known = self._known
        return {id: known[id] for id in ids if id in known}

    def keep(self, entries: Sequence[Entry], refusals: Sequence[Refusal], answered: Sequence[tuple[str, bytes, Any]]) -> None:
        """Remember the answers, and forget the oldest beyond the limit."""
        for id, digest, answer in answered:
            self._known[id] = Known(digest, answer)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

"""A store that keeps only what the topics have committed: a batch is held until then, or let go."""

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.connectors.store import Store
from tidegate.evidence.record import Entry, Found, Refusal, TreeHead
from tidegate.runtimes.records import with_schema


class HeldStore:
    """Stands before a store. What an engine appends is held; it finds it there all the same.

    Args:
        store: where it goes when it is committed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries: list[Entry] = []
        self._refusals: list[Refusal] = []
        self.schemas: Mapping[str, int] = {}
        """By the id of an event, the id of the schema that its message was written with; to be set before a batch."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @property
    def kept(self) -> Store:
        """The store behind it."""
        return self._store

    @property
    def records(self) -> int:
        """How many records are held."""
        return len(self._entries)

    @property
    def refused(self) -> int:
        """How many refusals the store's log has, with those that are held."""
        return self._store.refusals_edge().size + len(self._refusals)

    def append(self, batch: Sequence[Entry], refusals: Sequence[Refusal] = ()) -> TreeHead:
        """Hold a batch; the head is that of what was committed."""
        for entry in batch if self.schemas else ():
            if entry.record and entry.id in self.schemas:
                entry.record = with_schema(entry.record, self.schemas[entry.id])
        self._entries += batch
        self._refusals += refusals
        return self._store.head()

    def find(self, ids: Sequence[str]) -> Mapping[str, Found]:
        """As the store's, and what is held."""
        found: Mapping[str, Found] = self._store.find(ids)
        if self._entries:
            wanted, size = set(ids), self._store.head().size
            held: Mapping[str, Found] = {
                one.id: Found(one.digest, one.answer, size + place)
                for place, one in enumerate(self._entries, 1)
                if one.id in wanted
            }
            found = {**found, **held}
        return found

    def commit(self) -> None:
        """Append what is held."""
        if self._entries or self._refusals:
            self._store.append(self._entries, self._refusals)
        self.let_go()

    def let_go(self) -> None:
        """Forget what is held: it was not committed."""
        self._entries, self._refusals = [], []

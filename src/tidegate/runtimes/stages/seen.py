"""Ids that came lately, by their hashes, in two generations of event time."""

import numpy as np

from tidegate.runtimes.hash_table import NEW, REPEATED, REUSED, HashTable
from tidegate.runtimes.stages.rows import Words


class Seen:
    """Knows an id for at least `span` of event time after it came, and at most twice as long.

    Which it is depends on the times of the events alone: generations change at multiples of `span`.

    Args:
        span: in microseconds.
    """

    def __init__(self, span: int) -> None:
        self._span = max(1, span)
        self._turn = -(2**63)
        self._young, self._old = HashTable(), HashTable()

    def admit(self, ids: Words, contents: Words, at: Words) -> Words:
        """NEW, REPEATED or REUSED for each, in order; what is new is known from then on."""
        verdict = np.full(len(ids), NEW, np.int64)
        turns = np.maximum.accumulate(np.maximum(at // self._span, self._turn)) if len(ids) else at
        for turn in np.unique(turns).tolist():
            self._go_to(turn)
            chosen = np.flatnonzero(turns == turn)
            verdict[chosen] = self._some(ids[chosen], contents[chosen])
        return verdict

    def known(self, ids: Words, contents: Words) -> Words:
        """NEW, REPEATED or REUSED for each, of which none is learned."""
        found, _ = self._young.find(ids)
        older, _ = self._old.find(ids)
        there = self._young.has(ids)
        found = np.where(there, found, older)
        return np.where(there | self._old.has(ids), np.where(found == contents, REPEATED, REUSED), NEW)

    def _go_to(self, turn: int) -> None:
        if turn > self._turn:
            self._old = self._young if turn == self._turn + 1 else HashTable()
            self._young, self._turn = HashTable(), turn

    def _some(self, ids: Words, contents: Words) -> Words:
        verdict = self.known(ids, contents)
        new = np.flatnonzero(verdict == NEW)
        if len(np.unique(ids[new])) < len(new):  # one of them stands twice in here
            first: dict[int, int] = {}
            for place in new.tolist():
                id, content = int(ids[place]), int(contents[place])
                if id in first:
                    verdict[place] = REPEATED if first[id] == content else REUSED
                else:
                    first[id] = content
            new = np.flatnonzero(verdict == NEW)
        self._young.put(ids[new], contents[new])
        return verdict

    def dump(self) -> tuple[int, dict[str, np.ndarray]]:
        """The current generation's number, and both as arrays."""
        young, old = self._young.items(), self._old.items()
        return self._turn, {"young": np.stack(young), "old": np.stack(old)}

    def load(self, turn: int, arrays: dict[str, np.ndarray]) -> None:
        """Take over what `dump` gave."""
        self._turn = turn
        for table, name in ((self._young, "young"), (self._old, "old")):
            keys, values = arrays[name]
            table.put(keys, values)

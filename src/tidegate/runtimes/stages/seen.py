"""Ids that came lately, by their hashes, in two generations of event time."""

from collections.abc import Iterator

import numpy as np

from tidegate.runtimes.hash_table import NEW, REPEATED, REUSED, HashTable
from tidegate.runtimes.stages.rows import Words

_NO_TURN = -(2**63)
"""The generation's number where none is current: before the first event, and before the first after another span."""


class Seen:
    """Knows an id for at least `span` of event time after it came, and at most twice as long.

    Which it is depends on the times of the events alone: generations change at multiples of `span`.

    Args:
        span: in microseconds.
    """

    def __init__(self, span: int) -> None:
        self.span = max(1, span)
        self._turn = _NO_TURN
        self._young, self._old = HashTable(), HashTable()

    def respan(self, span: int) -> None:
        """Know ids for another span. What is known stays so, as if it had come with what is new next."""
        if max(1, span) != self.span:
            self.span, self._turn = max(1, span), _NO_TURN

    def admit(self, ids: Words, contents: Words, at: Words) -> Words:
        """NEW, REPEATED or REUSED for each, in order of time; what is new is known from then on."""
        verdict = np.full(len(ids), NEW, np.int64)
        for turn, chosen in self._by_turn(at):
            verdict[chosen] = self._some(turn, ids[chosen], contents[chosen])
        return verdict

    def learn(self, ids: Words, contents: Words, at: Words) -> None:
        """Know what was once found new, in its order; of an id that was new twice the later content counts."""
        for turn, chosen in self._by_turn(at):
            self._put(turn, ids[chosen], contents[chosen])

    def known(self, ids: Words, contents: Words, turn: int = _NO_TURN) -> Words:
        """NEW, REPEATED or REUSED for each, of which none is learned; `turn` is the generation's in which they come."""
        young, old = self._as_of(turn)
        found, _ = young.find(ids)
        older, _ = old.find(ids)
        there = young.has(ids)
        found = np.where(there, found, older)
        return np.where(there | old.has(ids), np.where(found == contents, REPEATED, REUSED), NEW)

    def _by_turn(self, at: Words) -> Iterator[tuple[int, Words]]:
        """One generation after another, and the places of those that come in it."""
        turns = np.maximum.accumulate(np.maximum(at // self.span, self._turn)) if len(at) else at
        for turn in np.unique(turns).tolist():
            yield turn, np.flatnonzero(turns == turn)

    def _as_of(self, turn: int) -> tuple[HashTable, HashTable]:
        """Young and old, in a generation that is the current one or later."""
        if turn <= self._turn or self._turn == _NO_TURN:
            return self._young, self._old
        return HashTable(), self._young if turn == self._turn + 1 else HashTable()

    def _some(self, turn: int, ids: Words, contents: Words) -> Words:
        verdict = self.known(ids, contents, turn)
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
        if len(new):  # a log keeps these alone: what it is learned from must come to the same generations
            self._put(turn, ids[new], contents[new])
        return verdict

    def _put(self, turn: int, ids: Words, contents: Words) -> None:
        if self._turn == _NO_TURN:
            self._old.put(*self._young.items())
            self._young, self._old = self._old, HashTable()
        else:
            self._young, self._old = self._as_of(turn)
        self._turn = turn
        self._young.put(ids, contents)

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

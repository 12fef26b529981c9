"""Entity lists at work: who is on which list at what time."""

from bisect import bisect_right, insort
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from tidegate.decisions.instruction import Instruction
from tidegate.events.field import Field

if TYPE_CHECKING:
    import numpy as np


_LOOKS = 2
"""Keys that each change looks at: with two, a key is looked at before as many changes as half of all keys have come."""


class ListChange(Instruction):
    """A change to an entity list, in force from its own time `at`: an event like others, so lists are replayed too."""

    list: Annotated[str, Field(description="Name of the list, as the flow declares it")]
    key: Annotated[str, Field(description="Key of the entity; whole numbers as text")]
    listed: Annotated[bool, Field(description="True puts the entity on the list, false takes it off")]
    until: Annotated[datetime | None, Field(description="When the entry expires, not before `at`; never, if left out")]
    because: Annotated[str | None, Field(description="Why")]


class ListBook:
    """The entries of every list, ordered by time, so that membership is read as of an event's time.

    What no event that can still be taken could see is dropped (ADR 8): no such event is older than the newest change by
    more than the flow's lateness. Of the changes to a key before that, only the last can be seen; not even that one, if
    it took the key off its list or has expired. So kept are who is on a list, and what has changed lately. Each change
    looks at a few keys, so that none has to wait for a look at all of them.

    Args:
        lateness: microseconds that an event may lie behind the newest one.
    """

    def __init__(self, lateness: int) -> None:
        self._lateness = lateness
        self._entries: dict[tuple[str, int], list[tuple[int, int, int, int]]] = {}
        self._turn: deque[tuple[str, int]] = deque()
        self._arrivals = self._count = 0
        self._newest = -(2**63)
        self._keys: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        """How many entries are kept."""
        return self._count

    def change(self, name: str, key: int, at: int, listed: bool, until: int | None) -> None:
        """Note a change: times in microseconds, `key` as a cell."""
        self._arrivals += 1
        self._count += 1
        self._newest = max(self._newest, at)
        self._keys.pop(name, None)
        of, end = (name, key), 2**63 - 1 if until is None else until
        if of not in self._entries:
            self._entries[of] = []
            self._turn.append(of)
        insort(self._entries[of], (at, self._arrivals, int(listed), end))
        for _ in range(min(_LOOKS, len(self._turn))):
            self._look()

    def _look(self) -> None:
        """Drop what cannot be seen any more of the key whose turn it is."""
        of = self._turn.popleft()
        entries, oldest = self._entries[of], self._newest - self._lateness
        last = bisect_right(entries, (oldest, self._arrivals + 1, 0, 0)) - 1
        if last >= 0:
            _, _, listed, end = entries[last]
            gone = last if listed and end > oldest else last + 1
            del entries[:gone]
            self._count -= gone
        if entries:
            self._turn.append(of)
        else:
            del self._entries[of]
            self._keys.pop(of[0], None)

    def keys(self, name: str) -> "np.ndarray":
        """Every key that has an entry in a list, as cells; no other is on it."""
        if name not in self._keys:
            import numpy as np  # here, so that declaring a flow, or asking for help, does not wait for it

            self._keys[name] = np.array([key for known, key in self._entries if known == name], np.int64)
        return self._keys[name]

    def listed(self, name: str, key: int, at: int) -> bool:
        """Whether the key is on the list at a time: the last change by then put it there, and has not expired."""
        entries = self._entries.get((name, key))
        if entries is None:
            return False
        place = bisect_right(entries, (at, self._arrivals + 1, 0, 0))
        return place > 0 and bool(entries[place - 1][2]) and at < entries[place - 1][3]

    def dump(self) -> list[tuple[str, int, list[tuple[int, int, int, int]]]]:
        """The entries as plain values, for a snapshot."""
        return [(name, key, list(entries)) for (name, key), entries in self._entries.items()]

    def load(self, plain: list[tuple[str, int, list[tuple[int, int, int, int]]]]) -> None:
        """Take over what `dump` gave, as it is or as JSON gives it back."""
        self._entries = {(n, k): [(at, place, on, end) for at, place, on, end in entries] for n, k, entries in plain}
        self._keys.clear()
        self._turn = deque(self._entries)
        every = [entry for entries in self._entries.values() for entry in entries]
        self._count = len(every)
        self._arrivals = max((place for _, place, _, _ in every), default=0)
        self._newest = max((at for at, _, _, _ in every), default=-(2**63))

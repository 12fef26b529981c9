"""Entity lists at work: who is on which list at what time."""

from bisect import bisect_right, insort
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from tidegate.events.event import Event
from tidegate.events.field import Field

if TYPE_CHECKING:
    import numpy as np


class ListChange(Event):
    """A change to an entity list, in force from its own time `at`: an event like others, so lists are replayed too."""

    list: Annotated[str, Field(description="Name of the list, as the flow declares it")]
    key: Annotated[str, Field(description="Key of the entity; whole numbers as text")]
    listed: Annotated[bool, Field(description="True puts the entity on the list, false takes it off")]
    until: Annotated[datetime | None, Field(description="When the entry expires; never, if left out")]
    because: Annotated[str | None, Field(description="Why")]


class ListBook:
    """The entries of every list, ordered by time, so that membership is read as of an event's time."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], list[tuple[int, int, int, int]]] = {}
        self._arrivals = 0
        self._keys: dict[str, np.ndarray] = {}

    def change(self, name: str, key: int, at: int, listed: bool, until: int | None) -> None:
        """Note a change: times in microseconds, `key` as a cell."""
        self._arrivals += 1
        self._keys.pop(name, None)
        end = 2**63 - 1 if until is None else until
        insort(self._entries.setdefault((name, key), []), (at, self._arrivals, int(listed), end))

    def keys(self, name: str) -> "np.ndarray":
        """Every key that was ever on a list, or taken off it, as cells."""
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
        self._arrivals = max((entry[1] for entries in self._entries.values() for entry in entries), default=0)

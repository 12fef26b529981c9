"""Snoozes: a rule is silenced for one entity until a time, with a reason, and decisions made meanwhile say so."""

from bisect import bisect_right, insort
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, NamedTuple

from tidegate.decisions.instruction import Instruction
from tidegate.events.field import Field
from tidegate.events.times import rfc3339


class Snooze(Instruction):
    """Silence a rule for one entity, from `at` until `until`; a later one takes its place, so `until = at` ends it."""

    rule: Annotated[str, Field(description="Name of the rule, as the flow has it")]
    entity: Annotated[str, Field(description="What kind of entity: the name it was declared with, such as card")]
    key: Annotated[str, Field(description="Key of the entity; whole numbers as text")]
    until: Annotated[datetime, Field(description="Until when")]
    because: Annotated[str, Field(description="Why, in words")]


class _Entry(NamedTuple):
    at: int
    arrival: int
    until: int
    words: str


class SnoozeBook:
    """Who is spared which rule, as of any time that can still be asked for.

    Args:
        lateness: microseconds that an event may lie behind the newest one.
    """

    def __init__(self, lateness: int) -> None:
        self._lateness = lateness
        self._entries: dict[tuple[str, str], dict[int, list[_Entry]]] = {}
        self._arrivals, self._newest = 0, -(2**63)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def put(self, rule: str, entity: str, key: int, at: int, until: int, words: str) -> None:
        """Note a snooze: times in microseconds, `key` as a cell, `words` as decisions tell it."""
        self._arrivals += 1
        self._newest = max(self._newest, at)
        keys = self._entries.setdefault((rule, entity), {})
        insort(keys.setdefault(key, []), _Entry(at, self._arrivals, until, words))
        self._forget()

    def _forget(self) -> None:
        """Drop what no event that can still be taken could see. People snooze seldom, so all of it is looked at."""
        oldest = self._newest - self._lateness
        for of, keys in list(self._entries.items()):
            for key, entries in list(keys.items()):
                last = bisect_right(entries, oldest, key=lambda entry: entry.at) - 1
                if last >= 0:  # of those that are in force before all that may come, only the last can be seen
                    del entries[: last if entries[last].until > oldest else last + 1]
                if not entries:
                    del keys[key]
            if not keys:
                del self._entries[of]

    def each(self) -> Iterator[tuple[str, str, list[int]]]:
        """The rules and entities that anyone snoozed, and the keys for which they did."""
        for (rule, entity), keys in self._entries.items():
            yield rule, entity, list(keys)

    def words(self, rule: str, entity: str, key: int, at: int) -> str:
        """Why the rule is silent for this key at this time; empty if it is not."""
        entries = self._entries.get((rule, entity), {}).get(key, ())
        place = bisect_right(entries, at, key=lambda entry: entry.at)
        return entries[place - 1].words if place and at < entries[place - 1].until else ""

    def dump(self) -> list[tuple[str, str, int, list[tuple[int, int, int, str]]]]:
        """The entries as plain values, for a snapshot."""
        return [
            (rule, entity, key, [(e.at, e.arrival, e.until, e.words) for e in entries])
            for (rule, entity), keys in self._entries.items()
            for key, entries in keys.items()
        ]

    def load(self, plain: list[tuple[str, str, int, list[tuple[int, int, int, str]]]]) -> None:
        """Take over what `dump` gave, as it is or as JSON gives it back."""
        self._entries = {}
        for rule, entity, key, entries in plain:
            self._entries.setdefault((rule, entity), {})[key] = [_Entry(*entry) for entry in entries]
        every = [e for keys in self._entries.values() for entries in keys.values() for e in entries]
        self._arrivals = max((entry.arrival for entry in every), default=0)
        self._newest = max((entry.at for entry in every), default=-(2**63))


def told(snooze: Snooze, until: int) -> str:
    """A snooze as decisions tell it."""
    end = rfc3339(until)
    return f"{snooze.rule} is silent for {snooze.entity} {snooze.key} until {end}: {snooze.because}"

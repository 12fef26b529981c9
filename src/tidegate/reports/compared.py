"""What a comparison of two versions of a flow gives: flips, their causes, and how much is at stake."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tidegate.decisions.difference import Change
from tidegate.reports.figures import ReplayFigures


@dataclass(frozen=True, slots=True)
class Group:
    """How many events, and their money in minor units; amounts that are missing count as nothing."""

    events: int = 0
    money: int = 0

    def __add__(self, other: "Group") -> "Group":
        return Group(self.events + other.events, self.money + other.money)


Kind = tuple[int, int, int]
"""Outcome before, outcome after, and label: UNKNOWN (-1), HONEST (0) or FRAUD (1)."""


@dataclass(frozen=True, slots=True)
class Flip:
    """One decision that flipped.

    Args:
        id: the event's.
        at: its time, microseconds since 1970 UTC.
        amount: in minor units, None where missing.
        kind: outcomes and label.
        scores: before and after, NaN where there is none.
        because: the rules that made the difference.
        values: by name, what the two versions saw; None where one of them does not look at it, or it was missing.
    """

    id: str
    at: int
    amount: int | None
    kind: Kind
    scores: tuple[float, float]
    because: tuple[str, ...]
    values: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Cause:
    """A rule that fires in one version and not in the other, where that decided the outcome; or a flow's limits.

    Args:
        rule: its name, or "limits".
        fires: in which version it fires: "new" or "old".
        because: the author's words.
        changes: what is written otherwise in its condition; empty if only what it reads has changed.
        models: models that it reads, whose content is another: the name, and both digests.
        groups: the flips by kind.
    """

    rule: str
    fires: str
    because: str
    changes: tuple[Change, ...]
    models: tuple[Change, ...]
    groups: Mapping[Kind, Group]

    @property
    def flips(self) -> int:
        """How many in all."""
        return sum(group.events for group in self.groups.values())


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What two versions of a flow make of the same events.

    Args:
        old, new: the figures of the two replays.
        changes: the lines of the flow that differ.
        groups: all events by kind.
        causes: what made the difference, most flips first.
        examples: some of the flips.
        alarms: alarms that only the old and only the new version raises.
        levels: events whose level's name differs.
        scores: events whose score differs, and the largest difference.
        reasons: events of the same outcome on which other rules fired.
        alone: events that only the old and only the new version took.
        elsewhere: how many of `alone` another version decided, neither old nor new, in the other's store: those of the
            old that are in the store of the new, and those of the new that are in the store of the old.
        flips: every flip: id, at, label, amount in minor units and its currency, both outcomes and scores; null where
            the label is not known, or there is no amount in the currency that is added up.
    """

    old: ReplayFigures
    new: ReplayFigures
    changes: tuple[Change, ...]
    groups: Mapping[Kind, Group]
    causes: tuple[Cause, ...]
    examples: tuple[Flip, ...]
    alarms: tuple[int, int]
    levels: int
    scores: tuple[int, float]
    reasons: int
    alone: tuple[int, int]
    flips: pl.DataFrame
    elsewhere: tuple[int, int] = (0, 0)

    @property
    def same(self) -> int:
        """Events decided alike."""
        return sum(group.events for (old, new, _), group in self.groups.items() if old == new)

    @property
    def flipped(self) -> int:
        """Events decided otherwise."""
        return sum(group.events for (old, new, _), group in self.groups.items() if old != new)

    @property
    def unvalued(self) -> int:
        """Events decided otherwise that have no amount in the currency that is added up, and so are in no sum."""
        return self.flips["amount"].null_count() if self.new.amount is not None and self.flipped else 0

    def total(self, label: int, up: bool) -> Group:
        """Flips of this label towards a severer (`up`) or a milder outcome."""
        chosen = (g for (old, new, of), g in self.groups.items() if of == label and old != new and (new > old) == up)
        return sum(chosen, Group())

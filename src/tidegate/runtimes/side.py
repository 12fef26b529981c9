"""One of two versions that are compared: a replay that tells, piece by piece, what it decided and on which values."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.files_merge import Batch
from tidegate.decisions.cells import shown
from tidegate.decisions.decider import Decider
from tidegate.decisions.flow import Flow
from tidegate.decisions.plan import Plan, SeenPlan
from tidegate.models.scoring import ScoringModel
from tidegate.reports import ReplayFigures
from tidegate.runtimes.replay import Replay
from tidegate.runtimes.turned_away import TurnedAway

Ints = NDArray[np.int64]


@dataclass
class Decided:
    """Decisions in order; arrays have one entry, and matrices one column, for each.

    Args:
        ids: the events' ids.
        at: their times, microseconds since 1970 UTC.
        label: 1, 0, or -1 where it is not known.
        amount: minor units, -2**63 where missing.
        outcome: 0 approve, 1 review, 2 decline.
        score: NaN where there is none.
        level: place in the flow's levels, -1 for none.
        alarm: whether it was raised.
        limited: whether one of the flow's own limits made the outcome milder.
        held: per rule whether it fired.
        cells: per shown value its cell.
    """

    ids: pl.Series
    at: Ints
    label: NDArray[np.int8]
    amount: Ints
    outcome: Ints
    score: NDArray[np.float64]
    level: Ints
    alarm: NDArray[np.bool_]
    limited: NDArray[np.bool_]
    held: NDArray[np.bool_]
    cells: Ints

    def __len__(self) -> int:
        return len(self.ids)

    def some(self, rows: Ints) -> "Decided":
        """These decisions, in this order."""
        parts = (getattr(self, field.name) for field in fields(self))
        return Decided(*(part[rows] if part.ndim == 1 else part[:, rows] for part in map(_as_array, parts)))

    def and_then(self, more: "Decided") -> "Decided":
        """These decisions, and others after them."""
        both = [(getattr(self, field.name), getattr(more, field.name)) for field in fields(self)]
        ids = pl.concat([self.ids, more.ids])
        return Decided(ids, *(np.concatenate(pair, axis=-1) for pair in both[1:]))


def _as_array(part: Any) -> Any:
    return _Ids(part) if isinstance(part, pl.Series) else part


class _Ids:
    """A column of ids that is indexed as an array is."""

    ndim = 1

    def __init__(self, ids: pl.Series) -> None:
        self._ids = ids

    def __getitem__(self, rows: Ints) -> pl.Series:
        return self._ids.gather(rows)


class Version(Protocol):
    """One of two versions that are compared, wherever its decisions come from."""

    plan: Plan

    @property
    def currency(self) -> str:
        """The one in which amounts are added up; empty where none are."""

    @property
    def digests(self) -> Mapping[str, str]:
        """The content of the models that were asked, by reference."""

    def nothing(self) -> Decided:
        """No decisions."""

    def values(self, cells: Ints, names: Sequence[str]) -> dict[str, Any]:
        """Some of the values that a decision rested on, as a person reads them; `cells` is a column of `Decided`."""

    def figures(self, about: str) -> ReplayFigures:
        """What a report says of all its decisions."""


class Side(Replay):
    """A flow being replayed, whose decisions are looked at piece by piece.

    Args:
        flow: the flow's class.
        models: loaded models by reference.
        label: the column that says what happened in the end, if there is one.
        amount: the money field to add up, if there is one.
    """

    def __init__(
        self, flow: type[Flow[Any]], models: Mapping[str, ScoringModel], label: str | None, amount: str | None
    ) -> None:
        self._spoken: dict[int, str] = {}
        super().__init__(flow, models=models, label=label, amount=amount, watch=self._look, spoken=self._spoken)
        self.seen = _shown(self.plan.features, *(rule.saw for rule in self.plan.rules))
        self._columns = np.array([seen.column for seen in self.seen.values()], np.int64)
        self._thresholds = np.array(self.plan.thresholds)
        self._currency = next((f.currency for k in self.plan.kinds for f in k.fields if f.currency), None)
        self._looked: list[tuple[Any, ...]] = []
        self.away: TurnedAway | None = None
        """If given, looks at the events that are not taken."""

    def decide(self, batch: Batch) -> Decided:
        """Decide on some events."""
        self._looked.clear()
        verdict = self.take(batch)
        if self.away is not None:
            self.away.look(batch, verdict)
        if not self._looked:
            return self.nothing()
        n = sum(len(looked[0]) for looked in self._looked)
        label, amount = self.tally.latest("label"), self.tally.latest("amount")
        return Decided(
            self.tally.latest("ids"),
            self.tally.latest("at"),
            np.full(n, -1, np.int8) if label is None else label,
            np.full(n, -(2**63), np.int64) if amount is None else amount,
            *(np.concatenate(parts, axis=-1) for parts in zip(*self._looked, strict=True)),
        )

    def nothing(self) -> Decided:
        """As of `Version`."""
        ints, floats, bools = np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_)
        held, cells = np.zeros((len(self.plan.rules), 0), np.bool_), np.zeros((len(self._columns), 0), np.int64)
        ids = pl.Series(dtype=pl.String)
        return Decided(ids, ints, np.zeros(0, np.int8), ints, ints, floats, ints, bools, bools, held, cells)

    def _look(self, decider: Decider, n: int, mine: NDArray[np.bool_] | None) -> None:
        plan = self.plan
        chosen = np.arange(n) if mine is None else np.flatnonzero(mine)
        if not len(chosen):
            return
        nothing = np.full(len(chosen), np.nan)
        level = decider.floats[plan.level][chosen] if plan.level >= 0 else nothing
        place = np.searchsorted(self._thresholds, level, "right") - 1
        limited = np.isin(chosen, np.fromiter(decider.limited, np.int64, len(decider.limited)))
        self._looked.append(
            (
                decider.settled[0][chosen].copy(),
                decider.floats[plan.score][chosen] if plan.score >= 0 else nothing,
                np.where(np.isnan(level), -1, place),
                decider.cells[plan.alarm][chosen] == 1 if plan.alarm >= 0 else np.zeros(len(chosen), np.bool_),
                limited,
                decider.held(n)[:, chosen] == 1,
                decider.cells[self._columns][:, chosen],
            )
        )

    @property
    def currency(self) -> str:
        """As of `Version`."""
        return self.tally.currency or ""

    @property
    def digests(self) -> Mapping[str, str]:
        """As of `Version`."""
        return {name: model.digest for name, model in self.models.items()}

    def figures(self, about: str) -> ReplayFigures:
        """As of `Version`."""
        return self.result().figures(about=about, label_name=self.tally.label or "")

    def values(self, cells: Ints, names: Sequence[str]) -> dict[str, Any]:
        """As of `Version`."""
        words = ChainMap(self._spoken, self.decider.said, self.decider.words)
        found = {}
        for place, (name, seen) in enumerate(self.seen.items()):
            if name in names:
                number = float(cells[place : place + 1].view(np.float64)[0])
                found[name] = shown(seen.type, int(cells[place]), number, words, self._currency)
        return found


def _shown(*several: tuple[SeenPlan, ...]) -> dict[str, SeenPlan]:
    return {seen.name: seen for some in several for seen in some}

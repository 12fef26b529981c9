"""Gathers a replay's decisions batch by batch, and what the events themselves say of label and amount."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.decisions.plan import Plan
from tidegate.events.event import Event
from tidegate.events.types import Kind
from tidegate.expressions.words import MISSING
from tidegate.models.scoring import ScoringModel
from tidegate.reports import CardFigures, Example
from tidegate.runtimes.columns import money, times
from tidegate.runtimes.replayed import Counts, Replayed

Ints = NDArray[np.int64]


class Tally:
    """The decisions of a replay so far.

    Args:
        plan: what is run.
        event: the type decided on.
        label: the column that says what happened in the end, if there is one.
        amount: the money field to add up, if there is one.
        keep: columns of the events to be given back with the decisions.
    """

    def __init__(
        self, plan: Plan, event: type[Event], label: str | None, amount: str | None, keep: Sequence[str] = ()
    ) -> None:
        self.plan, self.label, self.amount, self.keep = plan, label, amount, tuple(keep)
        self._kept: list[pl.DataFrame] = []
        self.currency = currency_of(plan, event, amount)
        self.counts = Counts()
        self.limited = 0
        self.rows = 0
        self._unknown = np.zeros(len(plan.rules), np.int64)
        self._fired: list[tuple[Ints, Ints]] = []
        self._of: dict[str, list[Any]] = {name: [] for name in ("outcome", "score", "level", "alarm")}
        self._events: dict[str, list[Any]] = {name: [] for name in ("ids", "at", "label", "amount")}

    def decided(
        self,
        outcome: Ints,
        score: NDArray[np.float64],
        level: NDArray[np.float64],
        alarm: NDArray[np.bool_],
        held: Ints,
    ) -> None:
        """Note decisions: `level` is the number that levels are of, `held` the rules' conditions, one row each."""
        for name, values in zip(self._of, (outcome, score, level, alarm), strict=True):
            self._of[name].append(values)
        rule, row = np.nonzero(held == 1)
        if len(rule):
            self._fired.append((rule, row + self.rows))
        self._unknown += np.count_nonzero(held == MISSING, axis=1)
        self.rows += len(outcome)

    def events(self, frame: pl.DataFrame, rows: Ints | None) -> None:
        """Note the events that the decisions were about, in the same order; `rows` chooses them from the frame."""
        if rows is not None:
            frame = frame[rows]
        self._events["ids"].append(frame["id"])
        if self.keep:
            self._kept.append(frame.select(self.keep))
        self._events["at"].append(times(frame))
        if self.label is not None:
            self._events["label"].append(_labels(frame, self.label))
        if self.amount is not None:
            self._events["amount"].append(money(frame, self.amount, self.currency))

    def latest(self, name: str) -> Any:
        """The `ids`, `at`, `label` or `amount` of the events noted last; None where that was not asked for."""
        return self._events[name][-1] if self._events[name] else None

    def result(
        self,
        *,
        latency_us: Sequence[float],
        stages: Mapping[str, float],
        seconds: float,
        examples: tuple[Example, ...] = (),
        models: Mapping[str, ScoringModel] | None = None,
        cards: tuple[CardFigures, ...] = (),
    ) -> Replayed:
        """All of it."""
        self.counts.decided = self.rows
        level = _joined(self._of["level"], np.float64)
        thresholds = np.array(self.plan.thresholds)
        place = np.searchsorted(thresholds, level, "right") - 1 if len(thresholds) else np.full(len(level), -1)
        ids = self._events["ids"]
        return Replayed(
            plan=self.plan,
            ids=pl.concat(ids) if ids else pl.Series(dtype=pl.String),
            at=_joined(self._events["at"], np.int64),
            outcome=_joined(self._of["outcome"], np.int8),
            score=_joined(self._of["score"], np.float64),
            level=np.where(np.isnan(level), -1, place).astype(np.int8),
            alarm=_joined(self._of["alarm"], np.bool_),
            fired=self._by_rule(),
            unknown={rule.name: int(many) for rule, many in zip(self.plan.rules, self._unknown, strict=True)},
            label=_joined(self._events["label"], np.int8) if self.label is not None else None,
            amount=_joined(self._events["amount"], np.int64) if self.amount is not None else None,
            currency=self.currency or "",
            counts=self.counts,
            limited=self.limited,
            latency_us=np.array(latency_us, np.float64),
            stages=dict(stages),
            seconds=seconds,
            examples=tuple(self._labelled(example) for example in examples),
            models=dict(models or {}),
            cards=cards,
            kept=pl.concat(self._kept) if self._kept else pl.DataFrame(),
        )

    def _labelled(self, example: Example) -> Example:
        """An example with what its event turned out to be."""
        for ids, labels in zip(self._events["ids"], self._events["label"], strict=False):
            place = ids.index_of(example.id)
            if place is not None:
                return replace(example, label=int(labels[place]))
        return example

    def _by_rule(self) -> dict[str, Ints]:
        """The rows on which each rule fired, in order."""
        rules = _joined([rule for rule, _ in self._fired], np.int64)
        order = np.argsort(rules, kind="stable")
        rows = _joined([row for _, row in self._fired], np.int64)[order]
        ends = np.searchsorted(rules[order], np.arange(1, len(self.plan.rules)))
        return {rule.name: of for rule, of in zip(self.plan.rules, np.split(rows, ends), strict=False)}


def _joined(parts: Sequence[Any], dtype: Any) -> Any:
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.zeros(0, dtype)


def _labels(frame: pl.DataFrame, name: str) -> NDArray[np.int8]:
    return frame[name].cast(pl.Boolean).cast(pl.Int8).fill_null(-1).to_numpy()


def currency_of(plan: Plan, event: type[Event], amount: str | None) -> str | None:
    """The one currency in which amounts are added up: the field's own, or the flow's."""
    if amount is None:
        return None
    own = event.__contract__[amount].type.currency
    return own or next((f.currency for f in plan.kinds[0].fields if f.name == amount), None) or _first(plan)


def _first(plan: Plan) -> str | None:
    return next((f.currency for kind in plan.kinds for f in kind.fields if f.currency), None)


def label_of(event: type[Event]) -> str | None:
    """The event's label field, if it has just one."""
    labels = [name for name, field in event.__contract__.items() if field.known_after is not None]
    return labels[0] if len(labels) == 1 else None


def amount_of(event: type[Event]) -> str | None:
    """The event's first money field that is no label."""
    money_fields = (n for n, f in event.__contract__.items() if f.type.kind is Kind.MONEY and f.known_after is None)
    return next(money_fields, None)

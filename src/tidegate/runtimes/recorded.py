"""What two versions decided side by side, as their stores have it: to be compared without deciding anything again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.store import Store
from tidegate.connectors.store_reading import stored
from tidegate.decisions.answer import OUTCOMES
from tidegate.decisions.decision import Decision
from tidegate.decisions.flow import Flow
from tidegate.errors import StoreError
from tidegate.events.contract import Reader
from tidegate.events.currency import decimals
from tidegate.events.money import Money
from tidegate.evidence.record import READ, Stored
from tidegate.expressions.words import MISSING
from tidegate.reports import FiredRule, ReplayFigures
from tidegate.reports.compared import Compared
from tidegate.runtimes.meeting import Meeting
from tidegate.runtimes.remake import program
from tidegate.runtimes.side import Decided
from tidegate.runtimes.tally import amount_of, currency_of, label_of

Labels = Mapping[str, bool]
_CHUNK = 2000


class Recorded:
    """The decisions of one version, read from a store; those of other versions in it are counted and left out.

    Args:
        store: where they are.
        flow: the version.
        labels: what events turned out to be, by id; where an event is not in it, its own label field says.
        amount: the money field to add up; default: the event's first.

    Attributes:
        mine: how many decisions of the version have been read.
        others: how many of other versions.
        currency: as of `Version`.
    """

    def __init__(self, store: Store, flow: type[Flow[Any]], labels: Labels, amount: str | None) -> None:
        self.store, self.plan = store, flow.plan
        self._event = flow.definition.event
        self._reader: Reader[Any] = Reader(self._event)
        self._labels, self._label = labels, label_of(self._event)
        self._amount = amount or amount_of(self._event)
        self.currency = currency_of(flow.plan, self._event, self._amount) or ""
        self._rules = {rule.name: place for place, rule in enumerate(flow.plan.rules)}
        self._levels = {name: place for place, name in enumerate(flow.plan.levels)}
        self._flows: dict[bytes, bool] = {}
        self._saw: list[dict[str, Any]] = [{}]  # the first is what was seen where no rule fired
        self._all: list[Decided] = []
        self._digests: dict[str, str] = {}
        self._other_ids: list[pl.Series] = []
        self.mine = self.others = 0

    @property
    def digests(self) -> Mapping[str, str]:
        """As of `Version`: the models that answered last."""
        return self._digests

    def pieces(self) -> Iterator[Decided]:
        """All of them, in order, piece by piece."""
        after, sealed = 0, self.store.head().size
        while after < sealed:
            found = [stored(row) for row in self.store.rows(after, min(_CHUNK, sealed - after))]
            if not found:
                return
            after = found[-1].seq
            asked = [(one, self._is_mine(one)) for one in found if self._is_asked(one)]
            decided = self._decided([one for one, mine in asked if mine])
            others = pl.Series([one.id for one, mine in asked if not mine], dtype=pl.String)
            self._other_ids.append(others)
            self.mine, self.others = self.mine + len(decided), self.others + len(others)
            self._all.append(decided)
            yield decided

    def nothing(self) -> Decided:
        """As of `Version`."""
        return self._decided([])

    def of_others(self, ids: pl.Series) -> int:
        """How many of these events another version decided, as far as has been read."""
        there = pl.concat([*self._other_ids, pl.Series([], dtype=pl.String)])
        return int(ids.is_in(there.implode()).sum())

    def _is_asked(self, one: Stored) -> bool:
        return one.answer is not None and bool(one.flags & READ) and one.kind.partition("@")[0] == self._event.__name__

    def _is_mine(self, one: Stored) -> bool:
        if one.flow not in self._flows:
            self._flows[one.flow] = program(self.store, one.flow)[0].digest == self.plan.digest
        return self._flows[one.flow]

    def _decided(self, some: Sequence[Stored]) -> Decided:
        n = len(some)
        held = np.zeros((len(self._rules), n), np.bool_)
        label, amount = np.full(n, -1, np.int8), np.full(n, MISSING, np.int64)
        outcome, level = np.zeros(n, np.int64), np.full(n, -1, np.int64)
        score, alarm, limited = np.full(n, np.nan), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        cells = np.zeros((1, n), np.int64)
        for i, one in enumerate(some):
            decision = msgspec.json.decode(one.answer or b"", type=Decision)
            outcome[i] = OUTCOMES.index(decision.outcome)
            score[i] = np.nan if decision.score is None else decision.score
            level[i] = self._levels.get(decision.level or "", -1)
            alarm[i], limited[i] = decision.alarm, decision.limited is not None
            for rule in decision.rules:
                held[self._rules[rule.rule], i] = True
            self._digests.update((use.model, use.digest) for use in decision.models if use.digest)
            if decision.rules:
                cells[0, i] = len(self._saw)
                self._saw.append({name: value for rule in decision.rules for name, value in rule.saw.items()})
            label[i], amount[i] = self._known(one)
        at = np.array([one.at for one in some], np.int64)
        ids = pl.Series([one.id for one in some], dtype=pl.String)
        return Decided(ids, at, label, amount, outcome, score, level, alarm, limited, held, cells)

    def _known(self, one: Stored) -> tuple[int, int]:
        """Label and amount of a stored event."""
        event = self._reader.read(one.body, int(one.kind.partition("@")[2] or 1))
        own = getattr(event, self._label) if self._label is not None else None
        known = self._labels.get(event.id, own)
        value = getattr(event, self._amount) if self._amount is not None else None
        units = value.units if isinstance(value, Money) and value.currency == self.currency else MISSING
        return (-1 if known is None else int(bool(known)), units)

    def values(self, cells: NDArray[np.int64], names: Sequence[str]) -> dict[str, Any]:
        """As of `Version`: what the rules that fired saw."""
        return {name: value for name, value in self._saw[int(cells[0])].items() if name in names}

    def figures(self, about: str) -> ReplayFigures:
        """As of `Version`."""
        every = self._all[0] if self._all else self.nothing()
        for more in self._all[1:]:
            every = every.and_then(more)
        known = bool((every.label >= 0).any())
        return ReplayFigures(
            flow=self.plan.flow,
            digest=self.plan.digest,
            about=about,
            source=self.store.place.name,
            at=every.at,
            outcome=every.outcome,
            score=every.score,
            alarm=every.alarm,
            label=every.label if known else None,
            label_name=self._label or "",
            amount=every.amount if self._amount is not None else None,
            currency=self.currency,
            exponent=decimals(self.currency) if self.currency else 2,
            outcomes=OUTCOMES,
            fired=tuple(
                FiredRule(
                    name=rule.name,
                    outcome=OUTCOMES[rule.outcome],
                    because=rule.because,
                    rows=np.flatnonzero(every.held[place]),
                )
                for place, rule in enumerate(self.plan.rules)
            ),
            rows_read=len(every),
        )


def compare_recorded(
    old: type[Flow[Any]],
    new: type[Flow[Any]],
    live: Store,
    shadow: Store,
    *,
    labels: Labels | None = None,
    amount: str | None = None,
) -> Compared:
    """Set side by side what a champion and its challenger decided on the same events.

    Args:
        old, new: the two versions.
        live, shadow: their stores.
        labels: what events turned out to be, by id.
        amount: the money field to add up; default: the event's first.

    Raises:
        StoreError: a store holds no decision of its version.
    """
    left, right = (Recorded(store, flow, labels or {}, amount) for store, flow in ((live, old), (shadow, new)))
    meeting = Meeting(left, right)
    for one, other in zip_longest(left.pieces(), right.pieces()):
        meeting.take(one if one is not None else left.nothing(), other if other is not None else right.nothing())
    for side in (left, right):
        if not side.mine:
            raise StoreError(
                f"The store {side.store.address} holds no decision of {side.plan.flow}@{side.plan.digest[:12]}.",
                seen=f"{side.others:,} decisions of other versions" if side.others else "no decisions",
                do="Name the flow as it was when it decided, and the store in which it did.",
            )
    only_old, only_new = meeting.waiting()
    return replace(meeting.result(old, new), elsewhere=(right.of_others(only_old), left.of_others(only_new)))

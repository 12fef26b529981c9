"""Decisions of two versions, met by the event's id: which flip, what made the difference, how much is at stake."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.decisions.answer import OUTCOMES
from tidegate.decisions.difference import Change, apart, changes
from tidegate.decisions.flow import Flow
from tidegate.expressions.node import Expr, walk
from tidegate.expressions.words import MISSING
from tidegate.models.score import ModelScore
from tidegate.reports.compared import Cause, Compared, Flip, Group, Kind
from tidegate.runtimes.flips import LIMITS, Blamed, blame, sums, table
from tidegate.runtimes.side import Decided, Version

Ints = NDArray[np.int64]
MOST_EXAMPLES = 3


@dataclass
class Meeting:
    """Brings the decisions of two versions together, and counts."""

    left: Version
    right: Version
    groups: dict[Kind, Group] = field(default_factory=dict)
    blamed: dict[tuple[str, str], Blamed] = field(default_factory=dict)
    alarms: list[int] = field(default_factory=lambda: [0, 0])
    levels: int = 0
    scores: tuple[int, float] = (0, 0.0)
    reasons: int = 0
    flips: list[pl.DataFrame] = field(default_factory=list)
    _waiting: tuple[Decided, Decided] | None = None
    _best: dict[Kind, list[tuple[int, int, Flip]]] = field(default_factory=dict)
    _number: int = 0

    def take(self, old: Decided, new: Decided) -> None:
        """Some more decisions of each; what has not met waits."""
        if self._waiting is not None:
            old, new = self._waiting[0].and_then(old), self._waiting[1].and_then(new)
        self._waiting = None
        if len(old) == len(new) and bool((old.ids == new.ids).all()):
            self._meet(old, new)
            return
        places = pl.DataFrame({"id": new.ids, "new": np.arange(len(new))})
        met = pl.DataFrame({"id": old.ids, "old": np.arange(len(old))}).join(places, on="id", maintain_order="left")
        mine, theirs = met["old"].to_numpy(), met["new"].to_numpy()
        self._meet(old.some(mine), new.some(theirs))
        left, right = (np.setdiff1d(np.arange(len(all_)), there) for all_, there in ((old, mine), (new, theirs)))
        if len(left) or len(right):
            self._waiting = (old.some(left), new.some(right))

    def _meet(self, old: Decided, new: Decided) -> None:
        """Decisions of the same events, row by row."""
        for key, group in sums(_code(old, new), old.amount).items():
            kind = _kind(key)
            self.groups[kind] = self.groups.get(kind, Group()) + group
        self.alarms[0] += int((old.alarm & ~new.alarm).sum())
        self.alarms[1] += int((new.alarm & ~old.alarm).sum())
        self._count_levels_and_scores(old, new)
        flipped = old.outcome != new.outcome
        self.reasons += int((self._other_rules(old, new) & ~flipped).sum())
        rows = np.flatnonzero(flipped)
        if len(rows):
            self._flip(old.some(rows), new.some(rows))

    def _count_levels_and_scores(self, old: Decided, new: Decided) -> None:
        before, after = (np.array([*side.plan.levels, ""]) for side in (self.left, self.right))
        self.levels += int((before[old.level] != after[new.level]).sum())
        apart_ = np.abs(old.score - new.score)
        one_only = np.isnan(old.score) != np.isnan(new.score)
        many, most = self.scores
        self.scores = (
            many + int(((apart_ > 0) | one_only).sum()),
            max(most, float(np.nanmax(apart_, initial=0.0))),
        )

    def _other_rules(self, old: Decided, new: Decided) -> NDArray[np.bool_]:
        """On which rows the rules that fired are others, by name."""
        before = {rule.name: held for rule, held in zip(self.left.plan.rules, old.held, strict=True)}
        after = {rule.name: held for rule, held in zip(self.right.plan.rules, new.held, strict=True)}
        never = np.zeros(len(old), np.bool_)
        found = never.copy()
        for name in before.keys() | after.keys():
            found |= before.get(name, never) != after.get(name, never)
        return found

    def _flip(self, old: Decided, new: Decided) -> None:
        blamed = blame(self.left.plan, self.right.plan, old, new)
        for (rule, fires), rows in blamed.items():
            mine = self.blamed.setdefault((rule, fires), {})
            for key, group in sums(_code(old, new)[rows], old.amount[rows]).items():
                mine[key] = mine.get(key, Group()) + group
        self.flips.append(table(old, new))
        self._keep_examples(old, new, blamed)

    def _keep_examples(self, old: Decided, new: Decided, blamed: Mapping[tuple[str, str], Ints]) -> None:
        """Of each kind of flip the largest amounts."""
        kinds = np.stack([old.outcome, new.outcome, old.label])
        for kind in np.unique(kinds, axis=1).T.tolist():
            rows = np.flatnonzero((kinds == np.array(kind)[:, None]).all(axis=0))
            amount = old.amount[rows]
            large = np.where(amount == MISSING, -1.0, np.abs(amount.astype(np.float64)))
            rows = rows[np.argsort(-large, kind="stable")][:MOST_EXAMPLES]
            best = self._best.setdefault((kind[0], kind[1], kind[2]), [])
            for row in rows.tolist():
                self._number += 1
                worth = abs(int(old.amount[row])) if old.amount[row] != MISSING else -1
                if len(best) < MOST_EXAMPLES:
                    heapq.heappush(best, (worth, -self._number, self._example(old, new, row, blamed)))
                elif worth > best[0][0]:
                    heapq.heapreplace(best, (worth, -self._number, self._example(old, new, row, blamed)))

    def _example(self, old: Decided, new: Decided, row: int, blamed: Mapping[tuple[str, str], Ints]) -> Flip:
        guilty = [(rule, fires) for (rule, fires), rows in blamed.items() if row in rows]
        names: list[str] = []
        for side in (self.left, self.right):
            for rule in side.plan.rules:
                if rule.name in [name for name, _ in guilty]:
                    names += [seen.name for seen in rule.saw if seen.name not in names]
        before = self.left.values(old.cells[:, row].copy(), names)
        after = self.right.values(new.cells[:, row].copy(), names)
        return Flip(
            id=str(old.ids[row]),
            at=int(old.at[row]),
            amount=None if old.amount[row] == MISSING else int(old.amount[row]),
            kind=(int(old.outcome[row]), int(new.outcome[row]), int(old.label[row])),
            scores=(float(old.score[row]), float(new.score[row])),
            because=tuple(rule for rule, _ in guilty),
            values={name: (before.get(name), after.get(name)) for name in names},
        )

    def waiting(self) -> tuple[pl.Series, pl.Series]:
        """The events that only the old and only the new version took, by id."""
        left, right = self._waiting or (self.left.nothing(), self.right.nothing())
        return left.ids, right.ids

    def result(self, old: type[Flow[Any]], new: type[Flow[Any]]) -> Compared:
        """All of it."""
        waiting = self._waiting
        order = sorted(self._best, key=lambda kind: (-kind[2], -abs(kind[1] - kind[0]), kind))
        causes = [self._cause(rule, fires, rows, old, new) for (rule, fires), rows in self.blamed.items()]
        return Compared(
            old=self.left.figures(old.definition.purpose),
            new=self.right.figures(new.definition.purpose),
            changes=changes(old.definition, new.definition),
            groups=self.groups,
            causes=tuple(sorted(causes, key=lambda cause: (-cause.flips, cause.rule, cause.fires))),
            examples=tuple(flip for kind in order for _, _, flip in sorted(self._best[kind], reverse=True)),
            alarms=(self.alarms[0], self.alarms[1]),
            levels=self.levels,
            scores=self.scores,
            reasons=self.reasons,
            alone=(len(waiting[0]), len(waiting[1])) if waiting is not None else (0, 0),
            flips=self._table(),
        )

    def _table(self) -> pl.DataFrame:
        """Every flip, and of what currency its amount is."""
        flips = pl.concat(self.flips or [table(self.left.nothing(), self.right.nothing())])
        currency = pl.when(pl.col("amount").is_not_null()).then(pl.lit(self.left.currency or None, pl.String))
        amount = flips.columns.index("amount")
        return flips.insert_column(amount + 1, flips.select(currency.alias("currency")).to_series())

    def _cause(self, rule: str, fires: str, groups: Blamed, old: type[Flow[Any]], new: type[Flow[Any]]) -> Cause:
        placed = {_kind(key): group for key, group in groups.items()}
        if rule == LIMITS:
            return Cause("limits", fires, "A limit that the flow sets itself", (), (), placed)
        of = (new if fires == "new" else old).definition.rules[rule]
        return Cause(
            rule,
            fires,
            of.because,
            apart(rule, old.definition, new.definition),
            self._other_models(of.when),
            placed,
        )

    def _other_models(self, condition: Expr) -> tuple[Change, ...]:
        """Models that a condition reads, of one name in both versions and of other content."""
        before, after = self.left.digests, self.right.digests
        read = {node.reference: None for node in walk(condition) if isinstance(node, ModelScore)}
        names = [name for name in read if name in before and name in after and before[name] != after[name]]
        return tuple(Change(name, before[name][:12], after[name][:12]) for name in names)


def _code(old: Decided, new: Decided) -> Ints:
    """The kind of each pair of decisions as one number."""
    return (old.outcome * len(OUTCOMES) + new.outcome) * 3 + old.label + 1


def _kind(code: int) -> Kind:
    return (code // 3 // len(OUTCOMES), code // 3 % len(OUTCOMES), code % 3 - 1)

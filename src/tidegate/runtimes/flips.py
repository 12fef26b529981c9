"""Flips: which rule is to blame for a decision that came out otherwise, and how much is at stake."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.decisions.answer import OUTCOMES
from tidegate.decisions.plan import Plan
from tidegate.expressions.words import MISSING
from tidegate.reports.compared import Group
from tidegate.reports.detection import exact_sum
from tidegate.runtimes.side import Decided

Ints = NDArray[np.int64]
LIMITS = ""
"""Stands for the flow's own limits where a rule would be named."""


Blamed = dict[int, Group]


def sums(code: Ints, amount: Ints) -> dict[int, Group]:
    """Events and money by code."""
    found = {}
    for key in np.unique(code).tolist():
        rows = code == key
        of = amount[rows]
        found[key] = Group(int(rows.sum()), exact_sum(of[of != MISSING]))
    return found


def table(old: Decided, new: Decided) -> pl.DataFrame:
    """Decisions of the same events that flipped, as they are written: what is missing or not known is null."""
    label = pl.when(pl.col("label") >= 0).then(pl.col("label") == 1)
    amount = pl.when(pl.col("amount") != MISSING).then(pl.col("amount"))
    columns = {
        "id": old.ids,
        "at": pl.Series(old.at).cast(pl.Datetime("us", "UTC")),
        "label": pl.Series(old.label),
        "amount": pl.Series(old.amount),
        "old": pl.Series(OUTCOMES).gather(old.outcome),
        "new": pl.Series(OUTCOMES).gather(new.outcome),
        "old_score": pl.Series(old.score).fill_nan(None),
        "new_score": pl.Series(new.score).fill_nan(None),
    }
    return pl.DataFrame(columns).with_columns(label.alias("label"), amount.alias("amount"))


def blame(left: Plan, right: Plan, old: Decided, new: Decided) -> Mapping[tuple[str, str], Ints]:
    """For each rule that made decisions flip, and the version in which it fires, the rows on which it did.

    An outcome became severer because of the rules of the new version that ask for it and fire where they did not;
    milder, because of those of the old version that asked for the former outcome and fire no more. What no rule
    explains, the flow's own limits did.
    """
    up = new.outcome > old.outcome
    found: dict[tuple[str, str], Ints] = {}
    explained = np.zeros(len(old), np.bool_)
    for fires, mine, there, other, absent, concerned in (
        ("new", right, new, left, old, up),
        ("old", left, old, right, new, ~up),
    ):
        elsewhere = {(rule.name, rule.outcome): held for rule, held in zip(other.rules, absent.held, strict=True)}
        for rule, held in zip(mine.rules, there.held, strict=True):
            fired = concerned & held & (there.outcome == rule.outcome)
            if (rule.name, rule.outcome) in elsewhere:
                fired &= ~elsewhere[rule.name, rule.outcome]
            if fired.any():
                found[rule.name, fires] = np.flatnonzero(fired)
                explained |= fired
    if not explained.all():
        for fires, rows in (("new", ~explained & up), ("old", ~explained & ~up)):
            if rows.any():
                found[LIMITS, fires] = np.flatnonzero(rows)
    return found

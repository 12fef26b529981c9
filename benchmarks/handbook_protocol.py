"""The published single-split protocol of the fraud detection handbook, as pure functions.

Source: Le Borgne, Siblini, Lebichot, Bontempi, *Reproducible Machine Learning for Credit Card Fraud
Detection: Practical Handbook* (ULB), chapters on model selection and performance metrics.
Days are whole UTC days. Nothing here reads a score before it is made: a split is rows, a measure is a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PUBLISHED_TRAIN_START = date(2018, 7, 25)
"""First day of the published train week; the published test week starts 14 days later."""


@dataclass(frozen=True, slots=True)
class Payments:
    """Columns of `transactions.parquet`, one element per payment, in the order of the file (time, then id)."""

    at: Ints  # µs since 1970 UTC
    day: Ints  # whole days since 1970 UTC
    customer: Ints
    terminal: Ints
    amount: Ints  # cents
    fraud: Bools
    scenario: (
        Ints  # 0 honest, 1 amount over 220, 2 terminal compromised, 3 card misused: for reports only, never a feature
    )


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers into `Payments`. `test` holds only payments of customers not yet known to be compromised."""

    train: Ints
    test: Ints


def load(folder: Path) -> Payments:
    """Read `transactions.parquet` in `folder`; `TX_DATETIME` has no zone and is taken as UTC."""
    frame = pl.read_parquet(folder / "transactions.parquet")
    at = frame["TX_DATETIME"].cast(pl.Datetime("us")).to_physical().to_numpy().astype(np.int64)
    return Payments(
        at=at,
        day=at // 86_400_000_000,
        customer=frame["CUSTOMER_ID"].to_numpy().astype(np.int64),
        terminal=frame["TERMINAL_ID"].to_numpy().astype(np.int64),
        amount=frame["TX_AMOUNT_CENTS"].to_numpy().astype(np.int64),
        fraud=frame["TX_FRAUD"].to_numpy() != 0,
        scenario=frame["TX_FRAUD_SCENARIO"].to_numpy().astype(np.int64),
    )


def split(
    payments: Payments,
    train_start: date = PUBLISHED_TRAIN_START,
    *,
    train_days: int = 7,
    delay_days: int = 7,
    test_days: int = 7,
    history_days: int = 0,
) -> Split:
    """Rows to train on and rows to test on.

    Test days begin `train_days + delay_days` after `train_start`. From each test day every customer is removed who had
    a fraud in the train week, or later up to the day `delay_days + 1` days before that test day: in production that
    fraud is confirmed by then and the card blocked. `history_days` puts that many earlier days in front of the train
    week (their labels are known, too); it changes what is learned from and not what is tested.
    """
    first = (train_start - date(1970, 1, 1)) // timedelta(days=1)
    day = payments.day
    train = np.flatnonzero((day >= first - history_days) & (day < first + train_days))
    test: list[Ints] = []
    for test_day in range(first + train_days + delay_days, first + train_days + delay_days + test_days):
        known_day = test_day - delay_days - 1
        known = np.unique(payments.customer[payments.fraud & (day >= first) & (day <= known_day)])
        test.append(np.flatnonzero((day == test_day) & ~np.isin(payments.customer, known)))
    return Split(train=train, test=np.concatenate(test))


def average_precision(fraud: Bools, score: Floats) -> float:
    """Sum over distinct scores, highest first, of (recall gained) x (precision there); equal scores count as one step.

    The definition scikit-learn uses: no interpolation. Missing when there is no fraud.
    """
    hits, ranked = _cumulated(fraud, score)
    if hits.size == 0 or hits[-1] == 0:
        return float("nan")
    gained = np.diff(hits, prepend=0)
    return float(np.sum(gained * (hits / ranked)) / hits[-1])


def roc_auc(fraud: Bools, score: Floats) -> float:
    """Chance that a random fraud scores above a random honest payment, a tie counting half. Missing without both."""
    hits, ranked = _cumulated(fraud, score)
    if hits.size == 0 or hits[-1] == 0 or hits[-1] == ranked[-1]:
        return float("nan")
    misses = ranked - hits
    width = np.diff(misses, prepend=0)
    height = (hits + np.concatenate([[0], hits[:-1]])) / 2
    return float(np.sum(width * height) / (hits[-1] * misses[-1]))


def card_precision_at(day: Ints, customer: Ints, fraud: Bools, score: Floats, *, k: int = 100) -> float:
    """Mean over days of the share of compromised customers among the `k` that score highest.

    A customer's score and label on a day are the highest of their payments. A compromised customer found on one
    day is blocked and taken out of later days. The divisor is always `k`, also on a day with fewer customers.
    """
    found = np.empty(0, dtype=np.int64)
    shares: list[float] = []
    for one_day in np.unique(day):
        rows = np.flatnonzero((day == one_day) & ~np.isin(customer, found))
        ids, place = np.unique(customer[rows], return_inverse=True)
        best = np.full(ids.size, -np.inf)
        np.maximum.at(best, place, score[rows])
        bad = np.zeros(ids.size, dtype=np.bool_)
        np.logical_or.at(bad, place, fraud[rows])
        top = np.argsort(-best, kind="stable")[:k]
        caught = ids[top][bad[top]]
        shares.append(caught.size / k)
        found = np.concatenate([found, caught])
    return float(np.mean(shares))


def _cumulated(fraud: Bools, score: Floats) -> tuple[Ints, Ints]:
    """Frauds and payments at or above each distinct score, highest score first."""
    if score.size == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
    hits = np.cumsum(fraud[order].astype(np.int64))[ends]
    return hits, (ends + 1).astype(np.int64)

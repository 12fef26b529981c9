"""Small replays to report on."""

from typing import Any

import numpy as np

from tidegate.reports import Example, FiredRule, ModelFacts, ReplayFigures

DAY = 86_400_000_000
START = 1_720_000_000_000_000


def replay(rows: int = 4000, seed: int = 7, **changes: Any) -> ReplayFigures:
    """A month of payments with frauds, unknown labels, missing scores and three rules; `changes` replace fields."""
    random = np.random.default_rng(seed)
    at = np.sort(START + (random.random(rows) * 30 * DAY).astype(np.int64))
    fraud = random.random(rows) < 0.05
    score = np.where(fraud, random.beta(3, 2, rows), random.beta(1, 9, rows)).round(3)
    score[random.random(rows) < 0.01] = np.nan
    label = fraud.astype(np.int8)
    label[random.random(rows) < 0.03] = -1
    testing = np.flatnonzero(random.random(rows) < np.where(fraud, 0.4, 0.002))
    unusual = np.flatnonzero(np.nan_to_num(score) > 0.4)
    outcome = np.zeros(rows, np.int8)
    outcome[unusual] = 1
    outcome[testing] = 2
    fields: dict[str, Any] = {
        "flow": "CardFraud",
        "digest": "9f2c4e81b7aa03d1" * 4,
        "about": "Stop stolen cards; leave honest customers alone.",
        "source": "payments.parquet",
        "at": at,
        "outcome": outcome,
        "score": score,
        "alarm": np.nan_to_num(score) > 0.9,
        "label": label,
        "amount": (np.exp(random.normal(3.4, 1.1, rows)) * 100).astype(np.int64),
        "currency": "EUR",
        "exponent": 2,
        "fired": (
            FiredRule(name="testing", outcome="decline", because="Small payments in succession", rows=testing),
            FiredRule(name="unusual", outcome="review", because="Unlike this card's history", rows=unusual),
            FiredRule(name="listed", outcome="decline", because="On the block list", rows=np.empty(0, np.int64)),
        ),
        "latency_us": np.exp(random.normal(3, 0.3, 500)),
        "stages": {"windows": 0.4, "model": 1.2},
        "rows_read": rows + 3,
        "quarantined": 2,
        "refused": 1,
        "events_per_second": 123_456.0,
        "models": (ModelFacts(name="card-risk@champion", digest="77aa01c3", metrics={"ROC AUC": 0.98}),),
        "examples": (Example(id="p-1", at=START, outcome="decline", score=0.97, amount=123456, reasons=("Because",)),),
        "version": "0.1.0",
    }
    return ReplayFigures(**(fields | changes))


def bare(rows: int, **changes: Any) -> ReplayFigures:
    """A replay with nothing but times, passing outcomes and missing scores."""
    fields: dict[str, Any] = {
        "flow": "Bare",
        "at": START + np.arange(rows, dtype=np.int64),
        "outcome": np.zeros(rows, np.int8),
        "score": np.full(rows, np.nan),
        "alarm": np.zeros(rows, np.bool_),
    }
    return ReplayFigures(**(fields | changes))

"""W1 as callers have it: the rates of a replay and of the engine, whose answers are decisions and not columns."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl

from benchmarks.w1_flow import W1, Payment
from tidegate import Engine
from tidegate.runtimes.backtest import replay

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK = 8192
Take = Callable[[Engine, list[Payment]], float]


def payments(events: pl.DataFrame) -> Iterator[list[Payment]]:
    """The events as objects, some at a time."""
    for part in events.iter_slices(_CHUNK):
        yield [
            Payment(
                id=str(id),
                at=_EPOCH + timedelta(milliseconds=at),
                card=card,
                merchant=merchant,
                amount_cents=cents,
                declined=bool(declined),
            )
            for id, at, card, merchant, cents, declined in part.select(
                "id", "at_ms", "card", "merchant", "amount_cents", "declined"
            ).iter_rows()
        ]


def replayed(events: pl.DataFrame) -> float:
    """Seconds of a replay of the frame: rows are checked, repeated ids found, and every event decided."""
    frame = events.select(
        pl.col("id").cast(pl.String),
        pl.from_epoch("at_ms", time_unit="ms").dt.replace_time_zone("UTC").dt.cast_time_unit("us").alias("at"),
        "card",
        "merchant",
        "amount_cents",
        pl.col("declined").cast(pl.Boolean),
    )
    began = time.perf_counter()
    result = replay(W1, frame)
    spent = time.perf_counter() - began
    if len(result.outcome) != events.height:
        raise SystemExit(f"the replay decided {len(result.outcome)} of {events.height} events")
    return spent


def many(engine: Engine, events: list[Payment]) -> float:
    """Seconds of `Engine.decide_many`: objects in, `Decision` objects out."""
    began = time.perf_counter()
    engine.decide_many(events)
    return time.perf_counter() - began


def many_documents(engine: Engine, events: list[Payment]) -> float:
    """Seconds of `Engine.decide_json_many`: JSON in, JSON out."""
    documents = [msgspec.json.encode(event) for event in events]
    began = time.perf_counter()
    engine.decide_json_many(documents)
    return time.perf_counter() - began


def each(engine: Engine, events: list[Payment]) -> float:
    """Seconds of `Engine.decide`, an event a call."""
    decide = engine.decide
    began = time.perf_counter()
    for event in events:
        decide(event)
    return time.perf_counter() - began


def seconds(take: Take, events: pl.DataFrame) -> float:
    """Seconds in which an engine without a store takes all events; making them is not counted."""
    engine = Engine(W1)
    return sum(take(engine, part) for part in payments(events))

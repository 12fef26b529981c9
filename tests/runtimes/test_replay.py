"""A replay decides as the engine does, bit for bit, however its batches are cut."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.generator import cases
from tests.conftest import CASES
from tidegate import Money, bands, count, decline, entity, entity_list, eur, review, total
from tidegate.connectors.files import to_frame
from tidegate.connectors.files_merge import Batch
from tidegate.connectors.store import Store
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import Decision
from tidegate.decisions.encode import Encoder
from tidegate.decisions.flow import Flow
from tidegate.decisions.lists import ListChange
from tidegate.decisions.planner import plan
from tidegate.decisions.rule import Outcome
from tidegate.errors import TidegateError
from tidegate.events.contract import check
from tidegate.events.event import Event
from tidegate.reports import render, summary
from tidegate.runtimes.backtest import replay
from tidegate.runtimes.columns import KindColumns
from tidegate.runtimes.engine import Engine, Learned, Refused
from tidegate.runtimes.replay import Replay
from tidegate.runtimes.replayed import Counts, Replayed

Case = tuple[type[Flow[Any]], list[Event]]
_SHARE = settings(max_examples=max(1, CASES // 10))


def batch_of(events: Sequence[Event]) -> Batch:
    """Events in this very order, as columns."""
    kinds = list(dict.fromkeys(type(event) for event in events))
    parts = tuple((kind, to_frame([check(e) for e in events if type(e) is kind], kind)) for kind in kinds)
    return Batch(parts, np.array([kinds.index(type(event)) for event in events], np.int64))


def replayed(flow: type[Flow[Any]], batches: Sequence[Sequence[Event]], size: int) -> Any:
    run = Replay(flow, batch=size)
    for events in batches:
        run.take(batch_of(events))
    return run.result()


def bits(value: float | None) -> bytes:
    return np.float64(np.nan if value is None else value).tobytes() if value is not None else b"none"


@_SHARE
@given(cases(longest=60), st.data())
def test_replay_is_the_engine(case: Case, data: st.DataObject) -> None:
    flow, events = case.flow, case.events  # some come again, some with an id that was used for something else
    answers = Engine(flow).decide_many(events)
    decisions = [answer for answer in answers if isinstance(answer, Decision) and not answer.repeated]
    cut = data.draw(st.integers(0, len(events)))
    halves = [part for part in (events[:cut], events[cut:]) if part]
    found = replayed(flow, halves, data.draw(st.sampled_from([1, 2, 7, 64])))
    assert found.ids.to_list() == [decision.id for decision in decisions]
    assert found.outcome.tolist() == [Outcome[decision.outcome.upper()] for decision in decisions]
    assert [bits(None if s != s else s) for s in found.score.tolist()] == [bits(d.score) for d in decisions]
    assert found.frame()["level"].to_list() == [decision.level for decision in decisions]
    assert found.alarm.tolist() == [decision.alarm for decision in decisions]
    for rule in flow.definition.rules:
        fired = [row for row, d in enumerate(decisions) if any(one.rule == rule for one in d.rules)]
        assert found.fired[rule].tolist() == fired
        assert found.unknown[rule] == sum(rule in decision.unknown for decision in decisions)
    assert found.limited == sum(decision.limited is not None for decision in decisions)
    assert found.counts.decided == len(decisions)
    late = [answer for answer in answers if isinstance(answer, Refused) and answer.code == "before-retention"]
    assert found.counts.late == len(late)
    again = [a for a in answers if isinstance(a, Decision | Learned) and a.repeated]
    assert found.counts.repeated == len(again)
    assert found.counts.reused == sum(isinstance(a, Refused) and a.code == "id-reused" for a in answers)


@_SHARE
@given(cases(longest=40))
def test_columns_are_the_encoder(case: Case) -> None:
    flow, events = case.flow, case.events
    made = plan(flow.definition)
    words: dict[int, str] = {}
    ways = [KindColumns(kind, words, made.worded) for kind in made.kinds]
    encoder = Encoder(made, {}, len(events))
    for number, kind in enumerate(flow.definition.kinds):
        own = [check(event) for event in events if type(event) is kind]
        if not own:
            continue
        decider = Decider(made, capacity=len(events))
        for row, event in enumerate(own):
            encoder.put(row, number, event)
        decider.kinds[: len(own)] = number
        encoder.scatter(decider.cells, decider.kinds, len(own))
        found = ways[number].cells(to_frame(own, kind))
        assert found.tolist() == decider.cells[ways[number].columns, : len(own)].tolist()
    assert words == encoder.words


Card = entity("card")
BLOCKED = entity_list("blocked", Card)


class Paid(Event):
    card: Card  # type: ignore[valid-type]


class Listed(Flow[Paid]):
    stop = decline(BLOCKED.has(Paid.card), because="On the list")


def test_list_changes_are_seen_by_what_follows() -> None:
    at = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in range(4)]
    events: list[Event] = [
        Paid(id="a", at=at[0], card="x"),
        ListChange(id="l", at=at[1], list="blocked", key="x", listed=True),
        Paid(id="b", at=at[2], card="x"),
        Paid(id="c", at=at[3], card="y"),
    ]
    found = replayed(Listed, [events], 64)
    assert found.outcome.tolist() == [0, 2, 0]
    assert found.fired["stop"].tolist() == [1]
    assert found.counts.learned == 1


class Payment(Event):
    card: Card  # type: ignore[valid-type]
    amount: Money


class Login(Event):
    card: Card  # type: ignore[valid-type]


class Quick(Flow[Payment]):
    """Many payments after a login."""

    currency = "EUR"
    payments = count(per=Card, last="1h")
    logins = count(Login, per=Card, last="1h")
    spent = total(Payment.amount, per=Card, last="1d")
    score = payments * 1.0
    level = bands(score, low=0.0, high=2.0)
    alarm = payments >= 3
    much = review((payments >= 2) & (logins >= 1), because="Many payments after a login")
    most = decline(spent > eur(100), because="Too much in a day")


EUROS = {"amount.currency": "EUR"}


def payments(n: int) -> pl.DataFrame:
    draw = np.random.default_rng(3)
    return pl.DataFrame({
        "id": [f"p{i}" for i in range(n)],
        "at": np.sort(draw.integers(0, 3 * 86_400_000_000, n)) + 1_700_000_000_000_000,
        "who": [f"c{i}" for i in draw.integers(0, 20, n)],
        "amount": draw.integers(1, 4000, n),
        "fraud": draw.random(n) < 0.1,
    }).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))  # fmt: skip


def logins(n: int) -> pl.DataFrame:
    return payments(n).select(pl.concat_str(pl.lit("l"), "id").alias("id"), "at", card="who")


def run(**more: Any) -> Replayed:
    given = {"Payment": payments(3000), "Login": logins(500)}
    return replay(Quick, given, columns={"amount": "amount", "card": "who"}, defaults=EUROS, **more)


def test_files_and_frames_and_a_store_give_the_same(tmp_path: Path) -> None:
    payments(3000).write_parquet(tmp_path / "payments.parquet")
    logins(500).write_csv(tmp_path / "logins.csv")
    given = {"Payment": [tmp_path / "payments.parquet"], "Login": [tmp_path / "logins.csv"]}
    options: Any = {"columns": {"card": "who", "Login.card": "card"}, "defaults": EUROS, "label": "fraud"}
    files = replay(Quick, given, **options)
    frames = run(label="fraud")
    with Store.open(tmp_path / "kept.db") as store:
        kept = replay(Quick, given, store=store, **options)
        assert store.head().size == 3500
        again = replay(Quick, given, store=store, **options)
    assert again.counts.repeated == 3500
    for one in (frames, kept):
        assert one.frame().equals(files.frame())
        assert all(rows.tolist() == files.fired[name].tolist() for name, rows in one.fired.items())
        assert one.counts == files.counts
        assert np.array_equal(one.amount, files.amount)
    assert files.counts.learned == 500 and files.counts.decided == 3000
    assert files.outcome.any() and files.alarm.any()
    assert files.currency == "EUR"


def test_rows_that_come_twice_late_or_broken_are_counted() -> None:
    rows = payments(100)
    late = rows.with_columns(pl.col("at") - pl.duration(days=30), pl.concat_str(pl.lit("late"), "id").alias("id"))
    other = rows.with_columns(amount=pl.col("amount") + 1)
    broken = rows.with_columns(pl.lit(None, pl.String).alias("id"))
    given = pl.concat([rows, rows, late, other, broken])
    found = replay(Quick, given, columns={"card": "who"}, defaults=EUROS)
    counts = found.counts
    assert counts == Counts(500, 100, 0, 100, 100, 100, 100)


def test_the_figures_make_a_report() -> None:
    found = run(label="fraud")
    figures = found.figures(source="payments.parquet", about=Quick.definition.purpose)
    assert dict(summary(figures))["events decided"] == "3,000"
    assert "Too much in a day" in render(figures)
    assert len(found.latency_us) >= 199
    assert " timed one by one)" in dict(summary(figures))["time of one decision"]
    assert found.examples and found.examples[0].outcome == "decline"


def test_the_times_of_a_few_decisions_are_no_quantiles(tmp_path: Path) -> None:
    how: Any = {"columns": {"card": "who"}, "defaults": EUROS}
    with Store.open(tmp_path / "x.db") as store:
        kept_too = replay(Quick, payments(6), store=store, **how)
    both = (replay(Quick, payments(6), **how), ""), (kept_too, ", each kept on disk")
    for few, kept in both:
        assert len(few.latency_us) == 5, "the first loads kernels"
        told = dict(summary(few.figures(source="payments.parquet", about="")))
        assert told["time of one decision"] == f"not told: 5 timed one by one{kept}, too few"


def test_a_type_that_the_flow_does_not_know_is_told() -> None:
    with pytest.raises(TidegateError, match="does not know Listed events"):
        replay(Quick, {"Listed": payments(1)})
    with pytest.raises(TidegateError, match="no field 'price' to add up"):
        run(amount="price")

"""Decisions made again from their own record: the same bytes, whatever the flow uses."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tidegate import (
    Engine,
    Event,
    Flow,
    ListChange,
    Money,
    Store,
    StoreError,
    at_most,
    bands,
    count,
    deadline,
    decline,
    distinct,
    entity,
    entity_list,
    eur,
    hours,
    is_missing,
    length,
    log,
    mean,
    mode,
    model,
    review,
    since_last,
    starts_with,
    total,
    units,
)  # fmt: skip
from tidegate.decisions.decision import to_json
from tidegate.evidence.elapsed import timing
from tidegate.runtimes.remake import remake

Card = entity("card")
Shop = entity("shop")
BEGIN = datetime(2025, 3, 1, tzinfo=UTC)


class Payment(Event):
    card: Card
    shop: Shop | None
    country: str
    rate: float | None
    amount: Money


class Everything(Flow[Payment]):
    """A flow that uses a little of everything, and limits itself."""

    payments_1h = count(per=Card, last="1h")
    spent_1d = total(Payment.amount, per=Card, last="1d")
    usual = mean(Payment.amount, per=Card, last="30d")
    times_usual = Payment.amount / usual
    usual_country = mode(Payment.country, per=Card, last="30d")
    abroad = Payment.country != usual_country
    shops = distinct(Payment.shop, per=Card, last="7d")
    quiet = hours(since_last(per=Card, last="30d"))
    pair = count(per=(Card, Shop), last="30d")
    odd = starts_with(Payment.country, "X") | (length(Payment.country) > 3)
    blocked = entity_list("blocked", Card)
    risk = model("nowhere@champion", of=[times_usual, payments_1h], otherwise=0.25)
    strength = log(units(Payment.amount)) + Payment.rate.otherwise(0.5)

    listed = decline(blocked.has(Payment.card), because="The card is on the block list")
    fast = decline(payments_1h >= 2, because="Many payments in an hour")
    unlike = review((times_usual > 1.5) & abroad, because="More than usual, and abroad")
    strange = review(odd, because="A country that is none")
    unknown = review(is_missing(usual) & (Payment.amount > eur(50)), because="A first payment, and a large one")

    score = strength / 20
    level = bands(strength, low=0.0, high=7.5)
    alarm = strength > 8
    currency = "EUR"
    limits = (at_most(2, "decline", last="2h"), deadline("50ms", answer="review"))


def payments(n: int) -> Iterator[Payment]:
    for i in range(n):
        yield Payment(
            id=f"p{i}",
            at=BEGIN + timedelta(minutes=7 * i),
            card=f"card-{i % 5 if i % 9 else 0}",
            shop=None if i % 4 == 0 else f"shop-{i % 3}",
            country=["FR", "DE", "XX", "NORD"][(i * i) % 7 % 4],
            rate=None if i % 3 else i / 7,
            amount=eur(10 + (i * 37) % 90),
        )


@pytest.fixture(params=[1, 16], ids=["one at a time", "in batches"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, dict[str, bytes]]]:
    """A store, and what was answered."""
    with Store.open(tmp_path / "store.db") as store:
        engine = Engine(Everything, store=store, batch=request.param)
        answers: dict[str, bytes] = {}
        events = list(payments(120))
        engine.process(events[:40])
        engine.process(
            [ListChange(id="l1", at=BEGIN, list="blocked", key="card-3", listed=True, until=None, because=None)]
        )
        engine.process(events[40:80])
        engine.process(events[80:], overdue=[i % 5 == 0 for i in range(40)])
        for event in events:
            found = store.get(event.id)
            assert found is not None
            assert found.answer is not None
            answers[event.id] = found.answer
        yield store, answers


def test_every_decision_is_remade(kept: tuple[Store, dict[str, bytes]]) -> None:
    store, answers = kept
    wrong = {id: made.difference for id in answers if not (made := remake(store, id)).equal}
    assert not wrong


def test_how_long_it_took_is_kept_and_is_no_part_of_what_is_remade(kept: tuple[Store, dict[str, bytes]]) -> None:
    store, answers = kept
    stages = [timing(record.elapsed) for id in answers if (record := store.get(id)) is not None]
    assert len(stages) == len(answers)
    assert all(one is not None and list(one) == ["decide"] and one["decide"] > 0 for one in stages)
    assert all(b"timing" not in answer for answer in answers.values())
    assert all(remake(store, id).equal for id in list(answers)[:3])


def test_the_flow_was_put_to_use(kept: tuple[Store, dict[str, bytes]]) -> None:
    """The decisions above are of all sorts, or they would show little."""
    _, answers = kept
    told = b"\n".join(answers.values())
    for words in (
        b'"rule":"listed"',
        b'"rule":"fast"',
        b'"rule":"unlike"',
        b'"rule":"strange"',
        b"at most 2 times decline",
        b"deadline of 50ms",
    ):
        assert words in told, words
    assert b"the model is not there" in told
    assert b'"alarm":true' in told


def test_a_decision_with_every_feature_is_remade_with_them(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        engine = Engine(Everything, store=store, explain=True)
        decided = engine.decide_many(payments(30))
        for decision in decided:
            made = remake(store, decision.id)
            assert made.equal, made.difference
            assert made.answer == to_json(decision)  # type: ignore[arg-type]


def test_it_needs_neither_the_flow_nor_its_state(kept: tuple[Store, dict[str, bytes]]) -> None:
    """Another flow of the same name writes to the store; the older decisions are remade by theirs."""
    store, answers = kept

    class Other(Everything):
        """With a milder rule."""

        fast = None  # type: ignore[assignment]

    Engine(Other, store=store).decide_many(
        [
            Payment(
                id="new", at=BEGIN + timedelta(days=2), card="card-0", shop=None, country="FR", rate=None, amount=eur(5)
            )
        ]
    )
    assert remake(store, "new").equal
    assert all(remake(store, id).equal for id in answers)


def test_what_is_not_there_is_said(kept: tuple[Store, dict[str, bytes]]) -> None:
    store, _ = kept
    with pytest.raises(StoreError, match="no decision 'nobody'"):
        remake(store, "nobody")
    with pytest.raises(StoreError, match="no decision 'l1'"):
        remake(store, "l1")


def test_a_record_that_is_not_what_was_sealed_is_not_made_again(kept: tuple[Store, dict[str, bytes]]) -> None:
    store, answers = kept
    path = str(store.address)
    for place, change in enumerate(
        (
            'body = CAST(replace(CAST(body AS TEXT), \'"shop":"shop-1"\', \'"shop":"shop-9"\') AS BLOB)',
            "level = 'other'",
            "seq = 9999",
        )
    ):
        id = f"p{13 + 12 * place}"
        assert remake(store, id).equal
        with closing(sqlite3.connect(path, timeout=60)) as touching:
            assert touching.execute(f"UPDATE records SET {change} WHERE id = ?", (id,)).rowcount == 1
            touching.commit()
        with pytest.raises(StoreError, match=f"The record of '{id}' (is not what was sealed|lies outside the log)"):
            remake(store, id)
    assert remake(store, "p1").answer == answers["p1"]


def test_the_first_difference_is_named(kept: tuple[Store, dict[str, bytes]]) -> None:
    from tidegate.runtimes.remake import difference

    _, answers = kept
    answer = next(a for a in answers.values() if b'"rules"' in a)
    changed = msgspec.json.decode(answer)
    changed["rules"][0]["because"] = "Another reason"
    assert difference(answer, msgspec.json.encode(changed)).startswith(
        '/rules/0/because was "Another reason" and is now "'
    )

"""Comparing two versions of a flow, held to two engines that are asked one event at a time."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate import (
    Decision,
    Engine,
    Event,
    Flow,
    FlowError,
    Label,
    Money,
    approve,
    at_most,
    count,
    decline,
    entity,
    eur,
    review,
    total,
)
from tidegate.decisions.rule import Outcome
from tidegate.runtimes.comparison import compare

Card = entity("card")
START = datetime(2026, 1, 1, tzinfo=UTC)
LEVELS = {outcome.word: int(outcome) for outcome in Outcome}


class Payment(Event):
    card: Card
    amount: Money
    fraud: Annotated[bool | None, Label(known_after="7d")] = None


class Old(Flow[Payment]):
    recent = count(per=Card, last="10m")
    spent = total(Payment.amount, per=Card, last="1h")
    quick = decline(recent >= 4, because="Many in a short time")
    much = review(spent > eur(100), because="Much in an hour")
    fine = approve(recent < 1, because="Nothing before")
    currency = "EUR"


def challenger(many: int, euros: int, cap: int | None, late: str):
    recent, spent = Old.definition.features["recent"], Old.definition.features["spent"]

    class New(Old):
        quick = decline((recent >= many) & (spent > eur(1)), because="Many in a short time")
        much = review(spent > eur(euros), because="Much in an hour")
        limits = at_most(cap, "decline", last="30m") if cap else None
        lateness = late

    return New


def asked(flow, rows) -> dict[str, Decision]:
    """The decisions of an engine, one event at a time."""
    engine = Engine(flow)
    made = {}
    for i, (at, card, cents, _) in enumerate(rows):
        event = Payment(id=f"p{i}", at=START + timedelta(seconds=at), card=card, amount=Money(cents, "EUR"))
        answer = engine.decide(event)
        if isinstance(answer, Decision):
            made[answer.id] = answer
    return made


ROWS = st.lists(
    st.tuples(
        st.integers(0, 4000),
        st.sampled_from("abc"),
        st.integers(0, 9000),
        st.sampled_from([True, False, None]),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40)
@given(ROWS, st.integers(2, 6), st.integers(20, 200), st.sampled_from([None, 1, 3]), st.sampled_from(["1h", "10m"]))
def test_what_is_counted_is_what_two_engines_decide(rows, many, euros, cap, late) -> None:
    new = challenger(many, euros, cap, late)
    found = compare(Old, new, {"Payment": columns(rows)})
    before, after = asked(Old, rows), asked(new, rows)
    both = before.keys() & after.keys()
    kinds = Counter((LEVELS[before[id].outcome], LEVELS[after[id].outcome], label(rows[int(id[1:])][3])) for id in both)
    assert {kind: group.events for kind, group in found.groups.items()} == kinds
    money: Counter = Counter()
    for id in both:
        row = rows[int(id[1:])]
        money[LEVELS[before[id].outcome], LEVELS[after[id].outcome], label(row[3])] += row[2]
    assert {kind: group.money for kind, group in found.groups.items()} == {kind: money[kind] for kind in kinds}
    assert found.alone == (len(before.keys() - after.keys()), len(after.keys() - before.keys()))
    flips = {id for id in both if before[id].outcome != after[id].outcome}
    assert set(found.flips["id"].to_list() if found.flipped else []) == flips
    fired = [{id: {rule.rule for rule in made[id].rules} for id in both} for made in (before, after)]
    assert found.reasons == sum(fired[0][id] != fired[1][id] and id not in flips for id in both)
    for cause in found.causes:
        if cause.rule != "limits":
            mine, theirs = (fired[1], fired[0]) if cause.fires == "new" else (fired[0], fired[1])
            possible = {id for id in flips if cause.rule in mine[id] and cause.rule not in theirs[id]}
            assert 0 < cause.flips <= len(possible)
    assert sum(cause.flips for cause in found.causes) >= len(flips)


def label(fraud: bool | None) -> int:
    return -1 if fraud is None else int(fraud)


def columns(rows) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [f"p{i}" for i in range(len(rows))],
            "at": pl.Series([START + timedelta(seconds=at) for at, *_ in rows], dtype=pl.Datetime("us", "UTC")),
            "card": [card for _, card, _, _ in rows],
            "amount": [cents / 100 for _, _, cents, _ in rows],
            "currency": "EUR",
            "fraud": pl.Series([fraud for *_, fraud in rows], dtype=pl.Boolean),
        }
    ).rename({"currency": "amount.currency"})


def test_a_limit_that_made_the_difference_is_named() -> None:
    rows = [(i, "a", 100, None) for i in range(12)]
    new = challenger(4, 100, 2, "1h")
    found = compare(Old, new, {"Payment": columns(rows)})
    assert [(cause.rule, cause.fires) for cause in found.causes] == [("limits", "old")]
    assert found.causes[0].flips == found.flipped == 6


def test_examples_have_the_values_that_both_versions_saw() -> None:
    rows = [(i, "a", 100 + i, True) for i in range(4)]
    found = compare(Old, challenger(3, 100, None, "1h"), {"Payment": columns(rows)})
    (flip,) = found.examples
    assert flip.id == "p3" and flip.kind == (0, 2, 1) and flip.amount == 103 and flip.because == ("quick",)
    assert flip.values["recent"] == (3, 3)
    assert flip.values["spent"] == ("3.03 EUR", "3.03 EUR")
    (cause,) = found.causes
    assert cause.rule == "quick" and cause.fires == "new"
    assert "recent >= 4 → recent >= 3" in " ".join(map(str, cause.changes))


def test_a_flip_without_an_amount_in_the_currency_has_none_in_the_table() -> None:
    frame = columns([(i, "a", 100 + i, label) for i, label in enumerate((None, True, False, None, True, False))])
    currency = ["EUR", "EUR", "EUR", "CHF", "EUR", "CHF"]
    frame = frame.with_columns(pl.Series("amount.currency", currency))
    new = challenger(3, 100, None, "1h")
    found = compare(Old, new, {"Payment": frame})
    assert found.flips.select("id", "label", "amount", "currency").rows() == [("p3", None, None, None)]
    new = challenger(2, 100, None, "1h")
    found = compare(Old, new, {"Payment": frame})
    assert found.flips.select("id", "label", "amount", "currency").rows() == [
        ("p2", False, 102, "EUR"), ("p3", None, None, None),
    ]  # fmt: skip
    none = compare(Old, Old, {"Payment": frame}).flips
    assert none.schema == found.flips.schema and none.is_empty(), "a table of no flips has the same columns"


Plastic = entity("card")


def test_two_files_have_their_own_events_and_are_met_by_id() -> None:
    class Payment(Event):
        card: Plastic
        amount: Money
        fraud: Annotated[bool | None, Label(known_after="7d")] = None
        channel: str | None = None

    class Other(Flow[Payment]):
        quick = decline(count(per=Plastic, last="10m") >= 2, because="Many in a short time")
        currency = "EUR"

    rows = [(i, "a", 100, False) for i in range(6)]
    found = compare(Old, Other, {"Payment": columns(rows)})
    assert found.total(0, True).events == 2 and found.same == 4


def test_examples_are_of_the_largest_amounts_and_not_of_those_without_one() -> None:
    rows = [(i // 4, f"c{i}", 100 + i, True) for i in range(48)]
    currency = pl.Series("amount.currency", ["CHF" if i % 2 else "EUR" for i in range(48)])

    class New(Old):
        every = decline(Old.definition.features["recent"] >= 0, because="All")

    found = compare(Old, New, {"Payment": columns(rows).with_columns(currency)})
    assert [flip.amount for flip in found.examples] == [146, 144, 142]


def test_flows_on_other_events_cannot_be_compared() -> None:
    class Login(Event):
        card: Card

    class Logins(Flow[Login]):
        quick = decline(count(per=Card, last="10m") >= 2, because="Many in a short time")

    with pytest.raises(FlowError, match="the same event") as told:
        compare(Old, Logins, {"Payment": columns([(0, "a", 1, None)])})
    assert told.value.seen == "Payment and Login"

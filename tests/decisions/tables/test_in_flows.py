"""A table as a line of a flow: its outputs as features, its rows as rules, its trace in the decision, its digest."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from tidegate import (
    Decision,
    Engine,
    Event,
    Flow,
    FlowError,
    Money,
    Store,
    count,
    entity,
    eur,
    mean,
    review,
    table,
    usd,
)  # fmt: skip
from tidegate.decisions.difference import changes
from tidegate.decisions.plan import dump, load
from tidegate.runtimes.remake import remake

Card = entity("card")
AT = datetime(2026, 1, 1, tzinfo=UTC)


class Channel(Enum):
    APP = "app"
    WEB = "web"


class Payment(Event):
    card: Card
    country: str | None
    channel: Channel
    amount: Money


ROWS: list[dict[str, Any]] = [
    {"row": "small", "amount": "< 100", "country": "DE, FR", "rate": 0.5},
    {"row": "abroad", "amount": "[100..500)", "country": "not(DE)", "rate": 0.7,
     "outcome": "review", "because": "Abroad"},
    {"row": "huge", "amount": ">= 500", "rate": 1.5, "outcome": "decline", "because": "More than anyone spends"},
]  # fmt: skip


def made(rows: list[dict[str, Any]] = ROWS, **options: Any) -> Any:
    options = {"hit": "first", "default": {"rate": 1.0}, "currency": "EUR", **options}
    return table(rows, of={"amount": Payment.amount, "country": Payment.country}, **options)


class Pricing(Flow[Payment]):
    usual = mean(Payment.amount, per=Card, last="1d")
    many = count(per=Card, last="1d")
    pricing = made()
    cost = pricing.rate * many
    costly = review(pricing.rate * many > 2, because="Dear")


def paid(number: int, amount: Any, country: str | None = "DE") -> Payment:
    money = amount if isinstance(amount, Money) else eur(amount)
    at = AT + timedelta(minutes=number)
    return Payment(id=f"p{number}", at=at, card="c", country=country, channel=Channel.APP, amount=money)


def decided(flow: type[Flow[Any]], *events: Payment, **options: Any) -> list[Decision]:
    found = Engine(flow, **options).decide_many(events)
    assert all(isinstance(one, Decision) for one in found)
    return found  # type: ignore[return-value]


def test_a_row_decides_says_why_and_names_its_cells() -> None:
    small, abroad, huge, other = decided(
        Pricing, paid(0, 5), paid(1, 120, "US"), paid(2, 999, None), paid(3, 300), explain=True
    )
    assert (small.outcome, small.rules) == ("approve", ())
    (fired,) = abroad.rules
    assert (fired.rule, fired.row, fired.outcome, fired.because) == ("pricing.review", "abroad", "review", "Abroad")
    assert fired.saw == {"amount": "120.00 EUR", "country": "US"}
    (use,) = abroad.tables
    assert (use.table, use.matched, use.said) == ("pricing", 1, None)
    assert use.rows[0].cells == {"amount": "[100..500)", "country": "not(DE)"}
    assert use.saw == {"amount": "120.00 EUR", "country": "US"}
    assert use.outputs == {"rate": 0.7, "outcome": "review"}
    assert huge.outcome == "decline" and huge.tables[0].rows[0].cells == {"amount": ">= 500"}
    assert huge.tables[0].said == "country is missing, and only rows that allow for it can match"
    assert [rule.rule for rule in huge.rules] == ["pricing.decline", "costly"]
    assert huge.features is not None and huge.features["cost"] == 3.0
    assert other.tables[0].rows == () and other.tables[0].said == "no row matched; the default row decides"
    assert other.rules[0].saw == {"pricing.rate": 1.0, "many": 3}


def test_a_batch_and_single_events_and_a_plan_that_was_kept_say_the_same() -> None:
    events = [paid(n, 40 * n, ["DE", "US", None][n % 3]) for n in range(40)]
    whole = decided(Pricing, *events)
    engine = Engine(Pricing)
    assert [engine.decide(event) for event in events] == whole
    assert dump(load(dump(Pricing.plan))) == dump(Pricing.plan)


def test_decisions_are_made_again_from_their_record(tmp_path: Path) -> None:
    with Store.create(tmp_path / "s.db") if hasattr(Store, "create") else Store.open(tmp_path / "s.db") as store:
        engine = Engine(Pricing, store=store)
        for n, (amount, country) in enumerate([(5, "DE"), (120, "US"), (999, None), (300, "DE")]):
            engine.decide(paid(n, amount, country))
        for n in range(4):
            assert remake(store, f"p{n}").equal


def test_every_row_that_matches_fires_under_collect() -> None:
    class Collected(Flow[Payment]):
        reasons = made(
            [
                {"row": "a", "amount": "> 10", "outcome": "review", "because": "More than ten"},
                {"row": "b", "amount": "> 100", "outcome": "decline", "because": "More than a hundred"},
                {"row": "c", "country": "US", "outcome": "review", "because": "From there"},
            ],
            hit="collect",
            default=None,
        )

    one, two, none = decided(Collected, paid(0, 50, "US"), paid(1, 500), paid(2, 1))
    assert [(rule.row, rule.because) for rule in one.rules] == [("a", "More than ten"), ("c", "From there")]
    assert [rule.row for rule in two.rules] == ["b", "a"] and two.outcome == "decline"
    assert two.tables[0].outputs == {"outcome": ["review", "decline"]}
    assert none.rules == () and none.tables[0].said == "no row matched"
    with pytest.raises(FlowError, match="gives a list of outcome"):
        _ = Collected.definition.tables["reasons"].outcome


def test_two_rows_under_unique_are_no_answer_and_it_is_told() -> None:
    class Twice(Flow[Payment]):
        t = made(
            [{"amount": "< 100", "rate": 1.0, "outcome": "review", "because": "x"}, {"country": "DE", "rate": 2.0}],
            hit="unique",
            default=None,
        )
        rate = t.rate

    clash, fine = decided(Twice, paid(0, 5), paid(1, 500), explain=True)
    assert clash.tables[0].said == "rows 1 and 2 match, where only one may: no answer"
    assert clash.features == {"rate": None} and clash.unknown == ("t.review",) and clash.outcome == "approve"
    assert fine.features == {"rate": 2.0}


def test_tables_feed_tables_and_windows_feed_both() -> None:
    class Chained(Flow[Payment]):
        many = count(per=Card, last="1d")
        tier = table([{"many": "< 2", "level": "new"}, {"many": ">= 2", "level": "known"}], of={"many": many})
        limit = table(
            [
                {"level": "new", "amount": "> 50", "outcome": "review", "because": "Much for a new card"},
                {"level": "known", "amount": "> 500", "outcome": "review", "because": "Much"},
            ],
            of={"level": tier.level, "amount": Payment.amount},
            currency="EUR",
        )

    assert [one.outcome for one in decided(Chained, paid(0, 60), paid(1, 60), paid(2, 60))] == [
        "review",
        "review",
        "approve",
    ]
    assert [use.table for use in decided(Chained, paid(0, 60))[0].tables] == ["tier", "limit"]


def test_a_challenger_replaces_a_table_wherever_it_was_used() -> None:
    class Dearer(Pricing):
        pricing = made([{"amount": "-", "country": "-", "rate": 9.0}], default=None)

    class Narrower(Dearer):
        many = count(per=Card, last="1h")

    assert list(Dearer.definition.rules) == ["costly"]
    old, new = (
        decided(Pricing, paid(0, 5), paid(1, 5), explain=True),
        decided(Dearer, paid(0, 5), paid(1, 5), explain=True),
    )
    assert old[1].features is not None and old[1].features["cost"] == 0.5
    assert new[1].features is not None and new[1].features["cost"] == 9.0
    assert decided(Narrower, paid(0, 5), paid(90, 5), explain=True)[1].features["cost"] == 0.0  # type: ignore[index]
    assert len(Dearer.definition.readings) == 1
    names = [change.name for change in changes(Pricing.definition, Dearer.definition)]
    assert names == [
        "pricing",
        *(f"pricing row {row}" for row in ("small", "abroad", "huge", "default", "1")),
    ]


def test_the_digest_covers_every_cell_and_word() -> None:
    def digest(rows: list[dict[str, Any]], **options: Any) -> str:
        class Same(Flow[Payment]):
            pricing = made(rows, **options)
            rate = pricing.rate

        return Same.definition.digest

    first = digest(ROWS)
    assert digest([dict(row) for row in ROWS]) == first
    for place, change in ((0, {"amount": "<= 100"}), (1, {"because": "Far"}), (2, {"rate": 1.6}), (0, {"row": "tiny"})):
        rows = [dict(row) | (change if n == place else {}) for n, row in enumerate(ROWS)]
        assert digest(rows) != first, change
    assert digest(ROWS, default={"rate": 1.1}) != first
    assert digest(ROWS, hit="any") != first


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"amount": "< 1O0", "rate": 1}], r"table, row 1, amount: This is not money"),
        ([{"amount": "-", "rate": 1}, {"amount": "< 5 USD", "rate": 1}], r"row 2, amount: Two currencies in one"),
        ([{"amount": eur(5), "rate": 1}, {"amount": usd(5), "rate": 1}], r"row 2, amount: Two currencies"),
        ([{"country": "< DE", "amount": "-", "rate": 1}], r"row 1, country: Text has no order"),
        ([{"amount": "[5..1]", "rate": 1}], "Nothing lies in this range"),
        ([{"amount": "[1..5", "rate": 1}], "A range is not closed"),
        ([{"amount": None, "rate": 1}], "A cell is not None"),
        ([{"amount": "-", "outcome": "review"}], "A row that decides says why"),
        ([{"amount": "-", "outcome": "reveiw", "because": "x"}], "Did you mean review"),
        ([{"ammount": "-", "rate": 1}], "Is ammount meant"),
        ([{"amount": "-", "rate": rate} for rate in ("0.5x", 1, 2)], "row 1, rate: Most of"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_row_is_told_with_row_and_column(rows: list[dict[str, Any]], message: str) -> None:
    filled = [
        {"country": "-", "amount": "-", **row} if "ammount" not in row else {"country": "-", **row} for row in rows
    ]
    with pytest.raises(FlowError, match=message):
        made(filled, default=None)


def test_enumerations_are_checked_against_their_values() -> None:
    with pytest.raises(FlowError, match=r"row 2, channel: This is not one of the values there are.*Did you mean web\?"):
        table([{"channel": "app", "x": 1}, {"channel": "wev", "x": 2}], of={"channel": Payment.channel})


def test_a_flow_in_another_currency_than_its_table_is_refused() -> None:
    with pytest.raises(FlowError, match=r"amounts of another currency.*EUR in its cells, USD in the flow"):

        class Mixed(Flow[Payment]):
            currency = "USD"
            pricing = made()


def test_an_output_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(FlowError, match=r"has no output 'rat'.*Did you mean rate\?"):
        _ = made().rat
    assert not hasattr(made(), "rat")


def test_a_table_is_tried_out_by_itself() -> None:
    found = made().evaluate({"amount": eur(120), "country": "US"})
    assert found.outputs == {"rate": 0.7, "outcome": "review"} and found.rows[0].row == "abroad"
    with pytest.raises(FlowError, match=r"reads amount as money.*120 \(int\)"):
        made().evaluate({"amount": 120, "country": "US"})
    with pytest.raises(FlowError, match=r"no input 'contry'.*Did you mean country\?"):
        made().evaluate({"amount": eur(1), "country": "DE", "contry": "DE"})

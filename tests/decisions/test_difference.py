"""What tells two versions of a flow apart, in as few words as do."""

from tidegate import Event, Flow, Money, at_most, bands, count, decline, entity, eur, mean, review, table
from tidegate.decisions.difference import Change, apart, changes

Card = entity("card")


class Payment(Event):
    card: Card
    country: str
    amount: Money


class Old(Flow[Payment]):
    recent = count(per=Card, last="10m")
    usual = mean(Payment.amount, per=Card, last="30d")
    times = Payment.amount / usual
    testing = decline((recent >= 4) & (Payment.amount < eur(5)), because="Small payments in quick succession")
    unusual = review((times > 10) | (recent > 20), because="Unlike this card's history")
    level = bands(times, low=0, high=5)


def told(flow, rule: str) -> list[str]:
    return [str(change) for change in apart(rule, Old.definition, flow.definition)]


def test_the_same_flow_differs_in_nothing() -> None:
    class Same(Flow[Payment]):
        recent = count(per=Card, last="10m")
        usual = mean(Payment.amount, per=Card, last="30d")
        times = Payment.amount / usual
        testing = decline((recent >= 4) & (Payment.amount < eur(5)), because="Small payments in quick succession")
        unusual = review((times > 10) | (recent > 20), because="Unlike this card's history")
        level = bands(times, low=0, high=5)

    assert changes(Old.definition, Same.definition) == ()
    assert told(Same, "testing") == []


def test_only_the_comparison_that_changed_is_told() -> None:
    class New(Old):
        testing = decline(
            (Old.definition.features["recent"] >= 3) & (Payment.amount < eur(5)),
            because="Small payments in quick succession",
        )

    assert told(New, "testing") == ["testing: recent >= 4 → recent >= 3"]
    assert told(New, "unusual") == []
    assert [change.name for change in changes(Old.definition, New.definition)] == ["testing"]


def test_operands_of_and_that_both_have_are_left_out_whatever_their_order() -> None:
    recent = Old.definition.features["recent"]

    class New(Old):
        testing = decline(
            (Payment.country == "FR") & (Payment.amount < eur(5)) & (recent >= 4),
            because="Small payments in quick succession",
        )

    assert told(New, "testing") == ["testing: added Payment.country == 'FR'"]


def test_a_changed_window_is_found_under_the_rules_that_read_it_and_is_one_changed_line() -> None:
    class New(Old):
        recent = count(per=Card, last="1h")

    assert told(New, "testing") == ["recent: count(per=Card, last='10m') → count(per=Card, last='1h')"]
    assert [change.name for change in changes(Old.definition, New.definition)] == ["recent"]


def test_a_constant_does_not_hide_what_else_changed_beside_it() -> None:
    class New(Old):
        recent = count(per=Card, last="1h")
        testing = decline((recent >= 3) & (Payment.amount < eur(5)), because="Small payments in quick succession")

    assert told(New, "testing") == [
        "testing: recent >= 4 → recent >= 3",
        "recent: count(per=Card, last='10m') → count(per=Card, last='1h')",
    ]


def test_outcome_and_settings_are_told() -> None:
    class New(Old):
        unusual = decline(
            (Old.definition.features["times"] > 10) | (Old.definition.features["recent"] > 20),
            because="Unlike this card's history",
        )
        level = bands(Old.definition.features["times"], low=0, high=7)
        limits = at_most(5, "decline", last="1h")
        lateness = "1d"

    assert told(New, "unusual") == ["outcome: review → decline"]
    names = {change.name: change for change in changes(Old.definition, New.definition)}
    assert set(names) == {"unusual", "level", "lateness", "at most decline in 1h"}
    assert names["at most decline in 1h"] == Change("at most decline in 1h", "", "5, then review")
    assert str(names["lateness"]) == "lateness: 30d → 1d"


def test_rules_that_came_and_went() -> None:
    class New(Old):
        unusual = None
        foreign = review(Payment.country != "DE", because="From abroad")

    assert told(New, "unusual") == ["unusual: removed (times > 10) | (recent > 20)"]
    assert told(New, "foreign") == ["foreign: added Payment.country != 'DE'"]
    lines = {change.name: (bool(change.old), bool(change.new)) for change in changes(Old.definition, New.definition)}
    assert lines == {"unusual": (True, False), "foreign": (False, True)}


def tabled(rows: list[dict[str, object]]) -> type[Flow[Payment]]:
    class Tabled(Flow[Payment]):
        recent = count(per=Card, last="10m")
        fees = table(rows, of={"recent": recent, "country": Payment.country}, hit="first")
        costly = review(fees.fee > 5, because="Fees add up")

    return Tabled


def test_of_a_table_the_rows_that_changed_are_told_in_every_rule_that_reads_it() -> None:
    before = [
        {"recent": f"[{10 * i}..{10 * i + 10})", "country": "-", "fee": i, "outcome": "review", "because": "Costs"}
        for i in range(8)
    ]
    one = [*before[:3], {**before[3], "country": "DE"}, *before[4:]]
    old, new = tabled(before), tabled(one)
    row = "recent [30..40): fee 3, outcome review, because='Costs'"
    here = row.replace(":", ", country DE:", 1)
    for rule in ("fees.review", "costly"):
        assert [str(change) for change in apart(rule, old.definition, new.definition)] == [
            f"fees row 4: {row} → {here}"
        ]
    every = [{**row, "country": "FR"} for row in before]
    lines = apart("costly", old.definition, tabled(every).definition)
    assert [line.name for line in lines] == [*(f"fees row {n}" for n in (1, 2, 3, 4)), "4 more lines of fees"]
    later = tabled(before).definition

    class Slower(Flow[Payment]):
        recent = count(per=Card, last="1h")
        fees = table(before, of={"recent": recent, "country": Payment.country}, hit="first")
        costly = review(fees.fee > 5, because="Fees add up")

    assert [line.name for line in apart("costly", later, Slower.definition)] == ["recent"]

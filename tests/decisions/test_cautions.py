"""What compiles and may still not be what was meant is said."""

from typing import Annotated

from tidegate import Event, Field, Flow, Label, Money, count, decline, entity, eur, share
from tidegate.decisions.cautions import cautions

Card = entity("card")


class Payment(Event):
    card: Card
    amount: Money
    fraud: Annotated[bool | None, Label(known_after="7d")] = None


class Report(Event):
    card: Card


def titles(flow) -> list[str]:
    return [caution.title for caution in cautions(flow.definition)]


def test_a_window_over_the_events_own_label_is_told() -> None:
    class Drifts(Flow[Payment]):
        bad = decline(share(Payment.fraud, per=Card, last="90d", delay="7d") > 0.5, because="x")

    class Counts(Flow[Payment]):
        bad = decline(count(per=Card, last="90d", delay="7d", where=Payment.fraud) > 2, because="x")

    class Hears(Flow[Payment]):
        bad = decline(count(Report, per=Card, last="90d") > 2, because="x")

    assert titles(Drifts) == titles(Counts) == ["own label"]
    assert "Payment.fraud" in cautions(Drifts.definition)[0].what
    assert titles(Hears) == []


def test_amounts_in_any_currency_are_told_and_those_in_one_are_not() -> None:
    class Open(Flow[Payment]):
        large = decline(Payment.amount > eur(5), because="x")

    class Euros(Event):
        card: Card
        amount: Annotated[Money, Field(currency="EUR")]

    class Closed(Flow[Euros]):
        large = decline(Euros.amount > eur(5), because="x")

    assert titles(Open) == ["any currency"] and titles(Closed) == []

"""What a flow's class says once it is made: its parts, its text, and what a challenger changes."""

from typing import Annotated

import pytest

from tidegate.connectors.models import model
from tidegate.decisions.flow import Flow
from tidegate.decisions.rule import Outcome, at_most, bands, deadline, decline, review
from tidegate.errors import FlowError
from tidegate.events.entity import entity
from tidegate.events.event import Event
from tidegate.events.field import Field
from tidegate.events.money import Money, eur
from tidegate.features.aggregates import count, mean, total

Card = entity("card")


class Payment(Event):
    card: Card
    amount: Annotated[Money, Field(currency="EUR")]
    country: str


class Login(Event):
    card: Card
    ok: bool


class CardFraud(Flow[Payment]):
    """Stop stolen cards."""

    payments = count(per=Card, last="10m")
    failed = count(Login, per=Card, last="1h")
    usual = mean(Payment.amount, per=Card, last="30d")
    times_usual = Payment.amount / usual
    score = times_usual * 2
    level = bands(score, low=0.0, high=5.0)
    alarm = score > 8
    testing = decline((payments >= 4) & (Payment.amount < eur(5)), because="Small payments in quick succession")
    unusual = review(times_usual > 3, because="Unlike this card's history")
    limits = (at_most(100, "decline", last="1h"), deadline("50ms", answer="review"))


class Challenger(CardFraud):
    usual = mean(Payment.amount, per=Card, last="7d")
    unusual = None


def test_a_definition_holds_every_line() -> None:
    made = CardFraud.definition
    assert (made.name, made.purpose, made.event) == ("CardFraud", "Stop stolen cards.", Payment)
    assert list(made.features) == ["payments", "failed", "usual", "times_usual", "score"]
    assert list(made.rules) == ["testing", "unusual"]
    assert made.learned == (Login,)
    assert made.kinds == (Payment, Login)
    assert len(made.windows) == 3
    assert made.currency == "EUR"
    assert made.lateness == 30 * 86_400 * 10**6
    assert made.caps[0].outcome is Outcome.DECLINE and made.caps[0].then is Outcome.REVIEW
    assert made.deadline is not None and made.deadline.within == 50_000


def test_what_a_challenger_changes_is_changed_wherever_it_was_used() -> None:
    old, new = CardFraud.definition, Challenger.definition
    assert list(new.features) == list(old.features)
    assert list(new.rules) == ["testing"]
    lasts = {window.frame.last // 86_400_000_000 for window in new.windows if window.aggregate == "mean"}
    assert lasts == {7}
    assert "7d" in str(new.features["times_usual"]) and "30d" not in str(new.score)
    assert new.level is not None and "7d" in str(new.level.of)
    assert new.lateness == 7 * 86_400 * 10**6
    assert new.caps == old.caps


def test_the_digest_changes_with_what_is_decided_and_with_nothing_else() -> None:
    class Again(Flow[Payment]):
        """Other words."""

        payments = count(per=Card, last="10m")
        many = review(payments > 3, because="Many")

    class Same(Flow[Payment]):
        payments = count(per=Card, last="10m")
        many = review(payments > 3, because="Many")

    class Other(Flow[Payment]):
        payments = count(per=Card, last="10m")
        many = review(payments > 4, because="Many")

    assert Again.definition.digest == Same.definition.digest
    assert Other.definition.digest != Same.definition.digest
    assert CardFraud.definition.digest != Challenger.definition.digest


def test_the_text_names_features_where_they_are_used() -> None:
    text = CardFraud.definition.text
    assert "times_usual = Payment.amount / usual" in text
    assert 'unusual = review(times_usual > 3, because="Unlike this card\'s history")' in text
    assert "failed = count(Login, per=Card, last='1h')" in text


class Happened(Event):
    card: Card
    size: int


class Bought(Happened):
    ok: bool


class Sold(Happened):
    ok: bool


def test_what_an_event_inherits_is_its_own_under_its_parents_name_too() -> None:
    class Both(Flow[Bought]):
        learns = (Sold,)
        large = count(Sold, per=Card, last="1h", where=(Happened.size > 3) & Sold.ok)
        size = Happened.size + 1

    assert "where=(Sold.size > 3) & Sold.ok" in Both.definition.text
    assert "size = Bought.size + 1" in Both.definition.text
    assert Both.definition.kinds == (Bought, Sold)


def test_a_window_over_a_parent_is_over_the_one_event_of_the_flow_that_derives_from_it() -> None:
    class One(Flow[Bought]):
        all = count(Happened, per=Card, last="1h")
        spent = total(Happened.size, per=Card, last="1h")

    assert One.definition.kinds == (Bought,)
    assert "spent = total(Bought.size, per=Card, last='1h')" in One.definition.text
    with pytest.raises(FlowError, match=r"several here are Happened events.*Bought, Sold.*Name one"):

        class Two(Flow[Bought]):
            learns = (Sold,)
            all = count(Happened, per=Card, last="1h")


def test_a_model_is_given_a_feature_once() -> None:
    with pytest.raises(FlowError, match=r"once.*Bought\.size twice"):
        model("m@champion", of=[Bought.size, Bought.ok, Bought.size], otherwise=0.0)

    class Scored(Flow[Bought]):
        larger = Bought.size + 1
        risk = model("m@champion", of=[Bought.size, larger], otherwise=0.0)

    with pytest.raises(FlowError, match=r"once.*Bought\.size twice"):

        class Challenger(Scored):
            larger = Bought.size

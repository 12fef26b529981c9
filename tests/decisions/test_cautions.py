"""What compiles and may still not be what was meant is said."""

from pathlib import Path
from typing import Annotated

from tidegate import Event, Field, Flow, Label, Money, count, decline, entity, eur, mean, model, share
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


def test_a_value_that_may_be_missing_into_a_model_that_has_no_answer_then_is_told(tmp_path: Path) -> None:
    from onnx import helper

    from tests.models.onnx.made import graph, value

    sum_of_two = helper.make_node("ReduceSum", ["X"], ["Y"], axes=[1])
    file = tmp_path / "two.onnx"
    file.write_bytes(graph([sum_of_two], [value("X", shape=[None, 2])], opset=12).SerializeToString())

    class Seen(Event):
        card: Card
        age: float | None = None
        hour: int = 0

    class Silent(Flow[Seen]):
        usual = mean(Seen.hour, per=Card, last="30d")
        risk = model(file, of=[Seen.age, usual], otherwise=0.5, features=["age", "usual"])

    class Filled(Flow[Seen]):
        risk = model(file, of=[Seen.age.otherwise(30.0), count(per=Card, last="1h")], otherwise=0.5)

    class Passes(Flow[Seen]):
        usual = mean(Seen.hour, per=Card, last="30d")
        risk = model(file, of=[Seen.age, usual], otherwise=0.5, missing="pass")

    assert titles(Silent) == ["no answer"] and titles(Filled) == titles(Passes) == []
    assert cautions(Silent.definition)[0].what.startswith("age of two.onnx, usual of two.onnx may be missing")


def test_a_feature_named_almost_as_the_score_or_the_alarm_is_told() -> None:
    often = count(per=Card, last="1h")
    why = {"because": "Many payments"}

    class Misspelled(Flow[Payment]):
        risk = often
        scre = risk
        alarms = risk > 9
        many = decline(risk > 5, **why)

    class Used(Flow[Payment]):
        scores = often
        alarms = often > 9
        many = decline((scores > 5) | alarms, **why)

    class Both(Flow[Payment]):
        scores = often + 1
        score = often
        alarm_rate = often / 3600
        alarms = often > 9
        alarm = often > 8

    class OfAnotherType(Flow[Payment]):
        store = Payment.card
        alarms = often

    said = cautions(Misspelled.definition)
    assert [one.title for one in said] == ["a feature only"]
    assert said[0].what == (
        "scre is another name of risk, and the flow has no score; "
        "alarms is read by no other line, and the flow has no alarm."
    )
    assert "Did you mean score and alarm?" in said[0].so
    assert titles(Used) == titles(Both) == titles(OfAnotherType) == []

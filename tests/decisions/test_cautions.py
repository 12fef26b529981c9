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

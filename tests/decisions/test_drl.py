"""Packages of rules in flows: checked when the class is made, asked per event, remade without Drools."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tidegate import Decision, Engine, Event, Flow, FlowError, Money, Store, drools, entity, eur, review
from tidegate.connectors.drools import jars
from tidegate.decisions.decider import Decider
from tidegate.decisions.drl.plan import DrlAnswer
from tidegate.runtimes.remake import remake

Card = entity("card")
DRL = """package bank;
declare Paid
    amount : java.math.BigDecimal
    country : String
    count : int
end
declare Answer
    risk : double
    reason : String
    tries : Integer
end
global Double limit
rule "large abroad"
when
    Paid(amount > 1000.50, $c : country != "DE")
then
    insert(new Answer(0.9, "large, to " + $c, null));
end
rule "usual"
when
    Paid(amount <= 1000.50 || country == "DE")
then
    insert(new Answer(0.1, "usual", 7));
end
rule "stuck"
when
    $p : Paid(country == "LOOP", count >= 0)
then
    modify($p) { setCount($p.getCount() + 1) }
end
"""


class Payment(Event):
    card: Card
    amount: Money
    country: str


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    jars.fetch()
    path = tmp_path_factory.mktemp("drl") / "bank.drl"
    path.write_text(DRL)
    return path


def given(**more: Any) -> dict[str, Any]:
    return {"Paid": {"amount": Payment.amount, "country": Payment.country} | more}


GIVES = {"Answer": {"risk": float, "reason": str, "tries": int}}
OTHERWISE = {"risk": 0.5, "reason": "not known", "tries": None}


def flow(file: Path, **changed: Any) -> type[Flow[Payment]]:
    said: dict[str, Any] = {"given": given(), "gives": GIVES, "otherwise": OTHERWISE, "deadline": "20s"} | changed

    class Fraud(Flow[Payment]):
        currency = "EUR"
        checked = drools(file, **said)
        risky = review(checked.risk > 0.4, because="The bank's rules say so")
        score = checked.risk

    return Fraud


def payment(id: str, amount: int, country: str) -> Payment:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Payment(id=id, at=at, card="c", amount=eur(amount), country=country)


def test_a_package_is_asked_and_told_of_and_remade_without_drools(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path / "s.db") as store:
        engine = Engine(flow(file), store=store)
        abroad = engine.decide(payment("1", 1001, "FR"))
        usual = engine.decide(payment("2", 1001, "DE"))
        stuck = Engine(flow(file, deadline="3s"), store=store).decide(payment("3", 5, "LOOP"))
        monkeypatch.setattr("tidegate.connectors.drools.session.Runner.answer", None)
        assert all(remake(store, id).equal for id in "123")
    assert abroad.outcome == "review" and abroad.score == 0.9  # type: ignore[union-attr]
    use = abroad.packages[0]  # type: ignore[union-attr]
    assert (use.package, use.rules, use.fired, use.otherwise) == ("checked", ("large abroad",), 1, None)
    assert use.outputs == {"risk": 0.9, "reason": "large, to FR", "tries": None}
    assert usual.packages[0].outputs["tries"] == 7  # type: ignore[union-attr]
    told = stuck.packages[0]  # type: ignore[union-attr]
    assert told.otherwise == "the rules were not done within 3s" and told.outputs["risk"] == 0.5
    assert set(told.rules) == {"usual", "stuck"} and told.fired > 2


def test_a_batch_is_answered_as_one_by_one(file: Path) -> None:
    made = flow(file)
    events = [payment(str(n), 990 + n, ["DE", "FR", "GB"][n % 3]) for n in range(30)]
    one = [Engine(made).decide(event) for event in events]
    assert Engine(made).decide_many(events) == one


def test_without_a_runner_otherwise_is_used(file: Path) -> None:
    decider = Decider(flow(file).plan)
    decider.run(1)
    assert decider.packages[0].answers[0].otherwise == "Drools is not there"


def test_what_was_recorded_is_for_one_time_alone(file: Path) -> None:
    decider = Decider(flow(file).plan)
    said = DrlAnswer((0.75, "then", None))
    decider.again(1, answers=(said, said))
    assert decider.packages[0].answers[0] is said
    decider.run(1)
    assert decider.packages[0].answers[0].otherwise == "Drools is not there"


def test_packages_that_follow_one_another_are_remade_each_of_its_own_answer(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: dict[str, Any] = {"gives": GIVES, "otherwise": OTHERWISE, "deadline": "20s"}

    class Twice(Flow[Payment]):
        currency = "EUR"
        first = drools(file, given=given(), **said)
        second = drools(file, given={"Paid": {"amount": Payment.amount, "country": first.reason}}, **said)
        risky = review(second.risk > 0.4, because="The bank's rules say so")
        score = first.risk + second.risk

    with Store.open(tmp_path / "s.db") as store:
        one = Engine(Twice, store=store).decide(payment("1", 1001, "DE"))
        assert isinstance(one, Decision)
        assert [use.outputs["reason"] for use in one.packages] == ["usual", "large, to usual"]
        monkeypatch.setattr("tidegate.connectors.drools.session.Runner.answer", None)
        assert remake(store, "1").equal


def test_a_flow_with_a_package_has_no_way_for_single_events(file: Path) -> None:
    made = flow(file, given={"Paid": {"amount": Payment.amount}})
    assert not made.plan.worded  # and yet the wordings of what the package says have to be aged
    assert Engine(made)._fast is None


def test_the_drl_is_part_of_the_flow(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "bank.drl"
    other.write_text(DRL.replace("0.9", "0.8"))
    assert flow(file).plan.digest != flow(other).plan.digest
    assert flow(file).plan.packages[0].source == DRL


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"given": {"Payd": {"amount": Payment.amount}}}, "Did you mean Paid?"),
        ({"given": {"Paid": {"amont": Payment.amount}}}, "Did you mean amount?"),
        ({"given": {"Paid": {"count": Payment.amount}}}, "Paid.count in bank.drl is a Java int, and is given money"),
        ({"given": {"Paid": {"country": Payment.amount}}}, "Declare it as one of"),
        ({"given": {"Paid": {"amount": 3}}}, "fields with expressions"),
        ({"given": {}}, "is given facts"),
        ({"gives": {"Answer": {"risc": float}}}, "Did you mean risk?"),
        ({"gives": {"Answer": {"risk": str}}}, "is a Java double, and no str"),
        ({"gives": {"limt": float}}, "Did you mean limit?"),
        ({"otherwise": {"risk": 0.5, "reason": ""}}, "nothing of tries"),
        ({"otherwise": OTHERWISE | {"risk": "high"}}, "which is a float"),
        ({"deadline": "soon"}, "deadline= is a length of time"),
        ({"deadline": "2h"}, "between 1 ms and 1 minute"),
    ],
)
def test_what_does_not_fit_is_told_when_the_class_is_made(file: Path, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(FlowError, match=told.replace("?", r"\?")):
        flow(file, **changed)


def test_a_result_that_is_not_there_is_told_with_the_nearest(file: Path) -> None:
    package = drools(file, given=given(), gives=GIVES, otherwise=OTHERWISE)
    with pytest.raises(FlowError, match=r"Did you mean risk\?"):
        _ = package.risc

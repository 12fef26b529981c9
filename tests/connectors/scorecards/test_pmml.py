"""Scorecards as PMML: read back they are the same, and other engines score them the same."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.conftest import CASES
from tests.connectors.scorecards.drawn import Drawn, drawn
from tests.jpmml import evaluator
from tidegate import Event, Money, Scaling, bins, scorecard
from tidegate.connectors.scorecards.pmml_reader import read_pmml_scorecard
from tidegate.connectors.scorecards.pmml_writer import scorecard_pmml
from tidegate.decisions.decision import ScorecardUse
from tidegate.decisions.scorecards.card import Card, made
from tidegate.decisions.scorecards.evaluator import Evaluator
from tidegate.errors import DocumentError, TidegateError
from tidegate.events.types import Kind
from tidegate.models.pmml.model import read_pmml

_FEW = settings(max_examples=max(2, CASES // 25), suppress_health_check=list(HealthCheck))


def natural(card: Card, row: dict[str, Any]) -> dict[str, Any]:
    """A row of plain numbers with the units that the card knows."""

    def of(kind: Kind, value: Any) -> Any:
        if value is None:
            return None
        if kind is Kind.MONEY:
            return Money.of(Decimal(str(value)), "EUR")
        return timedelta(seconds=value) if kind is Kind.DURATION else value

    return {part.name: of(part.column.type.kind, row[part.name]) for part in card.characteristics}


def asked(card: Card, row: dict[str, Any]) -> ScorecardUse:
    return Evaluator(card).evaluate(natural(card, row))


def read_back(card: Card) -> Card:
    return made(read_pmml_scorecard(scorecard_pmml(card), "card.pmml", "card"))


@given(drawn())
def test_read_back_it_is_the_same(case: Drawn) -> None:
    card, again = case.card, read_back(case.card)
    assert again.digest == card.digest
    assert [part.bins for part in again.characteristics] != [] and again.name == "drawn"
    counts = [[(one.count, one.events) for one in part.bins] for part in card.characteristics]
    assert [[(one.count, one.events) for one in part.bins] for part in again.characteristics] == counts
    assert scorecard_pmml(again) == scorecard_pmml(card)


@given(drawn())
def test_our_own_pmml_models_say_the_same(case: Drawn) -> None:
    model = read_pmml(scorecard_pmml(case.card))
    for row in case.rows:
        use, answer = asked(case.card, row), model.answer(row)
        if use.points is None:
            assert answer.invalid
            continue
        assert answer.values["score"] == use.points
        theirs = [(code, points) for code, points in answer.reasons if points > 0][: case.card.most]
        assert theirs == [(one.code, one.lost) for one in use.reasons]
        if use.probability is not None:
            assert answer.values["probability"] == pytest.approx(use.probability, rel=1e-12)


def _compared(case: Drawn, ask: Callable[[dict[str, Any]], Any], *, reasons: bool = True) -> None:
    for row in case.rows:
        use = asked(case.card, row)
        try:
            found = ask(row)
        except Exception:  # they raise where no attribute applies
            found = None
        if use.points is None:
            assert found is None or found.get("score") is None or found["score"] != found["score"], (row, found)
            continue
        assert found is not None and found["score"] == use.points, (row, found, use)
        codes = [found.get(f"reason_code_{n + 1}") for n in range(len(use.reasons))]
        assert not reasons or codes == [one.code for one in use.reasons], (row, found, use)
        if use.probability is not None:
            assert found["probability"] == pytest.approx(use.probability, rel=1e-12)


@_FEW
@given(drawn())
def test_pypmml_scores_it_the_same(case: Drawn) -> None:
    """Its points and chance: where a characteristic lost nothing, it ranks that before those that lost some."""
    from pypmml import Model

    model = Model.fromString(scorecard_pmml(case.card).decode())
    _compared(case, model.predict, reasons=False)


@_FEW
@given(case=drawn())
def test_jpmml_scores_it_the_same(tmp_path_factory: pytest.TempPathFactory, case: Drawn) -> None:
    file = Path(tmp_path_factory.mktemp("pmml") / "card.pmml")
    file.write_bytes(scorecard_pmml(case.card))
    ask = evaluator(file)

    _compared(case, lambda row: dict(ask(row)))


THEIRS = """<PMML version="4.2" xmlns="http://www.dmg.org/PMML-4_2"><Header/>
<DataDictionary><DataField name="department" dataType="string" optype="categorical"/>
<DataField name="age" dataType="integer" optype="continuous"/>
<DataField name="income" dataType="double" optype="continuous"/></DataDictionary>
<Scorecard functionName="regression" useReasonCodes="true" reasonCodeAlgorithm="pointsBelow" initialScore="0"
 baselineMethod="other"><MiningSchema><MiningField name="department"/><MiningField name="age"/>
<MiningField name="income" missingValueReplacement="1500"/></MiningSchema>
<Characteristics>
<Characteristic name="departmentScore" reasonCode="RC1" baselineScore="19">
<Attribute partialScore="-9"><SimplePredicate field="department" operator="isMissing"/></Attribute>
<Attribute partialScore="19"><SimplePredicate field="department" operator="equal" value="marketing"/></Attribute>
<Attribute partialScore="3"><SimplePredicate field="department" operator="equal" value="engineering"/></Attribute>
<Attribute partialScore="6"><SimplePredicate field="department" operator="equal" value="business"/></Attribute>
<Attribute partialScore="0"><True/></Attribute></Characteristic>
<Characteristic name="ageScore" reasonCode="RC2" baselineScore="18">
<Attribute partialScore="-1"><SimplePredicate field="age" operator="isMissing"/></Attribute>
<Attribute partialScore="-3"><SimplePredicate field="age" operator="lessOrEqual" value="18"/></Attribute>
<Attribute partialScore="0"><CompoundPredicate booleanOperator="and">
<SimplePredicate field="age" operator="greaterThan" value="18"/>
<SimplePredicate field="age" operator="lessOrEqual" value="29"/></CompoundPredicate></Attribute>
<Attribute partialScore="18"><SimplePredicate field="age" operator="greaterThan" value="29"/></Attribute>
</Characteristic>
<Characteristic name="incomeScore" reasonCode="RC3" baselineScore="10">
<Attribute partialScore="26"><CompoundPredicate booleanOperator="xor">
<SimplePredicate field="income" operator="lessThan" value="1000"/>
<SimplePredicate field="income" operator="greaterThan" value="2500"/></CompoundPredicate></Attribute>
<Attribute partialScore="5"><SimplePredicate field="income" operator="lessOrEqual" value="1500"/></Attribute>
<Attribute partialScore="-3"><SimplePredicate field="income" operator="lessOrEqual" value="2500"/></Attribute>
</Characteristic></Characteristics></Scorecard></PMML>"""
"""After the example in the specification of PMML 4.2, with an exclusive or and a replacement added."""


class Asked(Event):
    department: str | None
    age: int | None
    income: Money | None


def test_a_card_of_others_is_read_into_bins_that_say_what_the_model_says() -> None:
    card = made(read_pmml_scorecard(THEIRS.encode(), "theirs.pmml", "theirs"))
    model, evaluator = read_pmml(THEIRS.encode()), Evaluator(card)
    assert [part.name for part in card.characteristics] == ["department", "age", "income"]
    for department in ("marketing", "engineering", "sales", None):
        for age in (None, 17, 18, 19, 29, 30):
            for income in (None, 999.99, 1000.0, 1500.0, 1500.01, 2500.0, 2500.01):
                row = {"department": department, "age": age, "income": income}
                use, answer = evaluator.evaluate(row), model.answer(row)
                assert use.points == next(iter(answer.values.values())), row
                shown = [(code, points) for code, points in answer.reasons if points > 0][:4]
                assert [(one.code, one.lost) for one in use.reasons] == shown, row


def test_in_a_flow_a_number_of_pmml_can_be_an_amount(tmp_path: Path) -> None:
    file = tmp_path / "theirs.pmml"
    file.write_text(THEIRS)
    card = scorecard(
        file, of={"department": Asked.department, "age": Asked.age, "income": Asked.income}, currency="EUR"
    )  # fmt: skip
    assert card.evaluate({"department": "marketing", "age": 30, "income": Money(99_999, "EUR")}).points == 63.0
    assert card.evaluate({"department": "marketing", "age": 30, "income": Money(100_000, "EUR")}).points == 42.0
    written = read_back(card.card)
    again = scorecard(
        {"age": bins({"< 1": 1, ">= 1": 2}, because="x")}, of=[Asked.age], scaling=Scaling(20, 600, 50)
    ).card  # fmt: skip
    assert read_back(again).digest == again.digest
    assert [part.name for part in written.characteristics] == ["department", "age", "income"]


REFUSED = [
    ("<True/>", '<SimplePredicate field="age" operator="equal" value="1"/>', "A characteristic is over one field"),
    ('partialScore="19"', "", "Attribute lacks the attribute partialScore"),
    ('partialScore="6"><SimplePredicate field="department" operator="equal" value="business"/>',
     '><SimplePredicate field="department" operator="equal" value="business"/><ComplexPartialScore>'
     '<FieldRef field="age"/></ComplexPartialScore>', "A partial score that is computed"),
    ('<MiningField name="age"/>', '<MiningField name="age" outliers="asExtremeValues" lowValue="1" highValue="9"/>',
     "Values that are replaced"),
    ('dataType="double"', 'dataType="float"', "The data type float is not read into bins"),
    ("Scorecard", "ScoreCard", "ScoreCard"),
    ("<Characteristics>", '<Characteristics foo="1">', "foo"),
    ("</PMML>", "", "not well-formed"),
    ('version="4.2"', 'version="9"', "PMML 9 is not read"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_plain_card_is_refused_with_its_line(number: int) -> None:
    old, new, said = REFUSED[number]
    assert old in THEIRS
    with pytest.raises(TidegateError) as caught:
        made(read_pmml_scorecard(THEIRS.replace(old, new).encode(), "theirs.pmml", "theirs"))
    assert said in str(caught.value) and "line" in str(caught.value)


def test_another_model_is_refused_by_its_kind() -> None:
    tree = (
        '<PMML version="4.2"><DataDictionary><DataField name="x" dataType="double" optype="continuous"/>'
        '</DataDictionary><TreeModel functionName="regression"><MiningSchema><MiningField name="x"/></MiningSchema>'
        '<Node score="1"><True/></Node></TreeModel></PMML>'
    )
    with pytest.raises(DocumentError, match="is no scorecard"):
        read_pmml_scorecard(tree.encode(), "tree.pmml", "tree")

"""Functions that are PMML models: found beside the model, asked with FEEL's values, refused by name."""

from decimal import Decimal
from typing import Any

import pytest

from tidegate.decisions.dmn import DmnModel, read_dmn
from tidegate.errors import DocumentError

from .written import decision, dmn, formal, given, literal, sound, why


def pmml(*models: str, fields: str = "") -> bytes:
    """A document of these models over an amount, a country and a day."""
    return (
        '<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/><DataDictionary>'
        '<DataField name="amount" optype="continuous" dataType="double">'
        '<Interval closure="closedClosed" leftMargin="0" rightMargin="1000"/></DataField>'
        '<DataField name="country" optype="categorical" dataType="string"/>'
        '<DataField name="risk" optype="continuous" dataType="double"/>'
        '<DataField name="fraud" optype="categorical" dataType="string">'
        '<Value value="no"/><Value value="yes"/></DataField>'
        f"{fields}</DataDictionary>{''.join(models)}</PMML>"
    ).encode()


def regression(name: str, slope: str = "2") -> str:
    """`slope * amount + 1`, and 10 more in France."""
    return (
        f'<RegressionModel modelName="{name}" functionName="regression"><MiningSchema><MiningField name="amount"/>'
        '<MiningField name="country"/><MiningField name="risk" usageType="target"/></MiningSchema>'
        f'<RegressionTable intercept="1"><NumericPredictor name="amount" coefficient="{slope}"/>'
        '<CategoricalPredictor name="country" value="FR" coefficient="10"/></RegressionTable></RegressionModel>'
    )


def tree(output: str = "") -> str:
    """Fraud above 100, nine times of ten."""
    counts = '<ScoreDistribution value="no" recordCount="{}"/><ScoreDistribution value="yes" recordCount="{}"/>'
    return (
        '<TreeModel modelName="tree" functionName="classification"><MiningSchema><MiningField name="amount"/>'
        f'<MiningField name="fraud" usageType="target"/></MiningSchema>{output}<Node id="0"><True/>'
        f'<Node id="1" score="yes"><SimplePredicate field="amount" operator="greaterThan" value="100"/>'
        f"{counts.format(1, 9)}</Node>"
        f'<Node id="2" score="no"><True/>{counts.format(9, 1)}</Node></Node></TreeModel>'
    )


BOTH = (
    '<Output><OutputField name="label" feature="predictedValue" dataType="string" optype="categorical"/>'
    '<OutputField name="p" feature="probability" value="yes" dataType="double" optype="continuous"/></Output>'
)


def asking(document: str, parameters: str = "amount: number, country: string", *, model: str = "") -> str:
    """The function Risk, which is a PMML model."""
    entries = f'<contextEntry><variable name="document"/>{literal(document)}</contextEntry>'
    entries += f'<contextEntry><variable name="model"/>{literal(model)}</contextEntry>' if model else ""
    return (
        '<businessKnowledgeModel name="Risk" id="Risk"><variable name="Risk"/><encapsulatedLogic kind="PMML">'
        f"{formal(parameters)}<context>{entries}</context></encapsulatedLogic></businessKnowledgeModel>"
    )


def model(function: str, *more: str, call: str = "Risk(Amount, Country)", **files: bytes) -> DmnModel:
    inputs = (given("Amount"), given("Country"))
    asked = decision("D", literal(call), needs=("Amount", "Country"), knows=("Risk",))
    named = {f"{name}.pmml": data for name, data in files.items()}
    return read_dmn(dmn(*more, *inputs, function, asked), "m.dmn", imports=named)


def value(model: DmnModel, **inputs: Any) -> Any:
    return model.evaluate("D", {"Amount": 20, "Country": "FR"} | inputs).value


def test_a_function_is_the_model_of_its_document() -> None:
    found = model(asking('"risk.pmml"'), risk=pmml(regression("r")))
    assert not found.findings and found.pmml == ("risk.pmml",)
    assert value(found) == Decimal(51) and value(found, Country="DE") == Decimal(41)
    assert found.call("Risk", {"amount": "0.5", "country": "DE"}).value is None
    assert found.call("Risk", {"amount": 0.5, "country": "DE"}).value == Decimal(2)


def test_a_document_may_go_by_the_name_of_its_import() -> None:
    named = (
        '<import name="rm" namespace="urn:pmml" importType="http://www.dmg.org/PMML-4_4" locationURI="./risk.pmml"/>'
    )
    found = model(asking('"rm"'), named, risk=pmml(regression("r")))
    assert not found.findings and value(found) == Decimal(51)
    (lost,) = model(asking('"risk.pmml"'), named.replace("./risk", "risc"), risk=pmml(regression("r"))).findings
    assert 'there is no PMML file "risc.pmml" beside the model: is it "risk.pmml"?' in lost.wrong


def test_of_several_models_one_is_meant_by_its_name_or_else_the_first() -> None:
    document = pmml(regression("one", "2"), regression("two", "3"))
    assert value(model(asking('"risk.pmml"'), risk=document)) == Decimal(51)
    assert value(model(asking('"risk.pmml"', model='"two"'), risk=document)) == Decimal(71)
    with pytest.raises(DocumentError, match="has no model 'tow'") as told:
        model(asking('"risk.pmml"', model='"tow"'), risk=document)
    assert "Is it 'two'?" in str(told.value)


def test_one_output_is_a_value_and_several_are_a_context() -> None:
    alone = model(asking('"t.pmml"', "amount: number"), call="Risk(Amount)", t=pmml(tree()))
    assert value(alone) == "no" and value(alone, Amount=101) == "yes"
    both = model(asking('"t.pmml"', "amount: number"), call="Risk(Amount)", t=pmml(tree(BOTH)))
    assert value(both, Amount=101) == {"label": "yes", "p": Decimal("0.9")}


def test_a_function_written_in_feel_may_be_a_model_too() -> None:
    call = '(function(amount, country) external {pmml: {document: "risk.pmml", model: "r"}})(Amount, Country)'
    data = dmn(given("Amount"), given("Country"), decision("D", literal(call), needs=("Amount", "Country")))
    assert value(sound(data, imports={"risk.pmml": pmml(regression("r"))})) == Decimal(51)
    for text, said in ((b"<PMML/>", "risk.pmml"), (None, 'there is no PMML file "risk.pmml"')):
        found = sound(data, imports={} if text is None else {"risk.pmml": text})
        result = found.evaluate("D", {"Amount": 1, "Country": "FR"})
        assert result.value is None and said in why(result)


def test_values_that_the_model_does_not_take_are_null_with_the_reason() -> None:
    found = model(asking('"risk.pmml"', "amount, country"), risk=pmml(regression("r")))
    for amount in (1001, "much", [1, 2]):
        result = found.evaluate("D", {"Amount": amount, "Country": "FR"})
        assert result.value is None and 'business knowledge model "Risk" (m.dmn:4)' in why(result), amount


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('"risc.pmml"', 'there is no PMML file "risc.pmml" beside the model: is it "risk.pmml"?'),
        ('"../risk.pmml"', 'the PMML document "../risk.pmml" is no file beside the model'),
        ('"/etc/passwd"', 'the PMML document "/etc/passwd" is no file beside the model'),
        ('"http://127.0.0.1/risk.pmml"', "is no file beside the model"),
        ('"sub\\\\risk.pmml"', "is no file beside the model"),
        ("Amount", "it names no PMML document"),
    ],
)
def test_a_document_that_does_not_lie_beside_the_model_is_named_and_not_opened(document: str, said: str) -> None:
    found = model(asking(document), risk=pmml(regression("r")))
    (finding,) = (one for one in found.findings if one.severity == "error" and "called" not in one.wrong)
    assert said in finding.wrong and finding.line == 4
    result = found.evaluate("D", {"Amount": 1, "Country": "FR"})
    assert result.value is None and result.reasons


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><PMML>&f;</PMML>', "declares a document type"),
        (pmml(regression("r"))[:-20], "not well-formed"),
        (b"<PMML version='9'/>", "PMML 9 is not read"),
        (pmml(), "holds no model"),
        (pmml("<TimeSeriesModel functionName='timeSeries'/>"), "TimeSeriesModel"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_by_its_name(text: bytes, said: str) -> None:
    with pytest.raises(DocumentError, match=r"risk\.pmml|TimeSeriesModel|PMML") as told:
        model(asking('"risk.pmml"'), risk=text)
    assert said in str(told.value)


def test_parameters_that_the_model_does_not_read_are_found() -> None:
    found = model(asking('"risk.pmml"', "amuont: number, country: number"), risk=pmml(regression("r")))
    assert [one.wrong for one in found.findings] == [
        'the PMML model reads "amount", which is no parameter of the function: is it "amuont"?',
        'the PMML model reads "country" as string, and the parameter is number.',
    ]


def test_functions_of_the_host_come_first() -> None:
    found = model(asking('"risk.pmml"'), risk=pmml(regression("r")))
    result = found.evaluate("D", {"Amount": 1, "Country": "FR"}, functions=lambda *_: Decimal(7))
    assert result.value == Decimal(7)


def test_dates_go_in_and_numbers_come_out() -> None:
    fields = '<DataField name="day" optype="ordinal" dataType="date"/>'
    days = (
        '<RegressionModel functionName="regression"><MiningSchema><MiningField name="day"/>'
        '<MiningField name="risk" usageType="target"/></MiningSchema><LocalTransformations>'
        '<DerivedField name="n" optype="continuous" dataType="double"><Apply function="formatDatetime">'
        '<FieldRef field="day"/><Constant dataType="string">%d</Constant></Apply></DerivedField>'
        '</LocalTransformations><RegressionTable intercept="0"><NumericPredictor name="n" coefficient="1"/>'
        "</RegressionTable></RegressionModel>"
    )
    found = model(asking('"d.pmml"', "day: date"), call="Risk(date(Amount))", d=pmml(days, fields=fields))
    assert value(found, Amount="2026-11-28") == Decimal(28)

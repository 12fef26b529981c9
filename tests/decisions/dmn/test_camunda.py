"""Files of Camunda Modeler: what its engine gives every decision is given here; other files keep to the standard."""

from decimal import Decimal

import pytest

from tidegate.decisions.dmn import read_dmn

CAMUNDA = 'namespace="http://camunda.org/schema/1.0/dmn" exporter="Camunda Modeler" exporterVersion="5.20"'


def clause(text: str, kind: str) -> str:
    return f'<input><inputExpression typeRef="{kind}"><text>{text}</text></inputExpression></input>'


def rule(*cells: str) -> str:
    *tests, output = cells
    written = "".join(f"<inputEntry><text>{one}</text></inputEntry>" for one in tests)
    return f"<rule>{written}<outputEntry><text>{output}</text></outputEntry></rule>"


def dinner(root: str = CAMUNDA, more: str = "") -> bytes:
    """The dinner of Camunda's own manual: an input drawn under another name, and a decision read by its column."""
    return f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Dinner" {root}>
      <inputData id="s" name="Season"/>
      <decision id="dish" name="Dish">
        <informationRequirement><requiredInput href="#s"/></informationRequirement>
        <decisionTable hitPolicy="FIRST">{clause("season", "string")}{clause("guestCount", "integer")}
          <output name="desiredDish" typeRef="string"/>{more}
          {rule('"Fall"', "&lt;= 8", '"Spareribs"')}{rule("", "", '"Stew"')}</decisionTable></decision>
      <decision id="drinks" name="Beverages">
        <informationRequirement><requiredDecision href="#dish"/></informationRequirement>
        <decisionTable hitPolicy="COLLECT">{clause("desiredDish", "string")}{clause("guestsWithChildren", "boolean")}
          <output name="beverages" typeRef="string"/>
          {rule('"Spareribs"', "", '"Beer"')}{rule("", "true", '"Juice"')}</decisionTable></decision>
      <decision id="bill" name="Bill"><literalExpression><text>guestCount * price</text></literalExpression></decision>
    </definitions>""".encode()


def test_what_tables_ask_for_are_inputs_and_columns_are_read_by_their_names() -> None:
    model = read_dmn(dinner(), "dinner.dmn")
    assert not model.findings
    kinds = {name: str(kind) for name, kind in model.inputs.items()}
    assert kinds == {
        "season": "string", "guestCount": "Any", "guestsWithChildren": "boolean", "price": "Any", "Season": "Any"
    }  # fmt: skip
    evening = {"season": "Fall", "guestCount": 4, "guestsWithChildren": True, "price": 25}
    assert model.evaluate("Beverages", evening).value == ["Beer", "Juice"]
    assert model.evaluate("Beverages", evening | {"guestCount": 9}).value == ["Juice"]
    assert model.evaluate("Bill", evening).value == Decimal(100)


def test_a_column_of_several_is_read_from_the_context() -> None:
    data = dinner(more='<output name="courses" typeRef="long"/>').replace(b"guestsWithChildren", b"courses")
    for dish in (b'"Spareribs"</text></outputEntry>', b'"Stew"</text></outputEntry>'):
        data = data.replace(dish, dish + b"<outputEntry><text>3</text></outputEntry>")
    data = data.replace(b'typeRef="boolean"', b'typeRef="double"').replace(b"<text>true</text>", b"<text>3</text>")
    model = read_dmn(data, "dinner.dmn")
    assert not model.findings
    assert model.evaluate("Beverages", {"season": "Fall", "guestCount": 4}).value == ["Beer", "Juice"]


@pytest.mark.parametrize("root", ['namespace="urn:mine"', 'namespace="urn:mine" exporter="Trisotech"'])
def test_a_file_of_another_tool_keeps_to_the_standard(root: str) -> None:
    model = read_dmn(dinner(root), "dinner.dmn")
    assert model.inputs.keys() == {"Season"}
    wrong = [one.wrong for one in model.findings if one.severity == "error"]
    assert 'nothing here is called "season".' in wrong and 'nothing here is called "desiredDish".' in wrong

"""Decision tables of DMN models as tables of flows, held to what the DMN engine says of the same model."""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.connectors.table_dmn import read_dmn_table
from tidegate.decisions.dmn.model import read_dmn
from tidegate.decisions.tables.evaluator import Evaluator
from tidegate.decisions.tables.plan import plan_of
from tidegate.decisions.tables.table import made
from tidegate.decisions.tables.trace import IndexedTable
from tidegate.errors import DocumentError, FlowError
from tidegate.events.types import BOOL, INT, TEXT, Type

RULES = [
    ("[18..25)", '"low","medium"', "0.5"), (">= 25", 'not("high")', "0.7"), ("-", '"high"', "2"), ("null", "-", "9"),
    ("]10..12]", "-", "3"), ("< 5, 7", "-", "4"),
]  # fmt: skip


def model(
    rules: list[tuple[str, str, str]] = RULES, policy: str = "FIRST", allowed: tuple[str, str] = ("", "")
) -> bytes:
    ages, risks = (f"<inputValues><text>{_escaped(one)}</text></inputValues>" if one else "" for one in allowed)
    rows = "".join(
        f'<rule id="r{n}"><inputEntry><text>{_escaped(a)}</text></inputEntry>'
        f"<inputEntry><text>{_escaped(b)}</text></inputEntry><outputEntry><text>{c}</text></outputEntry></rule>\n"
        for n, (a, b, c) in enumerate(rules)
    )
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" name="m" namespace="urn:m" id="m">'
        '<inputData id="a" name="age"><variable name="age" typeRef="number"/></inputData>'
        '<inputData id="k" name="risk"><variable name="risk" typeRef="string"/></inputData>'
        '<decision id="d" name="Fee"><variable name="Fee" typeRef="number"/>'
        '<informationRequirement id="i1"><requiredInput href="#a"/></informationRequirement>'
        '<informationRequirement id="i2"><requiredInput href="#k"/></informationRequirement>'
        f'<decisionTable id="t" hitPolicy="{policy}">'
        '<input id="c1"><inputExpression typeRef="number"><text>age</text></inputExpression>' + ages + "</input>"
        '<input id="c2"><inputExpression typeRef="string"><text>risk</text></inputExpression>' + risks + "</input>"
        f'<output id="o" typeRef="number"/>\n{rows}</decisionTable></decision></definitions>'
    ).encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def test_a_plain_table_says_what_the_model_says() -> None:
    engine, evaluator = read_dmn(model(), "m.dmn"), Evaluator(made(read_dmn_table(model(), "m.dmn")))
    for age, risk in product((None, 1, 5, 7, 10, 11, 12, 18, 25, 40), (None, "low", "medium", "high")):
        said: Any = engine.evaluate("Fee", {"age": None if age is None else Decimal(age), "risk": risk}).value
        found = evaluator.evaluate({"age": age, "risk": risk}).outputs["Fee"]
        assert found == (None if said is None else float(said)), (age, risk)


def test_what_is_none_of_the_values_of_a_column_is_seen_as_missing() -> None:
    data = model(
        [("> 20", "-", "1"), ("null", '"low"', "2"), ("-", 'not("low")', "3")], allowed=("[0..30]", '"low","high"')
    )
    evaluator = Evaluator(made(read_dmn_table(data, "m.dmn")))
    asked = {
        (25, "low"): 1.0,
        (40, "low"): 2.0,
        (None, "low"): 2.0,
        (5, "low"): None,
        (40, "odd"): 3.0,
        (25, "odd"): 1.0,
    }
    for (age, risk), fee in asked.items():
        assert evaluator.evaluate({"age": age, "risk": risk}).outputs["Fee"] == fee, (age, risk)


_BOUNDS = st.sampled_from(["-1", "0", "1", "2.5", "5"])
_TESTS = st.one_of(
    _BOUNDS,
    st.tuples(st.sampled_from(["< ", "<= ", "> ", ">= ", "= "]), _BOUNDS).map("".join),
    st.sampled_from(["[0..2.5]", "(0..5)", "]1..5[", "[-1..-1]"]),
)
_SEVERAL = st.lists(_TESTS, min_size=1, max_size=3).map(", ".join)
_NUMBER_CELLS = _SEVERAL | _SEVERAL.map("not({})".format) | st.sampled_from(["-", "null", "not(null)", "1, null"])
_TEXT_CELLS = st.sampled_from(
    ["-", "null", "not(null)", '"low"', '"1"', '"true"', 'not("low")', 'not("1", "-")', '"missing", "-"', '"a, b"']
)
_TEXTS = st.sampled_from([None, "low", "1", "true", "missing", "-", "a, b", ""])


@given(
    st.lists(st.tuples(_NUMBER_CELLS, _TEXT_CELLS), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from([None, -1, 0, 1, 2, 2.5, 3, 5, 7]), _TEXTS), min_size=1, max_size=4),
    st.sampled_from(["", "", "[0..2.5]", "not(1)", "0, 1, 2", "< 5", "1, null"]),
    st.sampled_from(["", "", '"low", "1"', 'not("low")', '"true", null']),
)
def test_random_tables_say_what_the_model_says(
    cells: list[tuple[str, str]], asks: list[tuple[Any, Any]], ages: str, risks: str
) -> None:
    """Where a column has values that it takes, null stands for all others."""
    data = model([(*cell, str(row)) for row, cell in enumerate(cells, 1)], allowed=(ages, risks))
    engine, evaluator = read_dmn(data, "m.dmn"), Evaluator(made(read_dmn_table(data, "m.dmn")))
    for age, risk in asks:
        said: Any = engine.evaluate("Fee", {"age": None if age is None else Decimal(str(age)), "risk": risk}).value
        found = evaluator.evaluate({"age": age, "risk": risk}).outputs["Fee"]
        assert found == (None if said is None else float(said)), (age, risk)


@pytest.mark.parametrize("cells", [('"1"', "-"), ("-", "1"), ("-", "not(true)"), ('< 5, "a"', "-")])
def test_a_cell_of_another_type_than_its_column_is_refused_with_its_line(cells: tuple[str, str]) -> None:
    with pytest.raises(DocumentError, match="never equal") as told:
        read_dmn_table(model([("-", "-", "1"), (*cells, "2")]), "m.dmn")
    assert told.value.line == 3


@pytest.mark.parametrize(("cell", "type"), [('"1"', INT), ('"true"', BOOL), ("1", TEXT), ("true", TEXT), ("1", BOOL)])
def test_a_feature_of_another_type_than_the_cells_is_refused(cell: str, type: Type) -> None:
    data = model([(cell, "-", "1")]).replace(b'typeRef="number"><text>age', b"><text>age")
    with pytest.raises(FlowError, match=r"^m\.dmn, decision 'Fee' compares age.*never equal"):
        made(read_dmn_table(data, "m.dmn"), {"age": type, "risk": TEXT})


@pytest.mark.parametrize("cell", ["age + 1", "> base", "date(2020)", "? > 5", "x"])
def test_a_cell_that_is_not_plain_is_refused_with_its_line(cell: str) -> None:
    with pytest.raises(DocumentError, match=r"not plain.*line 3") as told:
        read_dmn_table(model([("-", "-", "1"), (cell, "-", "2")]), "m.dmn")
    assert told.value.line == 3


def test_a_decision_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(DocumentError, match=r"Did you mean Fee\?"):
        read_dmn_table(model(), "m.dmn", "Fees")


def _deciding(head: str, because: str, more: str = "") -> bytes:
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" name="m" namespace="urn:m" id="m">'
        '<inputData id="a" name="age"><variable name="age" typeRef="number"/></inputData>'
        '<decision id="d" name="Limit"><variable name="Limit"/>'
        '<informationRequirement id="i"><requiredInput href="#a"/></informationRequirement>'
        '<decisionTable id="t" hitPolicy="FIRST">'
        '<input id="c"><inputExpression typeRef="number"><text>age</text></inputExpression></input>'
        f'<output id="o" name="outcome" typeRef="string">{more}</output>{head}'
        '<rule id="r"><inputEntry><text>&lt; 18</text></inputEntry>'
        f'<outputEntry><text>"decline"</text></outputEntry>{because}</rule></decisionTable></decision></definitions>'
    ).encode()


@pytest.mark.parametrize(
    ("head", "because"),
    [
        ('<annotation name="note"/><annotation name="because"/>',
         "<annotationEntry><text>n</text></annotationEntry>"
         '<annotationEntry><text>Too "young"</text></annotationEntry>'),
        ('<output id="w" name="because" typeRef="string"/>',
         '<outputEntry><text>"Too \\"young\\""</text></outputEntry>'),
    ],
)  # fmt: skip
def test_a_row_that_decides_says_why_by_an_annotation_or_an_output(head: str, because: str) -> None:
    table = made(read_dmn_table(_deciding(head, because), "m.dmn"))
    assert table.decides and [row.because for row in table.rows] == ['Too "young"']
    assert [column.name for column in table.outputs] == ["outcome"]


def test_a_row_that_decides_and_does_not_say_why_is_told_both_ways() -> None:
    for head, because in (("", ""), ('<annotation name="because"/>', "")):
        with pytest.raises(FlowError, match="says why") as told:
            made(read_dmn_table(_deciding(head, because), "m.dmn"))
        assert "annotation" in told.value.do and "output" in told.value.do


_TENTHS = st.lists(st.decimals(-50, 50, places=3), min_size=1, max_size=70)


@settings(max_examples=40)
@given(_TENTHS)
def test_decimals_are_added_as_the_model_adds_them(outputs: list[Decimal]) -> None:
    head, foot = model([(">= 1", "-", str(one)) for one in outputs], "COLLECT").split(b'hitPolicy="COLLECT"')
    content = head + b'hitPolicy="COLLECT" aggregation="SUM"' + foot
    said: Any = read_dmn(content, "m.dmn").evaluate("Fee", {"age": Decimal(3), "risk": None}).value
    found = Evaluator(made(read_dmn_table(content, "m.dmn"))).evaluate({"age": 3, "risk": None}).outputs["Fee"]
    assert found == float(said)


def test_what_was_added_as_doubles_before_still_is_where_it_is_made_again() -> None:
    head, foot = model([(">= 1", "-", "0.1"), (">= 2", "-", "0.2")], "COLLECT").split(b'hitPolicy="COLLECT"')
    table = made(read_dmn_table(head + b'hitPolicy="COLLECT" aggregation="SUM"' + foot, "m.dmn"))
    cells = np.array([[3], [-(2**63)], [0], [0], [0]], np.int64)
    cells[0] = cells[0].astype(np.float64).view(np.int64) if table.inputs[0].type.is_float else cells[0]
    for scale, total in ((10, 0.3), (0, 0.30000000000000004)):
        plan = replace(plan_of(table, [0, 1], [2], 3, 4), scale=scale)
        IndexedTable(plan).answer(cells, 0, 1)
        assert cells[2].view(np.float64)[0] == total

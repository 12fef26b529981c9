"""Several targets, targets beside outputs, what need not be given, and what outputs say beside the prediction."""

import math
from typing import Any

import pytest

from tidegate.errors import DocumentError
from tidegate.models.pmml.model import PmmlModel, read_pmml
from tidegate.models.pmml.scorer import PmmlScorer

from .documents import FIELDS, document, schema
from .test_models import SAID, lt, neighbours, network, regression, tree
from .test_random_rows import EACH, general, several

ROW = {"x": 0.3, "y": 0.6, "c": "a"}
BOTH = '<MiningField name="n" usageType="target"/><MiningField name="t" usageType="target"/></MiningSchema>'


def read(model: str, fields: dict[str, str] | None = None) -> PmmlModel:
    return read_pmml(document(model, fields=fields or FIELDS))


def said(model: PmmlModel, **row: Any) -> dict[str, Any]:
    answer = model.answer(ROW | row)
    assert not answer.invalid
    return dict(answer.values)


def test_neighbours_say_a_number_and_a_category() -> None:
    one = neighbours("regression", "", "n")
    both = one.replace('<MiningField name="n" usageType="target"/></MiningSchema>', BOTH).replace(
        'functionName="regression"', 'functionName="mixed"'
    )
    outputs = "".join(f'<OutputField name="of_{name}" targetField="{name}" feature="predictedValue"/>' for name in "nt")
    both = both.replace("<Output>", f"<Output>{outputs}")
    model = read(both)
    assert model.targets == ("n", "t")
    wanted_n = said(read(one))["said"]
    wanted_t = said(read(neighbours("classification", "", "t")))["said"]
    seen = said(model)
    assert (seen["of_n"], seen["of_t"], seen["said"]) == (wanted_n, wanted_t, wanted_n)
    with pytest.raises(DocumentError, match=r"'z' is no target of the model.*n, t"):
        read(both.replace('targetField="n"', 'targetField="z"'))


def test_a_network_has_outputs_for_each_target() -> None:
    one = network("tanh", "none")
    number = (
        '<NeuralOutput outputNeuron="h"><DerivedField optype="continuous" dataType="double"><FieldRef field="n"/>'
        "</DerivedField></NeuralOutput></NeuralOutputs>"
    )
    both = one.replace('<MiningField name="t" usageType="target"/></MiningSchema>', BOTH)
    model = read(
        both.replace("</NeuralOutputs>", number).replace('<OutputField name="', '<OutputField targetField="t" name="')
    )
    seen, alone = said(model), said(read(one))
    assert {key: seen[key] for key in alone} == alone
    assert seen["n"] == pytest.approx(math.tanh(0.1 + 0.7 * 0.3 - 0.4))
    with pytest.raises(DocumentError, match="NeuralOutputs of 'n'"):
        read(both)


def test_a_chain_says_of_each_target_what_its_models_do() -> None:
    for how in ("modelChain", "x-multiModelChain"):
        model = read(several(how))
        seen = said(model)
        label = said(read(tree("lastPrediction", "returnLastPrediction")))
        assert seen == {"inner": said(read(regression(1, 2)))["n"], "n": seen["inner"], "t": label["said"]} | label
        assert {name: value for name, value in said(model, x=2.0).items() if name != "n" and name != "inner"} == {
            "t": None, "said": None, "no": None, "yes": None
        }  # fmt: skip
    with pytest.raises(DocumentError, match="average is of one target"):
        read(several("average"))
    with pytest.raises(DocumentError, match=r"TreeModel of several targets is not supported.*per target"):
        read(tree("none", "").replace('<MiningField name="t" usageType="target"/></MiningSchema>', BOTH))


def test_a_target_is_given_beside_other_outputs() -> None:
    bare = tree("none", "returnLastPrediction")
    shares = bare.replace(
        '<OutputField name="said" feature="predictedValue" dataType="string" optype="categorical"/>', ""
    )
    assert list(said(read(shares))) == ["no", "yes", "t"]
    assert list(said(read(bare))) == ["said", "no", "yes"]  # under the name that its author gave it
    only_entity = neighbours("regression", "", "n").replace('<OutputField name="said" feature="predictedValue"/>', "")
    model = read(only_entity)
    assert list(said(model)) == ["nearest", "n"]
    assert PmmlScorer(model).output.name == "n"


def test_what_all_segments_say_and_what_one_says_where_it_does_not_apply() -> None:
    inside = "".join(
        f'<Segment id="{name}">{when}{regression(k, 1)}</Segment>'
        for k, (name, when) in enumerate([("first", lt("x", 0)), ("second", "<True/>"), ("third", lt("x", 1))])
    )
    model = read(
        f'<MiningModel functionName="regression">{schema()}<Segmentation multipleModelMethod="selectAll">{inside}'
        "</Segmentation></MiningModel>"
    )
    assert said(model) == {"n": 1.8, "n(first)": None, "n(second)": 1.8, "n(third)": 2.8}
    one = '<Output><OutputField name="of" feature="predictedValue" segmentId="first"/></Output><Segmentation '
    summed = (
        f'<MiningModel functionName="regression">{schema()}{one}multipleModelMethod="sum">{inside}'
        "</Segmentation></MiningModel>"
    )
    assert said(read(summed)) == {"of": None, "n": pytest.approx(4.6)}
    assert said(read(summed), x=-1.0)["of"] == pytest.approx(-0.5)


def test_supplementary_fields_need_not_be_given_unless_something_names_them() -> None:
    model = regression(1, 2).replace('name="y" usageType="active"', 'name="y" usageType="supplementary"')
    assert [one.name for one in read(model).inputs] == ["x", "c"]
    assert read(model).answer({"x": 1.0, "c": "b"}).values["n"] == 3.0
    named = model.replace("</RegressionTable>", '<NumericPredictor name="y" coefficient="1"/></RegressionTable>')
    assert [one.name for one in read(named).inputs] == ["x", "c", "y"]


def test_residuals_are_of_an_actual_value_that_need_not_be_given() -> None:
    asked = SAID.replace("</Output>", '<OutputField name="off" feature="residual" dataType="double"/></Output>')
    model = read(regression(1, 2).replace("<RegressionTable", asked + "<RegressionTable"))
    assert said(model) == {"said": pytest.approx(2.1), "off": None}
    assert said(model, n=5.0)["off"] == pytest.approx(2.9)
    table = model.table({"x": [0.3, 1.0], "y": [0.6, 0.6], "c": ["a", "b"], "n": [5.0, None]})
    assert table["off"][0] == pytest.approx(2.9) and math.isnan(table["off"][1])
    scorer = PmmlScorer(model, output="said")
    assert scorer.features == ("x", "y", "c")
    asked = '<OutputField name="off" feature="residual" dataType="double"/></Output>'
    shares = read(tree("none", "returnLastPrediction").replace("</Output>", asked))
    wrong = "no" if said(shares)["said"] == "yes" else "yes"
    sure = said(shares)[said(shares)["said"]]
    assert said(shares, t=said(shares)["said"])["off"] == pytest.approx(1 - sure)
    assert said(shares, t=wrong)["off"] == pytest.approx(-sure)


def test_a_standard_error_is_of_the_parameters_covariances() -> None:
    values = (("p0", "p0", 0.5), ("p1", "p1", 0.2), ("p0", "p1", -0.1), ("p2", "p2", 0.3), ("p3", "p3", 0.1))
    cells = "".join(f'<PCovCell pRow="{a}" pCol="{b}" value="{v}"/>' for a, b, v in values)
    asked = SAID.replace("</Output>", '<OutputField name="error" feature="standardError" dataType="double"/></Output>')
    plain = general("generalLinear", "", EACH, output=asked)
    model = read(plain.replace("<ParamMatrix>", f"<PCovMatrix>{cells}</PCovMatrix><ParamMatrix>"))
    x, y = ROW["x"], ROW["y"]
    variance = 0.5 + 0.2 * x * x - 2 * 0.1 * x + 0.3 + 0.1 * (x * y) ** 2  # type: ignore[operator]
    assert said(model)["error"] == pytest.approx(math.sqrt(variance))
    with pytest.raises(DocumentError, match=r"no standard errors.*PCovMatrix"):
        read(plain)


def test_the_first_of_several_models_is_meant() -> None:
    assert said(read(regression(1, 2) + regression(7, 7)))["n"] == pytest.approx(2.1)


def test_a_table_s_columns_may_have_the_prefix_of_a_namespace() -> None:
    mapped = (
        '<LocalTransformations><DerivedField name="d" dataType="double" optype="continuous"><MapValues'
        ' outputColumn="data:output"><FieldColumnPair field="c" column="data:input"/><InlineTable>'
        '<row><Extension name="id" value="1"/><data:input xmlns:data="urn:t">a</data:input>'
        '<data:output xmlns:data="urn:t">4</data:output></row></InlineTable></MapValues></DerivedField>'
        "</LocalTransformations><RegressionTable"
    )
    model = regression(1, 0).replace("<RegressionTable", mapped)
    model = model.replace("</RegressionTable>", '<NumericPredictor name="d" coefficient="1"/></RegressionTable>')
    assert said(read(model))["n"] == 5.5


def test_votes_that_are_missing_may_be_the_most() -> None:
    """PMML 4.4, Multiple Models: to go on, a missing answer is a vote like others."""
    leaf = tree("none", "returnNullPrediction")
    for missing, due in ((1, "no"), (2, None)):
        each = [leaf] * missing + [tree("none", "returnLastPrediction")]
        inside = "".join(f"<Segment><True/>{one}</Segment>" for one in each)
        model = read(
            f'<MiningModel functionName="classification">{schema("t")}<Segmentation multipleModelMethod="majorityVote">'
            f"{inside}</Segmentation></MiningModel>"
        )
        assert said(model, x=None, y=None, c=None)["t"] == due

"""What documents of other engines' exporters and samples hold beyond the plain case, held to jpmml-evaluator."""

from pathlib import Path

import pytest

from tidegate.errors import DocumentError
from tidegate.models.pmml.model import read_pmml

from .documents import FIELDS, apply, const, document, expressed, ref, schema
from .held import asked_in, compared
from .test_models import ROWS, SAID, clusters, lt, neighbours, network, regression, tree

SCORE_BY = (
    "<Characteristics>"
    f'<Characteristic name="one"><Attribute partialScore="3">{lt("x", 0.5)}</Attribute>'
    '<Attribute partialScore="7"><True/></Attribute></Characteristic></Characteristics></Scorecard>'
)
NAMED = SAID.replace("said", "step")
INNER = NAMED.replace("/></Output>", ' isFinalResult="false"/></Output>')  # which jpmml-evaluator keeps to itself


def chain(how: str, named: str = NAMED) -> str:
    """Two segments, never both, that give a number of the same name; in a chain a third one reads it."""
    each = [
        (lt("x", 0.5, side), regression(k, k + 1, "n").replace("<RegressionTable", f"{named}<RegressionTable", 1))
        for k, side in ((1, "lessThan"), (3, "greaterOrEqual"))
    ]
    segments = "".join(f"<Segment>{when}{model}</Segment>" for when, model in each)
    if how == "modelChain":
        segments += (
            '<Segment><True/><RegressionModel functionName="regression"><MiningSchema><MiningField name="step"/>'
            '<MiningField name="n" usageType="target"/></MiningSchema><RegressionTable intercept="1">'
            '<NumericPredictor name="step" coefficient="2"/></RegressionTable></RegressionModel></Segment>'
        )
    return (
        f'<MiningModel functionName="regression">{schema()}<Segmentation multipleModelMethod="{how}">{segments}'
        "</Segmentation></MiningModel>"
    )


def pointed(strategy: str) -> str:
    """A tree whose inner nodes and leaves name as their default child one that is none of theirs."""
    return (
        f'<TreeModel functionName="regression" missingValueStrategy="{strategy}">{schema()}{SAID}'
        f'<Node id="1" score="1" defaultChild="9"><True/><Node id="2" score="2" defaultChild="9">{lt("x", 0.5)}</Node>'
        f'<Node id="3" score="3" defaultChild="9">{lt("x", 0.5, "greaterOrEqual")}</Node></Node></TreeModel>'
    )


def weighed() -> str:
    """A tree whose inner node has no count of its own, and a leaf that says another category than its shares do."""
    leaves = "".join(
        f'<Node score="{score}">{when}<ScoreDistribution value="no" recordCount="{no}"/>'
        f'<ScoreDistribution value="yes" recordCount="{yes}"/></Node>'
        for score, when, no, yes in (("no", lt("y", 0), 6, 24), ("yes", lt("y", 0, "greaterOrEqual"), 8, 2))
    )
    last = '<ScoreDistribution value="no" recordCount="45"/><ScoreDistribution value="yes" recordCount="15"/>'
    return (
        f'<TreeModel functionName="classification" missingValueStrategy="weightedConfidence">{schema("t")}'
        f"<Node><True/><Node>{lt('x', 0.5)}{leaves}</Node>"
        f'<Node score="no">{lt("x", 0.5, "greaterOrEqual")}{last}</Node></Node></TreeModel>'
    )


TAXONOMY = (
    '<Taxonomy name="kinds"><ChildParent childField="c" parentField="p"><InlineTable><row><c>a</c><p>z</p></row>'
    "</InlineTable></ChildParent></Taxonomy>"
)
CASES = {
    "one name in two segments of a chain": document(chain("modelChain", INNER)),
    "what the first segment gives": document(chain("selectFirst")),
    "default children that are not asked for": document(pointed("lastPrediction")),
    "a taxonomy": document(tree("none", "returnLastPrediction"), fields=FIELDS | {"taxonomy": TAXONOMY}),
    "if, a way that is not taken being missing": expressed(
        apply("if", apply("isMissing", ref("y")), const(1.5), ref("y"), mapMissingTo="9")
    ),
    "if, the way that is taken being missing": expressed(
        apply("if", apply("isNotMissing", ref("c")), ref("y"), ref("x"), mapMissingTo="9")
    ),
}  # fmt: skip


def compound(operator: str, strategy: str) -> str:
    """A tree whose node asks three things at once, of which each may not be known, and one of the three is compound."""
    inner = f'<CompoundPredicate booleanOperator="or">{lt("y", 0)}{lt("c", "b", "equal")}</CompoundPredicate>'
    asks = f"{lt('x', 0.5)}{inner}{lt('c', 'a', 'equal')}"
    return (
        f'<TreeModel functionName="regression" missingValueStrategy="{strategy}">{schema()}{SAID}'
        f'<Node score="1"><True/><Node score="2"><CompoundPredicate booleanOperator="{operator}">{asks}'
        '</CompoundPredicate></Node><Node score="3"><True/></Node></Node></TreeModel>'
    )


for _operator in ("and", "or", "xor", "surrogate"):
    for _strategy in ("none", "lastPrediction", "nullPrediction"):
        CASES[f"{_operator}, {_strategy}"] = document(compound(_operator, _strategy))


TRANSFORMED = (
    '<LocalTransformations><DerivedField name="scaled" optype="continuous" dataType="double">'
    f"{apply('*', ref('x'), const(2))}</DerivedField></LocalTransformations>"
)
_NEAR = (
    neighbours("regression", "", "n")
    .replace("<TrainingInstances", f"{TRANSFORMED}<TrainingInstances")
    .replace('<KNNInput field="x"/>', '<KNNInput field="scaled"/>')
)
CASES["instances of a derived field"] = document(
    _NEAR.replace('<InstanceField field="x" column="x"/>', '<InstanceField field="scaled" column="x"/>').replace(
        '<OutputField name="nearest" feature="entityId" rank="1"/>', ""
    )
)


def test_instances_that_would_have_to_be_transformed_are_refused() -> None:
    with pytest.raises(DocumentError, match="yet to be transformed"):
        read_pmml(document(_NEAR))


@pytest.mark.parametrize("name", CASES)
def test_it_says_what_jpmml_says(name: str, tmp_path: Path) -> None:
    same, _ = compared(CASES[name], ROWS, asked_in(tmp_path)(name, CASES[name]))
    assert same > 10


def test_what_the_segment_that_applies_gives_is_given() -> None:
    for how in ("modelChain", "selectFirst"):
        model = read_pmml(document(chain(how)))
        names = [one.name for one in model.outputs]
        assert names == ["step", "n"]
        for x in (0.0, 1.0):
            step, said = model.answer({"x": x, "y": 1.0, "c": "a"}).values.values()
            assert isinstance(step, float)
            assert said == (1 + 2 * step if how == "modelChain" else step)


def test_a_scorecard_without_any_reason_code_is_taken_for_its_score() -> None:
    card = f'<Scorecard functionName="regression" initialScore="10">{schema()}{SAID}{SCORE_BY}'
    model = read_pmml(document(card))
    assert model.answer({"x": 0.0, "y": 0.0, "c": "a"}).values["said"] == 13.0
    assert not model.reason_registers
    asked = '<OutputField name="why" feature="reasonCode" dataType="string" optype="categorical"/></Output>'
    for half in (
        card.replace("</Output>", asked),
        card.replace('<Attribute partialScore="3">', '<Attribute partialScore="3" reasonCode="R">'),
    ):
        with pytest.raises(DocumentError, match="baselineScore"):
            read_pmml(document(half))


def test_a_default_child_that_is_asked_for_is_a_child() -> None:
    with pytest.raises(DocumentError, match="The default child is none of the node's"):
        read_pmml(document(pointed("defaultChild")))


def test_a_tree_that_spreads_says_what_one_leaf_says_where_no_value_lacks() -> None:
    """Worked out by hand: jpmml-evaluator does not do weightedConfidence."""
    model = read_pmml(document(weighed()))

    def said(x: float | None, y: float | None) -> tuple[object, object]:
        values = model.answer({"x": x, "y": y, "c": "a"}).values
        return values["t"], values["probability(yes)"]

    assert said(0.0, -1.0) == ("no", 0.8)  # the leaf's own category, whatever its shares
    assert said(0.0, 1.0) == ("yes", 0.2)
    assert said(1.0, None) == ("no", 0.25)
    # The leaves are of 30 and 10 records, so the node above them, which does not say, is of 40 beside one of 60.
    assert said(0.0, None) == ("yes", pytest.approx(0.75 * 0.8 + 0.25 * 0.2))
    assert said(None, None) == ("no", pytest.approx(0.4 * (0.75 * 0.8 + 0.25 * 0.2) + 0.6 * 0.25))


def test_a_verification_in_single_precision_is_of_the_numbers_that_it_names() -> None:
    """0.1 + 0.2 as floats of 32 bits is 0.30000001192092896, written 0.3."""
    check = (
        '<ModelVerification><VerificationFields><VerificationField field="x"/>'
        '<VerificationField field="said" precision="1e-13" zeroThreshold="1e-13"/></VerificationFields><InlineTable>'
        "<row><x>0.2</x><said>{}</said></row></InlineTable></ModelVerification>"
    )
    model = (
        '<RegressionModel functionName="regression" x-mathContext="float"><MiningSchema><MiningField name="x"/>'
        f'</MiningSchema>{SAID.replace("double", "float")}<RegressionTable intercept="0.1">'
        f'<NumericPredictor name="x" coefficient="1"/></RegressionTable>{check}</RegressionModel>'
    )
    assert read_pmml(document(model.format("0.3"))).answer({"x": 0.2}).values["said"] == pytest.approx(0.3, rel=1e-6)
    with pytest.raises(DocumentError, match="does not say of row 1"):
        read_pmml(document(model.format("0.30000004")))


def test_a_cluster_is_shown_by_its_name(tmp_path: Path) -> None:
    """As KNIME, RapidMiner and BigML write them."""
    shown = (
        '<OutputField name="shown" feature="predictedDisplayValue" dataType="string" optype="categorical"/></Output>'
    )
    model = clusters("euclidean").replace("</Output>", shown)
    assert read_pmml(document(model)).answer(ROWS[-1]).values["shown"] in ("A", "B")  # jpmml-evaluator shows nothing
    for name in ("A", "B"):
        model = model.replace(f'id="{name}"', f'name="the one of {name}" id="{name}"')
    data = document(model)
    compared(data, ROWS, asked_in(tmp_path)("named", data))
    said = {tuple(read_pmml(data).answer(row).values.values()) for row in ROWS}
    assert {("A", "the one of A"), ("B", "the one of B")} <= said


def test_residuals_of_each_category_are_of_one_input() -> None:
    """As SAS writes them, with the values that it calls raw."""
    outputs = "".join(
        f'<OutputField name="{feature}_{value}" feature="{feature}" value="{value}" optype="continuous"'
        ' dataType="double"/>'
        for feature in ("probability", "residual")
        for value in ("no", "yes")
    )
    raw = '<Targets><Target field="t"><TargetValue value="no" rawDataValue="No  "/></Target></Targets>'
    said = tree("none", "returnLastPrediction")
    said = said[: said.index("<Output>")] + f"<Output>{outputs}</Output>{raw}" + said[said.index("</Output>") + 9 :]
    model = read_pmml(document(said))
    assert [one.name for one in model.inputs if not one.needed] == ["t"]
    row = {"x": 0.2, "y": 0.3, "c": "a"}
    shares = model.answer(row).values
    assert shares["residual_no"] is shares["residual_yes"] is None
    for actual in ("no", "yes"):
        values = model.answer(row | {"t": actual}).values
        for value in ("no", "yes"):
            share = shares[f"probability_{value}"]
            assert isinstance(share, float)
            assert values[f"residual_{value}"] == (value == actual) - share


def test_attributes_as_rapidminer_spells_them() -> None:
    data = document(
        network("tanh", "softmax").replace('<DerivedField optype="continuous" dataType=', "<DerivedField datatype=")
    )
    plain = read_pmml(document(network("tanh", "softmax")))
    assert [read_pmml(data).answer(row) for row in ROWS] == [plain.answer(row) for row in ROWS]

"""What is not supported, damaged or hostile is refused with its place, and in bounded time and memory."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import DocumentError, TidegateError
from tidegate.models.pmml.model import read_pmml

from .documents import apply, const, document, expressed, ref, schema

INSTEAD = 'invalidValueTreatment="asValue" x-invalidValueReplacement="b"'


def refused(data: bytes, match: str) -> None:
    began = time.process_time()
    with pytest.raises(DocumentError, match=match):
        read_pmml(data, "x.pmml")
    assert time.process_time() - began < 20


TREE = document(
    f'<TreeModel functionName="regression">{schema()}<Node><True/>'
    '<Node score="1"><SimplePredicate field="x" operator="lessThan" value="0"/></Node>'
    '<Node score="2"><True/></Node></Node></TreeModel>'
)


@pytest.mark.parametrize(
    "model",
    ["AssociationModel", "SequenceModel", "TimeSeriesModel", "TextModel", "BaselineModel", "BayesianNetworkModel",
     "GaussianProcessModel"],
)  # fmt: skip
def test_models_that_are_not_run(model: str) -> None:
    data = document(f'<{model} functionName="regression"/>')
    refused(
        data, rf"{model} is not supported. Seen: x.pmml, line 4: <{model}>. Bring a model of a kind that is run: Ano"
    )


@pytest.mark.parametrize(
    ("expression", "match"),
    [
        ("<TextIndex/>", "A TextIndex is of one term"),
        ("<Aggregate/>", "Aggregate is not supported. It is of several records"),
        ("<Lag/>", r"Lag is not supported. It is of earlier records.*line 4"),
        (ref("z"), r"no field 'z'.*line 4"),
        (ref("d"), "made of itself.*d → d"),
        (apply("nothing", ref("x")), "function nothing is not known"),
        (apply("sqqrt", ref("x")), "Did you mean sqrt"),
        (apply("+", ref("x"), ref("c")), "of numbers"),
        (apply("pow", ref("x")), "takes 2 arguments"),
        (const("abc", "double"), "'abc' is no double"),
        ('<MapValues outputColumn="o"><FieldColumnPair field="c" column="i"/><TableLocator/></MapValues>', "TableLoc"),
        ('<NormContinuous field="x"><LinearNorm orig="0" norm="0"/></NormContinuous>', "two or more points"),
    ],
)
def test_expressions_that_are_not_run(expression: str, match: str) -> None:
    refused(expressed(expression), match)


EXPLODING = ["^((a+))+$", "a*a*a*a*b", "(a|a)*b", "(a?){200}a{200}b", "((a*)*)*b", "(.*)*x"]


def matches(pattern: str) -> str:
    return apply("if", apply("matches", ref("c"), const(pattern, "string")), const(1), const(2))


def test_a_field_that_goes_round() -> None:
    assert b'<DataField name="x"' in TREE
    refused(
        TREE.replace(b'<DataField name="x"', b'<DataField name="x" isCyclic="1"'), "isCyclic is not supported.*line"
    )
    read_pmml(TREE.replace(b'<DataField name="x"', b'<DataField name="x" isCyclic="0"'))


@pytest.mark.parametrize("pattern", EXPLODING)
def test_patterns_that_would_take_for_ever(pattern: str) -> None:
    row = {"x": 1.0, "y": 1.0, "c": "a"}
    read_pmml(expressed(matches("b"), c='invalidValueTreatment="asIs"')).answer(row)  # kernels are compiled before
    began = time.process_time()
    model = read_pmml(expressed(matches(pattern), c='invalidValueTreatment="asIs"'))
    for text in ("a" * 60 + "!", "a" * 9_990 + "!"):
        answer = model.answer({"x": 1.0, "y": 1.0, "c": text})
        assert answer.values["out"] == 2 or "too long for its regular expression (line 4)" in answer.invalid
    assert model.answer({"x": 1.0, "y": 1.0, "c": "a" * 60 + "!"}).values["out"] == 2
    assert time.process_time() - began < 60


@pytest.mark.parametrize("pattern", EXPLODING)
def test_patterns_that_come_with_the_row(pattern: str) -> None:
    pair = apply("if", apply("matches", const("a" * 60 + "!", "string"), ref("c")), const(1), const(2))
    model = read_pmml(expressed(pair, c='invalidValueTreatment="asIs"'))
    assert model.answer({"x": 1.0, "y": 1.0, "c": pattern}).values["out"] == 2
    said = model.answer({"x": 1.0, "y": 1.0, "c": "(a)\\1"})
    assert "no regular expression (line 4)" in said.invalid and said.values["out"] is None


def test_a_verification_is_read_in_bounded_time() -> None:
    rows = "".join(f"<row><c>{'a' * 200}!{k}</c><out>2</out></row>" for k in range(3000))
    verification = (
        '<ModelVerification recordCount="3000"><VerificationFields><VerificationField field="c"/>'
        f'<VerificationField field="out"/></VerificationFields><InlineTable>{rows}</InlineTable></ModelVerification>'
    )
    data = expressed(matches("(a?){300}a{300}b"), c='invalidValueTreatment="asIs"')
    refused(data.replace(b"</RegressionModel>", f"{verification}</RegressionModel>".encode()), "too long in its verif")


@pytest.mark.parametrize("pattern", ["^(Hello|World)+ W", "a+b+c+d+e+", "(?i)x{2,}|[[:alpha:]]", "", r"\bno\b", "x{a}"])
def test_plain_patterns_are_read(pattern: str) -> None:
    read_pmml(expressed(matches(pattern)))


@pytest.mark.parametrize(
    ("expression", "match"),
    [
        (matches(r"(l)\1"), r"back-reference.*line 4"),
        (matches("(?=a)"), r"look-ahead.*line 4"),
        (matches("(a"), r"missing.*line 4"),
        (matches("(?:(?:(?:(?:(?:){1000}){1000}){1000}){1000}){1000}(a{1000}){1000}"), "too large"),
        (
            apply("stringLength", apply("replace", ref("c"), const("a", "string"), const("$2", "string"))),
            "no replacement",
        ),
        (apply("stringLength", apply("replace", ref("c"), ref("c"), const("5$", "string"))), "no replacement"),
        (apply("stringLength", apply("uppercase", ref("x"))), r"Argument 1 of uppercase is a text.*type double"),
        (apply("stringLength", ref("x")), "Argument 1 of stringLength"),
        (apply("if", apply("matches", ref("x"), const("a")), const(1)), "Argument 1 of matches"),
        (apply("stringLength", apply("formatNumber", ref("c"), const("%d"))), "Argument 1 of formatNumber is a number"),
        (apply("stringLength", apply("formatNumber", ref("x"), const("%d %d"))), "one conversion"),
        (apply("stringLength", apply("formatDatetime", ref("c"), const("%d"))), "formatDatetime is a date or time"),
        (apply("stringLength", apply("formatDatetime", const("2000-01-01", "date"), const("%Q"))), "may follow a %"),
        (apply("stringLength", apply("substring", ref("c"), const(1))), "takes 3 arguments"),
        (apply("stringLength", '<Apply function="concat"/>'), "takes 1 arguments"),
    ],
)
def test_functions_of_texts_are_checked_when_they_are_read(expression: str, match: str) -> None:
    refused(expressed(expression), match)


def test_texts_that_grow_without_end() -> None:
    grown = ref("c")
    for _ in range(40):
        grown = apply("twice", grown)
    double = (
        '<DefineFunction name="twice" optype="categorical"><ParameterField name="p"/>'
        f"{apply('concat', ref('p'), ref('p'))}</DefineFunction>"
    )
    answer = read_pmml(expressed(apply("stringLength", grown), functions=double)).answer({"x": 1.0, "y": 1.0, "c": "a"})
    assert "concat of more than a text may hold" in answer.invalid


def test_functions_that_call_each_other_or_grow_without_end() -> None:
    def define(name: str, body: str) -> str:
        return f'<DefineFunction name="{name}" optype="continuous"><ParameterField name="p"/>{body}</DefineFunction>'

    itself = define("f", apply("f", ref("p")))
    refused(expressed(apply("f", ref("x")), functions=itself), "within itself")
    doubling = define("g0", apply("exp", ref("p"))) + "".join(
        define(f"g{k}", apply("sum", *[apply(f"g{k - 1}", ref("p"))] * 3)) for k in range(1, 15)
    )
    refused(expressed(apply("g14", ref("x")), functions=doubling), "within itself, or too often|too deep")


def test_versions_and_other_documents() -> None:
    refused(document("<TreeModel/>", version="2.1"), r"PMML 2\.1 is not read.*line 1")
    refused(b"<html/>", "is no PMML")
    refused(b"", "not well-formed")
    refused(document(""), "holds no model")


def test_hostile_documents() -> None:
    bomb = b'<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><PMML version="4.4">&b;</PMML>'
    refused(bomb, "document type")
    refused(b'<!DOCTYPE p SYSTEM "file:///etc/passwd"><PMML version="4.4"/>', "document type")
    deep = "<Node><True/>" * 1000 + "</Node>" * 1000
    refused(document(f'<TreeModel functionName="regression">{schema()}{deep}</TreeModel>'), "too large")
    nested = '<CompoundPredicate booleanOperator="and">' * 200 + "<True/>" + "</CompoundPredicate>" * 200
    refused(document(f'<TreeModel functionName="regression">{schema()}<Node>{nested}</Node></TreeModel>'), "nested")
    applied = '<Apply function="exp">' * 200 + ref("x") + "</Apply>" * 200
    refused(expressed(applied), "nested")


def test_a_tree_almost_a_thousand_deep_is_read_and_walked() -> None:
    node = '<Node score="{k}"><SimplePredicate field="x" operator="greaterThan" value="{k}"/>'
    deep = "".join(node.format(k=k) for k in range(900)) + "</Node>" * 900
    model = read_pmml(document(
        f'<TreeModel functionName="regression" noTrueChildStrategy="returnLastPrediction">{schema()}'
        f'<Node score="-1"><True/>{deep}</Node></TreeModel>'
    ))  # fmt: skip
    for x in (-5.0, 0.5, 400.5, 1e6):
        assert model.answer({"x": x, "y": None, "c": None}).values["n"] == max(-1, min(899, int(x) if x > 0 else -1))


def test_attributes_and_elements_that_nobody_knows() -> None:
    refused(TREE.replace(b"<Node>", b'<Node flavour="1">', 1), "attribute flavour of Node is not supported.*line 4")
    refused(TREE.replace(b"<Header/>", b"<Header/><Extra/>"), "element Extra is not supported")
    read_pmml(TREE.replace(b"<Header/>", b'<Header/><Extension name="a" value="b"><Own/></Extension>'))


def test_attributes_that_were_written_before_they_were_in_the_standard() -> None:
    leaf = f'<Segment><True/><RegressionModel functionName="regression">{schema()}<RegressionTable intercept="1"/>'
    segment = f"{leaf}</RegressionModel></Segment>"
    nothing = segment.replace('<RegressionTable intercept="1"/>', '<RegressionTable intercept="1"><NumericPredictor '
                              'name="x" coefficient="1"/></RegressionTable>')  # fmt: skip
    mining = document(
        f'<MiningModel functionName="regression">{schema()}<Segmentation multipleModelMethod="average" '
        f'x-missingPredictionTreatment="skipSegment" x-missingThreshold="0.6">{segment}{nothing}</Segmentation>'
        "</MiningModel>", version="4.3",
    )  # fmt: skip
    row = {"x": None, "y": 1.0, "c": "a"}
    assert read_pmml(mining).answer(row).values["n"] == 1.0
    assert read_pmml(mining.replace(b"0.6", b"0.4")).answer(row).values["n"] is None
    replaced = document(
        f'<RegressionModel functionName="regression">{schema(c=INSTEAD)}<RegressionTable intercept="1">'
        '<CategoricalPredictor name="c" value="b" coefficient="5"/></RegressionTable></RegressionModel>', version="4.3",
    )  # fmt: skip
    assert read_pmml(replaced).answer({"x": 1.0, "y": 1.0, "c": "z"}).values["n"] == 6.0
    twice = mining.replace(b"<Segmentation ", b'<Segmentation missingThreshold="0.4" ')
    refused(twice, r"both x-missingThreshold and missingThreshold.*line 4")
    refused(TREE.replace(b"<Node>", b'<Node x-missingThreshold="1">', 1), "attribute x-missingThreshold of Node")
    refused(TREE.replace(b"<TreeModel ", b'<TreeModel x-flavour="1" '), "attribute x-flavour of TreeModel is not.*4")
    refused(TREE.replace(b"<TreeModel ", b'<TreeModel x-mathContext="int" '), "x-mathContext of TreeModel is one of")
    read_pmml(TREE.replace(b"<TreeModel ", b'<TreeModel x-mathContext="float" '))


def test_a_verification_that_fails() -> None:
    verification = (
        '<ModelVerification recordCount="1" fieldCount="2"><VerificationFields>'
        '<VerificationField field="x" column="x"/>'
        '<VerificationField field="n" column="n"/></VerificationFields>'
        "<InlineTable><row><x>1</x><n>{}</n></row></InlineTable></ModelVerification></TreeModel>"
    )
    read_pmml(TREE.replace(b"</TreeModel>", verification.format("2").encode()))
    refused(TREE.replace(b"</TreeModel>", verification.format("2.1").encode()), "row 1 of its verification")


@pytest.mark.fuzz
@given(st.data())
def test_a_document_that_was_cut_or_garbled_never_crashes(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from([TREE, expressed(apply("if", apply("isIn", ref("c"), const("a")), ref("x")))]))
    start = data.draw(st.integers(0, len(source)))
    stop = data.draw(st.integers(start, min(len(source), start + 40)))
    other = data.draw(st.sampled_from([b"", b"<", b'"', b"/>", b"1e999", b"NaN", b"-1", b"x", b"\xff", b"isIn"]))
    try:
        model = read_pmml(source[:start] + other + source[stop:])
        model.answers({one.name: [None, 1.5, "a"] for one in model.inputs})
    except TidegateError:
        pass


def test_real_documents_that_were_cut(shared: Path) -> None:
    for path in sorted((shared / "vectors" / "pmml" / "models").glob("*.pmml")):
        content = path.read_bytes()
        for place in (1, len(content) // 3, len(content) // 2, len(content) - 3):
            with pytest.raises(DocumentError):
                read_pmml(content[:place])

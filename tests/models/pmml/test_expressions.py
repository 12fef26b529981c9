"""Expressions, functions and the treatment of values, each against what plain Python makes of it."""

import math
from datetime import date
from statistics import NormalDist, median
from typing import Any

import pytest

from tidegate.models.pmml.model import read_pmml

from .documents import apply, const, document, expressed, ref, schema

X, Y = 2.5, -1.75
NORMAL = NormalDist(1.0, 2.0)


def said(data: bytes, **row: Any) -> Any:
    answer = read_pmml(data).answer({"x": X, "y": Y, "c": "a"} | row)
    return answer.invalid or next(iter(answer.values.values()))


NUMBERS = [
    (apply("+", ref("x"), ref("y")), X + Y), (apply("-", ref("x"), ref("y")), X - Y),
    (apply("*", ref("x"), ref("y")), X * Y), (apply("/", ref("x"), ref("y")), X / Y),
    (apply("min", ref("x"), ref("y"), const(1)), Y), (apply("max", ref("x"), ref("y"), const(1)), X),
    (apply("sum", ref("x"), ref("y"), const(1)), X + Y + 1), (apply("avg", ref("x"), ref("y")), (X + Y) / 2),
    (apply("median", ref("x"), ref("y"), const(1)), median([X, Y, 1])), (apply("product", ref("x"), ref("y")), X * Y),
    (apply("log10", ref("x")), math.log10(X)), (apply("ln", ref("x")), math.log(X)),
    (apply("sqrt", ref("x")), math.sqrt(X)), (apply("abs", ref("y")), 1.75), (apply("exp", ref("y")), math.exp(Y)),
    (apply("pow", ref("x"), const(3)), X**3), (apply("threshold", ref("x"), ref("y")), 1.0),
    (apply("floor", ref("y")), -2.0), (apply("ceil", ref("y")), -1.0), (apply("round", ref("x")), 3.0),
    (apply("rint", ref("x")), 2.0),
    (apply("modulo", ref("y"), const(1)), 0.25),
    (apply("expm1", ref("x")), math.expm1(X)),
    (apply("ln1p", ref("x")), math.log1p(X)), (apply("sin", ref("x")), math.sin(X)),
    (apply("cos", ref("x")), math.cos(X)),
    (apply("tan", ref("x")), math.tan(X)), (apply("asin", const(0.3)), math.asin(0.3)),
    (apply("acos", const(0.3)), math.acos(0.3)), (apply("atan", ref("x")), math.atan(X)),
    (apply("sinh", ref("x")), math.sinh(X)), (apply("cosh", ref("x")), math.cosh(X)),
    (apply("tanh", ref("x")), math.tanh(X)), (apply("atan2", ref("x"), ref("y")), math.atan2(X, Y)),
    (apply("hypot", ref("x"), ref("y")), math.hypot(X, Y)), (apply("erf", ref("x")), math.erf(X)),
    (apply("normalCDF", ref("x"), const(1), const(2)), NORMAL.cdf(X)),
    (apply("normalPDF", ref("x"), const(1), const(2)), NORMAL.pdf(X)),
    (apply("normalIDF", const(0.3), const(1), const(2)), NORMAL.inv_cdf(0.3)),
    (apply("stdNormalCDF", ref("y")), NormalDist().cdf(Y)), (apply("stdNormalPDF", ref("y")), NormalDist().pdf(Y)),
    (apply("stdNormalIDF", const(0.001)), NormalDist().inv_cdf(0.001)),
    (apply("if", apply("greaterThan", ref("x"), const(2)), const(1.5), const(2.5)), 1.5),
    (apply("if", apply("equal", ref("c"), const("b")), const(1.5), const(2.5)), 2.5),
    (apply("if", apply("and", apply("lessThan", ref("x"), const(0)), apply("isMissing", ref("y"))), const(1), const(2)),
     2),
    (apply("if", apply("isIn", ref("c"), const("b"), const("a")), const(1), const(2)), 1),
    (apply("if", apply("isNotIn", ref("c"), const("b"), const("a")), const(1), const(2)), 2),
    (apply("if", apply("not", apply("isValid", ref("x"))), const(1), const(2)), 2),
    (apply("stringLength", apply("concat", ref("c"), const("xyz", "string"))), 4),
    ('<NormContinuous field="x"><LinearNorm orig="0" norm="10"/><LinearNorm orig="2" norm="20"/>'
     '<LinearNorm orig="3" norm="40"/></NormContinuous>', 30.0),
    ('<NormContinuous field="y"><LinearNorm orig="0" norm="10"/><LinearNorm orig="2" norm="20"/></NormContinuous>',
     10 + Y * 5),
    ('<NormContinuous field="y" outliers="asExtremeValues"><LinearNorm orig="0" norm="10"/>'
     '<LinearNorm orig="2" norm="20"/></NormContinuous>', 10.0),
    ('<NormContinuous field="y" outliers="asMissingValues"><LinearNorm orig="0" norm="10"/>'
     '<LinearNorm orig="2" norm="20"/></NormContinuous>', None),
    ('<NormDiscrete field="c" value="a"/>', 1.0), ('<NormDiscrete field="c" value="b"/>', 0.0),
    ('<Discretize field="x" defaultValue="9"><DiscretizeBin binValue="1"><Interval closure="openClosed" leftMargin="0"'
     ' rightMargin="2.5"/></DiscretizeBin></Discretize>', 1.0),
    ('<Discretize field="x" defaultValue="9"><DiscretizeBin binValue="1"><Interval closure="openOpen" leftMargin="0"'
     ' rightMargin="2.5"/></DiscretizeBin></Discretize>', 9.0),
    ('<MapValues outputColumn="o" defaultValue="7"><FieldColumnPair field="c" column="i"/><FieldColumnPair field="x"'
     ' column="j"/><InlineTable><row><i>a</i><j>2.5</j><o>3</o></row><row><i>b</i><j>2.5</j><o>4</o></row>'
     "</InlineTable>"
     "</MapValues>", 3.0),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "wanted"), NUMBERS, ids=[str(k) for k in range(len(NUMBERS))])
def test_numbers(expression: str, wanted: float | None) -> None:
    seen = said(expressed(expression))
    assert seen == wanted if wanted is None else seen == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        (apply("uppercase", apply("concat", ref("c"), const("é b", "string"))), "AÉ B"),
        (apply("lowercase", const("ABC", "string")), "abc"),
        (apply("substring", const("abcdef", "string"), const(2), const(3)), "bcd"),
        (apply("trimBlanks", const("  ab ", "string")), "ab"),
        (apply("replace", const("aXbX", "string"), const("X", "string"), const("-", "string")), "a-b-"),
        (apply("replace", const("2000-01", "string"), const(r"(\d+)-(\d+)"), const(r"\$$2/$1")), "$01/2000"),
        (apply("replace", const("abxd", "string"), const("x*", "string"), const("-", "string")), "-a-b--d-"),
        (apply("replace", const("abc", "string"), const("(b)", "string"), const("$10", "string")), "ab0c"),
        (apply("replace", const("abc", "string"), const("(?i)B|(z)", "string"), const("[$1]", "string")), "a[]c"),
        (apply("replace", const("abc", "string"), const("b", "string"), const("", "string")), "ac"),
        # As the specification has it for `concat`: what is no text is made one.
        (apply("concat", const(2, "integer"), const("-"), const(2000, "integer")), "2-2000"),
        (apply("concat", apply("floor", ref("x")), const("-"), ref("x"), ref("c"), const("007")), "2-2.5a007"),
        (apply("concat", const("2003-04-01", "date"), const(" ")), "2003-04-01 "),
        (apply("formatNumber", const(1234567.5), const("%,.2f is 100%%", "string")), "1,234,567.50 is 100%"),
        (apply("formatNumber", const(2, "integer"), const("%3d", "string")), "  2"),
        (apply("formatNumber", ref("x"), const("%3.1f", "string")), "2.5"),
        (apply("if", apply("matches", ref("c"), const("^[ab]$", "string")), const("t"), const("f")), "t"),
        ('<MapValues outputColumn="o"><FieldColumnPair field="c" column="i"/><InlineTable><row><i>a</i><o>one</o></row>'
         "</InlineTable></MapValues>", "one"),
    ],
)  # fmt: skip
def test_texts(expression: str, wanted: str) -> None:
    assert said(expressed(expression, "string")) == wanted


def test_dates() -> None:
    day = const("2024-02-29", "date")
    assert said(expressed(apply("dateDaysSinceYear", day, const(1960)))) == (date(2024, 2, 29) - date(1960, 1, 1)).days
    moment = const("1970-01-02T00:00:05", "dateTime")
    assert said(expressed(apply("dateSecondsSinceYear", moment, const(1970)))) == 86405
    assert said(expressed(apply("dateSecondsSinceMidnight", moment))) == 5


def test_what_is_missing_and_what_is_invalid() -> None:
    plus = apply("+", ref("x"), ref("y"))
    assert said(expressed(plus), x=None) is None
    assert said(expressed(apply("+", ref("x"), ref("y"), mapMissingTo="5")), x=None) == 5
    assert said(expressed(apply("+", ref("x"), ref("y"), defaultValue="6")), x=None) == 6
    assert said(expressed('<FieldRef field="x" mapMissingTo="7"/>'), x=None) == 7
    assert said(expressed(apply("sum", ref("x"), ref("y"))), x=None) == Y
    division = apply("/", ref("x"), const(0))
    assert "/ of values that it is not defined for (line" in said(expressed(division))
    assert "ln of values" in said(expressed(apply("ln", ref("y"))))
    assert said(expressed(apply("/", ref("x"), const(0), invalidValueTreatment="asMissing"))) is None
    guarded = apply("if", apply("equal", ref("x"), const(0)), const(-1), apply("/", ref("y"), ref("x")))
    assert said(expressed(guarded), x=0.0) == -1
    half = apply("and", apply("isMissing", ref("x")), apply("greaterThan", ref("y"), const(0)))
    assert said(expressed(apply("if", half, const(1), const(2))), x=None, y=None) is None
    assert said(expressed(apply("if", half, const(1), const(2))), x=None, y=-1.0) == 2


@pytest.mark.parametrize(
    ("field", "value", "treatment", "wanted"),
    [
        ("c", "z", "", "an invalid value of c"),
        ("c", "z", 'invalidValueTreatment="asMissing"', None),
        ("c", "z", 'invalidValueTreatment="asMissing" missingValueReplacement="b"', "b"),
        ("c", "z", 'invalidValueTreatment="asIs"', "z"),
        ("c", "z", 'invalidValueTreatment="asValue" invalidValueReplacement="a"', "a"),
        ("c", None, 'missingValueReplacement="b"', "b"),
        ("c", None, 'missingValueTreatment="returnInvalid"', "no value of c"),
        ("x", "abc", "", "not of the field's type"),
        ("x", "abc", 'invalidValueTreatment="asMissing"', None),
        ("x", 11.0, 'outliers="asExtremeValues" lowValue="-1" highValue="10"', 10.0),
        ("x", -11.0, 'outliers="asExtremeValues" lowValue="-1" highValue="10"', -1.0),
        ("x", 11.0, 'outliers="asMissingValues" lowValue="-1" highValue="10" missingValueReplacement="3"', 3.0),
        ("x", 10.0, 'outliers="asMissingValues" lowValue="-1" highValue="10"', 10.0),
    ],
)
def test_treatment(field: str, value: Any, treatment: str, wanted: Any) -> None:
    data = expressed(ref(field), "string" if field == "c" else "double", **{field: treatment})
    seen = said(data, **{field: value})
    assert wanted in seen if isinstance(wanted, str) and isinstance(seen, str) else seen == wanted


def test_targets() -> None:
    def model(target: str) -> bytes:
        return document(
            f'<RegressionModel functionName="regression">{schema()}<Targets>{target}</Targets>'
            '<RegressionTable intercept="1"><NumericPredictor name="x" coefficient="2"/></RegressionTable>'
            "</RegressionModel>"
        )  # fmt: skip

    assert said(model('<Target field="n" rescaleFactor="10" rescaleConstant="0.4"/>')) == 60.4
    assert said(model('<Target field="n" rescaleFactor="10" rescaleConstant="0.4" castInteger="round"/>')) == 60
    assert said(model('<Target field="n" max="5" rescaleFactor="10"/>')) == 50
    assert said(model('<Target field="n"><TargetValue defaultValue="4"/></Target>'), x=None) == 4

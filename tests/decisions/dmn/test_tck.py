"""The DMN Technology Compatibility Kit: its cases pass, and what its runner says of them is so."""

from pathlib import Path

import pytest

from tidegate.cli.dmn_tck import Line, counted, run_kit
from tidegate.decisions.dmn.kit.cases import read_cases, same
from tidegate.errors import DocumentError
from tidegate.expressions.feel.numbers import number

KNOWN: dict[tuple[str, str], str] = {}
"""Cases that do not pass, by folder and case, and why. There is none."""


def test_every_case_passes(shared: Path) -> None:
    lines = list(run_kit(shared / "vectors" / "dmn"))
    failed = {(line.folder, line.case): line.words for line in lines if not line.passed}
    assert failed.keys() == KNOWN.keys(), failed
    counts = counted(lines)
    assert counts["all"]["cases"] >= 1479 and counts["all"]["with_value"] >= 1062
    assert counts["compliance-level-2"]["passed"] == counts["compliance-level-2"]["cases"] == 116


def test_an_engine_that_always_says_null_would_not_pass(shared: Path) -> None:
    """The comparison tells values apart: of the cases that expect one, none takes null."""
    for path in sorted((shared / "vectors" / "dmn").rglob("*-test-01.xml")):
        for case in read_cases(path.read_bytes(), path.name).cases:
            assert case.has_value != all(same(one.value, None) for one in case.results)


CASES = """<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><modelName>m.dmn</modelName>
 <testCase id="1"><inputNode name="x">%s</inputNode><resultNode name="D"><expected>%s</expected></resultNode></testCase>
</testCases>"""
VALUE = '<value xsi:type="xsd:decimal">1.50</value>'


def test_values_of_cases_are_read() -> None:
    components = (
        f'<component name="a">{VALUE}</component><component name="b"><list><item>'
        '<value xsi:type="xsd:dateTime">2025-01-31T08:00:00Z</value></item><item><value xsi:nil="true"/></item></list>'
        '</component><component name="c" xsi:nil="true"/><component name="d"><value>text</value></component>'
    )
    (case,) = read_cases((CASES % (components, VALUE)).encode(), "c.xml").cases
    value = case.inputs["x"]
    assert value["a"] == number("1.5") and str(value["b"][0]) == "2025-01-31T08:00:00Z" and value["b"][1] is None
    assert value["c"] is None and value["d"] == "text"
    assert case.results[0].value == number("1.5") and case.has_value


@pytest.mark.parametrize("value", ['<value xsi:type="xsd:date">soon</value>', '<value xsi:type="xsd:anyURI">x</value>'])
def test_a_value_that_cannot_be_read_is_refused_at_its_line(value: str) -> None:
    with pytest.raises(DocumentError, match="has a value that cannot be read") as told:
        read_cases((CASES % (value, VALUE)).encode(), "c.xml")
    assert told.value.line == 3


def test_a_file_of_something_else_holds_no_cases() -> None:
    with pytest.raises(DocumentError, match="holds no test cases"):
        read_cases(b"<other/>", "c.xml")


def test_numbers_are_close_and_all_else_is_the_same() -> None:
    assert same(number("0.333333333"), number("0.3333333333333"))
    assert not same(number("0.33333"), number("0.3333333333333"))
    assert not same(number(1), True) and not same(True, number(1)) and not same(None, False)
    assert same({"a": [number(1)]}, {"a": [number("1.0")]}) and not same({"a": number(1)}, {"b": number(1)})
    assert not same([number(1)], [number(1), number(1)])


def test_lines_are_written_as_the_kit_writes_them() -> None:
    assert Line("level/0001-x", "0001-x-test-01", "001", True, "", True).csv() == (
        '"level/0001-x","0001-x-test-01","001","SUCCESS",""'
    )
    assert Line("f", "t", "2", False, 'was\n"a"', True).csv() == '"f","t","2","ERROR","was ""a"""'

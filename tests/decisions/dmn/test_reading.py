"""Model files: every version that is read, how types are named in each, and what is refused."""

import pytest

from tidegate.decisions.dmn import read_dmn
from tidegate.decisions.dmn.versions import MODEL
from tidegate.errors import DocumentError

from .written import decision, dmn, given, literal, table

VERSIONS = sorted(MODEL, key=MODEL.__getitem__)


@pytest.mark.parametrize("namespace", VERSIONS, ids=MODEL.__getitem__)
def test_every_version_is_read(namespace: str) -> None:
    model = read_dmn(
        dmn(given("x", "number"), decision("D", table(["x"], [""], [["> 1", "2"]]), needs=("x",)), version=namespace),
        "t.dmn",
    )
    assert model.version == MODEL[namespace] and not model.findings
    assert model.inputs.keys() == {"x"} and model.decisions == ("D",)
    assert model.evaluate("D", {"x": 5}).value == 2


def test_a_namespace_may_be_written_with_http() -> None:
    for namespace in VERSIONS:
        data = dmn(decision("D", literal("1")), version=namespace.replace("https:", "http:"))
        assert read_dmn(data).version == MODEL[namespace]


def test_types_of_dmn_1_1_are_qualified_names() -> None:
    data = b"""<dmn:definitions xmlns:dmn="http://www.omg.org/spec/DMN/20151101/dmn.xsd" xmlns:me="urn:me"
     xmlns:feel="http://www.omg.org/spec/FEEL/20140401" namespace="urn:me" name="old">
     <dmn:itemDefinition name="tAge"><dmn:typeRef>feel:number</dmn:typeRef></dmn:itemDefinition>
     <dmn:inputData name="Age" id="a"><dmn:variable name="Age" typeRef="me:tAge"/></dmn:inputData>
     <dmn:inputData name="For" id="f"><dmn:variable name="For" typeRef="feel:days and time duration"/></dmn:inputData>
     </dmn:definitions>"""
    model = read_dmn(data, "old.dmn")
    assert not model.findings
    assert {name: str(kind) for name, kind in model.inputs.items()} == {
        "Age": "number",
        "For": "days and time duration",
    }


def test_types_of_an_import_may_be_qualified_names_too() -> None:
    kinds = dmn('<itemDefinition name="tAge"><typeRef>number</typeRef></itemDefinition>', namespace="urn:kinds")
    data = dmn('<import name="k" namespace="urn:kinds"/>', given("Age", "q:tAge"))
    model = read_dmn(
        data.replace(b"<definitions ", b'<definitions xmlns:q="urn:kinds" '), "t.dmn", imports={"kinds.dmn": kinds}
    )
    assert not model.findings and str(model.inputs["Age"]) == "number"


def test_names_are_read_with_single_blanks() -> None:
    model = read_dmn(
        dmn(given("Credit \n  score"), decision("D", literal("Credit score"), needs=("Credit \n  score",)))
    )
    assert list(model.inputs) == ["Credit score"]


def test_what_tools_add_is_left_alone() -> None:
    data = dmn(
        '<extensionElements><x xmlns="urn:tool">1</x></extensionElements>',
        '<knowledgeSource id="k" name="Law"/><textAnnotation id="t"/>',
        '<decision name="D" id="D"><authorityRequirement><requiredAuthority href="#k"/></authorityRequirement>'
        + literal("1")
        + "</decision>",
    )
    model = read_dmn(data, "t.dmn")
    assert not model.findings and model.evaluate("D", {}).value == 1


@pytest.mark.parametrize(
    ("data", "wrong", "line"),
    [
        (b"", "not well-formed", 1),
        (b"hello", "not well-formed", 1),
        (b"PK\x03\x04rubbish", "not well-formed", 1),
        (b"<html/>", "is no DMN model", 1),
        (b"<definitions/>", "is no DMN model", 1),
        (b'<PMML xmlns="http://www.dmg.org/PMML-4_4"/>', "is no DMN model", 1),
        (b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "is no DMN model", 1),
        (b'\n<definitions xmlns="http://www.omg.org/spec/DMN/20130901"/>', "is DMN 1.0, which is not read", 2),
        (b'<definitions xmlns="https://www.omg.org/spec/DMN/20240513/MODEL/"/>', "is DMN 1.6, which is not read", 1),
        (
            b'<definitions xmlns="https://www.omg.org/spec/DMN/20990101/MODEL/"/>',
            "a version of DMN that is not known",
            1,
        ),
    ],
)
def test_what_is_no_dmn_model_that_is_read_is_refused(data: bytes, wrong: str, line: int) -> None:
    with pytest.raises(DocumentError, match=wrong) as told:
        read_dmn(data, "t.dmn")
    assert told.value.line == line and "t.dmn" in str(told.value)


def test_a_file_that_is_cut_short_anywhere_is_refused_or_read_never_worse() -> None:
    whole = dmn(given("x", "number"), decision("D", table(["x"], [""], [["> 1", "2"]] * 3), needs=("x",)))
    for end in range(len(whole)):
        with pytest.raises(DocumentError):
            read_dmn(whole[:end], "t.dmn")


def test_findings_tell_file_line_and_place() -> None:
    data = dmn(given("x"), "", decision("D", literal("x +\n* 2"), needs=("x",)))
    (found,) = read_dmn(data, "t.dmn").findings
    assert (found.severity, found.file, found.line, found.place) == ("error", "t.dmn", 5, 'decision "D"')
    assert str(found).startswith('t.dmn:5: error: decision "D": ')

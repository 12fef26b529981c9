"""An empty text is a value like any other; it is an empty cell of a table that may stand for a missing value."""

import csv
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tidegate.cli import app
from tidegate.models.pmml.model import read_pmml

from .documents import FIELDS, apply, const, document, expressed, ref, schema
from .held import asked_in, compared
from .test_models import SAID

EMPTY = '<Constant dataType="string"></Constant>'
LISTED = FIELDS | {
    "c": '<DataField name="c" optype="categorical" dataType="string"><Value value=""/><Value value="a"/></DataField>'
}
MARKED = FIELDS | {
    "x": '<DataField name="x" optype="continuous" dataType="double"><Value value="NA" property="missing"/>'
    '<Value value="" property="missing"/></DataField>'
}
ANY = 'invalidValueTreatment="asIs"'


def node(score: int, when: str, below: str = "") -> str:
    return f'<Node score="{score}">{when}{below}</Node>'


TREE = (
    f'<TreeModel functionName="regression">{schema()}{SAID}'
    + node(0, "<True/>", node(1, '<SimplePredicate field="c" operator="equal" value=""/>')
           + node(2, '<SimplePredicate field="c" operator="equal" value="a"/>')
           + node(3, '<SimplePredicate field="c" operator="isMissing"/>'))
    + "</TreeModel>"
)  # fmt: skip


def row(**given: Any) -> dict[str, Any]:
    return {"x": 1.5, "y": 2.0, "c": "a"} | given


def test_an_empty_text_that_is_listed_is_valid(tmp_path: Path) -> None:
    data = document(TREE, fields=LISTED)
    rows = [row(c=text) for text in ("", "a", None)]
    assert [read_pmml(data).answer(one).values["said"] for one in rows] == [1, 2, 3]
    assert compared(data, rows, asked_in(tmp_path)("listed", data)) == (3, 0)


@pytest.mark.parametrize(
    ("treatment", "wanted"),
    [
        ("", "an invalid value of c"), (ANY, ""), ('invalidValueTreatment="asMissing"', None),
        ('invalidValueTreatment="asValue" invalidValueReplacement="b"', "b"),
        ('missingValueReplacement="b"', "an invalid value of c"),
    ],
)  # fmt: skip
def test_one_that_is_not_listed_is_invalid(tmp_path: Path, treatment: str, wanted: str | None) -> None:
    data = expressed(ref("c"), "string", c=treatment)
    answer = read_pmml(data).answer(row(c=""))
    assert wanted in answer.invalid if wanted and not answer.values["out"] else answer.values["out"] == wanted
    compared(data, [row(c="")], asked_in(tmp_path)("invalid", data))


@pytest.mark.parametrize(
    ("kind", "treatment", "fields", "wanted"),
    [
        ("double", "", FIELDS, "not of the field's type"), ("double", ANY, FIELDS, "not of the field's type"),
        ("double", 'invalidValueTreatment="asMissing"', FIELDS, None), ("double", "", MARKED, None),
        ("double", 'missingValueReplacement="7"', MARKED, 7.0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["", "NA"])
def test_no_number_is_empty(
    tmp_path: Path, text: str, kind: str, treatment: str, fields: dict[str, str], wanted: object
) -> None:
    data = expressed(ref("x"), kind, x=treatment).replace(FIELDS["x"].encode(), fields["x"].encode())
    answer = read_pmml(data).answer(row(x=text))
    assert wanted in answer.invalid if isinstance(wanted, str) else answer.values["out"] == wanted
    compared(data, [row(x=text)], asked_in(tmp_path)("number", data))


def test_functions_take_empty_texts(tmp_path: Path) -> None:
    c = ref("c")
    for expression, kind, wanted in (
        (apply("uppercase", c), "string", ""), (apply("stringLength", c), "integer", 0),
        (apply("concat", c, const("-"), c), "string", "-"), (apply("concat", c, EMPTY), "string", ""),
        (apply("substring", c, const(1), const(2)), "string", ""), (apply("trimBlanks", c), "string", ""),
        (apply("equal", c, EMPTY), "boolean", True), (apply("isMissing", c), "boolean", False),
        (apply("matches", c, EMPTY), "boolean", True),
    ):  # fmt: skip
        data = expressed(expression, kind, c=ANY)
        assert read_pmml(data).answer(row(c="")).values["out"] == wanted, expression
        assert compared(data, [row(c="")], asked_in(tmp_path)("function", data))[1] == 0


@pytest.mark.parametrize(("fields", "wanted"), [(LISTED, ["1.0", "2.0", "3.0"]), (FIELDS, ["3.0", "2.0", "3.0"])])
def test_an_empty_cell_is_missing_unless_an_empty_text_is_listed(
    tmp_path: Path, fields: dict[str, str], wanted: list[str]
) -> None:
    (tmp_path / "m.pmml").write_bytes(document(TREE, fields=fields))
    (tmp_path / "d.csv").write_text("x,y,c\n1,,\n1,2,a\n1,2,NA\n")
    out = tmp_path / "out.csv"
    done = CliRunner().invoke(app, ["pmml", "run", str(tmp_path / "m.pmml"), str(tmp_path / "d.csv"), "-o", str(out)])
    assert done.exit_code == 0, done.output
    with out.open(newline="") as given:
        assert [line["said"] for line in csv.DictReader(given)] == wanted
    blank = ["pmml", "run", str(tmp_path / "m.pmml"), str(tmp_path / "d.csv"), "-o", str(out), "--missing", ""]
    CliRunner().invoke(app, blank)
    with out.open(newline="") as given:
        assert next(csv.DictReader(given))["said"] == "3.0"


@pytest.mark.parametrize(("fields", "wanted"), [(LISTED, (1, 2)), (FIELDS, (3, 2))])
def test_so_is_one_of_a_verification(fields: dict[str, str], wanted: tuple[int, int]) -> None:
    rows = "".join(f"<row><c>{c}</c><said>{said}</said></row>" for c, said in zip(("", "a"), wanted, strict=True))
    verification = (
        '<ModelVerification><VerificationFields><VerificationField field="c"/><VerificationField field="said"/>'
        f"</VerificationFields><InlineTable>{rows}</InlineTable></ModelVerification>"
    )
    read_pmml(document(TREE.replace("</TreeModel>", f"{verification}</TreeModel>"), fields=fields))

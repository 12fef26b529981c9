"""`tidegate dmn`: what is said of a model, of inputs from every kind of file, and of the test kit."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.decisions.dmn.test_pmml import asking, pmml, regression
from tests.decisions.dmn.written import decision, dmn, given, literal, service, table
from tidegate.cli import app

from .conftest import typed

PERSON = (
    '<itemDefinition name="tPerson"><itemComponent name="name"><typeRef>string</typeRef></itemComponent>'
    '<itemComponent name="age"><typeRef>number</typeRef></itemComponent>'
    '<itemComponent name="born"><typeRef>date</typeRef></itemComponent></itemDefinition>'
)


@pytest.fixture
def loan(tmp_path: Path) -> Path:
    """A model of one table over a person and a flag."""
    rows = [["< 18", "-", '"too young"'], [">= 18", "true", '"yes"']]
    path = tmp_path / "loan.dmn"
    path.write_bytes(
        dmn(
            PERSON,
            given("Person", "tPerson"),
            given("Known", "boolean"),
            decision("Answer", table(["Person.age", "Known"], [""], rows), kind="string", needs=("Person", "Known")),
            decision("Letter", literal('Person.name + ": " + Answer'), needs=("Person", "!Answer")),
            service("Ask", ["Letter"], owns=["Answer"], given=["Person", "Known"]),
            name="Loan",
        )
    )
    return path


def asked(*words: object) -> list[dict[str, Any]]:
    result = typed("dmn", "run", *words, "--json")
    assert result.exit_code in (0, 1), result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_sound_model_is_told(loan: Path) -> None:
    result = typed("dmn", "check", loan)
    assert result.exit_code == 0 and "nothing is wrong" in result.stdout and "Person" in result.stdout
    facts = json.loads(typed("dmn", "check", loan, "--json").stdout)
    assert facts["decisions"] == ["Answer", "Letter"] and facts["services"] == ["Ask"] and facts["findings"] == []


def test_a_model_with_mistakes_is_told_by_line_with_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    path.write_bytes(dmn(given("amount"), decision("D", literal("amuont + 1"), needs=("amount",))))
    result = typed("dmn", "check", path)
    assert result.exit_code == 1
    assert 'm.dmn:3  decision "D": nothing here is called "amuont"' in result.stdout
    assert 'Did you mean "amount"?' in result.stdout and "1 error" in result.stdout
    path.write_bytes(path.read_bytes().replace(b"amuont + 1", b"if amuont &gt; 1 then 1 else 2"))
    made = typed("dmn", "run", path, "--set", "amount=5", "--json")
    assert made.exit_code == 0 and '"D": 2' in made.stdout, "it decides around the mistake"
    assert 'm.dmn:3  decision "D": nothing here is called "amuont"' in made.stderr, "and says so"


def test_half_of_a_surrogate_pair_is_a_mistake_in_a_text_and_refused_in_an_input(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    path.write_bytes(dmn(decision("D", literal('"a" + "\\uD83D"'))))
    checked = typed("dmn", "check", path)
    assert checked.exit_code == 1 and 'm.dmn:2  decision "D": A string holds half of a surrogate pair' in checked.stdout
    made = typed("dmn", "run", path)
    assert made.exit_code == 1 and "half of a surrogate pair" in made.stdout and made.exception is not None
    assert isinstance(made.exception, SystemExit)
    path.write_bytes(dmn(given("x"), decision("D", literal("x"), needs=("x",))))
    rows = tmp_path / "in.ndjson"
    rows.write_text('{"x": "\\ud83d"}\n{"x": {"\\ude00": 1}, "y\\ud83d": 2}\n{"x": "\\ud83d\\udc0e"}\n')
    result = typed("dmn", "run", path, "--input", rows)
    first, second, third = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 1 and third["decisions"] == {"D": "🐎"}
    assert "half of a surrogate pair" in first["reasons"][0]["why"] and first["decisions"] == {"D": None}
    assert "half of a surrogate pair" in second["reasons"][0]["why"]
    assert "Line 1 of" in result.stderr and "y\\ud83d" in result.stderr


def test_a_value_outside_of_the_input_values_is_told_whatever_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    rows = [['"High"', "1"], ["-", "2"]]
    made = table(["Risk"], [""], rows, policy="FIRST", values={"Risk": '"High", "Low"'})
    path.write_bytes(dmn(given("Risk"), decision("D", made, needs=("Risk",))))
    (row,) = asked(path, "--set", "Risk=Foo")
    said = '"Foo" is none of its input values: "High", "Low"'
    assert row["decisions"] == {"D": 2} and [one["why"] for one in row["reasons"]] == [f"{said}."]
    assert row["reasons"][0]["place"] == 'decision "D", input "Risk"'
    told = typed("dmn", "run", path, "--set", "Risk=Foo")
    assert told.exit_code == 0 and said in told.stdout, "also where nothing is to be explained"
    steps = typed("dmn", "run", path, "--set", "Risk=Foo", "--explain").stdout
    assert 'saw    Risk = "Foo"' in steps and f"not    row 1: Risk sees null: {said}" in steps
    assert "Risk is null" not in steps
    assert asked(path, "--set", "Risk=Low")[0]["reasons"] == []


def test_a_missing_requirement_is_told_in_one_sentence_by_check_and_run(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    path.write_bytes(dmn(given("Loan amount"), decision("D", literal("1 + Loan amount"))))
    said = 'nothing here is called "Loan amount". It is input data that is not required here: add the requirement.'
    assert said in typed("dmn", "check", path).stdout
    (row,) = asked(path, "--set", "Loan amount=5")
    assert said in [one["why"] for one in row["reasons"]] and "in scope" not in str(row["reasons"])


def test_a_header_of_an_input_and_of_its_component_is_refused(loan: Path, tmp_path: Path) -> None:
    rows = tmp_path / "in.csv"
    for header in ("Person,Person.age", "Person.age,Person", "Person.age.of,Person.age"):
        rows.write_text(f"{header}\n1,2\n")
        result = typed("dmn", "run", loan, "--input", rows)
        assert result.exit_code == 2 and "a column for an input and one for its component" in result.output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.dmn", b"<html/>", "is no DMN model"),
        ("a.dmn", b"<definitions", "not well-formed"),
        ("missing.dmn", None, "cannot be read"),
    ],
)
def test_what_is_no_model_is_refused_with_exit_code_2(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for command in ("check", "run"):
        result = typed("dmn", command, tmp_path / name)
        assert result.exit_code == 2 and said in result.stderr


def test_of_a_long_expression_its_beginning_is_told(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    path.write_bytes(dmn(decision("D", literal("(" * 5000 + "1" + ")" * 5000))))
    told = typed("dmn", "run", path).stdout
    assert "nested too deeply" in told and len(told) < 1000


def test_one_input_by_hand(loan: Path) -> None:
    result = typed(
        "dmn", "run", loan, "--set", 'Person={"name": "Ann", "age": 30, "born": "1995-01-31"}', "--set", "Known=true"
    )
    assert result.exit_code == 0
    assert 'Answer: "yes"' in result.stdout and 'Letter: "Ann: yes"' in result.stdout


def test_what_comes_to_nothing_says_why_and_what_is_missing(loan: Path) -> None:
    result = typed("dmn", "run", loan, "--decision", "Answer", "--set", "Knwon=true")
    assert result.exit_code == 1 and "Answer: null" in result.stdout
    assert 'input data "Person" (loan.dmn:3): it was not given' in result.stdout
    assert "Not an input of the model: Knwon. Did you mean Known?" in result.stderr
    assert "--input FILE" in result.stderr


def test_each_object_of_a_list_is_a_line_of_its_own_from_the_first_on(loan: Path, tmp_path: Path) -> None:
    file, one = tmp_path / "in.json", {"Person": {"name": "Ann", "age": 30, "born": None}, "Known": True}
    file.write_text(json.dumps([one, {**one, "Known": None, "Knwon": True}]))
    result = typed("dmn", "run", loan, "--decision", "Answer", "--input", file)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["row"], line["decisions"]["Answer"]) for line in lines] == [(1, "yes"), (2, None)]
    assert result.exit_code == 1 and "Knwon. Did you mean Known?" in result.stderr
    file.write_text(json.dumps([one, one, 7]))
    result = typed("dmn", "run", loan, "--input", file)
    assert result.exit_code == 2 and not result.stdout
    assert "in.json, row 3 of its list, is no JSON object" in result.stderr
    file.write_text(json.dumps([one]))
    assert typed("dmn", "run", loan, "--input", file).exit_code == 0


def test_an_input_that_is_refused_is_told_though_a_decision_is_made_without_it(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    path.write_bytes(dmn(given("x", "number"), given("y"), decision("D", literal("2"), needs=("y",))))
    assert typed("dmn", "run", path, "--set", "x=3", "--set", "y=1").exit_code == 0
    result = typed("dmn", "run", path, "--set", "x=abc", "--set", "y=1")
    assert result.exit_code == 1 and "D: 2" in result.stdout and "input data" in result.stdout, result.output


def test_what_is_wrong_in_an_input_is_named_and_told_once(loan: Path, tmp_path: Path) -> None:
    """Both decisions need the person, and only its age is wrong."""
    given = tmp_path / "in.json"
    given.write_text('{"Person": {"name": "Ann", "age": "35", "born": "1990-01-31"}, "Known": true}')
    said = typed("dmn", "run", loan, "--input", given).stdout
    assert said.count('age: the string "35" is not of the type number') == 1
    assert said.count("whose value was refused") == 2
    (facts,) = asked(loan, "--input", given)
    assert [why["why"] for why in facts["reasons"]].count('age: the string "35" is not of the type number.') == 1


def test_every_kind_of_file_of_inputs_is_read(loan: Path, tmp_path: Path) -> None:
    person = {"name": "Ann", "age": 30, "born": "1995-01-31"}
    one, other = {"Person": person, "Known": True}, {"Person": {**person, "age": 3}, "Known": None}
    (tmp_path / "one.json").write_text(json.dumps(one))
    (tmp_path / "list.json").write_text(json.dumps([one, other]))
    (tmp_path / "lines.ndjson").write_text(f"{json.dumps(one)}\n\n{json.dumps(other)}\n")
    (tmp_path / "rows.csv").write_text(
        "Person.name,Person.age,Person.born,Known\nAnn,30,1995-01-31,true\nAnn,3,1995-01-31,\n", "utf-8-sig"
    )
    (tmp_path / "rows.tsv").write_text("Person.name\tPerson.age\tPerson.born\tKnown\nAnn\t30\t1995-01-31\tTRUE\n")
    wanted = ["yes", "too young"]
    for name in ("one.json", "list.json", "lines.ndjson", "rows.csv", "rows.tsv"):
        found = [line["decisions"]["Answer"] for line in asked(loan, "--input", tmp_path / name)]
        assert found == wanted[: len(found)] and len(found) == (1 if name in ("one.json", "rows.tsv") else 2), name


def test_a_service_is_asked(loan: Path, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"Person": {"name": "Ann", "age": 30, "born": null}, "Known": true}')
    (line,) = asked(loan, "--service", "Ask", "--input", tmp_path / "one.json")
    assert line["decisions"] == {"Ask": "Ann: yes"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("i.json", "{", "is no JSON"),
        ("i.json", "[1]", "is no JSON object"),
        ("i.json", '{"Known": NaN}', "NaN is no number of JSON"),
        ("i.json", "[" * 100_000, "nested too deep"),
        ("i.json", '{\n"Known": true,\n"Person": {}}\n{}\n', "is no JSON"),
        ("i.json", '[\n{"Known": true},\n{"Known": tru},\n{"Known": true}\n]\n', "line 3 column 11"),
        ("i.json", '{"Known": "\xff"}', "is not UTF-8"),
        ("i.csv", "", "is empty"),
        ("i.csv", "Known,Known\ntrue,false\n", "no header of different names"),
        ("i.csv", "Kn\xffwn\ntrue\n", "is not UTF-8"),
        ("i.csv", '"Known\ntrue\n', "is no CSV"),
        ("missing.json", None, "cannot be read"),
    ],
)
def test_inputs_that_cannot_be_read_are_refused(
    loan: Path, tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content, "latin-1")
    result = typed("dmn", "run", loan, "--input", tmp_path / name)
    assert result.exit_code == 2 and said in result.stderr


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("i.ndjson", ['{"Known": true}', '{"Known": tru}', '{"Known": false}'], "It is no JSON. Seen: Expecting value"),
        ("i.ndjson", ['{"Known": true}', "[1]", '{"Known": false}'], "It is no JSON object. Seen: [1]"),
        ("i.ndjson", ['{"Known": true}', '{"Known": "\xff"}', '{"Known": false}'], "can't decode byte 0xff"),
        ("i.json", ['{"Known": true}', "oops", '{"Known": false}'], "It is no JSON"),
        ("-", ['{"Known": true}', "oops", '{"Known": false}'], "It is no JSON"),
        ("i.csv", ["Known,Note", "true,", "true", "false,"], "It has 1 cell, and the header 2."),
        ("i.csv", ["Known,Note", "true,", "true,a,b", "false,"], "It has 3 cells, and the header 2."),
        ("i.csv", ["Known,Note", "true,", "true,\xff", "false,"], "It is not UTF-8."),
        ("i.csv", ["Known,Note", "true,", 'true,"open', "false,"], "It is no CSV. Seen: unexpected end of data"),
    ],
)
def test_a_bad_line_is_told_with_its_place_and_the_others_are_answered(
    tmp_path: Path, name: str, lines: list[str], said: str
) -> None:
    (tmp_path / "m.dmn").write_bytes(dmn(given("Known", "boolean"), decision("D", literal("Known"), needs=("Known",))))
    data = "\n".join([*lines, ""]).encode("latin-1")
    (tmp_path / name).write_bytes(data)
    source = "-" if name == "-" else tmp_path / name
    words = [str(word) for word in ("dmn", "run", tmp_path / "m.dmn", "--input", source)]
    result = CliRunner().invoke(app, words, input=data)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["decisions"]["D"] for one in answers] == [True, None, False], result.output
    place = 3 if name.endswith(".csv") else 2
    assert result.exit_code == 1 and f"Line {place} of {'standard input' if name == '-' else source}: " in result.stderr
    assert said in result.stderr and result.stderr.count("Line ") == 1
    assert result.stderr.endswith("3 rows, 1 not decided in full\n")
    assert [one["row"] for one in answers] == [1, 2, 3]
    assert answers[1]["reasons"][0]["line"] == place and said in answers[1]["reasons"][0]["why"]


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    path.write_bytes(dmn(given("x", "number"), decision("D", literal("x + 0.1"), needs=("x",))))
    (tmp_path / "i.json").write_text('{"x": 0.12345678901234567890}')
    result = typed("dmn", "run", path, "--input", tmp_path / "i.json", "--json")
    assert '"D": 0.22345678901234567890' in result.stdout


def test_imports_come_from_the_folder_of_the_model_and_from_nowhere_else(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer.dmn"
    inner.mkdir()
    fees = dmn(decision("Fee", literal("7")), namespace="urn:fees")
    (inner / "top.dmn").write_bytes(
        dmn(
            '<import name="f" namespace="urn:fees" locationURI="../outer.dmn"/>',
            decision("D", literal("f.Fee"), needs=("!urn:fees#Fee",)),
        )
    )
    outer.write_bytes(fees)
    (inner / "link.dmn").symlink_to(outer)
    assert asked(inner / "top.dmn")[0]["decisions"] == {"D": None}
    (inner / "link.dmn").unlink()
    (inner / "fees.dmn").write_bytes(fees)
    assert asked(inner / "top.dmn")[0]["decisions"] == {"D": 7}


def test_now_is_given_or_the_time_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    path.write_bytes(dmn(decision("D", literal("now().year"))))
    assert asked(path, "--now", "2001-02-03T04:05:06Z")[0]["decisions"] == {"D": 2001}
    assert asked(path)[0]["decisions"]["D"] > 2024
    assert typed("dmn", "run", path, "--now", "soon").exit_code == 2


def test_a_kit_is_run_counted_and_written(tmp_path: Path) -> None:
    folder = tmp_path / "TestCases" / "compliance-level-2" / "0001-x"
    folder.mkdir(parents=True)
    (folder / "m.dmn").write_bytes(dmn(decision("D", literal("1")), decision("N", literal("null"))))
    case = '<testCase id="%s"><resultNode name="%s"><expected><value xsi:%s</value></expected></resultNode></testCase>'
    (folder / "0001-x-test-01.xml").write_text(
        '<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><modelName>m.dmn</modelName>'
        + case % ("1", "D", 'type="xsd:decimal">1')
        + case % ("2", "D", 'type="xsd:decimal">2')
        + case % ("3", "N", 'nil="true">')
        + case % ("4", "Missing", 'nil="true">')
        + "</testCases>"
    )
    out = tmp_path / "r.csv"
    result = typed("dmn", "tck", tmp_path / "TestCases", "--out", out, "--json")
    assert result.exit_code == 1
    counts = {"cases": 4, "passed": 2, "with_value": 2, "with_value_passed": 1}
    assert json.loads(result.stdout) == {"all": counts, "compliance-level-2": counts}
    lines = out.read_text().splitlines()
    assert lines[0] == '"compliance-level-2/0001-x","0001-x-test-01","1","SUCCESS",""'
    assert lines[1] == '"compliance-level-2/0001-x","0001-x-test-01","2","ERROR","D: expected 2, was 1"'
    assert "has no decision" in lines[3]
    told = typed("dmn", "tck", folder, "--failures")
    assert "0001-x 2: D: expected 2, was 1" in told.stdout and "2 of     4" in told.stdout


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    assert "holds no test cases" in typed("dmn", "tck", tmp_path).stderr
    assert "is no folder" in typed("dmn", "tck", tmp_path / "no").stderr


def test_a_function_that_is_a_pmml_model_is_found_beside_the_model(tmp_path: Path) -> None:
    path = tmp_path / "m.dmn"
    asked_for = decision("D", literal('Risk(20, "FR")'), knows=("Risk",))
    path.write_bytes(dmn(asking('"risk.pmml"'), asked_for))
    result = typed("dmn", "check", path)
    assert result.exit_code == 1 and 'there is no PMML file "risk.pmml" beside the model' in result.stdout
    assert "dmn run" not in result.output, "which would fail"
    (tmp_path / "risk.pmml").write_bytes(pmml(regression("r")))
    result = typed("dmn", "check", path)
    assert result.exit_code == 0 and "asks          risk.pmml" in result.stdout
    assert asked(path)[0]["decisions"] == {"D": 51.0}
    (tmp_path / "risk.pmml").write_bytes(b"<PMML")
    result = typed("dmn", "run", path)
    assert result.exit_code == 2 and "risk.pmml" in result.stderr and "not well-formed" in result.stderr

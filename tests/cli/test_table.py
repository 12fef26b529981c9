"""`tidegate table check`, and how tables are told by `check` and `explain`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import typed

RATES = """unique,if score (whole number: [0..100]),if country (text),if kind (text: a),then rate
a,< 40,-,a,0.09
b,[40..80],DE,a,0.05
c,[40..80),not(DE),a,0.06
d,(80..100],FR,a,0.03
e,> 100,-,a,1
"""
FLOW = """from tidegate import Event, Flow, Money, entity, table

Card = entity("card")


class Payment(Event):
    card: Card
    country: str | None
    amount: Money


class Fees(Flow[Payment]):
    currency = "EUR"
    fees = table("fees.csv", of={"amount": Payment.amount, "country": Payment.country}, currency="EUR")
"""
FEES = "first,if amount,if country,then fee,outcome,because\n1,< 100,-,1,,\n2,>= 100,-,2,review,Much\n"


def test_everything_that_is_found_is_told_with_examples(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text(RATES)
    result = typed("table", "check", tmp_path / "rates.csv")
    assert result.exit_code == 1
    said = result.stdout
    assert "row e can never match: score is never > 100" in said
    assert "no row matches score >= 80, country not(DE, FR)" in said
    assert "such as score 80, country any other text, kind a" in said
    assert "no row matches score 80, country FR" in said and "no row matches score >= 81, country DE" in said
    assert "kind never matters" in said
    told = json.loads(typed("table", "check", tmp_path / "rates.csv", "--json").stdout)
    assert told["many"] == {"unreachable": 1, "gap": 3, "idle": 1} and told["undecided"] == []
    assert told["inputs"] == {"score": "int", "country": "text", "kind": "text"}
    gap = next(finding for finding in told["findings"] if finding["kind"] == "gap")
    assert gap["where"] == {"score": ">= 80", "country": "not(DE, FR)"} and gap["severity"] == "warning"


def test_a_table_without_faults_ends_well(tmp_path: Path) -> None:
    (tmp_path / "fees.csv").write_text(FEES)
    (tmp_path / "flow.py").write_text(FLOW)
    result = typed("table", "check", tmp_path / "flow.py", "--strict")
    assert result.exit_code == 1 and "country never matters" in result.stdout
    (tmp_path / "fees.csv").write_text(FEES.replace("1,< 100,-", "0,< 50,DE,3,,\n1,< 100,-"))
    result = typed("table", "check", f"{tmp_path / 'flow.py'}:Fees", "--strict")
    assert result.exit_code == 0, result.output
    assert "money in EUR" in result.stdout and "no row matches" not in result.stdout
    said = typed("check", tmp_path / "flow.py").stdout
    assert "decision tables" in said
    assert "table('" not in said, "rules name the table's outputs, not its content"


def test_missing_values_are_looked_at_when_asked(tmp_path: Path) -> None:
    (tmp_path / "fees.csv").write_text(FEES.replace("1,< 100,-", "1,< 100,not(US)"))
    (tmp_path / "flow.py").write_text(FLOW)
    plain = typed("table", "check", tmp_path / "flow.py").stdout
    both = typed("table", "check", tmp_path / "flow.py", "--missing").stdout
    assert "country US\n" in plain and "missing" not in plain
    assert "country US, missing" in both and "amount missing" not in both


@pytest.mark.parametrize("name", ["rates.txt", "nothing.csv", "flow.py"])
def test_what_cannot_be_looked_at_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "rates.txt").write_text(RATES)
    (tmp_path / "flow.py").write_text(
        FLOW.split("class Fees")[0] + "class Fees(Flow[Payment]):\n    currency = 'EUR'\n"
    )
    result = typed("table", "check", tmp_path / name)
    assert result.exit_code == 2 and result.stderr.startswith("Error:")


def test_a_mistake_in_a_cell_is_told_at_the_line_of_the_flow(tmp_path: Path) -> None:
    (tmp_path / "fees.csv").write_text(FEES.replace("< 100", "< 1OO"))
    (tmp_path / "flow.py").write_text(FLOW)
    result = typed("check", tmp_path / "flow.py")
    said = result.stderr.replace("\n", " ")
    assert result.exit_code == 2 and "fees.csv, line 2, column 2 (amount): This is not money" in said
    assert "flow.py:14" in said


def test_a_row_for_missing_values_can_match_where_the_field_is_optional(tmp_path: Path) -> None:
    (tmp_path / "fees.csv").write_text("first,if amount,if country,then fee\nc,-,missing,1\nd,-,-,2\n")
    (tmp_path / "flow.py").write_text(FLOW)
    result = typed("table", "check", tmp_path / "flow.py")
    assert result.exit_code == 0 and "can never" not in result.stdout, result.output
    (tmp_path / "flow.py").write_text(FLOW.replace("str | None", "str"))
    result = typed("table", "check", tmp_path / "flow.py")
    assert result.exit_code == 1 and "row c can never match: country is never missing" in result.stdout


def test_a_row_that_only_missing_values_reach_is_reached(tmp_path: Path) -> None:
    (tmp_path / "fees.csv").write_text(
        "first,if amount,if country,then fee\na,-,DE,1\nb,-,not(DE),2\nc,-,-,3\nd,-,-,4\n"
    )
    (tmp_path / "flow.py").write_text(FLOW)
    said = typed("table", "check", tmp_path / "flow.py").stdout
    assert "row c can" not in said, "a country may be missing, which neither a nor b takes"
    assert "row d can never decide: wherever it matches, rows a, b, c come first" in said
    assert "such as amount 0.00 EUR, country DE\n" in said, "an example shows values where there are some"


def test_a_cell_that_says_missing_says_that_the_input_of_a_file_can_be_missing(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("unique,if segment (text: a),then rate\n1,a,1\n2,missing,2\n")
    result = typed("table", "check", tmp_path / "rates.csv", "--strict")
    assert result.exit_code == 0 and "Nothing found" in result.stdout, result.output
    (tmp_path / "rates.csv").write_text("unique,if n (whole number: [0..9]),then rate\n1,< 9,1\n2,missing,2\n3,-,1\n")
    told = json.loads(typed("table", "check", tmp_path / "rates.csv", "--json").stdout)["findings"]
    pairs = {finding["rows"] and tuple(finding["rows"]): finding["example"] for finding in told}
    assert pairs == {("1", "3"): {"n": "0"}, ("2", "3"): {"n": "missing"}}


def test_an_input_that_matters_only_when_it_is_missing_is_not_called_idle(tmp_path: Path) -> None:
    (tmp_path / "fees.csv").write_text("first,if amount,if country,then fee\na,-,DE,1\nb,-,not(DE),1\n")
    (tmp_path / "flow.py").write_text(FLOW)
    for flags in ((), ("--missing",)):
        told = json.loads(typed("table", "check", tmp_path / "flow.py", "--json", *flags).stdout)[0]["findings"]
        assert not [found for found in told if found["kind"] == "idle" and "country" in found["said"]]
        assert [found["where"] for found in told if found["kind"] == "gap"] == [{"country": "missing"}] * len(flags)


@pytest.mark.parametrize("cell", ["< 1,5", "[0,5..1,5]", ">= 1000,25"])
def test_a_decimal_comma_in_a_spreadsheet_is_told(tmp_path: Path, cell: str) -> None:
    for rows in (f"r1;{cell};2\n", f"r1;{cell};2\nr2;> 2;3\nr3;-;4\n"):
        (tmp_path / "semi.csv").write_text(f"first;if a;then b\n{rows}")
        result = typed("table", "check", tmp_path / "semi.csv")
        said = " ".join(result.stderr.split())
        assert result.exit_code == 2 and "semi.csv, line 2, column 2 (a): A comma between digits" in said
        assert "Numbers have a decimal point: write 1.5" in said


def test_codes_with_commas_between_them_are_texts(tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text('first,if code,then b\nr1,"5411,5412",2\n')
    told = json.loads(typed("table", "check", tmp_path / "codes.csv", "--json").stdout)
    assert told["inputs"] == {"code": "text"}

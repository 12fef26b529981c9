"""Mistakes of a first day, each told by its place and by what to type."""

import csv
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.decisions.dmn.test_pmml import pmml, regression
from tidegate import Engine, Event, Flow, Money, eur, review
from tidegate.cli.inputs import inputs
from tidegate.cli.terminal import tell
from tidegate.errors import ContractError, DocumentError, TidegateError

from .conftest import typed


class Paid(Event):
    amount: Money


class Desk(Flow[Paid]):
    large = review(Paid.amount > eur(900), because="Large")


def test_what_is_no_event_is_refused() -> None:
    engine = Engine(Desk)
    for wrong in ({"id": "1"}, None, Paid):
        with pytest.raises(ContractError, match="This is no event"):
            engine.decide(wrong)  # type: ignore[arg-type]
        with pytest.raises(ContractError, match="This is no event"):
            engine.decide_many([wrong, wrong])  # type: ignore[list-item]


def test_a_file_of_other_events_needs_their_name() -> None:
    with pytest.raises(TidegateError, match=r"--event Login=inquiries\.ndjson"):
        inputs(Desk, [], ["inquiries.ndjson"])


def test_the_line_of_a_text_that_others_wrote_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "m.dmn"
    file.write_text("<definitions>\n  <decision \x1b[31m>\n</definitions>\n")
    for line, shown in ((2, "2 │ <decision"), (9, "")):
        error = DocumentError("It is damaged.", line=line)
        error.file = str(file)  # type: ignore[attr-defined]
        tell(error)
        said = capsys.readouterr().err
        assert f"m.dmn:{line}" in said and "\x1b[31m" not in said
        assert shown in said if shown else "│" not in said


def test_bad_cells_of_a_model_in_pmml_are_told_by_line_field_and_value(tmp_path: Path) -> None:
    (tmp_path / "r.pmml").write_bytes(pmml(regression("r")))
    (tmp_path / "d.csv").write_text("amount,country\n10,FR\nmany,FR\n20,DE\n")
    done = typed("pmml", "run", tmp_path / "r.pmml", tmp_path / "d.csv", "-o", tmp_path / "o.csv")
    assert done.exit_code == 1, done.output
    with (tmp_path / "o.csv").open() as file:
        assert [bool(row["invalid"]) for row in csv.DictReader(file)] == [False, True, False]
    told = " ".join(done.stderr.split())
    (tmp_path / "d.csv").write_text("amount,country\n2000,FR\n")
    outside = typed("pmml", "run", tmp_path / "r.pmml", tmp_path / "d.csv", "-o", tmp_path / "o.csv").stderr
    assert "amount is '2000', an invalid value of amount" in " ".join(outside.split()), outside
    assert "Line 3 of" in told and "amount is 'many', which is no double." in told and "Line 2" not in told


def test_a_row_that_a_model_says_nothing_of_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "r.pmml").write_bytes(pmml(regression("r")))
    (tmp_path / "d.csv").write_text("amount,country\n1,FR\n,FR\n")
    done = typed("pmml", "run", tmp_path / "r.pmml", tmp_path / "d.csv", "-o", tmp_path / "o.csv")
    assert done.exit_code == 1 and "2 rows, 1 without an answer" in done.stderr
    assert "Line 3 of" in done.stderr and "nothing is given where amount is missing" in done.stderr
    rows = list(csv.DictReader((tmp_path / "o.csv").open()))
    assert [row["invalid"] for row in rows] == ["", "nothing is given where amount is missing"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("10,FR,7", "It has 3 cells, and the header 2."),
        ("10", "It has 1 cell, and the header 2."),
        ("10,F\xff", "It is not UTF-8."),
        ('10,"FR', "It is no CSV."),
        ('10,"FR"x', "It is no CSV."),
    ],
)
@pytest.mark.parametrize("explain", [False, True])
def test_a_bad_line_of_a_models_rows_is_told_and_the_others_are_answered(
    tmp_path: Path, line: str, said: str, explain: bool
) -> None:
    (tmp_path / "r.pmml").write_bytes(pmml(regression("r")))
    (tmp_path / "d.csv").write_text(f'amount,country\n{line}\n10,FR\n"10","FR"\n', encoding="latin-1")
    words = ["pmml", "run", tmp_path / "r.pmml", tmp_path / "d.csv", "-o", tmp_path / "o.csv"]
    done = typed(*words, *(["--explain"] if explain else []))
    assert done.exit_code == 1 and f"Line 2 of {tmp_path / 'd.csv'}: {said}" in done.stderr, done.output
    assert f"3 rows, 1 without an answer: {tmp_path / 'o.csv'}" in done.stderr
    with (tmp_path / "o.csv").open() as file:
        bad, one, other = csv.DictReader(file)
    assert said in bad.pop("invalid") and not any(bad.values())
    assert one == other and not one.pop("invalid") and all(one.values())


def test_the_first_bad_lines_are_told_and_all_are_counted(tmp_path: Path) -> None:
    (tmp_path / "r.pmml").write_bytes(pmml(regression("r")))
    (tmp_path / "d.csv").write_text("amount,country\n" + "10\n10,FR\n\n" * 6_000)
    done = typed("pmml", "run", tmp_path / "r.pmml", tmp_path / "d.csv", "-o", tmp_path / "o.csv")
    told = [line for line in done.stderr.splitlines() if line.startswith("Line ")]
    assert [int(line.split()[1]) for line in told] == [2, 5, 8, 11, 14]
    assert done.exit_code == 1
    assert "12,000 rows, 6,000 without an answer (the first 5 are told)" in done.stderr
    with (tmp_path / "o.csv").open() as file:
        assert [bool(row["invalid"]) for row in csv.DictReader(file)] == [True, False] * 6_000


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_pmml_reads_what_spreadsheets_write(tmp_path: Path, sign: str) -> None:
    (tmp_path / "r.pmml").write_bytes(pmml(regression("r")))
    (tmp_path / "d.csv").write_text(f"\ufeffamount{sign}country\n10{sign}FR\n", encoding="utf-8")
    done = typed("pmml", "run", tmp_path / "r.pmml", tmp_path / "d.csv", "-o", tmp_path / "o.csv")
    assert done.exit_code == 0, done.output
    with (tmp_path / "o.csv").open() as file:
        assert [row["invalid"] for row in csv.DictReader(file)] == [""]


def test_a_workbook_of_several_sheets_asks_for_one_as_it_is_typed(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "rates"
    book.create_sheet("old")
    book.save(tmp_path / "t.xlsx")
    done = typed("table", "check", tmp_path / "t.xlsx")
    assert done.exit_code == 2 and "--sheet 'rates'" in done.stderr, done.output

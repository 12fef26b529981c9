"""Scorecards in CSV and workbooks: what is read, and every way in which a file is not one."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.scorecards.drawn import Drawn, drawn
from tidegate import DocumentError, Event, FlowError, Scaling, TidegateError, scorecard
from tidegate.connectors.scorecards.csv_writer import scorecard_csv
from tidegate.connectors.scorecards.files import read_scorecard
from tidegate.connectors.table_csv import csv_lines
from tidegate.connectors.table_xlsx import xlsx_lines
from tidegate.decisions.scorecards.card import Card, made
from tidegate.decisions.scorecards.written import written_in

GOOD = """scorecard,bin,points,because,code,note checked
initial score,,100,,,
pdo,,20,,,
base points,,600,,,
base odds,,50,,,
reasons,,3,,,
age (whole number: >= 18),< 25,10,Age,A1,in May
,[25..40),22,,,
,>= 40,35,,,
housing,own,30,Housing,,
housing,"rent, free",12,No home of one's own,H2,
housing,missing,5,,,
amount (money EUR),< 1000,20.5,The amount,,
,otherwise,5,,,
"""


class Application(Event):
    age: int
    housing: str | None
    amount: float


def of_csv(text: str | bytes) -> Card:
    data = text if isinstance(text, bytes) else text.encode()
    return made(written_in("c", *csv_lines(data, "c.csv")))


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def test_a_csv_file_is_read() -> None:
    card = of_csv(GOOD)
    assert (card.initial, card.scaling, card.most, card.worse) == (100.0, Scaling(20, 600, 50), 3, False)
    told = [(part.name, str(part.column.type), [one.cell.text for one in part.bins]) for part in card.characteristics]
    assert told == [
        ("age", "int", ["< 25", "[25..40)", ">= 40"]),
        ("housing", "text", ["own", "rent, free", "missing"]),
        ("amount", "money in EUR", ["< 1000", "otherwise"]),
    ]
    bins = [one for part in card.characteristics for one in part.bins]
    assert [(one.code, one.because) for one in bins[:6]] == [
        ("A1", "Age"), ("A1", "Age"), ("A1", "Age"), ("H2", "Housing"), ("H2", "No home of one's own"),
        ("H2", "Housing"),
    ]  # fmt: skip


def test_a_workbook_says_the_same(tmp_path: Path) -> None:
    lines = [list(line) for _, line in csv_lines(GOOD.encode(), "c.csv")[0]]

    def typed(cell: str) -> Any:
        return float(cell) if cell.replace(".", "", 1).isdigit() else cell or None

    data = workbook([[typed(cell) for cell in line] for line in lines])
    card = made(written_in("c", *xlsx_lines(data, "c.xlsx")))
    assert card.digest == of_csv(GOOD).digest
    (tmp_path / "c.xlsx").write_bytes(data)
    assert made(read_scorecard(tmp_path / "c.xlsx", sheet="Sheet")).digest == card.digest


@given(drawn())
def test_written_as_csv_and_read_back_it_is_the_same(case: Drawn) -> None:
    again = of_csv(scorecard_csv(case.card))
    assert again.digest == case.card.digest
    for one, other in zip(case.card.characteristics, again.characteristics, strict=True):
        assert [(a.count, a.events) for a in one.bins] == [(a.count, a.events) for a in other.bins]


def test_a_flow_reads_it_beside_itself(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(GOOD)
    with pytest.raises(FlowError, match="amount is declared as money EUR, and is given float"):
        scorecard(tmp_path / "c.csv", of=[Application.age, Application.housing, Application.amount])
    with pytest.raises(FlowError, match="A file says by itself"):
        scorecard(tmp_path / "c.csv", of=[], initial=5)
    with pytest.raises(DocumentError, match=r"Did you mean c.csv"):
        scorecard(tmp_path / "cc.csv", of=[])


HEAD = "scorecard,bin,points\n"
REFUSED: list[tuple[str, str]] = [
    ("", "c.csv is empty"),
    (HEAD, "has no characteristics"),
    ("scorecard,bin\na,< 1\n", "c.csv has no column points"),
    ("scorecard,bin,points,becuase\na,< 1,1,x\n", "line 1, column 4: A column does not say what it is. Seen: 'becuase'."
     " Did you mean because?"),
    ("scorecard,bin,points,points\na,< 1,1,1\n", "line 1, column 4: Two columns have one name"),
    (HEAD + "a,,1\n", "line 2, column 2 (bin): A bin holds for something. Seen: a blank cell"),
    (HEAD + "initial scor,,1\n", "Is initial score meant?"),
    (HEAD + ",< 1,1\n", "line 2, column 1 (scorecard): A bin belongs to a characteristic"),
    (HEAD + "a,< 1,\n", "line 2, column 2 (bin): points is a number. Seen: nothing"),
    (HEAD + "a,< 1,ten\n", "points is a number. Seen: ten"),
    (HEAD + "a,< 1,1e999\n", "points is a number"),
    (HEAD + "a (whole numbr),< 1,1\n", "line 2, column 1 (scorecard): There is no such type. Seen: 'whole numbr'"),
    (HEAD + "a (number: >),< 1,1\n", "A value is missing here"),
    (HEAD + "a,< 1,1\n,[1..2,2\n,>= 2,3\n", "Most bins are of float, and one is not. Seen: [1..2"),
    (HEAD + "a (number),< 1,1\n,[1..2,2\n", "line 3, column 2 (bin): A range is not closed"),
    (HEAD + "a,< 1,1\n,otherwise,2\n,otherwise,3\n", "line 4, column 2 (bin): A characteristic has one bin otherwise"),
    (HEAD + "a,< 1,1\nb,< 1,1\na,>= 1,2\n", "two characteristics of one name. Seen: a"),
    (HEAD + "pdo,,20\na,< 1,1\n", "pdo, base points and base odds go together: base points is a number. Seen: nothing"),
    (HEAD + "pdo,,20\npdo,,20\na,< 1,1\n", "line 3, column 1 (scorecard): pdo is said twice"),
    (HEAD + "reasons,,2.5\na,< 1,1\n", "line 2, column 3 (points): reasons is how many"),
    ("scorecard,bin,points,count,events\na,< 1,1,3,4\n", "no more events than rows. Seen: 4 of 3"),
    ("scorecard,bin,points,count\na,< 1,1,few\n", "a count is a number. Seen: few"),
    (HEAD + "a,< 1,1,4\n", "has lines of different lengths"),
    (HEAD + '"a,< 1,1\n', "c.csv is not CSV"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_a_bad_file_is_refused_with_place_and_reason(number: int) -> None:
    text, said = REFUSED[number]
    with pytest.raises(TidegateError) as caught:
        of_csv(text)
    assert said in str(caught.value)


def test_files_beside_each_other_are_told_apart_as_they_were_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (("scorecard", "bin", "points"), ("amount (number)", "< 1O", 1)):
        sheet.append(line)
    book.save(tmp_path / "limits.xlsx")
    (tmp_path / "limits.csv").write_text(HEAD + "amount (number),< 1O,1\n")
    monkeypatch.chdir(tmp_path.parent)
    for name, place in (("limits.csv", "line 2, column 2 (bin)"), ("limits.xlsx", "sheet 'Sheet', cell B2 (bin)")):
        given = Path(tmp_path.name, name)
        with pytest.raises(FlowError) as of_file:
            made(read_scorecard(given))
        assert of_file.value.wrong.startswith(f"{given}, {place}: This is not a number")
        monkeypatch.setitem(globals(), "__file__", str(tmp_path / "flow.py"))
        with pytest.raises(FlowError) as of_flow:
            scorecard(name, of={"amount": Application.amount})
        assert of_flow.value.wrong.startswith(f"{name}, {place}: This is not a number")


def test_other_files_are_refused(tmp_path: Path) -> None:
    for name, said in (("c.txt", "no file that scorecards are read from"), ("c.xls", "Save it as .xlsx")):
        (tmp_path / name).write_text("x")
        with pytest.raises(DocumentError, match=said):
            read_scorecard(tmp_path / name)
    (tmp_path / "c.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(TidegateError):
        read_scorecard(tmp_path / "c.xlsx")
    (tmp_path / "c.csv").write_text(GOOD)
    with pytest.raises(DocumentError, match="has no sheets"):
        read_scorecard(tmp_path / "c.csv", sheet="x")
    lines = "".join(f",{n},1\n" for n in range(20_001))
    with pytest.raises(FlowError, match="At most 20,000 bins"):
        of_csv(HEAD + "a,x,1\n" + lines)


CELLS = st.sampled_from(
    ["", "a", "< 1", ">= 1", "[1..2)", "missing", "otherwise", "pdo", "reasons", "1", "-", "a (number)", "not(", '"',
     "1e400"]
) | st.text(max_size=6)  # fmt: skip


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
def test_any_lines_make_a_card_or_are_refused(rows: list[list[str]]) -> None:
    lines = list(enumerate([["scorecard", "bin", "points"], *rows], 1))
    try:
        card = made(written_in("c", lines, lambda line, head: f"line {line}"))
    except TidegateError as error:
        assert str(error)
    else:
        assert len(card.digest) == 64

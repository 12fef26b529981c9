"""Decision tables from files: CSV and workbooks that are good, and all the ways in which they are not."""

import io
import time
import tracemalloc
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate import Event, table
from tidegate.connectors.table_csv import read_csv
from tidegate.connectors.table_xlsx import letters, read_xlsx
from tidegate.connectors.tables import read_sheet
from tidegate.decisions.tables.table import Table, made
from tidegate.errors import DocumentError, FlowError, TidegateError


class Travel(Event):
    amount: float


GOOD = """first,if amount (money EUR),if country,then rate,because,note
small,< 100,"DE, FR",0.5,,checked in May
,>= 100,-,1,Much,
default,,,2,,
"""


def csv_table(text: str | bytes) -> Table:
    data = text if isinstance(text, bytes) else text.encode()
    return made(read_csv(data, "t.csv", "t"))


def workbook(*rows: list[Any], merge: str = "") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def xlsx_table(data: bytes, sheet: str | None = None) -> Table:
    return made(read_xlsx(data, "t.xlsx", "t", sheet))


HEAD = ["first", "if amount", "then rate"]


def test_a_csv_file_is_read() -> None:
    table = csv_table(GOOD)
    assert [(row.name, [cell.text for cell in row.cells]) for row in table.rows] == [
        ("small", ["< 100", "DE, FR"]),
        ("2", [">= 100", "-"]),
    ]
    assert [row.outputs for row in table.rows] == [(0.5,), (1.0,)]
    assert table.default is not None and table.default.outputs == (2.0,)
    assert table.rows[1].because == "Much"


@pytest.mark.parametrize(
    "data",
    [
        GOOD.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.encode("utf-16"),
        GOOD.replace('"DE, FR"', "DE@ FR").replace(",", ";").replace("@", ",").encode(),
        GOOD.replace('"DE, FR"', "DE@ FR").replace(",", "\t").replace("@", ",").encode(),
        b"\n\n" + GOOD.encode() + b"\n,,,,,\n\n",
    ],
)
def test_csv_in_other_forms_is_the_same_table(data: bytes) -> None:
    assert csv_table(data).digest == csv_table(GOOD).digest


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "t.csv is empty"),
        (b"   \n\n", "t.csv is empty"),
        (GOOD.replace("Much", "Ärger").encode("latin-1"), r"not in UTF-8.*line 3: the byte 0xc4"),
        (b"first,if a,then b\n1,<\x00 3,2\n", "not text.*line 2"),
        (GOOD.encode() + b'x,"< 1', "not CSV.*line 5"),
        (b"first,if a,then b\n1,2\n", r"lines of different lengths.*line 2: 2 cells, where the head has 3"),
        (
            b"first,if a (text: app, web, desk),then b\n1,app,5\n",
            r'line 1: if a \(text: app, web, desk\)\. Put it into quotes: "if a \(text: app, web, desk\)"',
        ),
        (b"first,if a,then b\n1,1,5,2\n", r"lines of different lengths.*line 2: 4 cells"),
        (b"frist,if a,then b\n1,1,2\n", r"first cell of t\.csv is its hit policy.*Did you mean first\?"),
        (b",if a,then b\n1,1,2\n", "has no hit policy"),
        (b"first,if a,if a,then b\n1,1,1,2\n", "two columns of one name"),
        (b"first,if a,then b\nx,1,2\nx,2,2\n", "two rows of one name"),
        (b"first,fi a,then b\n1,1,2\n", r"line 1, column 2: A column does not say what it is.*Did you mean if\?"),
        (b"first,if a,then b,\n1,1,2,left over\n", r"line 2, column 4 .*values and no head"),
        (b"first,then b\n1,2\n", "has no input"),
        (b"first,if a\n1,2\n", "has no output"),
        (b"first,if a,then b\n", "has no rows"),
        (b"first,if a (nummer),then b\n1,1,2\n", r"There is no such type.*Did you mean number\?"),
        (b"first,if a (number),then b\n1,1x,2\n", r"^t\.csv, line 2, column 2 \(a\): This is not a number.*1x"),
        (b"first,if a (number),then b\n1,\"1,5\",2\n", r"line 2, column 2.*one number or two\?"),
        (b'first,"if a (text: x, yes)",then b\n1,yess,2\n', r"not one of the values there are.*Did you mean yes\?"),
        (b"default,if a,then b\n1,1,2\n", "hit policy"),
        (b"first,if a,then b\ndefault,,2\ndefault,,3\n", "two default rows"),
        (b"C#,if a,then b\n1,1,2\ndefault,,2\n", "no default row"),
        (b"C+,if a,then b\n1,1,x\n", "which takes numbers"),
        (b"C+,if a,then b (number)\n1,1,\n", r"line 2, column 3 \(b\): collect \+ needs a value"),
        (b"priority,if a,then b\n1,1,x\n", "goes by priority"),
    ],
)  # fmt: skip
def test_a_csv_file_that_is_wrong_is_refused_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises((DocumentError, FlowError), match=f"(?s){message}"):
        csv_table(data)


def test_a_workbook_is_the_same_table_as_its_csv() -> None:
    rows: list[list[Any]] = [
        ["first", "if amount (money EUR)", "if country", "then rate", "because", "note"],
        ["small", "< 100", "DE, FR", 0.5, None, "checked in May"],
        [None, ">= 100", "-", 1, "Much", None],
        ["default", None, None, 2, None, None],
    ]
    assert xlsx_table(workbook(*rows)).digest == csv_table(GOOD).digest


def test_typed_cells_are_values() -> None:
    rows: list[list[Any]] = [
        ["unique", "if n", "if yes (bool)", "if day", "then x"],
        [1, 3, True, datetime.fromisoformat("2026-01-01T10:00"), 7],  # workbooks know no zones
        [2, 4.0, False, date(2026, 1, 2), 8],
    ]
    table = xlsx_table(workbook(*rows))
    assert [str(column.type) for column in table.inputs] == ["int", "bool", "time"]
    assert [cell.text for cell in table.rows[0].cells] == ["3", "true", "2026-01-01T10:00:00Z"]
    assert table.rows[1].cells[2].text == "2026-01-02T00:00:00Z" and table.rows[1].name == "2"


def test_what_is_wrong_in_a_workbook_is_told_with_sheet_and_cell() -> None:
    with pytest.raises(FlowError, match=r"^t\.xlsx, sheet 'Sheet', cell B3 \(amount\): This is not a number.*1O"):
        xlsx_table(workbook(["first", "if amount (number)", "then rate"], [1, "< 5", 1], [2, "< 1O", 2]))
    with pytest.raises(DocumentError, match=r"sheet 'Sheet', cell B2: A cell holds a formula without its value"):
        xlsx_table(workbook(HEAD, [1, "=1+1", 2]))
    with pytest.raises(DocumentError, match=r"cell C2: A cell holds an error.*#N/A"):
        xlsx_table(workbook(HEAD, [1, "< 5", "#N/A"]))
    with pytest.raises(DocumentError, match=r"Cells are merged.*B2:B3"):
        xlsx_table(workbook(HEAD, [1, "< 5", 2], [2, None, 3], merge="B2:B3"))
    with pytest.raises(FlowError, match=r"^t\.xlsx, sheet 'Sheet' has two columns of one name"):
        xlsx_table(workbook(["first", "if a", "if a", "then b"], [1, 1, 1, 1]))
    with pytest.raises(DocumentError, match=r"no sheet 'Shet'.*Did you mean Sheet\?"):
        xlsx_table(workbook(HEAD, [1, "< 5", 2]), "Shet")


def test_files_beside_each_other_are_told_apart_as_they_were_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, row = ["first", "if amount (number)", "then rate"], [1, "< 1O", 1]
    (tmp_path / "limits.csv").write_text(f"{','.join(head)}\n{','.join(map(str, row))}\n")
    (tmp_path / "limits.xlsx").write_bytes(workbook(head, row))
    monkeypatch.chdir(tmp_path.parent)
    for name, place in (
        ("limits.csv", "line 2, column 2 (amount)"),
        ("limits.xlsx", "sheet 'Sheet', cell B2 (amount)"),
    ):
        given = Path(tmp_path.name, name)
        with pytest.raises(FlowError) as of_file:
            made(read_sheet(given))
        assert of_file.value.wrong.startswith(f"{given}, {place}: This is not a number")
        monkeypatch.setitem(globals(), "__file__", str(tmp_path / "flow.py"))
        with pytest.raises(FlowError) as of_flow:
            table(name, of={"amount": Travel.amount})
        assert of_flow.value.wrong.startswith(f"{name}, {place}: This is not a number")


def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path) -> None:
    good = workbook(HEAD, [1, "< 5", 2])
    for data in (b"", b"PK", GOOD.encode(), good[: len(good) // 2], good[:-30], b"\xd0\xcf\x11\xe0" + bytes(600)):
        with pytest.raises(DocumentError, match=r"t\.xlsx"):
            xlsx_table(data)
    with pytest.raises(DocumentError, match=r"not text|not in UTF-8"):
        csv_table(good)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as made_here:
        made_here.writestr("hello.txt", "hello")
    with pytest.raises(DocumentError, match="no Excel workbook"):
        xlsx_table(other.getvalue())
    (tmp_path / "old.xls").write_bytes(b"")
    with pytest.raises(DocumentError, match=r"Save it as \.xlsx"):
        read_sheet(tmp_path / "old.xls")
    (tmp_path / "pricing.csv").write_text(GOOD)
    with pytest.raises(DocumentError, match=r"Did you mean pricing\.csv\?"):
        read_sheet(tmp_path / "prcing.csv")
    with pytest.raises(DocumentError, match="cannot be read"):
        (tmp_path / "folder.csv").mkdir()
        read_sheet(tmp_path / "folder.csv")


def replaced(data: bytes, part: str, content: bytes | str) -> bytes:
    """A workbook with one part of it replaced."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            new.writestr(one, content if one == part else old.read(one))
    return made.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
_OPEN = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_CLOSE = "</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_OPEN + '<row r="1"><c r="XFD1048576"><v>1</v></c></row>' + _CLOSE, "too large for a table"),
        (_OPEN + '<row r="1048576"><c><v>1</v></c></row>' + _CLOSE, "too large for a table"),
        (_OPEN + '<row r="99999999999999999999"><c r="AAAAAAAAAAAA1"><v>1</v></c></row>' + _CLOSE, "too large"),
        (_OPEN + "<row>" + "<c><v>1</v></c>" * 300 + "</row>" + _CLOSE, "too large for a table"),
        (_OPEN + "<row><c><v>1</v></c></row>" * 10_000_000 + _CLOSE, "grows from|too large|damaged"),
        (_OPEN + "<row><c><v>1</v>", "damaged"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + _OPEN + _CLOSE, "document type"),
        (b"\x00" * 500_000_000, "grows from"),
    ],
    ids=["far corner", "far row", "far beyond", "wide", "ten million cells", "cut", "entities", "bomb"],
)  # fmt: skip
def test_a_hostile_workbook_costs_little(content: bytes | str, message: str) -> None:
    data = replaced(workbook(HEAD, [1, "< 5", 2]), SHEET, content)
    del content
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(DocumentError, match=message):
        xlsx_table(data)
    assert time.process_time() - began < 10
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_a_csv_file_of_ten_million_cells_is_refused() -> None:
    line = b",".join([b"1"] * 256) + b"\n"
    with pytest.raises(DocumentError, match="too large"):
        read_csv(line * 120_000, "t.csv", "t")
    with pytest.raises(DocumentError, match="more than 100,000 rows"):
        read_csv(b"first,if a,then b\n" + b"1,1,1\n" * 200_000, "t.csv", "t")
    with pytest.raises(DocumentError, match="columns"):
        read_csv(b"first," + b"if a," * 300 + b"then b\n", "t.csv", "t")
    with pytest.raises(DocumentError, match="not CSV"):
        read_csv(b"first,if a,then b\n1," + b"x" * 1_000_000 + b",2\n", "t.csv", "t")
    with pytest.raises(FlowError, match="cell is too long"):
        csv_table(b"first,if a (text),then b\n1," + b"x" * 20_000 + b",2\n")


@pytest.mark.fuzz
@given(st.binary(max_size=300) | st.text('first,if then(){}[]"-<>=.\n0123:;\t', max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    for read in (csv_table, xlsx_table):
        try:
            read(data)
        except TidegateError as error:
            assert str(error).strip()


@pytest.mark.fuzz
@given(st.data())
def test_a_workbook_with_bytes_changed_is_a_table_or_refused(data: st.DataObject) -> None:
    good = bytearray(_GOOD_BOOK)
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        xlsx_table(bytes(good[: data.draw(st.integers(len(good) // 2, len(good)))]))
    except TidegateError as error:
        assert str(error).strip()


@pytest.mark.fuzz
@given(st.lists(st.text('-<>=!()[].,"0123456789 eEURnotmisg', max_size=20), min_size=1, max_size=4))
def test_any_cell_is_read_or_refused_with_its_place(cells: list[str]) -> None:
    for kind in ("number", "text", "money EUR", "bool", "time", "duration", "whole number"):
        lines = [["first", f"if a ({kind})", "then b"], *(["", cell, 1] for cell in cells)]
        try:
            text = "\n".join(",".join('"' + str(cell).replace('"', '""') + '"' for cell in line) for line in lines)
            csv_table(text)
        except FlowError as error:
            assert "column 2 (a)" in str(error)


_GOOD_BOOK = workbook(HEAD, [1, "< 5", 2], [2, ">= 5", 3])


def test_columns_are_called_as_spreadsheets_call_them() -> None:
    assert [letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]

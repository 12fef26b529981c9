"""Decision tables in Excel workbooks (.xlsx), read by python-calamine once they are known to be harmless."""

import io
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from tidegate.decisions.tables.sheet import MOST_COLUMNS, MOST_ROWS, Head, Sheet, sheet_of
from tidegate.documents import archive, xml
from tidegate.errors import DocumentError, nearest

_PIECE = 1024 * 1024
_WORKBOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


def read_xlsx(data: bytes, what: str, name: str, sheet: str | None = None) -> Sheet:
    """The sheet in a workbook. Times in it, which have no zone, are read as UTC.

    Args:
        data: the file.
        what: what it is called in messages, as in "pricing.xlsx".
        name: what the table is called.
        sheet: which of the workbook's sheets; it may be left out where there is one.

    Raises:
        DocumentError: it is no workbook, damaged, encrypted, too large or made to do harm; it has no such sheet; or the
            sheet has merged cells, errors, or formulas whose values are not in the file.
        FlowError: its head does not make a table.
    """
    return sheet_of(name, *xlsx_lines(data, what, sheet))


def xlsx_lines(
    data: bytes, what: str, sheet: str | None = None
) -> tuple[list[tuple[int, list[Any]]], Callable[[int, Head], str], str]:
    """The lines of a workbook's sheet, with their numbers; what says where; and what the sheet is called.

    Raises:
        DocumentError: as `read_xlsx`.
    """
    archive.check_end(data, what)
    try:
        with ZipFile(io.BytesIO(data)) as opened:
            archive.check(opened, what)
            title, part = _sheet(opened, what, sheet)
            told = f"{what}, sheet {title!r}"
            _Look(told).through(opened, part)
    except BadZipFile as error:
        raise DocumentError(f"{what} is damaged.", seen=str(error), do="Save it again, or restore it.") from None
    rows = _values(data, what, title)

    def where(number: int, head: Head) -> str:
        at = f"cell {letters(head.place)}{number}"
        return at + (f" ({head.name})" if head.name else "")

    return [(number, [_plain(cell) for cell in row]) for number, row in enumerate(rows, 1)], where, told


def letters(place: int) -> str:
    """A column, counted from 0, as spreadsheets call it: A, B … Z, AA."""
    found, left = "", place + 1
    while left:
        left, one = divmod(left - 1, 26)
        found = chr(65 + one) + found
    return found


def _sheet(opened: ZipFile, what: str, wanted: str | None) -> tuple[str, str]:
    """The title of the sheet that is meant, and the part of the workbook that holds it."""
    names = set(opened.namelist())
    if _WORKBOOK not in names or _LINKS not in names:
        raise DocumentError(f"{what} is no Excel workbook.", seen="an archive without one", do="Save it as .xlsx.")
    book, links = xml.read(opened.read(_WORKBOOK), what), xml.read(opened.read(_LINKS), what)
    targets = {one.get("Id") or "": one.get("Target") or "" for one in xml.children(links, "Relationship")}
    listed = xml.child(book, "sheets")
    parts: dict[str, str] = {}
    for one in xml.children(listed, "sheet") if listed is not None else ():
        link = next((value for key, value in one.attrib.items() if str(key).endswith("}id")), None)
        target = targets.get(str(link), "")
        parts[one.get("name") or ""] = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    if wanted is None:
        if len(parts) != 1:
            raise DocumentError(
                f"{what} has {len(parts)} sheets.",
                seen=", ".join(parts)[:200],
                do=f"Say which: --sheet {next(iter(parts))!r} (in Python sheet=…).",
            )
        wanted = next(iter(parts))
    if wanted not in parts:
        near = nearest(wanted, parts)
        raise DocumentError(
            f"{what} has no sheet {wanted!r}.",
            seen=", ".join(parts)[:200],
            do=f"Did you mean {near}?" if near else "",
        )
    if parts[wanted] not in names:
        raise DocumentError(f"{what} is damaged.", seen=f"no part for the sheet {wanted!r}", do="Save it again.")
    return wanted, parts[wanted]


@dataclass
class _Look:
    """Looks through a sheet without keeping it, and stops at the first thing that is refused."""

    what: str
    row: int = 0
    place: int = -1
    cell: str = ""
    kind: str = ""
    formula: bool = False
    valued: bool = False
    within: list[str] = field(default_factory=list)

    def through(self, opened: ZipFile, part: str) -> None:
        """See that the sheet is no larger than a table, and that every cell has a value of its own."""
        parser = expat.ParserCreate()
        parser.StartElementHandler, parser.EndElementHandler = self._started, self._ended
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self._said, self._typed
        try:
            with opened.open(part) as unpacked:
                while piece := unpacked.read(_PIECE):
                    parser.Parse(piece, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise DocumentError(
                f"{self.what} is damaged.", seen=expat.ErrorString(error.code), do="Save it again.", line=error.lineno
            ) from None

    def _refuse(self, wrong: str, seen: str = "", do: str = "") -> DocumentError:
        return DocumentError(f"{self.what}{f', cell {self.cell}' if self.cell else ''}: {wrong}", seen=seen, do=do)

    def _typed(self, *declared: Any) -> None:
        raise self._refuse("A document type is declared, which is refused.", do="Save it again.")

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self.within.append(name)
        if name == "row":
            self.row, self.place = _whole(attributes.get("r"), self.row + 1), -1
        elif name == "c":
            self._at(attributes.get("r", ""))
            self.kind, self.formula, self.valued = attributes.get("t", ""), False, False
        elif name == "f":
            self.formula = True
        elif name == "mergeCell":
            self.cell = ""
            raise self._refuse(
                "Cells are merged, so it is not told which rows they mean.",
                seen=attributes.get("ref", ""),
                do="Unmerge them, and write the value into each row.",
            )

    def _at(self, reference: str) -> None:
        """Where a cell is; one without a reference follows the last."""
        self.place += 1
        column = "".join(sign for sign in reference if sign.isalpha()).upper()
        if column:
            self.place = 0
            for sign in column[:4]:
                self.place = self.place * 26 + ord(sign) - 64
            self.place -= 1
            self.row = _whole(reference[len(column) :], self.row)
        self.cell = reference or f"{letters(self.place)}{self.row}"
        if self.row > MOST_ROWS + 1_000 or self.place > MOST_COLUMNS:
            raise self._refuse(
                "A sheet is too large for a table.",
                do=f"At most {MOST_ROWS:,} rows of {MOST_COLUMNS} columns are read.",
            )

    def _said(self, text: str) -> None:
        if self.within and self.within[-1] in ("v", "t") and text.strip():
            self.valued = True
            if self.kind == "e" and self.within[-1] == "v":
                raise self._refuse("A cell holds an error.", seen=text, do="Mend its formula.")

    def _ended(self, name: str) -> None:
        self.within.pop()
        if name.rpartition(":")[2] == "c" and self.formula and not self.valued and self.kind != "str":
            raise self._refuse(
                "A cell holds a formula without its value.",
                do="Open the workbook in Excel, and save it; or put values.",
            )


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 9 else otherwise


def _values(data: bytes, what: str, title: str) -> list[list[Any]]:
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise DocumentError.not_installed(f"{what}, a workbook,", "python-calamine", "excel", error) from None
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            return book.get_sheet_by_name(title).to_python(skip_empty_area=False)
    except (CalamineError, ValueError, OSError) as error:
        raise DocumentError(f"{what} cannot be read.", seen=str(error)[:200], do="Save it again as .xlsx.") from None


def _plain(cell: Any) -> Any:
    """A cell as tables know it: whole numbers whole, times with a zone."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=UTC)
    if isinstance(cell, time):
        return cell.isoformat()
    return cell

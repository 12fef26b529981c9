"""Decision tables in CSV: separated by commas, semicolons or tabs, in UTF-8 or UTF-16."""

import csv
from collections.abc import Callable
from typing import Any

from tidegate.connectors.separators import separator_of
from tidegate.decisions.tables.sheet import MOST_COLUMNS, MOST_ROWS, Head, Sheet, sheet_of
from tidegate.errors import DocumentError

LARGEST = 64 * 1024 * 1024
"""The most bytes of a file."""


def read_csv(data: bytes, what: str, name: str) -> Sheet:
    """The sheet in a CSV file.

    Args:
        data: the file.
        what: what it is called in messages, as in "pricing.csv".
        name: what the table is called.

    Raises:
        DocumentError: it is no CSV, in another encoding, too large, or its lines are of different lengths.
        FlowError: its head does not make a table.
    """
    return sheet_of(name, *csv_lines(data, what))


def csv_lines(data: bytes, what: str) -> tuple[list[tuple[int, list[Any]]], Callable[[int, Head], str], str]:
    """The lines of a CSV file that hold something, with their numbers, all of one length; what says where; and `what`.

    Raises:
        DocumentError: as `read_csv`.
    """
    text = _decoded(data, what)
    lines = _lines(text, what)
    width = len(lines[0][1]) if lines else 0
    for number, line in lines:
        if len(line) != width:
            _require_quotes(lines[0], what)
            raise DocumentError(
                f"{what} has lines of different lengths.",
                seen=f"{len(line)} cells, where the head has {width}",
                do="Put text with the separator in it into quotes, and give every line as many cells as the head.",
                line=number,
            )

    def where(number: int, head: Head) -> str:
        return f"line {number}, column {head.place + 1}" + (f" ({head.name})" if head.name else "")

    return lines, where, what


def _require_quotes(head: tuple[int, list[Any]], what: str) -> None:
    """Raise DocumentError if a cell of the head opens a bracket that a later one closes: it was cut at a separator."""
    number, cells = head
    for place, cell in enumerate(cells):
        if str(cell).count("(") <= str(cell).count(")"):
            continue
        end = next((n for n in range(place + 1, len(cells)) if ")" in str(cells[n])), None)
        if end is not None:
            whole = ",".join(str(one) for one in cells[place : end + 1]).strip()
            raise DocumentError(
                f"A cell of the head of {what} has separators in it and no quotes.", seen=whole,
                do=f'Put it into quotes: "{whole}".', line=number,
            )  # fmt: skip


def _decoded(data: bytes, what: str) -> str:
    if len(data) > LARGEST:
        raise DocumentError(f"{what} is too large.", seen=f"{len(data):,} bytes", do=f"At most {LARGEST:,} are read.")
    if not data.strip():
        raise DocumentError(f"{what} is empty.", do="Write it again.")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DocumentError(
            f"{what} is not in UTF-8.",
            seen=f"the byte 0x{data[error.start]:02x}",
            do="Save it as CSV UTF-8.",
            line=line,
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DocumentError(f"{what} is not text.", seen="a NUL character", do="Save it as CSV UTF-8.", line=line)
    return text


def _lines(text: str, what: str) -> list[tuple[int, list[Any]]]:
    """The lines that hold something, with their numbers. A line may go on after a line break in quotes."""
    separator = separator_of(text.lstrip().split("\n", 1)[0])
    found: list[tuple[int, list[Any]]] = []
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator, strict=True)
    begins = 1
    try:
        for line in reader:
            if any(cell.strip() for cell in line):
                found.append((begins, line))
            if len(found) > MOST_ROWS + 2 or len(line) > MOST_COLUMNS + 1:
                raise DocumentError(
                    f"{what} is too large for a table.",
                    seen=f"more than {MOST_ROWS:,} rows" if len(line) <= MOST_COLUMNS else f"{len(line):,} columns",
                    do=f"At most {MOST_ROWS:,} rows of {MOST_COLUMNS} columns are read.",
                    line=begins,
                )
            begins = reader.line_num + 1
    except csv.Error as error:
        raise DocumentError(
            f"{what} is not CSV.", seen=str(error), do="Close every quote, and double one that is meant.", line=begins
        ) from None
    return found

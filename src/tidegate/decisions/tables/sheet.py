"""Sheets: a table as it was written, in Python or in a file, before anything is known of its types.

In a file the first line is the head. Its first cell is the hit policy, and below it stand the rows' names; `default`
names the row for when no other matches. Every further column says what it is:

    if amount                    an input
    if amount (money EUR: >= 0)  an input with its type and the values that can come
    then rate                    an output
    then risk (text: high, low)  an output with its type and its values, first the one of highest priority
    outcome                      an output that decides: approve, review or decline
    because                      the row's words
    note, note …                 a remark, not read
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.decisions.tables.policy import Policy, policy_of
from tidegate.errors import FlowError, nearest

MOST_ROWS, MOST_COLUMNS = 100_000, 256
"""The most rows and columns of a table."""
_COLUMN = re.compile(
    r"(?P<role>if|then)\s+(?P<name>[^()]+?)\s*(?:\((?P<type>[^:()]+)(?::(?P<values>.*))?\))?", re.I | re.S
)
_DO = "Write `if NAME` for an input, `then NAME` for an output, or outcome, because, note."


@dataclass(frozen=True)
class Head:
    """A column: its `role` is if, then, because or note; `declared` and `values` what its head says of its values.

    `constants` is text, number or bool where the source says by its writing of which type its cells' constants are;
    `only` says that for a value which is none of `values` the table sees a missing one, as in DMN.
    """

    role: str
    name: str
    place: int
    declared: str = ""
    values: str = ""
    constants: str = ""
    only: bool = False


@dataclass(frozen=True)
class Written:
    """A row as it was written: its name, a value for each column, and its number in the source."""

    name: str
    values: Sequence[Any]
    number: int


@dataclass(frozen=True)
class Sheet:
    """A table as it was written.

    Args:
        name: what it is called.
        where: says where a row and a column are, in words: `line 8, column 2 (amount)`.
        file: the file that it is from, as its user named it, with the sheet of a workbook or the decision of a model.
    """

    name: str
    policy: Policy
    heads: tuple[Head, ...]
    rows: tuple[Written, ...]
    default: Written | None
    where: Callable[[int, Head], str]
    file: str = ""

    @property
    def told(self) -> str:
        """What it is called in what is told of mistakes: its file, which its name does not tell from one beside it."""
        return self.file or self.name

    def of(self, role: str) -> list[Head]:
        """The columns of one role."""
        return [head for head in self.heads if head.role == role]


def head_of(text: str, place: int) -> Head:
    """A column by the cell at its top.

    Raises:
        FlowError: it says none of the things that a column can be.
    """
    plain = " ".join(text.split())
    lower = plain.lower()
    if lower in ("outcome", "then outcome"):
        return Head("then", "outcome", place)
    if lower == "because":
        return Head("because", "because", place)
    if lower == "note" or lower.startswith(("note ", "note:")):
        return Head("note", plain, place)
    found = _COLUMN.fullmatch(plain)
    if found:
        return Head(
            found["role"].lower(), found["name"], place, (found["type"] or "").strip(), (found["values"] or "").strip()
        )
    near = nearest(plain.split(" ")[0], ("if", "then", "outcome", "because", "note")) if plain else ""
    raise FlowError(
        "A column does not say what it is.", seen=repr(text), do=(f"Did you mean {near}? " if near else "") + _DO
    )


def sheet_of(
    name: str, lines: Sequence[tuple[int, Sequence[Any]]], where: Callable[[int, Head], str], file: str = ""
) -> Sheet:
    """The sheet in the lines of a file, the head first.

    Args:
        name: what the table is called.
        lines: the number and the cells of each line; all of them as long as the head.
        where: says where a row and a column are.
        file: what it is called in messages, if not by its name.

    Raises:
        FlowError: no head, no rows, a column that does not say what it is, or two of one name.
    """
    told = file or name
    lines = [(number, line) for number, line in lines if any(_filled(cell) for cell in line)]
    if not lines:
        raise FlowError(f"{told} is empty.", do="Its first line names the columns. " + _DO)
    at, first = lines[0]
    policy = _policy(told, first[0])
    heads = tuple(_head(told, _text(cell), place, where(at, Head("", "", place))) for place, cell in _named(first))
    rows: list[Written] = []
    default: Written | None = None
    for number, line in lines[1:]:
        called = _text(line[0]).strip()
        row = Written(called or str(len(rows) + 1), tuple(line[1:]), number)
        _nothing_beside(told, heads, row, where)
        if called.lower() != "default":
            rows.append(row)
        elif default is not None:
            raise FlowError(f"{told} has two default rows.", seen=f"lines {default.number} and {number}")
        else:
            default = row
    return checked(Sheet(name, policy, heads, tuple(rows), default, where, file))


def _named(head: Sequence[Any]) -> list[tuple[int, Any]]:
    """The columns that have a head; the first is that of the rows' names."""
    return [(place, cell) for place, cell in enumerate(head) if place and _filled(cell)]


def _nothing_beside(told: str, heads: Sequence[Head], row: Written, where: Callable[[int, Head], str]) -> None:
    """A value in a column without a head would be lost without a word."""
    known = {head.place for head in heads}
    for place, value in enumerate(row.values, 1):
        if place not in known and _filled(value):
            at = where(row.number, Head("", "no head", place))
            raise FlowError(f"{told}, {at}: a column has values and no head.", seen=_text(value)[:80], do=_DO)


def _head(told: str, text: str, place: int, at: str) -> Head:
    try:
        return head_of(text, place)
    except FlowError as error:
        raise FlowError(f"{told}, {at}: {error.wrong}", seen=error.seen, do=error.do) from None


def _policy(told: str, cell: Any) -> Policy:
    if not _filled(cell):
        raise FlowError(
            f"{told} has no hit policy.", seen="a blank first cell", do="Write unique, first or another one into it."
        )
    try:
        return policy_of(_text(cell))
    except FlowError as error:
        raise FlowError(f"The first cell of {told} is its hit policy.", seen=_text(cell), do=error.do) from None


def _filled(cell: Any) -> bool:
    return cell is not None and bool(str(cell).strip())


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell == int(cell) else str(cell)


def checked(sheet: Sheet) -> Sheet:
    """The sheet, if its columns and rows can make a table.

    Raises:
        FlowError: no inputs, no outputs, no rows, too many, or two columns or rows of one name.
    """
    if not sheet.of("if"):
        raise FlowError(f"{sheet.told} has no input.", do="Name one at its top: `if amount`.")
    if not sheet.of("then"):
        raise FlowError(f"{sheet.told} has no output.", do="Name one at its top: `then rate`, or outcome.")
    if not sheet.rows:
        raise FlowError(f"{sheet.told} has no rows.")
    if len(sheet.rows) > MOST_ROWS or len(sheet.heads) > MOST_COLUMNS:
        raise FlowError(
            f"{sheet.told} is too large.",
            seen=f"{len(sheet.rows):,} rows of {len(sheet.heads)} columns",
            do=f"At most {MOST_ROWS:,} rows of {MOST_COLUMNS} columns are read.",
        )
    for role in ("if", "then", "because"):
        names = [head.name for head in sheet.of(role)]
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise FlowError(f"{sheet.told} has two columns of one name.", seen=twice, do="Rename one of them.")
    if sheet.default is not None and sheet.policy is Policy.COUNT:
        raise FlowError(f"{sheet.told} counts rows, so it has no default row.", do="Where none matches the count is 0.")
    seen: dict[str, int] = {}
    for row in sheet.rows:
        if row.name in seen:
            raise FlowError(
                f"{sheet.told} has two rows of one name.", seen=f"{row.name}, in rows {seen[row.name]} and {row.number}"
            )
        seen[row.name] = row.number
    return sheet

"""Decision tables from where they are written: rows in Python, or a file."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tidegate.connectors.documents import beside, content
from tidegate.connectors.table_csv import read_csv
from tidegate.decisions.tables.node import DecisionTable, inputs_of, tied
from tidegate.decisions.tables.policy import policy_of
from tidegate.decisions.tables.sheet import Head, Sheet, Written, checked
from tidegate.errors import DocumentError, FlowError, nearest
from tidegate.expressions.node import Expr

Rows = Sequence[Mapping[str, Any] | Sequence[Any]]


def table(
    source: str | Path | Rows,
    *,
    of: Mapping[str, Expr] | Sequence[Expr],
    hit: str | None = None,
    columns: Sequence[str] | None = None,
    default: Mapping[str, Any] | None = None,
    order: Mapping[str, Sequence[Any]] | None = None,
    sheet: str | None = None,
    currency: str | None = None,
) -> DecisionTable:
    """A decision table over features, from a file or written in Python.

    Args:
        source: a CSV, Excel or DMN file, in the folder of the file that calls this; or rows. A row is a mapping from
            column to cell, or with `columns` a sequence of cells.
        of: the expressions that its inputs are, by name; a list is in the order of the inputs.
        hit: of rows in Python, the hit policy: unique (if left out), any, first, priority, collect, `collect +`,
            `collect <`, `collect >`, `collect #`, rule order, output order. A file names its own.
        columns: the names of the cells of rows that are sequences; those in `of` are inputs, the others outputs.
        default: of rows in Python, the outputs where no row matches.
        order: of rows in Python, the values of outputs by descending priority.
        sheet: which sheet of a workbook, or decision of a DMN model, if it has several.
        currency: of amounts in cells that name none.

    Raises:
        FlowError: a cell is not of its input's type or unit, a name is not known, or rows do not fit the hit policy.
        DocumentError: the file is missing, or is not what it says.
    """
    if isinstance(source, (str, Path)):
        if hit is not None or columns is not None or default is not None or order is not None:
            raise FlowError("A file says by itself what is in it.", do="Leave out hit, columns, default and order.")
        path = beside(Path(source), sys._getframe(1).f_globals.get("__file__"))
        read = read_sheet(path, sheet=sheet, called=str(source))
    else:
        read = _written(source, of, hit or "unique", columns, default, order or {})
    return tied(read, inputs_of(read, of), currency)


def read_sheet(path: Path, *, sheet: str | None = None, called: str = "") -> Sheet:
    """The decision table in a file, by its ending: .csv, .tsv, .xlsx or .dmn; of the last `sheet` names the decision.

    In messages it is called as its user named it: `called`, or as in `path`.

    Raises:
        DocumentError: it is missing, of another kind, or not what it says.
        FlowError: its head does not make a table.
    """
    ending, what = path.suffix.lower(), called or str(path)
    data = content(path, (".csv", ".tsv", ".xlsx", ".dmn"), "tables")
    if ending == ".xlsx":
        from tidegate.connectors.table_xlsx import read_xlsx  # with what it needs to read XML

        return read_xlsx(data, what, path.stem, sheet)
    if ending == ".dmn":
        from tidegate.connectors.table_dmn import read_dmn_table

        return read_dmn_table(data, what, sheet)
    if sheet is not None:
        raise DocumentError(f"{what} has no sheets.", seen=f"sheet={sheet!r}", do="Leave sheet= out.")
    return read_csv(data, what, path.stem)


def _written(
    rows: Rows,
    of: Mapping[str, Expr] | Sequence[Expr],
    hit: str,
    columns: Sequence[str] | None,
    default: Mapping[str, Any] | None,
    order: Mapping[str, Sequence[Any]],
) -> Sheet:
    """The sheet that rows in Python are."""
    if not isinstance(of, Mapping):
        raise FlowError("Rows in Python are over inputs with names.", do="Write of={'amount': Payment.amount}.")
    known = [_as_mapping(row, number, columns) for number, row in enumerate(rows, 1)]
    names = list(dict.fromkeys(name for row in (*known, default or {}) for name in row if name != "row"))
    for name in of:
        if name not in names:
            near = nearest(name, [other for other in names if other not in of])
            raise FlowError(
                f"No row of the table says anything of {name!r}.",
                seen=", ".join(names),
                do=f"Is {near} meant?" if near else f'Give a row "{name}": "-", or leave it out of of=.',
            )
    heads = []
    for place, name in enumerate(names, 1):
        role = "if" if name in of else name if name in ("because", "note") else "then"
        heads.append(Head(role, name, place, "", ", ".join(str(value) for value in order.get(name, ()))))
    written = []
    for number, row in enumerate(known, 1):
        values = [row.get(head.name, "-" if head.role == "if" else None) for head in heads]
        written.append(Written(str(row.get("row", number)), values, number))
    otherwise = None
    if default is not None:
        otherwise = Written("default", [default.get(head.name) for head in heads], len(known) + 1)

    def where(number: int, head: Head) -> str:
        row = f"row {number}" if number <= len(known) else "the default"
        return f"{row}, {head.name}"

    return checked(Sheet("table", policy_of(hit), tuple(heads), tuple(written), otherwise, where))


def _as_mapping(row: Any, number: int, columns: Sequence[str] | None) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    if columns is None or isinstance(row, str) or not isinstance(row, Sequence):
        raise FlowError(
            f"Row {number} of the table is neither a mapping nor, with columns=, a sequence.",
            seen=repr(row)[:80],
            do='Write {"amount": "< 100", "rate": 0.5}.',
        )
    if len(row) != len(columns):
        raise FlowError(
            f"Row {number} of the table has {len(row)} cells, and there are {len(columns)} columns.",
            seen=repr(row)[:80],
        )
    return dict(zip(columns, row, strict=True))

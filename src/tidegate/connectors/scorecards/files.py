"""Scorecards from where they are written: bins in Python, or a file."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tidegate.connectors.documents import beside, content
from tidegate.connectors.table_csv import csv_lines
from tidegate.decisions.scorecards.node import Scorecard, tied
from tidegate.decisions.scorecards.scaling import Scaling
from tidegate.decisions.scorecards.written import WrittenBin, WrittenCard, WrittenCharacteristic, written_in
from tidegate.errors import DocumentError, FlowError
from tidegate.expressions.node import Expr

ENDINGS = (".csv", ".tsv", ".xlsx", ".pmml", ".xml")


def scorecard(
    source: str | Path | Mapping[str, WrittenCharacteristic],
    *,
    of: Mapping[str, Expr] | Sequence[Expr],
    initial: float | None = None,
    scaling: Scaling | None = None,
    higher: str | None = None,
    baseline: str | None = None,
    reasons: int | None = None,
    sheet: str | None = None,
    currency: str | None = None,
) -> Scorecard:
    """A scorecard over features, from a file or written in Python: its points, as a number.

    Args:
        source: a CSV, Excel or PMML file, in the folder of the file that calls this; or `bins(…)` by characteristic.
        of: the expressions that its characteristics are over, by name; a list is in their order.
        initial: of bins in Python, what the sum of points begins with; 0 if left out. A file says this and the four
            that follow by itself.
        scaling: what odds its points stand for.
        higher: whether more points are "better", as if left out, or "worse".
        baseline: what losses are counted from: "max", the best bin of a characteristic, as if left out; "min", as where
            more points are worse; or "mean", of the rows that it was fitted on.
        reasons: how many reasons are given at the most; 4 if left out.
        sheet: which sheet of a workbook, if it has several.
        currency: of amounts in bins that name none.

    Raises:
        FlowError: a bin is not of its characteristic's type or unit, two bins hold for one value, none holds for a
            value between two, or a name is not known.
        DocumentError: the file is missing, or is not what it says.
    """
    settings = {
        "initial score": initial, "higher": higher, "baseline": baseline, "reasons": reasons,
        "pdo": scaling and scaling.pdo, "base points": scaling and scaling.base_points,
        "base odds": scaling and scaling.base_odds,
    }  # fmt: skip
    said = {name: value for name, value in settings.items() if value is not None}
    if isinstance(source, (str, Path)):
        if said:
            raise FlowError(
                "A file says by itself what is in it.", seen=", ".join(said),
                do="Leave out initial, scaling, higher, baseline and reasons.",
            )  # fmt: skip
        path = beside(Path(source), sys._getframe(1).f_globals.get("__file__"))
        written = read_scorecard(path, sheet=sheet, called=str(source))
    else:
        written = _in_python(source, said)
    return tied(written, _inputs(written, of), currency)


def bins(
    points: Mapping[Any, float], *, because: str, code: str = "", baseline: float | None = None
) -> WrittenCharacteristic:
    """The bins of a characteristic: points by cell, written as in tables.

    Args:
        points: as in `{"< 25": 10, "[25..40)": 22, ">= 40": 35, "missing": 12}`. "missing" (or None) holds for no
            value, "otherwise" for what no other bin holds for.
        because: why points are lost here, in words, as an adverse-action notice gives them.
        code: the reason code; the characteristic's name if left out.
        baseline: the points that losses are counted from, where the scorecard's `baseline` is not meant.

    Raises:
        FlowError: there are no bins, or no words.
    """
    if not isinstance(points, Mapping) or not points:
        raise FlowError("bins takes points by cell.", seen=repr(points)[:80], do='Write bins({"< 25": 10, …}).')
    if not isinstance(because, str) or not because.strip():
        raise FlowError(
            "A characteristic says why points are lost, in words.", seen=f"because={because!r}",
            do='Write because="Too many recent enquiries".',
        )  # fmt: skip
    found = tuple(WrittenBin(cell, value) for cell, value in points.items())
    return WrittenCharacteristic("", found, because.strip(), code, baseline)


def read_scorecard(path: Path, *, sheet: str | None = None, called: str = "") -> WrittenCard:
    """The scorecard in a file, by its ending: .csv, .tsv, .xlsx, .pmml or .xml.

    In messages it is called as its user named it: `called`, or as in `path`.

    Raises:
        DocumentError: it is missing, of another kind, or not what it says.
        FlowError: its lines do not make a scorecard.
    """
    data = content(path, ENDINGS, "scorecards")
    ending, what = path.suffix.lower(), called or str(path)
    if ending == ".xlsx":
        from tidegate.connectors.table_xlsx import xlsx_lines  # with what it needs to read XML

        return written_in(path.stem, *xlsx_lines(data, what, sheet))
    if sheet is not None:
        raise DocumentError(f"{what} has no sheets.", seen=f"sheet={sheet!r}", do="Leave sheet= out.")
    if ending in (".pmml", ".xml"):
        from tidegate.connectors.scorecards.pmml_reader import read_pmml_scorecard

        return read_pmml_scorecard(data, what, path.stem)
    return written_in(path.stem, *csv_lines(data, what))


def _in_python(source: Any, said: Mapping[str, Any]) -> WrittenCard:
    if not isinstance(source, Mapping):
        raise FlowError(
            "A scorecard is a file, or bins by characteristic.", seen=repr(source)[:80],
            do='Write scorecard({"age": bins({"< 25": 10, ">= 25": 22}, because="…")}, of={…}).',
        )  # fmt: skip
    parts = []
    for name, one in source.items():
        if not isinstance(one, WrittenCharacteristic):
            raise FlowError(
                f"The characteristic {name} is not made by bins.", seen=repr(one)[:80],
                do=f'Write "{name}": bins({{…}}, because="…").',
            )  # fmt: skip
        placed = tuple(replace(part, place=f"{name}, {_shown(part.cell)}") for part in one.bins)
        parts.append(replace(one, name=str(name), place=str(name), bins=placed))
    return WrittenCard("scorecard", tuple(parts), dict(said))


def _shown(cell: Any) -> str:
    return "missing" if cell is None else str(cell)


def _inputs(written: WrittenCard, of: Mapping[str, Expr] | Sequence[Expr]) -> Mapping[str, Expr]:
    """What a scorecard is given, by name; a list is in the order of its characteristics."""
    if isinstance(of, Mapping):
        return of
    names = [part.name for part in written.characteristics]
    if isinstance(of, Expr) or len(of) != len(names):
        raise FlowError(
            f"The scorecard {written.told} has {len(names)} characteristics.",
            seen="one expression" if isinstance(of, Expr) else f"{len(of)} in of=",
            do=f"Give them in this order: {', '.join(names)}; or by name: of={{…}}.",
        )
    return dict(zip(names, of, strict=True))


__all__ = ["bins", "read_scorecard", "scorecard"]

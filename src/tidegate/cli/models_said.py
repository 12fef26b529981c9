"""What is said of a model on the command line, beside its file."""

import csv
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidegate.models.foreign import Author

MOST_ROWS = 1_000_000


def author(output: str, features: str, missing: str, typical: Path | None, units: Sequence[str]) -> "Author":
    """What the options of `tidegate models add` say.

    Raises:
        TidegateError: a unit is not written NAME=UNIT, or the typical rows cannot be read.
    """
    from tidegate.errors import TidegateError
    from tidegate.models.foreign import Author

    said = {}
    for one in units:
        name, equals, unit = one.partition("=")
        if not equals or not name.strip() or not unit.strip():
            raise TidegateError("--unit is NAME=UNIT.", seen=one, do="Write --unit amount=EUR.")
        said[name.strip()] = unit.strip()
    names = tuple(name.strip() for name in features.split(",")) if features else ()
    return Author(output, names, missing, typical_row(typical) if typical else {}, said)


def typical_row(file: Path) -> dict[str, float | str]:
    """The median of every column of numbers of a CSV file with a header, and of other columns the commonest text.

    Empty cells are left out.

    Raises:
        TidegateError: it cannot be read, has no rows, or a column is empty.
    """
    from tidegate.errors import TidegateError

    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            columns: dict[str, list[str]] = {name: [] for name in reader.fieldnames or ()}
            for number, row in enumerate(reader, 1):
                if None in row or None in row.values():
                    raise TidegateError(f"Line {reader.line_num} of {file} has not as many cells as the header.")
                if number > MOST_ROWS:
                    raise TidegateError(f"{file} has more than {MOST_ROWS:,} rows.", do="Some thousands will do.")
                for name, cell in row.items():
                    if cell.strip():
                        columns[name].append(cell.strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TidegateError(f"{file} cannot be read.", seen=str(error)[:200], do="Name a CSV file in UTF-8.") from None
    empty = [name for name, cells in columns.items() if not cells]
    if empty or not columns:
        raise TidegateError(
            f"{file} has no typical rows.", seen=f"nothing in {', '.join(empty)}" if empty else "no header",
            do="Give a header that names the features, and some rows.",
        )  # fmt: skip
    return {name: _typical(cells) for name, cells in columns.items()}


def _typical(cells: Sequence[str]) -> float | str:
    try:
        return statistics.median(map(float, cells))
    except ValueError:
        return statistics.mode(cells)

"""Tables that commands write: in the form that the file's name says."""

from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.cli.terminal import written
from tidegate.errors import TidegateError

if TYPE_CHECKING:
    import polars as pl

PARQUET, CSV = ".parquet", ".csv"


def require_form(path: Path | None, *forms: str) -> None:
    """Refuse, before anything is computed, a name whose ending is none of the forms in which the table is written.

    Raises:
        TidegateError: it is none of them.
    """
    if path is not None and path.suffix.lower() not in forms:
        raise TidegateError(
            f"{path} says no form in which this table is written.",
            seen=path.suffix or "no ending",
            do=f"Name a file that ends with {' or '.join(forms)}.",
        )


def write_table(table: "pl.DataFrame", path: Path) -> None:
    """Write a table as CSV or Parquet, as the name says.

    Raises:
        TidegateError: it cannot be written there.
    """
    written(path, table.write_csv if path.suffix.lower() == CSV else table.write_parquet)

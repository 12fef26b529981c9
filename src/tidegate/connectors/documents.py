"""Documents that lie beside a flow, such as tables and scorecards: found, and read whole."""

from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import DocumentError, nearest

LARGEST = 64 * 1024 * 1024
"""The most bytes of a document."""


def beside(path: Path, caller: str | None) -> Path:
    """The file, looked for beside the file that asks for it, and then where we are."""
    found = Path(caller).parent / path if caller and not path.is_absolute() else path
    return found if found.exists() or not path.exists() else path


def content(path: Path, endings: Sequence[str], what: str) -> bytes:
    """The bytes of a document that `what` (as in "tables") are read from.

    Raises:
        DocumentError: it is missing, too large, or of another kind than the endings say.
    """
    ending = path.suffix.lower()
    if ending not in endings:
        other = ending in (".xls", ".xlsm", ".xlsb", ".ods")
        raise DocumentError(
            f"{path.name} is no file that {what} are read from.",
            seen=ending or "no ending",
            do="Save it as .xlsx or .csv." if other else "Give a .csv or .xlsx file.",
        )
    try:
        if path.stat().st_size > LARGEST:
            raise DocumentError(f"{path.name} is too large for {what}.", seen=f"{path.stat().st_size:,} bytes")
        return path.read_bytes()
    except FileNotFoundError:
        there = [one.name for one in path.parent.glob("*.*")] if path.parent.is_dir() else []
        near = nearest(path.name, there)
        raise DocumentError(f"There is no file {path}.", do=f"Did you mean {near}?" if near else "") from None
    except OSError as error:
        raise DocumentError(f"{path} cannot be read.", seen=error.strerror or str(error)) from None

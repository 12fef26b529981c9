"""Of which revision a store's tables are."""

from collections.abc import Callable, Sequence
from typing import Any

from tidegate.errors import StoreError
from tidegate.evidence.tables import OLDER, REVISION, REVISIONS


def revision(has_table: Callable[[str], bool], read: Callable[[str], Sequence[Any]]) -> str | None:
    """The revision of a store's tables; None if they do not say.

    Until Alembic kept it (revision 0004), a row of `about` said it.

    Args:
        has_table: whether there is a table of that name.
        read: the rows that a statement gives.
    """
    if has_table(REVISIONS):
        rows = read(f"SELECT version_num FROM {REVISIONS}")
        return str(rows[0][0]) if len(rows) == 1 else None
    if not has_table("about"):
        return None
    rows = read("SELECT value FROM about WHERE name = 'tables'")
    return str(rows[0][0]).zfill(4) if rows else None


def check_known(found: str | None, address: object, *, where: str = "") -> str:
    """The revision, if this program can read it.

    Raises:
        StoreError: what is there is of a newer version, or of none.
    """
    if found in (*OLDER, REVISION):
        return found
    seen = f"tables of revision {found or 'unknown'}{where}, where this one reads up to {REVISION}"
    if found is not None and found.isdecimal() and found > REVISION:
        raise StoreError(
            f"The store {address} was made, or brought up, by a newer version of Tidegate.",
            seen=seen,
            do="Use that version or a newer one, or give another store.",
        )
    raise StoreError(
        f"{address} holds tables that are no store, or one of another version of Tidegate.",
        seen=seen,
        do="Give another address, or use the version that made it.",
    )

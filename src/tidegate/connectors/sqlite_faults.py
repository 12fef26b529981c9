"""What SQLite says when something is wrong, told so that it can be mended."""

import sqlite3
from pathlib import Path

from tidegate.errors import StoreError

_AGAIN = "then send the batch again, as a stream does by itself"


def told(error: sqlite3.Error, path: Path) -> StoreError:
    """The same fault as a `StoreError`: what is wrong with the store, what was seen, what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    seen = f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    match code & 0xFF if isinstance(code, int) else None:
        case sqlite3.SQLITE_FULL:
            wrong = f"There is no room left for the store {path}; nothing of this batch was kept."
            do = f"Make room on its disk, {_AGAIN}: what was acknowledged is safe."
        case sqlite3.SQLITE_IOERR:
            wrong = f"The store {path} could not be written or read; nothing of this batch was kept."
            do = f"Look at its disk (room, quota, file size limit, faults), {_AGAIN}."
        case sqlite3.SQLITE_CORRUPT:
            wrong = f"The store {path} is damaged or was cut short."
            do = "Put back a copy of the file, with its -wal and .redo if there are any, then run `tidegate verify`."
        case sqlite3.SQLITE_NOTADB:
            wrong = f"{path} is not a store: it is no SQLite database."
            do = "Give the path of a store, or of a file that does not exist yet."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            wrong = f"The store {path} cannot be opened for writing."
            do = "Give this user the right to write the file and the folder it lies in."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            wrong = f"Another program holds the store {path}."
            do = "Close it (a database browser, a backup in progress), then try again."
        case sqlite3.SQLITE_CONSTRAINT:
            wrong = f"The store {path} refused a batch with an id that it holds already; nothing of it was kept."
            do = "Ask `find` for the ids of a batch before it is appended."
        case sqlite3.SQLITE_ERROR if "no such table" in str(error):
            wrong = f"The store {path} lacks a table that every store has: it was touched."
            do = "Run `tidegate verify` to see what was touched, then put back a copy of the store."
        case _:
            wrong, do = f"The store {path} failed.", "See what SQLite said."
    return StoreError(wrong, seen=seen, do=do)


def written_by_another(path: Path) -> StoreError:
    """The fault of a batch that follows on what is no longer the last record."""
    return StoreError(
        f"Another process wrote to the store {path} meanwhile, so nothing of this batch was kept.",
        seen=f"records of its own; was {path.name}.lock deleted?",
        do="Send the batch again: the state is made anew from the store first.",
    )

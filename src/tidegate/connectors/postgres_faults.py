"""What PostgreSQL says when something is wrong, told so that it can be mended."""

import psycopg
from psycopg import errors

from tidegate.connectors.store import AwayError
from tidegate.errors import StoreError

_AGAIN = "then send the batch again, as a stream does by itself"


def told(error: psycopg.Error, address: str) -> StoreError:
    """The same fault as a `StoreError`: what is wrong with the store, what was seen, what to do."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    kind = StoreError
    seen = f"{error.sqlstate}: {first}" if error.sqlstate else first
    match error:
        case errors.UniqueViolation():
            wrong = f"The store {address} refused a batch with an id that it holds already; nothing of it was kept."
            do = "Ask `find` for the ids of a batch before it is appended."
        case errors.DiskFull() | errors.OutOfMemory():
            kind = AwayError
            wrong = f"There is no room left for the store {address}; nothing of this batch was kept."
            do = f"Make room where PostgreSQL keeps its data, {_AGAIN}: what was acknowledged is safe."
        case errors.ReadOnlySqlTransaction() | errors.InsufficientPrivilege():
            wrong = f"The store {address} cannot be written by this user, or here."
            do = "Give the URL of the primary and of a user who owns the store's schema."
        case errors.InvalidPassword() | errors.InvalidAuthorizationSpecification() | errors.InvalidCatalogName():
            wrong = f"PostgreSQL does not let us into {address}."
            do = "Look at the user, the password and the name of the database in the URL."
        case errors.DataCorrupted() | errors.IndexCorrupted():
            wrong = f"The store {address} is damaged."
            do = "Put back a backup of the database, then run `tidegate verify`."
        case psycopg.OperationalError() | psycopg.InterfaceError():
            kind = AwayError
            wrong = f"PostgreSQL cannot be reached for the store {address}, or went away."
            do = f"See that it runs and can be reached; {_AGAIN}: what was acknowledged is safe."
        case _:
            wrong, do = f"The store {address} failed.", "See what PostgreSQL said."
    return kind(wrong, seen=seen, do=do)

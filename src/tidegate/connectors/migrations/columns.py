"""Columns as both databases have them."""

from typing import Any

from sqlalchemy import REAL as SHORT
from sqlalchemy import BigInteger, Column, Double, Identity, Integer, LargeBinary, Text
from sqlalchemy.types import TypeEngine

# SQLite's key of a row must be INTEGER to be the row's own number; its numbers are of eight bytes by any name.
INT: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
REAL: TypeEngine[float] = Double().with_variant(SHORT(), "sqlite")
TEXT = Text()
BLOB = LargeBinary()


def key(name: str) -> Column[int]:
    """The number of a row, which whoever writes it gives."""
    return Column(name, INT, primary_key=True, autoincrement=False)


def serial(name: str) -> Column[int]:
    """The number of a row, which the database gives unless whoever writes it does."""
    return Column(name, INT, Identity(), primary_key=True)


def need(name: str, kind: TypeEngine[Any], *, primary_key: bool = False) -> Column[Any]:
    """A column that may not be empty."""
    return Column(name, kind, nullable=False, primary_key=primary_key)

"""The tables of today (`evidence/tables`) as SQLAlchemy knows tables, for Alembic to compare a store with."""

from typing import Any

from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.types import TypeEngine

from tidegate.connectors.migrations.columns import BLOB, INT, REAL, TEXT, key, serial
from tidegate.evidence.tables import IDS, PRIMARY, TABLES, Type

_KINDS: dict[Type, TypeEngine[Any]] = {"int": INT, "text": TEXT, "real": REAL, "blob": BLOB}


def _column(table: str, name: str, kind: Type, empty: bool) -> Column[Any]:
    if kind == "key":
        return key(name)
    if kind == "serial":
        return serial(name)
    primary = name in PRIMARY.get(table, "").split(", ")
    return Column(name, _KINDS[kind], nullable=empty, primary_key=primary)


def target() -> MetaData:
    """The tables and the index of a store of the newest revision."""
    made = MetaData()
    for name, columns in TABLES.items():
        Table(name, made, *(_column(name, *column) for column in columns))
    Index(IDS, made.tables["records"].c.id, unique=True)
    return made

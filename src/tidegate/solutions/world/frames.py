"""Columns to polars frames: names, types and order of what a reader of the world sees."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import numpy as np
import polars as pl

from tidegate.solutions.world.places import CODES
from tidegate.solutions.world.population import Merchants, device_id
from tidegate.solutions.world.script import Channel, Column, Columns, FraudKind, LookAlike
from tidegate.solutions.world.timeline import EVENTS


def _words(kind: type[IntEnum], *, first_is_null: bool) -> pl.Series:
    """The words of an enumeration by code; a code 0 that means "none" is null."""
    names = [member.name for member in kind]
    known = names[1:] if first_is_null else names
    return pl.Series([None, *known] if first_is_null else known, dtype=pl.Enum(known))


COUNTRY = pl.Series(CODES, dtype=pl.Enum(list(CODES)))
CURRENCY = pl.Enum(["EUR"])
_CHANNEL = _words(Channel, first_is_null=False)
_FRAUD = _words(FraudKind, first_is_null=True)
_ALIKE = _words(LookAlike, first_is_null=True)
_TYPE = pl.Enum(list(EVENTS))
_WORDS = {"country": COUNTRY, "channel": _CHANNEL, "fraud_kind": _FRAUD, "look_alike": _ALIKE}

_ORDER = {
    "payment": (
        "id", "at", "card", "customer", "merchant", "device", "country", "mcc", "channel", "amount", "currency",
        "declined", "fraud", "fraud_kind", "look_alike",
    ),
    "login": ("id", "at", "customer", "device", "country", "success", "fraud", "fraud_kind", "look_alike"),
    "transfer": ("id", "at", "payer", "payee", "amount", "currency", "fraud", "fraud_kind", "look_alike"),
    "confirmed_fraud": ("id", "at", "payment", "card", "customer", "merchant"),
}  # fmt: skip


def _series(name: str, column: Column) -> pl.Series:
    if name == "at":
        return pl.Series(name, column).cast(pl.Datetime("us", "UTC"))
    if name == "device":
        known = pl.Series(name, device_id(column)).to_frame().with_columns(there=pl.Series(column >= 0))
        return known.select(pl.when("there").then(pl.col(name)))[name]
    if name in _WORDS:
        return _WORDS[name].gather(column).alias(name)
    return pl.Series(name, column)


def frame(event: str, columns: Columns, shops: Merchants) -> pl.DataFrame:
    """The frame of one event type."""
    n = len(columns["at"])
    made: list[pl.Series] = []
    for name in _ORDER[event]:
        if name == "mcc":
            made.append(pl.Series(name, shops.mcc[columns["merchant"]]))
        elif name == "currency":
            made.append(pl.Series(name, ["EUR"], dtype=CURRENCY).new_from_index(0, n))
        elif name == "fraud":
            made.append(pl.Series(name, columns["fraud_kind"] != FraudKind.honest))
        else:
            made.append(_series(name, columns[name]))
    return pl.DataFrame(made)


def together(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """All event types in one frame and one order of time; a column that a type does not have is null.

    At the same microsecond the order is that of `EVENTS`.
    """
    parts = [made.select(pl.lit(event, dtype=_TYPE).alias("type"), pl.all()) for event, made in frames.items()]
    wide = pl.concat(parts, how="diagonal")
    at = wide["at"].to_physical().to_numpy()
    return wide[np.argsort(at, kind="stable")]


def rechunk(frames: Iterator[pl.DataFrame], size: int) -> Iterator[pl.DataFrame]:
    """Cut frames again so that each has `size` rows; the last one has the rest."""
    held: list[pl.DataFrame] = []
    rows = 0
    for made in frames:
        held.append(made)
        rows += made.height
        if rows < size:
            continue
        whole = pl.concat(held) if len(held) > 1 else held[0]
        done = rows // size * size
        for begin in range(0, done, size):
            yield whole.slice(begin, size).rechunk()
        # A copy, so that a small rest does not keep a large frame alive.
        held = [whole.slice(done).clone().rechunk()]
        rows -= done
    if rows:
        yield pl.concat(held)

"""From the frames of the simulated world to events of this flow's contracts."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from tidegate import Event
from tidegate.solutions.card_fraud.events import ConfirmedFraud, Login, Payment

TYPES: dict[str, type[Event]] = {"payment": Payment, "login": Login, "confirmed_fraud": ConfirmedFraud}
"""The event type of each kind of row of the world that this flow takes; it takes no transfers."""

_SHORT = {"payment": "p", "login": "l", "confirmed_fraud": "c"}
_WORLD_STEP = 10**15
"""The world numbers the events of each type from a multiple of this."""


def _id(prefix: str, number: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(prefix), (number % _WORLD_STEP).cast(pl.String))


def rows(kind: str, frame: pl.DataFrame, *, labels: bool = False) -> pl.DataFrame:
    """The rows of one kind in canonical columns: a column per field of the contract, times in microseconds since 1970,
    money in minor units with its currency beside it.

    Args:
        kind: a key of `TYPES`.
        frame: as `World.slices` gives it.
        labels: keep what each payment turned out to be, for training and for reports; a live event has none.

    Raises:
        KeyError: the flow takes no such events.
    """
    told = {"id": _id(_SHORT[kind], pl.col("id")), "at": pl.col("at").to_physical()}
    if kind == "payment":
        told |= {"mcc": pl.col("mcc").cast(pl.Int64), "channel": pl.col("channel").cast(pl.String)}
        told |= {"amount.currency": pl.col("currency").cast(pl.String)}
        told |= {} if labels else {"fraud": pl.lit(None, pl.Boolean)}
    if kind == "confirmed_fraud":
        told |= {"payment": _id(_SHORT["payment"], pl.col("payment"))}
    if "country" in frame.columns:
        told |= {"country": pl.col("country").cast(pl.String)}
    names = [
        column
        for name in TYPES[kind].__contract__
        for column in (name, *(("amount.currency",) if name == "amount" else ()))
    ]
    return frame.with_columns(**told).select(names)


def batch(
    frames: dict[str, pl.DataFrame], *, labels: bool = False
) -> tuple[list[tuple[type[Event], pl.DataFrame]], np.ndarray]:
    """A slice of the world for a replay: each type's rows, and for each event, in order of time, its type's place."""
    parts = [(event, rows(kind, frames[kind], labels=labels)) for kind, event in TYPES.items()]
    at = np.concatenate([frame["at"].to_numpy() for _, frame in parts])
    which = np.repeat(np.arange(len(parts)), [frame.height for _, frame in parts])
    return parts, which[np.argsort(at, kind="stable")]


def bodies(frames: dict[str, pl.DataFrame]) -> Iterator[tuple[str, bytes]]:
    """The live events of a slice of the world as they would be sent: event type and JSON, in order of time."""
    sent = []
    for kind, event in TYPES.items():
        frame = rows(kind, frames[kind])
        told = frame.with_columns(pl.from_epoch("at", "us").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"))
        if kind == "payment":
            amount = pl.struct(pl.col("amount").alias("units"), pl.col("amount.currency").alias("currency"))
            told = told.with_columns(amount.alias("amount")).drop("amount.currency", "fraud")
        lines = told.write_ndjson().encode().splitlines()
        sent += list(zip(frame["at"].to_list(), [event.__name__] * len(lines), lines, strict=True))
    sent.sort(key=lambda one: one[0])
    yield from ((name, line) for _, name, line in sent)

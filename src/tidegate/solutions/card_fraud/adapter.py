"""From the frames of the simulated world to events of this flow's contracts."""

from collections.abc import Iterator

import polars as pl

from tidegate.solutions.card_fraud.events import ConfirmedFraud, Login, Payment

TYPES = {"payment": Payment, "login": Login, "confirmed_fraud": ConfirmedFraud}
"""The event type of each kind of row of the world that this flow takes; it takes no transfers."""

_SHORT = {"payment": "p", "login": "l", "confirmed_fraud": "c"}
_WORLD_STEP = 10**15
"""The world numbers the events of each type from a multiple of this."""


def _id(prefix: str, number: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit(prefix), (number % _WORLD_STEP).cast(pl.String))


def rows(kind: str, frame: pl.DataFrame, *, labels: bool = False) -> pl.DataFrame:
    """The rows of one kind with the columns of its contract.

    Args:
        kind: a key of `TYPES`.
        frame: as `World.slices` gives it.
        labels: keep what each payment turned out to be, for training and for reports; a live event has none.

    Raises:
        KeyError: the flow takes no such events.
    """
    contract = [name for name in TYPES[kind].__contract__ if name != "fraud" or labels]
    made = frame.with_columns(_id(_SHORT[kind], pl.col("id")).alias("id"))
    if kind == "payment":
        made = made.with_columns(
            pl.struct(pl.col("amount").alias("units"), pl.col("currency").cast(pl.String)).alias("amount"),
            pl.col("channel").cast(pl.String),
            pl.col("mcc").cast(pl.Int64),
        )
    if kind == "confirmed_fraud":
        made = made.with_columns(_id("p", pl.col("payment")).alias("payment"))
    if "country" in made.columns:
        made = made.with_columns(pl.col("country").cast(pl.String))
    return made.select(contract)


def bodies(frames: dict[str, pl.DataFrame], *, labels: bool = False) -> Iterator[tuple[str, bytes]]:
    """The events of a slice of the world as they would be sent: event type and JSON, in order of time."""
    parts = []
    for kind, event in TYPES.items():
        frame = rows(kind, frames[kind], labels=labels)
        told = frame.with_columns(pl.col("at").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ"))
        lines = told.write_ndjson().encode().splitlines()
        parts += list(zip(frame["at"].to_physical().to_list(), [event.__name__] * len(lines), lines, strict=True))
    parts.sort(key=lambda part: part[0])
    yield from ((name, line) for _, name, line in parts)

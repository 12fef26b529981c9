"""The world: a seeded population and the stream of what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl
from polars.io.plugins import register_io_source

from tidegate import TidegateError
from tidegate.solutions.world import registers
from tidegate.solutions.world.frames import frame, rechunk, together
from tidegate.solutions.world.timeline import EVENTS, Entities, Settings, entities, nothing, run

Progress = Callable[[float], None]


class WorldError(TidegateError):
    """A world was asked for that cannot be made."""


class World:
    """A seeded world of customers, cards, devices, merchants and accounts, and the labelled events they cause.

    The same arguments give the same events, whatever the chunk size and whichever event types are read; no clock is
    read. (Another release of NumPy may draw other numbers.) Memory holds the entities and open stories, not the run.

    What is labelled: `fraud`, `fraud_kind` (null when honest) and `look_alike`, which says why an honest event might be
    taken for fraud. None of them is known when a decision is due; `confirmed_fraud` events are how the bank learns.

    Args:
        seed: chooses the world; 0 or more.
        customers: people with one or two cards, devices and an account each; at least 200.
        merchants: shops and sites; at least 200, so that every country has some.
        days: how many days the run lasts.
        start: first day (UTC), as a date or "YYYY-MM-DD". The default run passes the sales of late November.
        payments_per_day: everyday payments per customer on an average day.
        fraud_rate: share of payments that is fraud, about; 0 to 0.2. Fraud starts with the first day.

    Raises:
        WorldError: an argument is out of its range.
    """

    def __init__(
        self,
        seed: int = 7,
        customers: int = 50_000,
        merchants: int = 5_000,
        days: int = 30,
        *,
        start: date | str = "2025-11-03",
        payments_per_day: float = 2.0,
        fraud_rate: float = 0.007,
    ) -> None:
        if isinstance(start, str):
            try:
                start = date.fromisoformat(start)
            except ValueError:
                raise WorldError("start is not a day", seen=repr(start), do='Write "YYYY-MM-DD".') from None
        for name, value, least, most in (
            ("seed", seed, 0, 2**63),
            ("customers", customers, 200, 2**31 - 1),
            ("merchants", merchants, 200, 2**31 - 1),
            ("days", days, 1, 36_500),
            ("payments_per_day", payments_per_day, 0.001, 1_000),
            ("fraud_rate", fraud_rate, 0, 0.2),
        ):
            if not least <= value <= most:
                raise WorldError(f"{name} is out of range", seen=str(value), do=f"Choose {least} to {most}.")
        self.settings = Settings(seed, customers, merchants, days, start, payments_per_day, fraud_rate)

    @cached_property
    def _entities(self) -> Entities:
        return entities(self.settings)

    def payments(self, chunk: int = 100_000) -> Iterator[pl.DataFrame]:
        """Card payments in order of time, in frames of `chunk` rows (the last one has the rest).

        Columns: `id`, `at` (UTC, µs), `card`, `customer`, `merchant`, `device` (null unless online), `country` (where
        the payer is or seems to be, ISO 3166), `mcc` (ISO 18245), `channel` (chip, contactless, online), `amount`
        (cents), `currency`, `declined` (by the issuer's own checks), `fraud`, `fraud_kind`, `look_alike`.
        """
        return self._of("payment", chunk)

    def events(self, chunk: int = 100_000) -> Iterator[pl.DataFrame]:
        """Every event in one order of time: the columns of all types, led by `type`, null where a type has none."""
        return rechunk(map(together, self.slices()), self._sized(chunk))

    def slices(self) -> Iterator[dict[str, pl.DataFrame]]:
        """The run in slices of time (a part of a day each): a frame of every event type, all within the slice."""
        world = self._entities
        for columns in run(self.settings, world):
            yield {event: frame(event, columns[event], world.shops) for event in EVENTS}

    def lazy(self, event: str) -> pl.LazyFrame:
        """One event type as a lazy frame that is generated as it is read, for polars to filter, sink or count.

        Args:
            event: one of
                "payment": see `payments`;
                "login", to the bank: `id`, `at`, `customer`, `device`, `country`, `success` and labels;
                "transfer", between accounts: `id`, `at`, `payer`, `payee`, `amount` (cents), `currency`, labels;
                "confirmed_fraud", as the bank learns of it: `id`, `at`, `payment`, `card`, `customer`, `merchant`. 95 %
                of fraudulent payments are confirmed, 2 to 21 days later and about a week on average; the run ends
                before the last ones are. The card is then replaced: its number rises by the number of cards at the
                start.
        """
        if event not in EVENTS:
            raise WorldError("There is no such event type", seen=event, do=f"Choose one of {', '.join(EVENTS)}.")

        def source(
            columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = n_rows
            for made in self._of(event, batch_size or 100_000):
                part = made if left is None else made.head(left)
                if left is not None:
                    left -= part.height
                part = part if predicate is None else part.filter(predicate)
                yield part if columns is None else part.select(columns)
                if left == 0:
                    return

        schema = frame(event, nothing(event), self._entities.shops).schema
        return register_io_source(source, schema=schema)

    def entities(self) -> dict[str, pl.DataFrame]:
        """Tables of what exists at the start: customers, cards, devices, merchants, accounts and gangs.

        `gangs` labels the criminals: `gang`, `kind` (a fraud kind), `role`, the `entity` type and its `id`.
        """
        return registers.tables(self.settings, self._entities)

    def write(
        self,
        folder: str | Path,
        form: str = "parquet",
        *,
        events: tuple[str, ...] = EVENTS,
        progress: Progress | None = None,
    ) -> dict[str, int]:
        """Write events and entities into a folder, one file each, in bounded memory.

        Args:
            folder: made if it does not exist; files of the same names are replaced.
            form: "parquet" or "ndjson" (times as ISO 8601 text).
            events: event types to write.
            progress: called with the share done, 0 to 1.

        Returns:
            Rows written, by event type.
        """
        if form not in ("parquet", "ndjson"):
            raise WorldError("There is no such form", seen=form, do='Choose "parquet" or "ndjson".')
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        for name, table in self.entities().items():
            (table.write_parquet if form == "parquet" else table.write_ndjson)(place / f"{name}.{form}")
        counts = {}
        for done, event in enumerate(events):
            counts[event] = self._sink(event, place / f"{event}.{form}", form)
            if progress is not None:
                progress((done + 1) / len(events))
        return counts

    def _sink(self, event: str, path: Path, form: str) -> int:
        rows = self.lazy(event)
        if form == "parquet":
            rows.sink_parquet(path)
            return int(pl.scan_parquet(path).select(pl.len()).collect().item())
        count = 0
        with path.open("wb") as file:
            for made in self._of(event, 100_000):
                made.write_ndjson(file)
                count += made.height
        return count

    def _of(self, event: str, chunk: int) -> Iterator[pl.DataFrame]:
        world = self._entities
        parts = run(self.settings, world, only=event)
        return rechunk((frame(event, columns[event], world.shops) for columns in parts), self._sized(chunk))

    def _sized(self, chunk: int) -> int:
        if chunk < 1:
            raise WorldError("chunk is not a number of rows", seen=str(chunk), do="Choose 1 or more.")
        return chunk

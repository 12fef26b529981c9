"""Events from files: Parquet, CSV and NDJSON, in bounded pieces; rows that are no events are handed over as well."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl

from tidegate.connectors import files_sources as sources
from tidegate.connectors.files_columns import Columns, Unread, canonical_schema
from tidegate.connectors.files_refused import Refused, placed
from tidegate.connectors.files_spelling import CURRENCY, VERSION
from tidegate.errors import ContractError, TidegateError
from tidegate.events.contract import Reader
from tidegate.events.contract_keys import once
from tidegate.events.depth import plain_values
from tidegate.events.event import Event
from tidegate.events.money import Money
from tidegate.events.times import microseconds_of, time_of
from tidegate.events.types import Kind

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Chunk:
    """Some of a file's events.

    Args:
        frame: the good ones, in canonical columns (see `files_columns`), in the order of the file.
        lines: where each of them stands in the file.
        first_line: the line of the file, or for Parquet the row, at which this piece begins; counted from 1.
        refused: the others.
        twice: how many times in it could be either of two, since clocks were put back over them.
        unread: with the first piece of a file of columns, what the file has that is not read.
    """

    frame: pl.DataFrame
    lines: pl.Series
    first_line: int
    refused: list[Refused] = field(default_factory=list)
    twice: int = 0
    unread: Unread | None = None


def read(
    path: str | Path,
    event_type: type[Event],
    *,
    columns: Mapping[str, str] | None = None,
    defaults: Mapping[str, object] | None = None,
    chunk: int = 100_000,
    encoding: str = "utf-8",
) -> Iterator[Chunk]:
    """The events of a file, a piece at a time.

    Args:
        path: a file named .parquet, .csv, .ndjson or .jsonl, the last three also with .gz.
        event_type: what its rows are.
        columns: field -> column of the file, where the names differ: `{"amount": "TX_AMOUNT_CENTS"}`.
        defaults: field -> constant, where the file has no value: `{"amount.currency": "EUR"}`. `{"id": "row"}` numbers
            the rows row-1, row-2; `{"amount.unit": "minor"}` says that numbers are cents;
            `{"at.zone": "Europe/Berlin"}` where times without a zone are. More such: `files_spelling.Spelling`.
            `{"*.version": 1}` says that the lines of NDJSON are written to that version of the event's contract.
        chunk: how many rows a piece has at most.
        encoding: of the text in CSV and NDJSON.

    Raises:
        TidegateError: the file is missing, empty, cut short, damaged, or lacks a column; before the first piece where
            that can be known.
    """
    path = Path(path)
    kind = sources.form(path)
    sources.check_encoding(encoding)
    defaults = dict(defaults or {})
    version = _version(event_type, defaults.pop(VERSION, None))
    if kind == "ndjson":
        return _lines(path, event_type, dict(columns or {}), defaults, chunk, encoding, version)
    if version is not None:
        raise TidegateError(
            f"An older version of {event_type.__name__} is read from NDJSON; {path} is of columns.",
            do="Say which column fills a field with `--column`, and what one that it lacks is with `--default`.",
        )
    there = sources.parquet_columns(path) if kind == "parquet" else sources.csv_columns(path, encoding)
    plan = Columns(event_type, there, columns, defaults)
    rows = sources.parquet(path, chunk) if kind == "parquet" else sources.comma_separated(path, chunk, encoding)
    return _pieces(rows, plan)


def _version(event_type: type[Event], told: object) -> int | None:
    """The version of the contract that a file is written to, if it is an older one.

    Raises:
        ContractError: it is no version that can be read.
    """
    if told is None:
        return None
    version = int(told) if isinstance(told, str) and told.isdecimal() else told
    Reader(event_type).require_version(version)
    return version if isinstance(version, int) and version != event_type.__version__ else None


def _pieces(rows: Iterator[sources.Rows], plan: Columns) -> Iterator[Chunk]:
    done, first = 0, True
    for piece in rows:
        before = plan.twice
        frame, refused = plan.canonical(piece.frame, piece.first_line, done, lossy=piece.lossy)
        done += piece.frame.height
        if refused:
            refused = placed(refused, piece)
        lines = good_lines(piece.lines(), refused)
        yield Chunk(frame, lines, piece.first_line, refused, plan.twice - before, plan.unread() if first else None)
        first = False


def good_lines(lines: pl.Series, refused: list[Refused]) -> pl.Series:
    """The lines of the rows that were not refused."""
    return lines.filter(~lines.is_in([row.line for row in refused])) if refused else lines


def _lines(
    path: Path,
    event_type: type[E],
    columns: dict[str, str],
    defaults: dict[str, object],
    chunk: int,
    encoding: str,
    version: int | None,
) -> Iterator[Chunk]:
    """NDJSON: every line is read as an event is over HTTP."""
    reader = Reader(event_type)
    renamed = _Renamed(event_type.__name__, columns, defaults) if columns or defaults else None
    events: list[E] = []
    numbers: list[int] = []
    refused: list[Refused] = []
    first, row = 0, 0
    for line in sources.lines(path, encoding):
        row += 1
        first = first or line.number
        try:
            if line.cut:
                raise ContractError(f"The line is longer than {sources.MOST_LINE} bytes.")
            events.append(reader.read(line.body if renamed is None else renamed.body(line.body, row), version))
            numbers.append(line.number)
        except ContractError as error:
            original = line.body.decode(errors="replace")
            refused.append(Refused(line.number, error.pointer, str(error), original))
        if len(events) + len(refused) >= chunk:
            yield Chunk(to_frame(events, event_type), pl.Series(numbers, dtype=pl.Int64), first, refused)
            events, numbers, refused, first = [], [], [], 0
    if events or refused:
        yield Chunk(to_frame(events, event_type), pl.Series(numbers, dtype=pl.Int64), first, refused)
    elif not row:
        raise TidegateError(f"The file {path} is empty.", do="Write it again, or leave it out.")


class _Renamed:
    """Lines with other names than the contract's, or without some of its fields."""

    def __init__(self, event: str, columns: dict[str, str], defaults: dict[str, object]) -> None:
        nested = [name for name in (*columns, *defaults) if "." in name]
        if nested:
            raise TidegateError(
                f"{nested[0]!r} is for files of columns; in NDJSON money brings its currency, and times their zone.",
                do='Write {"units": 1234, "currency": "EUR"} or "12.34 EUR" in the file.',
            )
        self._event, self._columns, self._defaults = event, columns, defaults

    def body(self, body: bytes, row: int) -> bytes:
        """The line as the contract has it; one that is no object as it is, for the reader to refuse.

        Raises:
            ContractError: a name stands twice in it.
        """
        try:
            values = plain_values(body)
        except (ValueError, RecursionError):
            return body
        if not isinstance(values, dict):
            return body
        once(self._event, body)
        for name, column in self._columns.items():
            if column in values:
                values[name] = values.pop(column)
        for name, constant in self._defaults.items():
            if values.get(name) is None:
                values[name] = f"row-{row}" if name == "id" and constant == "row" else constant
        return msgspec.json.encode(values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return microseconds_of(value)
    return value.value if isinstance(value, Enum) else value


def to_frame(events: list[E], event_type: type[E]) -> pl.DataFrame:
    """Events that were read or checked, in canonical columns."""
    schema = canonical_schema(event_type)
    rows = [msgspec.structs.asdict(event) for event in events]
    made: dict[str, list[Any]] = {}
    for name, one in event_type.__contract__.items():
        values = [row[name] for row in rows]
        if one.type.kind is Kind.MONEY:
            made[name] = [None if value is None else value.units for value in values]
            made[name + CURRENCY] = [None if value is None else value.currency for value in values]
        else:
            made[name] = [_plain(value) for value in values]
    return pl.DataFrame(made, schema=schema)


def to_events(frame: pl.DataFrame, event_type: type[E]) -> list[E]:
    """The events that canonical columns hold. They are taken as good: `read` has checked them."""
    columns: dict[str, list[Any]] = {}
    for name, one in event_type.__contract__.items():
        values = frame[name].to_list()
        if one.type.kind is Kind.MONEY:
            pairs = zip(values, frame[name + CURRENCY].to_list(), strict=True)
            values = [None if units is None else Money(units, currency) for units, currency in pairs]
        elif one.type.kind is Kind.TIME:
            values = [None if us is None else time_of(us) for us in values]
        elif one.choices is not None:
            member = {choice.value: choice for choice in one.choices}
            values = [None if value is None else member[value] for value in values]
        columns[name] = values
    names = list(columns)
    return [event_type(**dict(zip(names, row, strict=True))) for row in zip(*columns.values(), strict=True)]

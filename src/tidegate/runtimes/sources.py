"""What a replay reads: files or frames of each event type, as canonical frames; rows that are no events are told."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl

from tidegate.connectors.files import good_lines, read
from tidegate.connectors.files_columns import Columns, Unread
from tidegate.connectors.files_order import in_order
from tidegate.connectors.files_refused import Refused
from tidegate.connectors.files_sources import csv_columns, form, parquet_columns
from tidegate.connectors.quarantine import Quarantine
from tidegate.decisions.definition import Definition
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.errors import TidegateError
from tidegate.events.event import Event
from tidegate.events.field import Label
from tidegate.runtimes.replayed import Counts

Given = str | Path | pl.DataFrame
LINE = "#line"
"""The column that says where in its file an event stands, counted from 1."""

_CHUNK = 100_000


@dataclass(frozen=True)
class Read:
    """Some rows that were read.

    Args:
        source: what they are from, as messages call it.
        refused: those that are no events.
        rows: how many were read, these among them.
        twice: how many of their times could be either of two, since clocks were put back over them.
        unread: with the first rows of a source of columns, what of it is not read.
    """

    source: str
    refused: Sequence[Refused]
    rows: int = 0
    twice: int = 0
    unread: Unread | None = None


ReadSo = Callable[[Read], None]


def noting(counts: Counts, quarantine: Quarantine | None, progress: Callable[[int], None] | None) -> ReadSo:
    """What counts the rows that are read, puts those that are no events into quarantine, and tells how far it is."""

    def note(read: Read) -> None:
        counts.twice += read.twice
        counts.unread |= {} if read.unread is None else {read.source: read.unread}
        counts.quarantined += len(read.refused)
        counts.read += len(read.refused)
        if read.refused and quarantine is not None:
            quarantine.add(read.refused, source=read.source)
        if progress is not None:
            progress(read.rows)

    return note


@dataclass(frozen=True)
class Source:
    """Where events of one type come from.

    Args:
        event: their type.
        given: a file (.parquet, .csv, .ndjson), or a frame with the same columns.
        columns: field -> column, where the names differ.
        defaults: field -> constant, where there is no value; see `connectors.files.read`.
        encoding: of the text of a file.
        sort: whether to put the events in order of time first.
    """

    event: type[Event]
    given: Given
    columns: Mapping[str, str] | None = None
    defaults: Mapping[str, object] | None = None
    encoding: str = "utf-8"
    sort: bool = False

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return "a frame" if isinstance(self.given, pl.DataFrame) else str(self.given)

    def frames(self, label: str | None, read_so: ReadSo) -> Iterator[pl.DataFrame]:
        """The events in canonical columns, and their lines in `LINE`; `read_so` is told of each piece that was read."""
        found = self._read(label, read_so)
        yield from (frame for whole in in_order(found) for frame in whole.iter_slices(_CHUNK)) if self.sort else found

    def _read(self, label: str | None, read_so: ReadSo) -> Iterator[pl.DataFrame]:
        if label is not None and label not in self.event.__contract__:
            self._check_label(label)
        event = labelled(self.event, label)
        columns = {name: column for name, column in (self.columns or {}).items() if column != name}
        if isinstance(self.given, pl.DataFrame):
            plan = Columns(event, self.given.columns, columns, self.defaults)
            frame, wrong = plan.canonical(self.given, 1, 0)
            read_so(Read(self.name, wrong, self.given.height, plan.twice, plan.unread()))
            lines = good_lines(pl.int_range(1, self.given.height + 1, eager=True), wrong)
            yield from frame.with_columns(lines.alias(LINE)).iter_slices(_CHUNK)
            return
        how: dict[str, Any] = {"columns": columns, "defaults": self.defaults, "encoding": self.encoding}
        for piece in read(self.given, event, chunk=_CHUNK, **how):
            rows = piece.frame.height + len(piece.refused)
            read_so(Read(self.name, piece.refused, rows, piece.twice, piece.unread))
            yield piece.frame.with_columns(piece.lines.alias(LINE))

    def _check_label(self, label: str) -> None:
        """Raise TidegateError if the label is a column that is not there, as far as that can be known at once."""
        if isinstance(self.given, pl.DataFrame):
            there = self.given.columns
        else:
            kind = form(Path(self.given))
            if kind == "ndjson":
                return
            path = Path(self.given)
            there = parquet_columns(path) if kind == "parquet" else csv_columns(path, self.encoding)
        if (self.columns or {}).get(label, label) not in there:
            near = difflib.get_close_matches(label, [*there, *self.event.__contract__], 1)
            raise TidegateError(
                f"{self.name} has no column {label!r} to be the label.",
                seen=", ".join(there[:20]) + (f" and {len(there) - 20} more" if len(there) > 20 else ""),
                do=f"Did you mean {near[0]!r}?"
                if near
                else "Name one of its columns with `--label` (in Python label=).",
            )


def labelled(event: type[Event], label: str | None) -> type[Event]:
    """The event type with a label beside its own fields, to be read from a column that its contract does not know."""
    if label is None or label in event.__contract__:
        return event
    space = {"__annotations__": {label: Annotated[bool, Label(known_after="0s")]}, "__module__": event.__module__}
    make: Any = type(Event)
    made: type[Event] = make(event.__name__, (event,), space, version=event.__version__)
    made.__upgrades__ = event.__upgrades__
    return made


def event_named(definition: Definition, name: str) -> type[Event]:
    """The event type of a flow by its name.

    Raises:
        TidegateError: the flow has none of that name.
    """
    kinds: tuple[type[Event], ...] = (*definition.kinds, *INSTRUCTIONS)
    known = {kind.__name__: kind for kind in kinds}
    if name not in known:
        raise TidegateError(f"{definition.name} does not know {name} events.", do=f"It takes {', '.join(known)}.")
    return known[name]


def sources_of(
    definition: Definition,
    given: Any,
    columns: Mapping[str, str],
    defaults: Mapping[str, object],
    *,
    encoding: str = "utf-8",
    sort: bool = False,
) -> list[Source]:
    """Sources from whatever a caller gives: one file or frame, several, or a mapping from event (or its name) to those.

    `columns` and `defaults` are of the event decided on; those of another event are written `Login.device`. `encoding`
    and `sort` are of all.
    """
    if isinstance(given, Source):
        return [given]

    def made(kind: type[Event], one: Given) -> Source:
        return Source(kind, one, *_own(definition, kind, columns, defaults), encoding=encoding, sort=sort)

    if isinstance(given, Mapping):
        named = ((event_named(definition, event) if isinstance(event, str) else event, n) for event, n in given.items())
        return [made(kind, one) for kind, several in named for one in _several(several)]
    several = _several(given)
    if several and all(isinstance(one, Source) for one in several):
        return list(several)
    return [made(definition.event, one) for one in several]


def _several(given: Any) -> Sequence[Any]:
    return [given] if isinstance(given, str | Path | pl.DataFrame) else list(given)


def _own(
    definition: Definition, event: type[Event], columns: Mapping[str, str], defaults: Mapping[str, object]
) -> tuple[dict[str, str], dict[str, object]]:
    """What is said of this event's fields, without its name before them."""
    kinds: tuple[type[Event], ...] = (*definition.kinds, *INSTRUCTIONS)
    names = {kind.__name__ for kind in kinds}

    def own(of: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for name, value in of.items():
            before, dot, rest = name.partition(".")
            named = bool(dot) and before in names
            if (before if named else definition.event.__name__) == event.__name__:
                found[rest if named else name] = value
        return found

    return own(columns), own(defaults)

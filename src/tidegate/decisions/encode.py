"""From events to cells: one row an event, packed and then scattered into the columns of its kind."""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache, partial
from typing import Any

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from tidegate.decisions.plan import AT, FieldPlan, KindPlan, Plan, TextPlan
from tidegate.decisions.settle import scatter
from tidegate.events.event import Event
from tidegate.events.money import Money
from tidegate.events.times import EPOCH, microseconds_of
from tidegate.events.types import Kind
from tidegate.expressions.words import MISSING
from tidegate.expressions.words import word as hashed

_NAN = float("nan")
word = lru_cache(maxsize=65_536)(hashed)


def times_of(ats: Iterable[datetime]) -> list[int]:
    """Times as microseconds since 1970 UTC: without an array, which is slower for the few events of a server's turn."""
    return [(past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds for past in [at - EPOCH for at in ats]]


def _optional(convert: Callable[[Any], Any], missing: Any) -> Callable[[Any], Any]:
    return lambda value: missing if value is None else convert(value)


def _money(currency: str | None) -> Callable[[Any], Any]:
    def convert(value: Any) -> int:
        if value is None:
            return MISSING
        if not isinstance(value, Money):
            value = Money.parse(value) if isinstance(value, str) else Money(**value)
        return value.units if currency is None or value.currency == currency else MISSING

    return convert


def _word(value: Any) -> int:
    return word(value.value if isinstance(value, Enum) else value)


def _time(value: Any) -> int:
    return microseconds_of(value if isinstance(value, datetime) else datetime.fromisoformat(value))


def converter(field: FieldPlan) -> Callable[[Any], Any]:
    """What turns a field's value, from Python or from JSON, into its cell."""
    kind = field.type
    if kind.kind is Kind.MONEY:
        return _money(field.currency)
    if kind.kind is Kind.FLOAT:
        return _optional(float, _NAN)
    if kind.is_word:
        return _optional(_word, MISSING)
    if kind.kind is Kind.TIME:
        return _optional(_time, MISSING)
    return _optional(int, MISSING)


_STEPS: dict[str, Callable[[Any, str], Any]] = {
    "lower": lambda text, _: text.lower(),
    "upper": lambda text, _: text.upper(),
    "length": lambda text, _: len(text),
    "starts_with": lambda text, part: text.startswith(part),
    "ends_with": lambda text, part: text.endswith(part),
    "contains": lambda text, part: part in text,
}


def text_value(plan: TextPlan | None, value: Any) -> Any:
    """What a function makes of a text, or the text itself; None if it is missing."""
    if value is None:
        return None
    if isinstance(value, Enum):
        value = value.value
    for name, constant in plan.steps if plan is not None else ():
        value = _STEPS[name](value, constant)
    return value


def text_cell(plan: TextPlan, value: Any) -> int:
    """The cell of a function of text; missing if the text is."""
    made = text_value(plan, value)
    return MISSING if made is None else word(made) if isinstance(made, str) else int(made)


@lru_cache(maxsize=4096)
def _numbers(n: int, floats: bool) -> struct.Struct:
    """So many cells, one after another."""
    return struct.Struct(f"={n}{'d' if floats else 'q'}")


class _Packer:
    """One kind's way from an event to a packed row."""

    def __init__(self, kind: KindPlan, worded: frozenset[int]) -> None:
        self.names = ["at", *(f.name for f in kind.fields), *(t.field for t in kind.texts)]
        converters: list[Callable[[Any], Any]] = [_time, *(converter(f) for f in kind.fields)]
        converters += [partial(text_cell, t) for t in kind.texts]
        self.convert = list(enumerate(converters))
        self.floats = [False, *(f.type.is_float for f in kind.fields), *(False for _ in kind.texts)]
        self.pack = struct.Struct("=" + "".join("d" if f else "q" for f in self.floats)).pack_into
        self.columns = [AT, *(f.column for f in kind.fields), *(t.column for t in kind.texts)]
        self.worded: list[tuple[int, TextPlan | None]] = [
            (place, None) for place, f in enumerate(kind.fields, 1) if f.column in worded
        ]
        self.worded += [(p, t) for p, t in enumerate(kind.texts, 1 + len(kind.fields)) if t.column in worded]
        self._places: list[int] | None = None
        self._steps: list[tuple[int, int, bool, Callable[[Any], Any] | None]] = []
        self._ready: list[tuple[int, int]] = []
        self._changed: list[tuple[int, int, bool, Callable[[Any], Any]]] = []
        self._plain = [
            f.type.kind in (Kind.INT, Kind.BOOL) or (f.type.kind is Kind.KEY and f.type.whole) for f in kind.fields
        ]

    def raw(self, event: Event) -> list[Any]:
        """The values of the fields in order."""
        if self._places is None:
            self._learn(type(event))
        values = astuple(event)
        return [values[place] for place in self._places or ()]

    def _learn(self, event: type[Event]) -> None:
        """Where the fields lie in this event type, and which of them are cells already."""
        order = event.__struct_fields__
        self._places = [order.index(name) for name in self.names]
        ready = {
            place
            for place, plain in enumerate(self._plain, 1)
            if plain and not event.__contract__[self.names[place]].optional
        }
        self.convert = [(place, convert) for place, convert in self.convert if place not in ready]
        left = [dict(self.convert).get(place) for place in range(len(self.columns))]
        self._steps = list(zip(self._places, self.columns, self.floats, left, strict=True))
        own = self._steps[1:]  # the first is the time
        self._ready = [(field, column) for field, column, _, change in own if change is None]
        self._changed = [(f, c, is_float, change) for f, c, is_float, change in own if change is not None]

    def fill(
        self, events: Sequence[Event], cells: NDArray[np.int64], words: dict[int, str], times: Sequence[int] | None
    ) -> None:
        """Write the events into the first rows of the columns, a field at a time."""
        if self._places is None:
            self._learn(type(events[0]))
        n, stride, memory = len(events), cells.strides[0], cells.data.cast("B")
        fields = list(zip(*map(astuple, events), strict=True))
        texts = dict(self.worded)
        for place, (field, column, is_float, change) in enumerate(self._steps):
            values: Sequence[Any] = fields[field]
            given = values
            if place == 0:
                values = times_of(values) if times is None else times
            elif change is not None:
                values = list(map(change, values))
            # Packing numbers takes less time than making an array of them.
            _numbers(n, is_float).pack_into(memory, column * stride, *values)
            if place in texts:
                for cell, value in dict(zip(values, given, strict=True)).items():
                    if value is not None:
                        words[cell] = text_value(texts[place], value)

    def write(self, event: Event, at: int, cells: memoryview, floats: "memoryview[float]", stride: int) -> None:
        """Write one event of time `at` into the first row of the columns, which lie `stride` cells apart."""
        if self._places is None:
            self._learn(type(event))
        values = astuple(event)
        cells[AT * stride] = at
        for field, column in self._ready:
            cells[column * stride] = values[field]
        for field, column, is_float, change in self._changed:
            (floats if is_float else cells)[column * stride] = change(values[field])

    def pack_row(self, values: list[Any], buffer: memoryview, offset: int, words: dict[int, str]) -> None:
        """Turn raw values into cells and write them to the buffer."""
        kept = [(place, text_value(text, values[place])) for place, text in self.worded]
        for place, convert in self.convert:
            values[place] = convert(values[place])
        self.pack(buffer, offset, *values)
        for place, text in kept:
            if text is not None:
                words[values[place]] = text


class Encoder:
    """Puts events into the columns of a decider's cells.

    Args:
        plan: whose columns they are.
        words: where the wording of texts is kept that windows can give back.
        capacity: the most rows in a batch.
    """

    def __init__(self, plan: Plan, words: dict[int, str], capacity: int) -> None:
        worded = frozenset(plan.worded)
        self.words = words
        self._packers = [_Packer(kind, worded) for kind in plan.kinds]
        width = max(len(p.columns) for p in self._packers)
        self._rows = np.zeros((max(1, capacity), width), dtype=np.int64)
        self._buffer = self._rows.data.cast("B")
        self._stride = width * 8
        self._columns = np.full((len(self._packers), width), -1, dtype=np.int64)
        for number, packer in enumerate(self._packers):
            self._columns[number, : len(packer.columns)] = packer.columns

    def put(self, row: int, kind: int, event: Event) -> None:
        """Pack one event as a row."""
        packer = self._packers[kind]
        packer.pack_row(packer.raw(event), self._buffer, row * self._stride, self.words)

    def put_all(
        self, kind: int, events: Sequence[Event], cells: NDArray[np.int64], times: Sequence[int] | None = None
    ) -> None:
        """Bring many events of one kind into the first rows: what `put` of each and `scatter` do.

        Args:
            kind: of the events.
            events: the events.
            cells: the columns.
            times: of the events, if they are known already.
        """
        self._packers[kind].fill(events, cells, self.words, times)

    @property
    def writers(self) -> list[Callable[[Event, int, memoryview, "memoryview[float]", int], None]]:
        """For each kind what brings one event into the first row: what `put` and `scatter` do, of a plan that keeps no
        wordings.

        They take the event, its time (microseconds since 1970 UTC), the memory of the columns, the same memory as
        floats, and how many cells further the next column lies.
        """
        return [packer.write for packer in self._packers]

    def put_plain(self, row: int, kind: int, fields: Mapping[str, Any]) -> None:
        """Pack one event given as plain JSON values."""
        packer = self._packers[kind]
        packer.pack_row([fields.get(name) for name in packer.names], self._buffer, row * self._stride, self.words)

    def scatter(self, cells: np.ndarray, kinds: np.ndarray, n: int) -> None:
        """Bring the first `n` packed rows into the columns."""
        scatter(self._rows, kinds, self._columns, cells, n)

"""From the plan of a stream to the tables its kernels read: what a record holds, what an entity's row holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tidegate.errors import FlowError
from tidegate.features.kernels import words as w
from tidegate.features.plan import AGGREGATES, StreamPlan, WindowPlan

Words = npt.NDArray[np.int64]

_PINNED = ("since_last", "last_value", "nth_previous")
_VALUELESS = ("count", "since_last", "since_first")
_OPS = {
    "total": w.OP_TOTAL,
    "mean": w.OP_MEAN,
    "share": w.OP_MEAN,
    "std": w.OP_STD,
    "minimum": w.OP_EXTREME,
    "maximum": w.OP_EXTREME,
    "distinct": w.OP_DISTINCT,
    "mode": w.OP_MODE,
    "has_seen": w.OP_SEEN,
    "first": w.OP_FIRST,
    "since_first": w.OP_SINCE_FIRST,
    "last_value": w.OP_NTH,
    "nth_previous": w.OP_NTH,
    "since_last": w.OP_SINCE_LAST,
}


@dataclass
class _Sum:
    value: int
    where: int
    squares: bool = False
    total: bool = False
    slot: int = 0


@dataclass
class _Frame:
    last: int
    head: int = 0
    sums: dict[tuple[int, int], _Sum] = field(default_factory=dict)
    distincts: dict[tuple[int, int], int] = field(default_factory=dict)
    extremes: dict[tuple[int, int, bool], int] = field(default_factory=dict)


@dataclass
class _Lane:
    delay: int
    end: int = 0
    stacks: dict[tuple[int, int, bool], int] = field(default_factory=dict)
    frames: dict[int, _Frame] = field(default_factory=dict)


class Layout:
    """The tables of one stream.

    Attributes:
        program: the words that the kernels follow; addresses in it are filled in by `Windows`.
        readers: for each column that windows are read under, the words that describe those windows.
        entity_bytes: bytes of an entity's row.
        event_bytes: bytes of an event in an entity's ring, before the ring is rounded up to a power of two.
    """

    def __init__(self, stream: StreamPlan) -> None:
        self._stream = stream
        self._windows = [self._checked(window) for window in stream.windows]
        self._values: dict[int, tuple[int, bool]] = {}
        self._wheres: dict[int, int] = {}
        self._groups: dict[tuple[int, int], int] = {}
        self._lanes: dict[int, _Lane] = {}
        self._words = w.S_WORDS
        for window in self._windows:
            self._place(window)
        self._record = 1 + len(self._values)
        self._flags = self._record if self._wheres else 0
        self._record += bool(self._wheres)
        for group in self._groups:
            self._groups[group] = self._record
            self._record += 1
        for lane in self._lanes.values():
            self._allot(lane)
        self.stacks = [(lane, key) for lane in self._lanes.values() for key in lane.stacks]
        self.entity_bytes = 8 * self._words
        self.event_bytes = 8 * (self._record + len(self._groups)) + 4 * len(self.stacks)
        self.program, self.readers = self._tables()

    @property
    def borders(self) -> list[tuple[int, list[int]]]:
        """For each lane, the words of an entity's row that hold its end and its frames' heads."""
        return [(lane.end, [frame.head for frame in lane.frames.values()]) for lane in self._lanes.values()]

    @property
    def pins(self) -> list[WindowPlan]:
        """Windows that look back a number of events, so that only so many need be kept however long they are."""
        return [x for x in self._windows if x.aggregate in _PINNED and x.where < 0]

    @property
    def ring_span(self) -> int:
        """Microseconds for which every event has to be kept."""
        return max((x.last + x.delay for x in self._windows if x not in self.pins), default=0)

    @property
    def longest(self) -> int:
        """Microseconds after which an event can no longer be seen by any window."""
        return max((x.last + x.delay for x in self._windows), default=0)

    @staticmethod
    def _checked(window: WindowPlan) -> WindowPlan:
        if window.aggregate not in AGGREGATES:
            raise FlowError(
                "There is no such window.", seen=window.aggregate, do=f"Use one of {', '.join(AGGREGATES)}."
            )
        if window.last <= 0 or window.delay < 0 or window.n < 1:
            raise FlowError(
                "A window has a positive length, a delay that is not negative, and n from 1.",
                seen=f"last={window.last}, delay={window.delay}, n={window.n}",
            )
        if window.with_current and window.delay:
            raise FlowError("A delayed window cannot hold the current event.", do="Drop delay= or with_current=.")
        if window.value < 0 and window.aggregate not in _VALUELESS:
            raise FlowError(f"{window.aggregate} needs a value to read.", seen="none")
        return window

    def _place(self, window: WindowPlan) -> None:
        if window.value >= 0:
            self._values.setdefault(window.value, (1 + len(self._values), window.value_float))
        if window.where >= 0:
            self._wheres.setdefault(window.where, len(self._wheres))
        if len(self._wheres) > 62:
            raise FlowError("A stream can have 62 different conditions.", seen=str(len(self._wheres)))
        lane = self._lanes.setdefault(window.delay, _Lane(window.delay))
        kind, key = window.aggregate, (window.value, window.where)
        if kind in ("distinct", "mode", "has_seen"):
            self._groups.setdefault(key, 0)
        if kind in _PINNED or kind == "has_seen":
            return  # found from the newest event backwards: no frame to keep
        frame = lane.frames.setdefault(window.last, _Frame(window.last))
        if kind in ("total", "mean", "share", "std") or (kind == "count" and max(key) >= 0):
            total = frame.sums.setdefault(key, _Sum(*key))
            total.total |= kind != "count"
            total.squares |= kind == "std"
        elif kind in ("minimum", "maximum"):
            lane.stacks[(*key, kind == "minimum")] = 0
            frame.extremes[(*key, kind == "minimum")] = 0
        elif kind == "distinct":
            frame.distincts[key] = 0

    def _take(self, count: int) -> int:
        self._words += count
        return self._words - count

    def _allot(self, lane: _Lane) -> None:
        lane.end = self._take(1)
        for stack in lane.stacks:
            lane.stacks[stack] = self._take(2)
        for frame in lane.frames.values():
            frame.head = self._take(1)
            for total in frame.sums.values():
                total.slot = self._take(w.SUM_WORDS[self._kind(total)])
            for distinct in frame.distincts:
                frame.distincts[distinct] = self._take(1)
            for extreme in frame.extremes:
                frame.extremes[extreme] = self._take(1)

    def _kind(self, total: _Sum) -> int:
        if not total.total:
            return w.TALLY
        if self._values[total.value][1]:
            return w.REAL_SQUARES if total.squares else w.REAL
        return w.WHOLE_SQUARES if total.squares else w.WHOLE

    def _value(self, value: int) -> tuple[int, int]:
        place, is_float = self._values.get(value, (0, False))
        return place, int(is_float)

    def _mask(self, where: int) -> int:
        return 1 << self._wheres[where] if where >= 0 else 0

    def _tables(self) -> tuple[Words, dict[int, Words]]:
        out: list[int] = [0] * w.P_WORDS
        sums: dict[tuple[int, int, int, int], int] = {}
        stacks: dict[tuple[int, int, int, bool], int] = {}
        groups: dict[tuple[int, int], int] = {}

        def section(rows: Sequence[Sequence[int]]) -> tuple[int, int]:
            start = 8 * len(out)
            for row in rows:
                out.extend(int(x) for x in row)
            return len(rows), start

        stream = self._stream
        head = {
            w.P_KIND: stream.kind,
            w.P_LEARN_KEY: stream.learn_key,
            w.P_RECORD: 8 * self._record,
            w.P_SLOT: 8 * self._words,
            w.P_FLAGS: self._flags,
            w.P_RING_SPAN: self.ring_span,
            w.P_PIN_SPAN: max((x.last + x.delay for x in self.pins), default=0),
            w.P_PIN_COUNT: max((x.n for x in self.pins), default=0),
            w.P_PIN_DELAY: max((x.delay for x in self.pins), default=0),
            w.P_LONGEST: self.longest,
        }

        def listed(field: int, rows: Sequence[Sequence[int]]) -> int:
            head[field], head[field + 1] = section(rows)
            return head[field + 1]

        listed(w.P_VALUES, [(c, place, is_float) for c, (place, is_float) in self._values.items()])
        listed(w.P_WHERES, [(c,) for c in self._wheres])
        listed(w.P_PINS, [self._value(c) for c in sorted({x.value for x in self.pins if x.value >= 0})])
        rows = [(*self._value(v), self._mask(c), link, i, v) for i, ((v, c), link) in enumerate(self._groups.items())]
        start = listed(w.P_GROUPS, rows)
        groups.update({key: start + 8 * w.G_WORDS * i for i, key in enumerate(self._groups)})
        area = {(lane.delay, *key): i for i, (lane, key) in enumerate(self.stacks)}
        start = listed(
            w.P_STACKS,
            [
                (*self._value(k[0]), self._mask(k[1]), -1 if k[2] else 0, i, lane.stacks[k])
                for i, (lane, k) in enumerate(self.stacks)
            ],
        )
        stacks.update({key: start + 8 * w.X_WORDS * i for key, i in area.items()})
        lanes = []
        for lane in self._lanes.values():
            frames = []
            for frame in lane.frames.values():
                many, start = section(
                    [(self._kind(x), x.slot, *self._value(x.value), self._mask(x.where)) for x in frame.sums.values()]
                )
                sums.update({(lane.delay, frame.last, *k): start + 8 * w.A_WORDS * i for i, k in enumerate(frame.sums)})
                distincts = section([(slot, self._groups[key]) for key, slot in frame.distincts.items()])
                extremes = section(
                    [(slot, lane.stacks[key], area[(lane.delay, *key)]) for key, slot in frame.extremes.items()]
                )
                frames.append((frame.last, frame.head, many, start, *distincts, *extremes))
            first = stacks[(lane.delay, *next(iter(lane.stacks)))] if lane.stacks else 0
            lanes.append((lane.delay, lane.end, len(lane.stacks), first, *section(frames)))
        listed(w.P_LANES, lanes)
        for place, value in head.items():
            out[place] = value
        readers: dict[int, list[int]] = {}
        for window in self._windows:
            readers.setdefault(window.read_key, []).extend(self._window(window, sums, stacks, groups))
        return np.array(out, np.int64), {key: np.array(rows, np.int64) for key, rows in readers.items()}

    def _window(
        self,
        window: WindowPlan,
        sums: dict[tuple[int, int, int, int], int],
        stacks: dict[tuple[int, int, int, bool], int],
        groups: dict[tuple[int, int], int],
    ) -> list[int]:
        lane, key = self._lanes[window.delay], (window.value, window.where)
        frame = lane.frames.get(window.last)
        least = (*key, window.aggregate == "minimum")
        row = [0] * w.W_WORDS
        row[w.W_OP] = _OPS.get(window.aggregate, w.OP_COUNT if max(key) >= 0 else w.OP_EVENTS)
        row[w.W_OUT], row[w.W_LAST], row[w.W_DELAY] = window.out, window.last, window.delay
        row[w.W_END], row[w.W_HEAD] = lane.end, frame.head if frame else lane.end
        row[w.W_VALUE], row[w.W_FLOAT] = self._value(window.value)
        row[w.W_WHERE], row[w.W_CURRENT] = self._mask(window.where), int(window.with_current)
        row[w.W_PROBE] = window.probe if window.probe >= 0 else window.value
        row[w.W_N] = window.n
        row[w.W_SUM] = sums.get((window.delay, window.last, *key), 0)
        row[w.W_STACK] = stacks.get((window.delay, *least), 0)
        row[w.W_GROUP] = groups.get(key, 0)
        if frame is not None:
            row[w.W_PLACE] = frame.extremes.get(least, frame.distincts.get(key, 0))
            if window.aggregate == "distinct":
                row[w.W_PLACE] = frame.distincts[key]
        return row

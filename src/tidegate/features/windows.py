"""The window engine: exact sliding windows over the past events of every entity, read and then learned, row by row."""

import hashlib
import weakref
from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
import numpy.typing as npt

from tidegate.errors import FlowError, SnapshotError
from tidegate.features.kernels import words as w
from tidegate.features.kernels.rows import take_rows
from tidegate.features.kernels.state import forget, keep, revive
from tidegate.features.layout import Layout
from tidegate.features.plan import StreamPlan
from tidegate.kernels.chain import Native, Step

Words = npt.NDArray[np.int64]


def _address(array: Words) -> int:
    return int(array.__array_interface__["data"][0])


def _no_memory(_: int) -> None:
    raise MemoryError("There is no memory for another event; the windows are not to be used any more.")


def _give_back(programs: list[Words]) -> None:
    for program in programs:
        forget.load()(_address(program), 0)


class Windows:
    """All window features of a flow.

    Rows are events in order of arrival, with their time (microseconds since 1970) in column 0 of `cells`. A row is
    first read (the windows' answers are written into its cells), then learned. Not for two threads at once.

    Args:
        streams: which events are filed under which key, and the windows over them.
        lateness: microseconds that a row may lie behind the latest one. The caller refuses what is later still; what
            no other row can see is forgotten.
    """

    def __init__(self, streams: Sequence[StreamPlan], *, lateness: int) -> None:
        if lateness < 0:
            raise FlowError("Lateness is a number of microseconds from 0.", seen=str(lateness))
        self._streams, self._lateness = tuple(streams), lateness
        self._layouts = [Layout(stream) for stream in self._streams]
        plans = repr([astuple(stream) for stream in self._streams])
        self._digest = np.frombuffer(hashlib.sha256(plans.encode()).digest(), np.uint8)
        self._columns = 1 + max((self._last_column(stream) for stream in self._streams), default=0)
        self._programs = [layout.program for layout in self._layouts]
        self._table = np.zeros(w.T_WORDS, np.int64)
        self._keep_alive: list[Words] = []
        for layout in self._layouts:
            blank = np.zeros(layout.entity_bytes // 8, np.int64)
            program, spare = layout.program, np.zeros(8 + layout.event_bytes // 8, np.int64)
            program[w.P_BLANK], program[w.P_SPARE] = _address(blank), _address(spare)
            program[w.P_CURRENT] = _address(spare[8:])
            self._keep_alive += [blank, spare]
            self._clear(program)
        lookups = self._lookups()
        slots = np.zeros(w.CHUNK * max(1, len(lookups)), np.int64)
        starts = np.array([_address(program) for program in self._programs], np.int64)
        self._keep_alive += [lookups, slots, starts]
        table = self._table
        table[w.T_CLOCK], table[w.T_LATENESS], table[w.T_SLOTS] = w.NEVER, lateness, _address(slots)
        table[w.T_LOOKUPS], table[w.T_LOOKUP] = len(lookups), _address(lookups)
        table[w.T_STREAMS], table[w.T_STREAM] = len(starts), _address(starts)
        self._table_address = _address(table)
        self._take = take_rows.load()
        self._bound: tuple[Words, Words, Words] | tuple[None, None, None] = (None, None, None)
        self._capacity, self._bound_for_good = 0, False
        weakref.finalize(self, _give_back, self._programs)

    @staticmethod
    def _last_column(stream: StreamPlan) -> int:
        return max([stream.learn_key] + [max(x.read_key, x.value, x.where, x.probe, x.out) for x in stream.windows])

    def _clear(self, program: Words) -> None:
        if forget.load()(_address(program), 1):
            raise MemoryError("There is no memory for the windows.")

    def _lookups(self) -> Words:
        rows = []
        for stream, layout in zip(self._streams, self._layouts, strict=True):
            for key in sorted({*layout.readers, stream.learn_key}):
                windows = layout.readers.get(key, np.zeros(0, np.int64))
                self._keep_alive.append(windows)
                row = [0] * w.K_WORDS
                row[w.K_STREAM], row[w.K_KEY] = _address(layout.program), key
                row[w.K_READS], row[w.K_READ] = len(windows) // w.W_WORDS, _address(windows)
                row[w.K_LEARN] = int(key == stream.learn_key)
                row[w.K_CURRENT] = int(windows.reshape(-1, w.W_WORDS)[:, w.W_CURRENT].any())
                rows.append(row)
        return np.array(rows, np.int64).reshape(-1, w.K_WORDS)

    def warm(self) -> None:
        """Load every kernel, or compile it: afterwards nothing waits for the compiler."""
        for each in (take_rows, keep, revive, forget):
            each.load()

    def run(self, cells: Words, kinds: Words, flags: Words, n: int) -> None:
        """Take the first `n` rows, in order.

        Args:
            cells: one row for each column of the plan, contiguous; windows are written into their `out` columns.
            kinds: the event type of each row.
            flags: for each row, 1 to read the windows, 2 to learn it, 3 for both.
            n: how many rows.
        """
        bound = self._bound
        if cells is not bound[0] or kinds is not bound[1] or flags is not bound[2]:
            self._bind(cells, kinds, flags)
        if not 0 <= n <= self._capacity:
            raise ValueError(f"{n} rows asked for, {self._capacity} given")
        if self._take(self._table_address, n):
            _no_memory(n)

    def step(self, cells: Words, kinds: Words, flags: Words) -> Step:
        """The step that takes the rows of these arrays, as `run` does; of no more rows than they have.

        Afterwards `run` takes these arrays alone.
        """
        self._bind(cells, kinds, flags)
        self._bound_for_good = True
        return Step(Native(take_rows.dispatcher, self._table, self), _no_memory)

    def _bind(self, cells: Words, kinds: Words, flags: Words) -> None:
        if self._bound_for_good:
            raise ValueError("a step takes the rows of other arrays from these windows")
        for array, dimensions in ((cells, 2), (kinds, 1), (flags, 1)):
            if array.dtype != np.int64 or array.ndim != dimensions or not array.flags.c_contiguous:
                raise ValueError("cells, kinds and flags are contiguous int64 arrays")
        if len(cells) < self._columns:
            raise ValueError(f"the plan has {self._columns} columns, {len(cells)} were given")
        if not cells.flags.writeable:
            raise ValueError("cells has to be writeable")
        table = self._table
        table[w.T_CELLS], table[w.T_STRIDE] = _address(cells), 8 * cells.shape[1]
        table[w.T_KINDS], table[w.T_FLAGS] = _address(kinds), _address(flags)
        self._capacity = min(cells.shape[1], len(kinds), len(flags))
        self._bound = (cells, kinds, flags)

    @property
    def clock(self) -> int:
        """Time of the latest row taken (microseconds), far in the past before the first."""
        return int(self._table[w.T_CLOCK])

    @clock.setter
    def clock(self, at: int) -> None:
        self._table[w.T_CLOCK] = at

    def entities(self) -> list[int]:
        """For each stream, how many entities it knows."""
        return [int(program[w.P_COUNT]) for program in self._programs]

    def memory(self) -> int:
        """Bytes held for all entities and their events."""
        return sum(int(program[w.P_BYTES]) for program in self._programs)

    def bound(self, stream: int) -> str:
        """What an entity of the stream costs, in words."""
        layout = self._layouts[stream]
        days = (layout.ring_span + self._lateness) / 86_400e6
        pinned = max((x.n for x in layout.pins), default=0)
        kept = (
            f"each of its events of the last {days:.4g} days" if layout.ring_span else "each event that may yet count"
        )
        more = f" (and its last {pinned})" if pinned else ""
        return (
            f"{layout.entity_bytes + 32} bytes per entity and {layout.event_bytes} bytes for {kept}{more}, "
            "rounded up to a power of two events"
        )

    def snapshot(self) -> dict[str, np.ndarray]:
        """Everything the windows know, as arrays; nothing of it is shared with this object."""
        clock = np.array([self.clock], np.int64)
        arrays: dict[str, np.ndarray] = {"plan": self._digest.copy(), "clock": clock}
        for i, (program, layout) in enumerate(zip(self._programs, self._layouts, strict=True)):
            address = _address(program)
            slots = np.zeros((int(program[w.P_COUNT]), layout.entity_bytes // 8), np.int64)
            many = keep.load()(address, 0, 0, 1)
            records = np.zeros((many, int(program[w.P_RECORD]) // 8), np.int64)
            keep.load()(address, _address(slots), _address(records), 0)
            arrays[f"entities_{i}"], arrays[f"events_{i}"] = slots, records
        return arrays

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Know exactly what a snapshot knew, and nothing else.

        Raises:
            SnapshotError: the arrays are damaged or belong to another plan; the windows are then as they were.
        """
        checked = [self._checked(arrays, i) for i in range(len(self._programs))]
        if not np.array_equal(arrays.get("plan", ()), self._digest):
            raise SnapshotError("The snapshot belongs to other windows.", do="Replay the events from the start.")
        clock = np.asarray(arrays.get("clock", ()))
        if clock.shape != (1,) or clock.dtype != np.int64:
            raise SnapshotError("The snapshot has no clock.", seen=f"{clock.dtype} {clock.shape}")
        for program, (slots, records) in zip(self._programs, checked, strict=True):
            self._clear(program)
            if revive.load()(_address(program), _address(slots), _address(records), len(slots)):
                raise MemoryError("There is no memory for the snapshot.")
        self.clock = int(clock[0])

    def _checked(self, arrays: dict[str, np.ndarray], stream: int) -> tuple[Words, Words]:
        layout, program = self._layouts[stream], self._programs[stream]
        found = []
        for name, width in (("entities", layout.entity_bytes // 8), ("events", int(program[w.P_RECORD]) // 8)):
            array = np.asarray(arrays.get(f"{name}_{stream}", ()))
            if array.dtype != np.int64 or array.ndim != 2 or array.shape[1] != width:
                raise SnapshotError(
                    f"The snapshot's {name} of stream {stream} do not fit these windows.",
                    seen=f"{array.dtype} {array.shape}, expected int64 (any, {width})",
                    do="Replay the events from the start.",
                )
            found.append(np.ascontiguousarray(array))
        slots, records = found
        log, oldest, following = slots[:, w.S_LOG], slots[:, w.S_OLDEST], slots[:, w.S_NEXT]
        many = following - oldest
        fine = (log >= w.FIRST_LOG) & (log < 32) & (oldest >= 0) & (many >= 0) & (many <= 1 << np.clip(log, 0, 32))
        for end, heads in layout.borders:
            fine &= (slots[:, end] >= oldest) & (slots[:, end] <= following)
            for head in heads:
                fine &= (slots[:, head] >= oldest) & (slots[:, head] <= slots[:, end])
        if not fine.all() or int(many.sum()) != len(records) or len(np.unique(slots[:, w.S_KEY])) != len(slots):
            raise SnapshotError(f"The snapshot's entities of stream {stream} contradict its events.")
        return slots, records

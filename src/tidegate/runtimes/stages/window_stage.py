"""A stage of windows: what it keeps, in columns of its own, so that its state depends on what it means alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tidegate.decisions.plan import AT as AT_COLUMN
from tidegate.decisions.plan import Plan
from tidegate.features.plan import StreamPlan, WindowPlan
from tidegate.runtimes.stages.meaning import Meanings, digest

_GIVING = ("mode", "first", "last_value", "nth_previous")
"""Aggregates that give a value back as it came."""


@dataclass(frozen=True)
class WindowStage:
    """A stage of the streams that are read under one column of the event decided on.

    Its cells are in columns of its own: the time, a copy of each key (missing where the key belongs to another shard),
    the values that its windows look at, and what they say.

    Args:
        number: its place among the stages.
        key: that column.
        keys: every column that the streams are read or learned under.
        values: the columns that windows look at.
        streams: the streams, over the stage's own columns.
        columns: how many these are.
        read: the keys that the streams are read under, `key` first.
        learned: for each event type the keys that it is learned under.
        kinds: for each event type its number in this stage.
        outs: the columns that the stage fills.
        said: where their values are among the stage's own.
        texts: those of `outs` whose cells are texts that have to be known by their wording.
        meaning: a digest of everything that its state depends on: equal ones are kept over a change of the flow.
        listed: whether what its windows look at rests on an entity list.
    """

    number: int
    key: int
    keys: tuple[int, ...]
    values: tuple[int, ...]
    streams: tuple[StreamPlan, ...]
    columns: int
    read: tuple[int, ...]
    learned: dict[int, tuple[int, ...]]
    kinds: tuple[int, ...]
    outs: tuple[int, ...]
    said: tuple[int, ...]
    texts: tuple[int, ...]
    meaning: str
    listed: bool

    def visited(self, kind: int, reads: bool) -> list[int]:
        """The columns of the keys whose shards an event of this type has to come to; the one it is read under first."""
        return list(dict.fromkeys((*(self.read if reads else ()), *self.learned.get(kind, ()))))


def _wandering(stream: StreamPlan) -> bool:
    """Whether a last bit can depend on when windows were moved: sums of floats are kept to 106 bits, and not for ever.

    Such a stream stays whole, so that its windows move as they do in the one engine: at every read, under any key.
    """
    return any(window.value_float and window.aggregate in ("total", "mean", "std") for window in stream.windows)


def window_stages(plan: Plan, meanings: Meanings, first: int) -> tuple[WindowStage, ...]:
    """A stage for each column that windows are read under; those that say least first, since all carry it on."""
    read: dict[int, list[StreamPlan]] = {}
    for stream in plan.streams:
        for key in dict.fromkeys(window.read_key for window in stream.windows):
            own = tuple(window for window in stream.windows if window.read_key == key)
            read.setdefault(key, []).append(stream if _wandering(stream) else replace(stream, windows=own))
    size = {key: sum(len(stream.windows) for stream in streams) for key, streams in read.items()}
    keys = sorted(read, key=lambda key: (size[key], meanings.of(key)))
    return tuple(_stage(plan, meanings, first + i, key, read[key]) for i, key in enumerate(keys))


def _stage(plan: Plan, meanings: Meanings, number: int, key: int, streams: Sequence[StreamPlan]) -> WindowStage:
    ordered = sorted((_ordered(meanings, stream) for stream in streams), key=lambda one: _told(meanings, one))
    windows = [window for stream in ordered for window in stream.windows]
    read = tuple(dict.fromkeys((key, *(window.read_key for window in windows))))
    keys = tuple(sorted({*read, *(stream.learn_key for stream in ordered)}, key=meanings.of))
    looked = {c for window in windows for c in (window.value, window.where, window.probe)} - {-1, AT_COLUMN}
    values = tuple(sorted(looked, key=meanings.of))
    local = {-1: -1, AT_COLUMN: AT_COLUMN} | {column: 1 + len(keys) + i for i, column in enumerate(values)}
    copy = {column: 1 + i for i, column in enumerate(keys)}
    first = 1 + len(keys) + len(values)
    said = {id(window): first + i for i, window in enumerate(windows)}
    events = [kind.event for kind in plan.kinds]

    def own(window: WindowPlan) -> WindowPlan:
        value, where, probe = (local[column] for column in (window.value, window.where, window.probe))
        read_key, out = copy[window.read_key], said[id(window)]
        return replace(window, read_key=read_key, out=out, value=value, where=where, probe=probe)

    learned: dict[int, tuple[int, ...]] = {}
    for stream in ordered:
        learned[stream.kind] = (*learned.get(stream.kind, ()), stream.learn_key)
    kinds = {events[stream.kind]: i for i, stream in enumerate(sorted(ordered, key=lambda s: events[s.kind]))}
    numbers = {event: kinds.get(event, len(ordered)) for event in events}
    told = [window for window in windows if window.read_key == key]
    return WindowStage(
        number=number,
        key=key,
        keys=keys,
        values=values,
        streams=tuple(
            StreamPlan(numbers[events[s.kind]], copy[s.learn_key], tuple(own(window) for window in s.windows))
            for s in ordered
        ),
        columns=first + len(windows),
        read=read,
        learned=learned,
        kinds=tuple(numbers[event] for event in events),
        outs=tuple(window.out for window in told),
        said=tuple(said[id(window)] for window in told),
        texts=_texts(plan, told),
        meaning=digest(meanings.of(key), [_told(meanings, stream) for stream in ordered]),
        listed=any(meanings.listed(column) for column in (*keys, *values)),
    )


def _ordered(meanings: Meanings, stream: StreamPlan) -> StreamPlan:
    return replace(stream, windows=tuple(sorted(stream.windows, key=lambda w: meanings.window(stream, w))))


def _told(meanings: Meanings, stream: StreamPlan) -> list[str]:
    return [meanings.window(stream, window) for window in stream.windows]


def _texts(plan: Plan, told: Sequence[WindowPlan]) -> tuple[int, ...]:
    """The outputs that can be a text that has to be shown; whether it is one, its wording says."""
    return tuple(w.out for w in told if w.aggregate in _GIVING and not w.value_float) if plan.worded else ()

"""How a flow is cut: which stages it has, what each keeps, and what a row carries from one to the next."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tidegate.decisions.plan import AT as AT_COLUMN
from tidegate.decisions.plan import KindPlan, ListPlan, Plan
from tidegate.errors import FlowError
from tidegate.features.plan import MISSING, StreamPlan, WindowPlan
from tidegate.runtimes.stages.rows import HEAD, Words

_STIR = np.uint64(0x9E3779B97F4A7C15)


def columns_of(kind: KindPlan) -> list[int]:
    """The columns that are filled from an event of this type."""
    return [*(field.column for field in kind.fields), *(text.column for text in kind.texts)]


def shards_of(keys: Words, shards: int) -> Words:
    """The shard of each key; -1 where it is missing."""
    stirred = (keys.view(np.uint64) ^ (keys.view(np.uint64) >> np.uint64(31))) * _STIR
    found = ((stirred >> np.uint64(33)) % np.uint64(shards)).astype(np.int64)
    found[keys == MISSING] = -1
    return found


def _wandering(stream: StreamPlan) -> bool:
    """Whether a last bit can depend on when windows were moved: sums of floats are kept to 106 bits, and not for ever.

    Such a stream stays whole, so that its windows move as they do in the one engine: at every read, under any key.
    """
    return any(window.value_float and window.aggregate in ("total", "mean", "std") for window in stream.windows)


@dataclass(frozen=True)
class ListStage:
    """A stage in which entity lists are asked: for each event type the column of the key that it is kept by."""

    number: int
    keys: dict[int, int]
    checks: tuple[ListPlan, ...]


@dataclass(frozen=True)
class WindowStage:
    """A stage of the streams that are read under one column of the event decided on.

    Args:
        number: its place among the stages.
        key: that column.
        keys: every column that the streams are read or learned under, `key` first; in the stage each has a copy that is
            missing where the key belongs to another shard.
        copies: the columns of those copies.
        streams: the streams, over the copies.
        read: the columns that they are read under.
        learned: for each event type the columns that it is learned under.
        outs: the columns that the stage fills.
        texts: those of them whose cells are texts that have to be known by their wording.
    """

    number: int
    key: int
    keys: tuple[int, ...]
    copies: tuple[int, ...]
    streams: tuple[StreamPlan, ...]
    read: tuple[int, ...]
    learned: dict[int, tuple[int, ...]]
    outs: tuple[int, ...]
    texts: tuple[int, ...]

    def visited(self, kind: int, reads: bool) -> list[int]:
        """The columns of the keys whose shards an event of this type has to come to; the one it is read under first."""
        return list(dict.fromkeys((*(self.read if reads else ()), *self.learned.get(kind, ()))))


class Staging:
    """A plan, cut into stages.

    Stage 0 takes events in; then come the stages of lists, those of windows, and the decision.

    Args:
        plan: of the flow.
        shards: in how many parts each stage can be kept.

    Raises:
        FlowError: the flow has something in it that cannot be cut, or there is no shard.
    """

    def __init__(self, plan: Plan, shards: int = 32) -> None:
        if not 1 <= shards <= 1024:
            raise FlowError("A flow is kept in 1 to 1024 shards.", seen=str(shards))
        if plan.packages:
            raise FlowError(
                f"{plan.flow} asks a package of rules in DRL, which does not run in stages.",
                seen=plan.packages[0].name,
                do="Run it with `tidegate run` or `tidegate serve`.",
            )
        self.plan, self.shards = plan, shards
        self._kind_of = {f.column: k for k, kind in enumerate(plan.kinds) for f in kind.fields}
        self.lists = self._list_stages()
        self.windows = self._window_stages(1 + len(self.lists))
        self.decision = 1 + len(self.lists) + len(self.windows)
        self.decision_shards = 1 if plan.caps else shards
        """Limits look at all decisions, so they are made in one shard."""
        self.carried = np.array(self._carried(), np.int64)
        self.first = HEAD + self.decision  # of the cells: before them the shards of stages 1 to `decision`
        self.width = self.first + len(self.carried)
        place = {int(column): self.first + i for i, column in enumerate(self.carried)}
        self.places = {stage.number: np.array([place[c] for c in stage.outs], np.int64) for stage in self.windows}
        self.places |= {s.number: np.array([place[c.out] for c in s.checks], np.int64) for s in self.lists}
        self.worded = [[column for column in columns_of(kind) if column in plan.worded] for kind in plan.kinds]
        self.columns = plan.columns + max((len(stage.copies) for stage in self.windows), default=0)

    @property
    def layout(self) -> str:
        """A digest of how rows are laid out and what is kept of them; rules and models may change, and it stays."""
        plan = self.plan
        fields = [
            (kind.event, [(f.name, f.column, str(f.type), f.currency) for f in kind.fields], kind.texts)
            for kind in plan.kinds
        ]
        said = repr((self.first, self.carried.tolist(), fields, plan.lists, plan.streams, plan.lateness))
        used = [constant for constant in plan.constants if constant[0] in plan.before.code[:, 2:]]
        programs = plan.before.code.tobytes() + plan.before.pool.tobytes() + repr(used).encode()
        return hashlib.sha256(said.encode() + programs).hexdigest()[:16]

    def route(self, stage: int) -> int:
        """The word of a row that says which shard of a stage it goes to."""
        return HEAD + stage - 1

    def names(self) -> list[str]:
        """The stages in order, as a person would call them."""
        field = {f.column: f"{kind.event}.{f.name}" for kind in self.plan.kinds for f in kind.fields}
        found = ["events taken in, by id"]
        for asked in self.lists:
            found.append("lists asked, by " + " and ".join(field[c] for c in asked.keys.values()))
        found += [f"windows, by {field.get(kept.key, 'a pair of keys')}" for kept in self.windows]
        whole = ", in one shard, since its limits look at all of them" if self.plan.caps else ""
        return [*found, f"decisions{whole}"]

    def _carried(self) -> list[int]:
        columns = {c for kind in self.plan.kinds for c in columns_of(kind)}
        return sorted((columns | set(self.plan.remembered)) - {AT_COLUMN})

    def _list_stages(self) -> tuple[ListStage, ...]:
        """The first stage asks about the first key of each event type that has one, the second about the second, …"""
        asked: dict[int, dict[int, list[ListPlan]]] = {}
        for check in self.plan.lists:
            asked.setdefault(self._kind_of[check.key], {}).setdefault(check.key, []).append(check)
        stages = []
        for place in range(max(map(len, asked.values()), default=0)):
            keys = {kind: list(of)[place] for kind, of in asked.items() if place < len(of)}
            checks = [check for kind, key in keys.items() for check in asked[kind][key]]
            stages.append(ListStage(1 + place, keys, tuple(checks)))
        return tuple(stages)

    def _window_stages(self, first: int) -> tuple[WindowStage, ...]:
        read: dict[int, list[StreamPlan]] = {}
        for stream in self.plan.streams:
            for key in dict.fromkeys(window.read_key for window in stream.windows):
                own = tuple(window for window in stream.windows if window.read_key == key)
                read.setdefault(key, []).append(stream if _wandering(stream) else replace(stream, windows=own))
        return tuple(self._window_stage(first + i, key, of) for i, (key, of) in enumerate(read.items()))

    def _window_stage(self, number: int, key: int, streams: list[StreamPlan]) -> WindowStage:
        windows = [window for stream in streams for window in stream.windows]
        read = tuple(dict.fromkeys((key, *(window.read_key for window in windows))))
        keys = tuple(dict.fromkeys((*read, *(stream.learn_key for stream in streams))))
        copy = {column: self.plan.columns + i for i, column in enumerate(keys)}
        learned: dict[int, tuple[int, ...]] = {}
        for stream in streams:
            learned[stream.kind] = (*learned.get(stream.kind, ()), stream.learn_key)
        kept = tuple(
            StreamPlan(
                stream.kind,
                copy[stream.learn_key],
                tuple(replace(window, read_key=copy[window.read_key]) for window in stream.windows),
            )
            for stream in streams
        )
        own = [window for window in windows if window.read_key == key]
        texts = self._texts(own)
        return WindowStage(
            number, key, keys, tuple(copy.values()), kept, read, learned, tuple(window.out for window in own), texts
        )

    def _texts(self, windows: Iterable[WindowPlan]) -> tuple[int, ...]:
        """The outputs that can be a text that has to be shown; whether it is one, its wording says."""
        if not self.plan.worded:
            return ()
        giving = ("mode", "first", "last_value", "nth_previous")
        return tuple(w.out for w in windows if w.aggregate in giving and not w.value_float)

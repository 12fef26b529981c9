"""All stages of a flow in one process, as a cluster would run them: shards, watermarks that lag, restarts anywhere."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tidegate.decisions.flow import Flow
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.decisions.plan import LEARN, OVERDUE, READ
from tidegate.events.contract import body
from tidegate.events.event import Event
from tidegate.events.times import microseconds_of
from tidegate.runtimes.stages.decision import DecisionsAt
from tidegate.runtimes.stages.intake import IntakeAt
from tidegate.runtimes.stages.lists import ListsAt
from tidegate.runtimes.stages.rows import AT, FLAGS, HEAD, KIND, OFFSET, SHARD, STAGE, Rows
from tidegate.runtimes.stages.stage import Stage
from tidegate.runtimes.stages.staging import Staging
from tidegate.runtimes.stages.windows import WindowsAt

Choose = Callable[[int, int], int]
"""A whole number from one to another, both included."""


class Pipeline:
    """Stages with a queue before each shard. Rows are taken in order of arrival, which is their offset."""

    def __init__(
        self,
        flow: type[Flow[Any]],
        models: Any,
        shards: int,
        choose: Choose,
        *,
        lag: bool = True,
        restarts: bool = True,
    ) -> None:
        self.flow, self.models, self.choose, self.lag, self.restarts = flow, models, choose, lag, restarts
        self.staging = Staging(flow.plan, shards)
        self.stages = self._made()
        self.queues: dict[tuple[int, int], list[Rows]] = {}
        self.kept: dict[tuple[int, int], tuple[bytes, list[bytes]]] = {}
        self.decided: dict[str, bytes] = {}
        self.refused: list[Any] = []
        self.repeated = 0
        self._reached = [-1] * (len(self.stages))

    def _made(self) -> list[Stage]:
        staging, definition = self.staging, self.flow.definition
        first = IntakeAt(definition, staging, 10**15)
        last = DecisionsAt(definition, staging, self.models, explain=True, batch=16)
        lists = [ListsAt(staging, stage) for stage in staging.lists]
        return [first, *lists, *(WindowsAt(staging, stage) for stage in staging.windows), last]

    def put(self, place: int, event: Event, flags: int) -> None:
        kinds = self.flow.definition.kinds
        kind = kinds.index(type(event)) if type(event) in kinds else -1 - INSTRUCTIONS.index(type(event))
        words = np.zeros((1, HEAD), np.int64)
        words[0, [AT, OFFSET, KIND, FLAGS]] = microseconds_of(event.at), place, kind, flags
        words[0, SHARD] = place % 3  # any: ids of these events do not come twice
        self._queue(Rows(words, [body(event)]))

    def _queue(self, rows: Rows) -> None:
        targets = rows.words[:, [STAGE, SHARD]]
        for stage, shard in np.unique(targets, axis=0).tolist():
            mine = np.flatnonzero((targets == (stage, shard)).all(axis=1))
            # as bytes, since that is how they travel
            self.queues.setdefault((stage, shard), []).append(Rows.unpack(rows.take(mine).pack()))

    def run_to(self, watermark: int) -> None:
        """Let every stage go on as far as it may: up to the watermark, and no farther than the stage before it."""
        for stage in range(len(self.stages)):
            low = self._reached[stage]
            watermark = self.choose(low, watermark) if self.lag else watermark
            for shard in sorted(shard for number, shard in self.queues if number == stage):
                self._take(stage, shard, watermark)
            self._reached[stage] = watermark

    def end(self, last: int) -> None:
        self.lag = False
        self.run_to(last)

    def _take(self, stage: int, shard: int, watermark: int) -> None:
        waiting = self.queues.pop((stage, shard))
        rows = Rows(np.concatenate([w.words for w in waiting]), [p for w in waiting for p in w.payloads])
        rows = rows.take(np.argsort(rows.words[:, OFFSET], kind="stable"))
        due = int(np.searchsorted(rows.words[:, OFFSET], watermark, "right"))
        places = np.arange(len(rows))
        if due < len(rows):
            self.queues[stage, shard] = [rows.take(places[due:])]
        start = 0
        while start < due:
            end = self.choose(start + 1, due)
            self._batch(stage, shard, rows.take(places[start:end]))
            start = end

    def _batch(self, stage: int, shard: int, rows: Rows) -> None:
        out = self.stages[stage].take(shard, rows)
        snapshot, log = self.kept.get((stage, shard), (b"", []))
        log = [*log, out.entry] if out.entry else log
        if self.choose(0, 3) == 0:
            snapshot, log = self.stages[stage].snapshot(shard), []
        self.kept[stage, shard] = snapshot, log
        assert all(a.id not in self.decided for a in out.answers)
        self.decided |= {a.id: a.decision for a in out.answers}
        self.refused += out.refused
        self.repeated += out.repeated
        for sent in out.rows:
            self._queue(sent)
        if self.restarts and self.choose(0, 7) == 0:
            self.restart()

    def change(self, flow: type[Flow[Any]], models: Any, rebuilt: Sequence[int], names: dict[int, int]) -> None:
        """Go on as another flow: `names` are the stages of this one by those of the other that keep their state."""
        self.end(10**9)
        self.flow, self.models = flow, models
        self.staging = Staging(flow.plan, self.staging.shards, rebuilt)
        self.kept = {
            (new, shard): kept
            for new, old in names.items()
            for (stage, shard), kept in self.kept.items()
            if stage == old
        }
        self.restart()
        self._reached, self.lag = [-1] * len(self.stages), True

    def restart(self) -> None:
        """All processes die; new ones know what was kept."""
        self.stages = self._made()
        for (stage, shard), (snapshot, log) in self.kept.items():
            self.stages[stage].restore(shard, snapshot)
            for entry in log:
                self.stages[stage].learn(shard, entry)


def flags_of(overdue: bool, learn: bool) -> int:
    return LEARN if learn else READ | LEARN | (OVERDUE if overdue else 0)


__all__: Sequence[str] = ["Pipeline", "flags_of"]

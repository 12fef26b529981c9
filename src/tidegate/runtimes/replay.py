"""A flow over past events, decided as they would have been, columns at a time.

The decisions are the engine's, bit for bit; what differs is that no event becomes a Python object, but for the few
that are timed singly.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from time import perf_counter
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.files import to_events
from tidegate.connectors.files_merge import Batch
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import to_json
from tidegate.decisions.definition import Definition
from tidegate.decisions.flow import Flow
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.decisions.plan import LEARN, READ
from tidegate.errors import TidegateError
from tidegate.events.event import Event
from tidegate.models.scoring import ScoringModel
from tidegate.runtimes.columns import KindColumns, marks, times
from tidegate.runtimes.event_rows import EventRows
from tidegate.runtimes.examples import Examples
from tidegate.runtimes.hash_table import LATE, NEW, REPEATED, REUSED, Admission
from tidegate.runtimes.replayed import Replayed
from tidegate.runtimes.scored import Scored
from tidegate.runtimes.tally import Tally

Ints = NDArray[np.int64]
Watch = Callable[[Decider, int, NDArray[np.bool_] | None], None]
"""Told of every run of the decider: its rows, and which of them are decisions (None: all)."""

_CHANGE = -1
_AT_FIRST, _EACH, _MOST = 200, 1, 2000
"""Decisions timed singly: in the beginning, in each batch after, and in all."""


class Replay:
    """A flow being replayed: give it events in order of arrival, then ask for the result.

    Args:
        flow: the flow's class.
        models: loaded models by reference; without a model its `otherwise` is used.
        label: the column that says what happened in the end.
        amount: the money field to add up.
        keep: columns of the events to be given back with the decisions.
        batch: events decided at once.
        watch: told of every run of the decider.
        spoken: if given, gets the wording of every text by its cell.
    """

    def __init__(
        self,
        flow: type[Flow[Any]],
        *,
        models: Mapping[str, ScoringModel] | None = None,
        label: str | None = None,
        amount: str | None = None,
        keep: Sequence[str] = (),
        batch: int = 2048,
        watch: Watch | None = None,
        spoken: dict[int, str] | None = None,
    ) -> None:
        self.definition: Definition = flow.definition
        self.plan = flow.plan
        self.models = dict(models or {})
        self._rows = EventRows(self.definition, self.plan, self.models, batch, explain=False)
        self.decider = self._rows.decider
        self.decider.windows.warm()
        self.tally = Tally(self.plan, self.definition.event, label, amount, keep)
        self.stages = dict.fromkeys(
            ("read", "columns", "windows", "models and rules", "single decisions", "gather"), 0.0
        )
        self.latency: list[float] = []
        self._watch = watch
        self._scored = [Scored(card) for card in self.plan.scorecards]
        self._examples = Examples(self._rows.answers, self.plan, amount)
        self._admission = Admission(self.plan.lateness)
        self._numbers: dict[type[Event], int] = {event: k for k, event in enumerate(self.definition.kinds)}
        self._numbers |= dict.fromkeys(INSTRUCTIONS, _CHANGE)
        self._ways = [KindColumns(kind, self.decider.words, self.plan.worded, spoken) for kind in self.plan.kinds]
        self._began: float | None = None

    def take(self, batch: Batch) -> Ints:
        """Decide on, or learn from, some events, and say what became of each.

        Raises:
            TidegateError: an event of a type that the flow does not know.
        """
        if not len(batch.source):
            return np.zeros(0, np.int64)
        if self._began is None:
            self._began = perf_counter()
        began = perf_counter()
        parts = _Parts(batch, self._numbers, self._ways, self.definition)
        verdict = self._admission.admit(parts.ids, parts.contents, parts.at)
        counts = self.tally.counts
        counts.read += len(verdict)
        every = bool((verdict == NEW).all())
        if not every:
            counts.repeated += int((verdict == REPEATED).sum())
            counts.reused += int((verdict == REUSED).sum())
            counts.late += int((verdict == LATE).sum())
        taken = np.arange(len(verdict)) if every else np.flatnonzero(verdict == NEW)
        kinds = parts.numbers[parts.source[taken]]
        counts.learned += int(np.count_nonzero(kinds))
        self.stages["columns"] += perf_counter() - began
        for start, end in _cuts(kinds, self.decider.capacity):
            if kinds[start] == _CHANGE:
                self.decider.obey(cast(Instruction, parts.event(int(taken[start]))))
            else:
                self._some(parts, taken[start:end], kinds[start:end])
        began = perf_counter()
        parts.tell(self.tally, taken[kinds == 0])
        self.stages["gather"] += perf_counter() - began
        return verdict

    def _some(self, parts: "_Parts", taken: Ints, kinds: Ints) -> None:
        """At most a batch: a few of them singly, by the clock, and the rest at once."""
        singles = min(len(kinds), _AT_FIRST if len(self.latency) < _AT_FIRST else _EACH, _MOST - len(self.latency))
        for i in range(singles):
            if kinds[i] == 0:
                self._one(parts.event(int(taken[i])))
            else:
                self._many(parts, taken[i : i + 1], kinds[i : i + 1])
        if singles < len(kinds):
            self._many(parts, taken[singles:], kinds[singles:])

    def _many(self, parts: "_Parts", taken: Ints, kinds: Ints) -> None:
        began = perf_counter()
        decider, n = self.decider, len(kinds)
        parts.fill(decider.cells, taken)
        decider.kinds[:n] = kinds
        decider.flags[:n] = np.where(kinds == 0, READ | LEARN, LEARN)
        filled = perf_counter()
        decider.recall(n)
        recalled = perf_counter()
        decider.conclude(n)
        decided = perf_counter()
        self._gather(n, None if not kinds.any() else kinds == 0)
        self._examples.look(n, kinds, lambda row: parts.event(int(taken[row])))
        self.stages["columns"] += filled - began
        self.stages["windows"] += recalled - filled
        self.stages["models and rules"] += decided - recalled
        self.stages["gather"] += perf_counter() - decided

    def _one(self, event: Event) -> None:
        """One decision as a caller would have it: from the event to the answer as JSON."""
        began = perf_counter()
        self._rows.put((event,))
        self.decider.run(1)
        to_json(self._rows.answered_one(event))
        took = perf_counter() - began
        self.latency.append(took * 1e6)
        self.stages["single decisions"] += took
        self._gather(1, None)

    def _gather(self, n: int, mine: NDArray[np.bool_] | None) -> None:
        """Note the decisions among the first `n` rows."""
        decider, at = self.decider, self.plan
        chosen = slice(0, n) if mine is None else np.flatnonzero(mine)
        nothing = np.full(n if mine is None else len(chosen), np.nan)  # type: ignore[arg-type]
        self.tally.limited += len(decider.limited)
        self.tally.decided(
            decider.settled[0][chosen].copy(),
            decider.floats[at.score][chosen].copy() if at.score >= 0 else nothing,
            decider.floats[at.level][chosen].copy() if at.level >= 0 else nothing,
            decider.cells[at.alarm][chosen] == 1 if at.alarm >= 0 else np.zeros(len(nothing), np.bool_),
            decider.held(n)[:, chosen],
        )
        for card in self._scored:
            card.decided(decider.cells, chosen)
        if self._watch is not None:
            self._watch(decider, n, mine)

    def result(self) -> Replayed:
        """What was decided so far."""
        seconds = perf_counter() - self._began if self._began is not None else 0.0
        self.stages["read"] = max(0.0, seconds - sum(v for name, v in self.stages.items() if name != "read"))
        return self.tally.result(
            latency_us=self.latency[1:],
            stages=self.stages,
            seconds=seconds,
            examples=self._examples.best(),
            models=self.models,
            cards=tuple(card.figures() for card in self._scored),
        )


def _cuts(kinds: Ints, capacity: int) -> list[tuple[int, int]]:
    """Runs of at most `capacity` events; a list change stands alone, since what follows must see it."""
    edges = [0, len(kinds)]
    changes = np.flatnonzero(kinds == _CHANGE)
    edges = sorted({*edges, *changes.tolist(), *(changes + 1).tolist()})
    return [(start, min(start + capacity, end)) for low, end in pairwise(edges) for start in range(low, end, capacity)]


class _Parts:
    """A batch's frames as cells, and which row of which frame each event is."""

    def __init__(
        self, batch: Batch, numbers: Mapping[type[Event], int], ways: Sequence[KindColumns], definition: Definition
    ) -> None:
        there = [place for place, (_, frame) in enumerate(batch.parts) if frame.height]
        self._parts = [batch.parts[place] for place in there]
        for event, _ in self._parts:
            if event not in numbers:
                raise TidegateError(
                    f"{definition.name} does not know {event.__name__} events.",
                    do=f"It takes {', '.join(kind.__name__ for kind in definition.kinds)}.",
                )
        self.numbers = np.array([numbers[event] for event, _ in self._parts], np.int64)
        sizes = [frame.height for _, frame in self._parts]
        first = np.cumsum([0, *sizes[:-1]])
        again = np.zeros(len(batch.parts), np.int64)
        again[there] = np.arange(len(there))
        self.source = again[batch.source]
        self._place = np.empty(len(self.source), np.int64)
        for part, size in enumerate(sizes):
            self._place[self.source == part] = np.arange(size)
        flat = self._flat = first[self.source] + self._place if len(self.source) else self._place
        self._ways = [ways[number] if number >= 0 else None for number in self.numbers]
        self._cells = [
            way.cells(frame) if way else None for way, (_, frame) in zip(self._ways, self._parts, strict=True)
        ]
        known = [marks(frame, event, int(k)) for (event, frame), k in zip(self._parts, self.numbers, strict=True)]
        self.ids = np.concatenate([ids for ids, _ in known])[flat]
        self.contents = np.concatenate([contents for _, contents in known])[flat]
        self.at = np.concatenate([times(frame) for _, frame in self._parts])[flat]

    def event(self, index: int) -> Event:
        """One of the events as an object."""
        event, frame = self._parts[int(self.source[index])]
        place = int(self._place[index])
        return to_events(frame[place : place + 1], event)[0]

    def fill(self, cells: Ints, taken: Ints) -> None:
        """Put the cells of these events into rows 0, 1, …"""
        for part, (way, values) in enumerate(zip(self._ways, self._cells, strict=True)):
            if way is None or values is None:
                continue
            rows: Any = slice(0, len(taken))
            places = self._place[taken]
            if len(self._parts) > 1:
                rows = np.flatnonzero(self.source[taken] == part)
                if not len(rows):
                    continue
                places = places[rows]
            low, high = int(places[0]), int(places[-1]) + 1
            chosen: Any = slice(low, high) if high - low == len(places) else places
            for column, of in zip(way.columns, values, strict=True):
                cells[column, rows] = of[chosen]

    def tell(self, tally: Tally, decided: Ints) -> None:
        """Let the tally know which events were decided on, in order."""
        if not len(decided):
            return
        own = [frame for (_, frame), number in zip(self._parts, self.numbers, strict=True) if number == 0]
        if len(own) == 1:
            places = self._place[decided]
            tally.events(own[0], None if len(places) == own[0].height else places)
            return
        before = np.concatenate(
            [[0], np.cumsum([f.height if k == 0 else 0 for (_, f), k in zip(self._parts, self.numbers, strict=True)])]
        )
        tally.events(pl.concat(own), before[self.source[decided]] + self._place[decided])

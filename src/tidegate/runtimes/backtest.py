"""Replay: from files to what a flow would have decided, with or without a store that keeps the evidence.

Without one, columns go straight to the decider; with one, every event goes through the engine, to the same decisions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.files import to_events
from tidegate.connectors.files_merge import Batch, merge_batches
from tidegate.connectors.files_refused import Refused as Row
from tidegate.connectors.quarantine import Quarantine
from tidegate.connectors.store import Store
from tidegate.decisions.answer import Answers
from tidegate.decisions.decision import Decision
from tidegate.decisions.flow import Flow
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.instructions import Instructions
from tidegate.decisions.rule import outcome_of
from tidegate.errors import ContractError, TidegateError
from tidegate.events.contract import body
from tidegate.events.types import Kind
from tidegate.expressions.words import MISSING
from tidegate.runtimes.engine import Answer, Engine, Refused
from tidegate.runtimes.examples import Examples
from tidegate.runtimes.hash_table import LATE, NEW, REPEATED, REUSED
from tidegate.runtimes.models import Models, models_of
from tidegate.runtimes.replay import Replay, Watch
from tidegate.runtimes.replayed import Replayed
from tidegate.runtimes.sources import LINE, Read, Source, noting, sources_of
from tidegate.runtimes.tally import Tally, amount_of, label_of
from tidegate.runtimes.turned_away import TurnedAway

Progress = Callable[[int], None]
_SINGLES = 200


def replay(
    flow: type[Flow[Any]],
    sources: Any,
    *,
    models: Models = None,
    store: Store | None = None,
    other_flow_ok: bool = False,
    label: str | None = None,
    amount: str | None = None,
    columns: Mapping[str, str] | None = None,
    defaults: Mapping[str, object] | None = None,
    encoding: str = "utf-8",
    sort: bool = False,
    quarantine: Quarantine | None = None,
    progress: Progress | None = None,
    batch: int = 2048,
    watch: Watch | None = None,
    spoken: dict[int, str] | None = None,
    keep: Sequence[str] = (),
) -> Replayed:
    """Decide past events as they would have been decided, in order of time, and learn from each after deciding.

    Args:
        flow: the flow's class.
        sources: a file or frame of the event decided on, several of them, or a mapping from event type (or its name) to
            those of that type. Within a source events come in its order, and sources are merged by time.
        models: as of `Engine`.
        store: where every decision is kept with its evidence; slower, since each event then goes through the engine.
        other_flow_ok: as of `Engine`.
        label: a field or column that says what happened in the end, for figures only; default: the event's label field.
        amount: the money field to add up; default: the event's first.
        columns, defaults: how the files' columns become fields; see `connectors.files.read`. Of another event than the
            one decided on, as `Login.device`.
        encoding: of the text of the files.
        sort: whether to put each file's events in order of time first; see `connectors.files_order`.
        quarantine: gets the rows that are no events, and at the end those of the events that were refused.
        progress: told the number of rows after each piece that was read.
        batch: events decided at once.
        watch: told of every run of the decider; not with a store.
        spoken: if given, gets the wording of every text by its cell; not with a store.
        keep: fields of the events to be given back with the decisions; not with a store.

    Raises:
        TidegateError: a file, a column or a model is not there, or cannot be read.
    """
    definition = flow.definition
    event = definition.event
    label, amount = label or label_of(event), amount or amount_of(event)
    if amount is not None and amount not in event.__contract__:
        fields = ", ".join(event.__contract__)
        raise TidegateError(f"{event.__name__} has no field {amount!r} to add up.", do=f"It has {fields}.")
    known = event.__contract__.get(label or "")
    if known is not None and known.type.kind not in (Kind.BOOL, Kind.INT):
        raise TidegateError(
            f"{event.__name__}.{label} is no label.", seen=str(known.type), do="A label is true or false."
        )
    run: Replay | _Kept
    if store is None:
        loaded = models_of(definition, models)
        run = Replay(
            flow, models=loaded, label=label, amount=amount, keep=keep, batch=batch, watch=watch, spoken=spoken
        )
    else:
        run = _Kept(Engine(flow, models=models, store=store, batch=batch, other_flow_ok=other_flow_ok), label, amount)
    counts = run.tally.counts

    note = noting(counts, quarantine, progress)

    found: list[Source] = sources_of(definition, sources, columns or {}, defaults or {}, encoding=encoding, sort=sort)
    instructions = Instructions(definition)

    def frames(one: Source) -> Iterator[pl.DataFrame]:
        made = one.frames(label if one.event is event else None, note)
        if not issubclass(one.event, Instruction):
            return made
        return of_use(made, one, instructions, lambda rows: note(Read(one.name, rows)))

    streams = [(one.event, frames(one)) for one in found]
    away = TurnedAway(found, definition.lateness, counts)
    for piece in merge_batches(streams):
        away.look(piece, run.take(piece))
    if quarantine is not None:
        away.write(quarantine)
    return run.result()


def of_use(
    frames: Iterable[pl.DataFrame], source: Source, known: Instructions, refused: Callable[[list[Row]], None]
) -> Iterator[pl.DataFrame]:
    """Frames of instructions without those that are mistakes, which `refused` is told of; people give few of them."""
    for frame in frames:
        keep, away = [], list[Row]()
        for row, event in enumerate(to_events(frame, source.event)):
            try:
                known.require(cast(Instruction, event))
                keep.append(row)
            except ContractError as error:
                away.append(Row(int(frame[LINE][row]), error.pointer, f"{event.id}: {error}", body(event).decode()))
        if away:
            refused(away)
        yield frame[keep] if away else frame


class _Kept:
    """A replay through an engine with a store, so that every decision is kept with its evidence."""

    def __init__(self, engine: Engine, label: str | None, amount: str | None) -> None:
        self.engine = engine
        self.tally = Tally(engine.plan, engine.definition.event, label, amount)
        self.latency: list[float] = []
        self.stages = {"read": 0.0, "decide": 0.0, "keep": 0.0}
        self._whens = {rule.name: place for place, rule in enumerate(engine.plan.rules)}
        self._levels = dict(zip(engine.plan.levels, engine.plan.thresholds, strict=True))
        self._examples = Examples(Answers(engine.decider), engine.plan, amount)
        self._began: float | None = None

    def take(self, batch: Batch) -> NDArray[np.int64]:
        """Put some events through the engine, and say what became of each."""
        self._began = self._began or perf_counter()
        lists = [iter(to_events(frame, event)) for event, frame in batch.parts]
        events = [next(lists[part]) for part in batch.source.tolist()]
        start, size = 0, self.engine.batch
        answers: list[Answer] = []
        while start < len(events):
            several = 1 if len(self.latency) < _SINGLES else size
            began = perf_counter()
            answers += self.engine.process(events[start : start + several])
            if several == 1:
                self.latency.append((perf_counter() - began) * 1e6)
            for stage in ("decide", "keep"):
                self.stages[stage] += self.engine.timing[stage] / 1e6
            start += several
        for event, answer in zip(events, answers, strict=True):
            if isinstance(answer, Decision) and not answer.repeated:
                self._examples.offer(answer, event)
        return self._note(batch, answers)

    def _note(self, batch: Batch, answers: Sequence[Answer]) -> NDArray[np.int64]:
        counts = self.tally.counts
        counts.read += len(answers)
        own = [frame for event, frame in batch.parts if event is self.engine.definition.event]
        sizes = [frame.height if event is self.engine.definition.event else 0 for event, frame in batch.parts]
        place = np.cumsum([0, *sizes])[:-1].tolist()
        rows: list[int] = []
        decisions: list[Decision] = []
        verdict = np.full(len(answers), NEW, np.int64)
        for number, (part, answer) in enumerate(zip(batch.source.tolist(), answers, strict=True)):
            row, place[part] = place[part], place[part] + 1
            if isinstance(answer, Refused) and not answer.erased:
                verdict[number] = LATE if answer.code == "before-retention" else REUSED
            elif isinstance(answer, Refused) or answer.repeated:
                verdict[number] = REPEATED
            elif isinstance(answer, Decision):
                rows.append(row)
                decisions.append(answer)
            else:
                counts.learned += 1
        counts.late += int((verdict == LATE).sum())
        counts.reused += int((verdict == REUSED).sum())
        counts.repeated += int((verdict == REPEATED).sum())
        if rows:
            self._tell(decisions)
            self.tally.events(pl.concat(own), np.array(rows))
        return verdict

    def _tell(self, decisions: Sequence[Decision]) -> None:
        whens = np.zeros((len(self._whens), len(decisions)), np.int64)
        for row, decision in enumerate(decisions):
            for rule in decision.rules:
                whens[self._whens[rule.rule], row] = 1
            for name in decision.unknown:
                whens[self._whens[name], row] = MISSING
        self.tally.limited += sum(decision.limited is not None for decision in decisions)
        self.tally.decided(
            np.array([outcome_of(d.outcome) for d in decisions], np.int64),
            np.array([np.nan if d.score is None else d.score for d in decisions], np.float64),
            np.array([np.nan if d.level is None else self._levels[d.level] for d in decisions], np.float64),
            np.array([d.alarm for d in decisions], np.bool_),
            whens,
        )

    def result(self) -> Replayed:
        """What was decided so far."""
        seconds = perf_counter() - self._began if self._began is not None else 0.0
        self.stages["read"] = max(0.0, seconds - self.stages["decide"] - self.stages["keep"])
        return self.tally.result(
            latency_us=self.latency[1:],
            stages=self.stages,
            seconds=seconds,
            models=self.engine.models,
            examples=self._examples.best(),
        )

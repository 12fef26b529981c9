"""The embedded engine: a flow in this process, with or without a store behind it."""

import gc
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any

import msgspec

from tidegate.connectors.sqlite import Store
from tidegate.decisions.answer import Answers, texts_of
from tidegate.decisions.decider import LEARN, READ, Decider
from tidegate.decisions.decision import Decision, to_json
from tidegate.decisions.encode import Encoder, microseconds_of
from tidegate.decisions.flow import Definition, Flow
from tidegate.decisions.lists import ListChange
from tidegate.decisions.planner import plan
from tidegate.errors import ContractError, StoreError, TidegateError
from tidegate.events.contract import Reader, body, check, digest
from tidegate.events.durations import written
from tidegate.events.event import Event
from tidegate.evidence.record import Entry, Refusal
from tidegate.expressions.words import word
from tidegate.models.registry import Registry
from tidegate.models.tree_model import TreeModel
from tidegate.runtimes.journal import Journal, make_record
from tidegate.runtimes.memory import Known, Memory, Past


class Refused(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event that was not taken, and why; `pointer` is the JSON Pointer of the field at fault, if one is."""

    id: str
    reason: str
    code: str
    pointer: str = ""


class Learned(msgspec.Struct, frozen=True):
    """The answer to an event that is only learned from."""

    id: str
    repeated: bool = False


Answer = Decision | Refused | Learned


class Engine:
    """Runs a flow on events, one at a time or many: the same decisions however they are cut.

    Args:
        flow: the flow's class.
        models: a model registry, its folder, or loaded models by reference; without a model its `otherwise` is used.
        store: where decisions are kept; what it holds already is learned before the engine is ready. Without one,
            nothing is kept but the last `remember` ids.
        explain: put every feature's value into every decision.
        batch: the most events decided at once.
        remember: without a store, for how many of the latest ids a repeated event is recognised.

    Raises:
        ModelError: a model is damaged or reads other features than the flow gives it.
        StoreError: the store cannot be read.
    """

    def __init__(
        self,
        flow: type[Flow[Any]],
        *,
        models: Registry | str | Mapping[str, TreeModel] | None = None,
        store: Store | None = None,
        explain: bool = False,
        batch: int = 1024,
        remember: int = 100_000,
    ) -> None:
        self.definition: Definition = flow.definition
        self.plan = plan(self.definition)
        self.models = _loaded(self.definition, models)
        self.batch, self.explain = batch, explain
        self.readers: dict[str, Reader] = {kind.__name__: Reader(kind) for kind in (*self.definition.kinds, ListChange)}
        self._kinds: dict[type[Event], int] = {kind: number for number, kind in enumerate(self.definition.kinds)}
        self._journal = Journal(store, self.plan, self.models) if store is not None else None
        self._past: Past = self._journal if self._journal is not None else Memory(remember)
        self._broken = False
        self.clock = 0
        self._build()
        self.recovered = self._journal.recover(self) if self._journal is not None else 0
        gc.collect()
        gc.freeze()

    def _build(self) -> None:
        self.decider = Decider(self.plan, self.models, self.batch)
        self.encoder = Encoder(self.plan, self.decider.words, self.batch)
        self.answers = Answers(self.decider, explain=self.explain)
        self.clock = 0

    def decide(self, event: Event) -> Decision | Refused:
        """Decide one event, then learn from it.

        Returns:
            The decision; the first one again, marked as repeated, if the event came before; or why it was refused.

        Raises:
            ContractError: the event does not keep its contract.
            StoreError: the decision could not be kept; it does not count, and the event may be sent again.
        """
        return self.decide_many([event])[0]  # type: ignore[return-value]

    def decide_many(self, events: Iterable[Event]) -> list[Answer]:
        """Decide events in this order; the answers are in the same order. Other types of event are learned from."""
        checked = [check(event) for event in events]
        return self.process([(event, body(event)) for event in checked])

    def decide_json(self, data: bytes, event: str | None = None) -> bytes:
        """Decide one event given as JSON; the answer is JSON too. `event` names its type if it is not the flow's own."""
        taken = self.readers[event or self.definition.event.__name__].read(data)
        return msgspec.json.encode(self.process([(taken, body(taken))])[0])

    def learn(self, event: Event) -> Learned | Refused:
        """Learn from an event without deciding on it."""
        taken = check(event)
        return self.process([(taken, body(taken))], learn_only=True)[0]  # type: ignore[return-value]

    def process(
        self, events: Sequence[tuple[Event, bytes]], *, learn_only: bool = False, overdue: Sequence[bool] = ()
    ) -> list[Answer]:
        """Take checked events with their canonical bodies, in order; everything above comes down to this.

        `overdue` marks events whose deadline passed before their turn came.
        """
        if self._broken:
            self._mend()
        answers: list[Answer] = []
        for start in range(0, len(events), self.batch):
            part = events[start : start + self.batch]
            answers += self._batch(part, learn_only, overdue[start : start + self.batch])
        return answers

    def _mend(self) -> None:
        """After a failed write: what was learned but not kept is forgotten, by making the state anew from the store."""
        self._build()
        assert self._journal is not None
        self.recovered = self._journal.recover(self)
        self._broken = False

    def _batch(self, events: Sequence[tuple[Event, bytes]], learn_only: bool, overdue: Sequence[bool]) -> list[Answer]:
        began = perf_counter()
        answers: list[Answer | None] = [None] * len(events)
        digests = [digest(data) for _, data in events]
        known = self._past.find([event.id for event, _ in events])
        new: list[int] = []
        first: dict[str, int] = {}
        twice: list[tuple[int, int]] = []
        refusals: list[Refusal] = []
        for place, (event, _) in enumerate(events):
            at = microseconds_of(event.at)
            if event.id in known:
                answers[place] = self._repeated(event.id, digests[place], known[event.id], at, refusals)
            elif event.id in first:
                twice.append((place, first[event.id]))
            elif at < self.clock - self.plan.lateness and self.clock:
                reason = f"It is older than the flow's longest memory, {written(self.plan.lateness)} before the newest event."
                answers[place] = Refused(event.id, reason, "before-retention", "/at")
                refusals.append(Refusal(event.id, digests[place], reason, at))
            else:
                self.clock = max(self.clock, at)
                first[event.id] = place
                new.append(place)
        entries: list[Entry] = []
        for run in self._runs(events, new):
            self._run(run, events, digests, learn_only, overdue, answers, entries)
        decided = perf_counter()
        self._keep(entries, refusals, [(events[place][0].id, digests[place], answers[place]) for place in new])
        for place, original in twice:
            at = microseconds_of(events[place][0].at)
            before = Known(digests[original], answers[original])
            late: list[Refusal] = []
            answers[place] = self._repeated(events[place][0].id, digests[place], before, at, late)
            self._keep([], late, [])
        self.timing = {"decide": (decided - began) * 1e6, "keep": (perf_counter() - decided) * 1e6}
        return answers  # type: ignore[return-value]

    def _repeated(self, id: str, own: bytes, known: Any, at: int, refusals: list[Refusal]) -> Answer:
        """Same id, same content: the first answer. Same id, other content: refused, and the refusal kept."""
        if known.digest != own:
            reason = "This id was used before, with other content."
            refusals.append(Refusal(id, own, reason, at))
            return Refused(id, reason, "id-reused", "/id")
        answer = known.answer
        if isinstance(answer, bytes):
            answer = msgspec.json.decode(answer, type=Decision)
        if answer is None or isinstance(answer, Learned):
            return Learned(id, repeated=True)
        return msgspec.structs.replace(answer, repeated=True) if isinstance(answer, Decision) else answer

    def _runs(self, events: Sequence[tuple[Event, bytes]], new: Sequence[int]) -> Iterable[list[int]]:
        """Cut where an entity list changes: what follows must see it."""
        run: list[int] = []
        for place in new:
            if isinstance(events[place][0], ListChange):
                if run:
                    yield run
                yield [place]
                run = []
            else:
                run.append(place)
        if run:
            yield run

    def _run(
        self,
        run: list[int],
        events: Sequence[tuple[Event, bytes]],
        digests: Sequence[bytes],
        learn_only: bool,
        overdue: Sequence[bool],
        answers: list[Answer | None],
        entries: list[Entry],
    ) -> None:
        if isinstance(events[run[0]][0], ListChange):
            self.change_list(events[run[0]][0])
            answers[run[0]] = Learned(events[run[0]][0].id)
            if self._journal is not None:
                entries.append(self._journal.learned(events[run[0]], digests[run[0]]))
            return
        decider, journal = self.decider, self._journal
        self.put([events[place][0] for place in run], learn_only)
        decider.run(len(run))
        for row, place in enumerate(run):
            event, data = events[place]
            if decider.kinds[row] != 0 or learn_only:
                answers[place] = Learned(event.id)
                if journal is not None:
                    entries.append(journal.learned(events[place], digests[place], LEARN))
                continue
            late = bool(overdue) and overdue[place]
            texts = self._texts(event) if decider.settled[1, row] or self.explain else {}
            decision = self.answers.decision(row, event.id, texts, late)
            answers[place] = decision
            if journal is not None:
                record = make_record(decider, row, late, decision)
                entries.append(journal.decided(event, data, digests[place], decision, record))

    def put(self, events: Sequence[Event], learn_only: bool = False) -> None:
        """Bring events into the decider's rows.

        Raises:
            TidegateError: an event of a type that the flow does not know.
        """
        decider, encoder = self.decider, self.encoder
        for row, event in enumerate(events):
            kind = self._kinds.get(type(event))
            if kind is None:
                raise TidegateError(
                    f"{self.definition.name} does not know {type(event).__name__} events.",
                    do=f"It takes {', '.join(kind.__name__ for kind in self._kinds)}.",
                )
            decider.kinds[row] = kind
            decider.flags[row] = LEARN if learn_only or kind else READ | LEARN
            encoder.put(row, kind, event)
        encoder.scatter(decider.cells, decider.kinds, len(events))

    def change_list(self, event: ListChange) -> None:
        """Put a list change into effect."""
        of = next((known.entity for known in self.definition.lists if known.name == event.list), None)
        if of is None:
            return
        key = int(event.key) if of.key_type is int else word(event.key)
        until = None if event.until is None else microseconds_of(event.until)
        self.decider.book.change(event.list, key, microseconds_of(event.at), event.listed, until)

    def _texts(self, event: Event) -> dict[int, str]:
        names = [field.name for field in self.plan.kinds[0].fields]
        return texts_of(self.plan, 0, names, [getattr(event, name) for name in names])

    def _keep(self, entries: list[Entry], refusals: list[Refusal], answered: list[tuple[str, bytes, Any]]) -> None:
        try:
            self._past.keep(entries, refusals, answered)
        except StoreError:
            self._broken = True
            raise

    def snapshot(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The state as arrays and a header of plain values; `restore` takes both."""
        arrays, header = self.decider.snapshot()
        return arrays, header | {"clock": self.clock}

    def restore(self, arrays: Mapping[str, Any], header: Mapping[str, Any]) -> None:
        """Take over a state that `snapshot` gave.

        Raises:
            SnapshotError: it is of another flow, or damaged.
        """
        self.decider.restore(arrays, header)
        self.encoder.words = self.decider.words
        self.clock = int(header["clock"])

    def save(self) -> None:
        """Write a snapshot beside the store, so that the next start need not learn everything again."""
        if self._journal is not None:
            self._journal.save(self)


def _loaded(definition: Definition, models: Registry | str | Mapping[str, TreeModel] | None) -> dict[str, TreeModel]:
    """The models a flow asks for, as far as they are there."""
    if models is None:
        return {}
    if isinstance(models, Mapping):
        return dict(models)
    registry = models if isinstance(models, Registry) else Registry(models)
    there = set(registry.references())
    return {node.reference: registry.model(node.reference) for node in definition.models if node.reference in there}


__all__ = ["Answer", "ContractError", "Engine", "Learned", "Refused", "to_json"]

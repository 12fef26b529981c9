"""The embedded engine: a flow in this process, with or without a store behind it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import msgspec

from tidegate.connectors.store import Store
from tidegate.decisions.decision import Decision, tell, to_json
from tidegate.decisions.definition import Definition
from tidegate.decisions.flow import Flow
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.decisions.plan import Plan
from tidegate.errors import ContractError, SnapshotError, StoreError
from tidegate.events.contract import Reader, check, check_all
from tidegate.events.event import Event
from tidegate.evidence.elapsed import note
from tidegate.evidence.record import Entry, Refusal
from tidegate.runtimes.event_rows import EventRows
from tidegate.runtimes.fast_path import FastPath
from tidegate.runtimes.horizon import Horizon
from tidegate.runtimes.intake import Answer, Intake, Learned, Refused
from tidegate.runtimes.journal import Journal
from tidegate.runtimes.memory import Memory, Past
from tidegate.runtimes.models import Models, models_of
from tidegate.runtimes.own_store import require_own_store

_ENCODER = msgspec.json.Encoder()


class Engine:
    """Runs a flow on events, one at a time or many: the same decisions however they are cut.

    Args:
        flow: the flow's class.
        models: a model registry or its folder, which must then have what the flow asks for; or loaded models by
            reference. Without a model its `otherwise` is used, and decisions say so.
        store: where decisions are kept; what it holds already is learned before the engine is ready. Without one,
            nothing is kept but the last `remember` ids.
        explain: put every feature's value, and the models' reasons, into every decision.
        batch: the most events decided at once.
        remember: without a store, for how many of the latest ids a repeated event is recognised.
        now: a clock, for live use: events more than `ahead` after it are refused, since they would make all others too
            late. Without one any time is taken, as for a replay.
        ahead: how far an event may be ahead of that clock.
        other_flow_ok: go on in a store that another flow wrote; see `require_own_store`.

    Raises:
        ModelError: a model is not in the registry, is damaged, or reads other features than the flow gives it.
        StoreError: the store cannot be read, or another flow wrote it.
    """

    def __init__(
        self,
        flow: type[Flow[Any]],
        *,
        models: Models = None,
        store: Store | None = None,
        explain: bool = False,
        batch: int = 1024,
        remember: int = 100_000,
        now: Callable[[], datetime] | None = None,
        ahead: timedelta = timedelta(minutes=5),
        other_flow_ok: bool = False,
    ) -> None:
        self.definition: Definition = flow.definition
        if store is not None and not other_flow_ok:
            require_own_store(store, self.definition)
        self.plan: Plan = flow.plan
        self.models = models_of(self.definition, models)
        self.batch, self.explain = batch, explain
        kinds: list[type[Event]] = [*self.definition.kinds, *INSTRUCTIONS]
        self.readers: dict[str, Reader[Any]] = {kind.__name__: Reader(kind) for kind in kinds}
        challenges = self.definition.challenges
        self._journal = Journal(store, self.plan, self.models, challenges) if store is not None else None
        self._past: Past = self._journal if self._journal is not None else Memory(max(remember, batch))
        self._intake = Intake(self.definition, self._past, None if now is None else Horizon(ahead, now))
        self._broken = False
        self._own = self.definition.event.__name__
        self.timing: dict[str, float] = {}
        self.kept: Sequence[Entry] = ()
        """What the last batch gave to the store."""
        self._build()
        self.recovered = self._journal.recover(self) if self._journal is not None else 0

    def _build(self) -> None:
        self.rows = EventRows(self.definition, self.plan, self.models, self.batch, explain=self.explain)
        self.decider = self.rows.decider
        self._intake.forget()
        past = self._past
        self._fast: FastPath | None = None
        if isinstance(past, Memory) and FastPath.fits(self.rows):
            self._fast = FastPath(self.rows, self._intake, past)

    def forget(self) -> None:
        """Go back to knowing nothing: no past, no clock. What a store holds is not touched."""
        self._build()

    @property
    def program(self) -> bytes:
        """What decides, models included, as records name it (SHA-256); empty without a store."""
        return self._journal.flow if self._journal is not None else b""

    @property
    def clock(self) -> int:
        """The time of the newest event taken, microseconds since 1970 UTC; -2**62 before the first."""
        return self._intake.clock

    def reach(self, event: Event, at: int) -> None:
        """Note the time of an event that was taken before, microseconds since 1970 UTC, as of one that is learned."""
        self._intake.reach(event, at)

    def decide(self, event: Event) -> Decision | Refused:
        """Decide one event, then learn from it.

        Returns:
            The decision; the first one again, marked as repeated, if the event came before; or why it was refused, as
            one of this type is that was only learned from before: there is no decision on it, and none can be made.

        Raises:
            ContractError: the event does not keep its contract.
            StoreError: the decision could not be kept; it does not count, and the event may be sent again.
        """
        return self.process([check(event)], timed=True)[0]  # type: ignore[return-value]

    def decide_many(self, events: Iterable[Event]) -> list[Answer]:
        """Decide events in this order; the answers are in the same order. Other types of event are learned from."""
        return self.process(check_all(list(events)), timed=True)

    def decide_json(self, data: bytes, event: str | None = None) -> bytes:
        """Decide one event given as JSON; the answer is JSON too. `event` names its type, if not the flow's own."""
        return _ENCODER.encode(self.process([self.readers[event or self._own].read(data)], timed=True)[0])

    def decide_json_many(self, documents: Sequence[bytes]) -> list[bytes]:
        """Decide many events given as JSON; the answers, in the same order, are JSON too.

        Raises:
            ContractError: one of them does not keep its contract; none is then taken.
        """
        events = [self.readers[self._own].read(document) for document in documents]
        return [_ENCODER.encode(answer) for answer in self.process(events, timed=True)]

    def learn(self, event: Event) -> Learned | Refused:
        """Learn from an event without deciding on it; one that came before, decided or not, is not learned twice."""
        return self.process([check(event)], learn_only=True)[0]  # type: ignore[return-value]

    def process(
        self,
        events: Sequence[Event],
        *,
        learn_only: bool = False,
        overdue: Sequence[bool] = (),
        waited: Sequence[float] = (),
        timed: bool = False,
    ) -> list[Answer]:
        """Take events that keep their contract, in order; everything above comes down to this.

        `overdue` marks events whose deadline passed before their turn came; `waited` says how long each waited for it,
        in microseconds, and is kept with what is decided. `timed` has the decisions tell how long their batch took.
        """
        if self._broken:
            self.mend()
        fast = self._fast
        if fast is not None and len(events) == 1 and not (learn_only or overdue or waited):
            try:
                decision = fast.decide(events[0], timed)
            except BaseException:
                self._broken = fast.learning
                raise
            if decision is not None:
                self.timing, self.kept = fast.timing, ()
                return [decision]
        if len(events) <= self.batch:
            answers = self._batch(events, learn_only, overdue, waited)
            if timed:
                tell(answers, self.timing)
            return answers
        parts = range(0, len(events), self.batch)
        return [
            answer
            for part in (slice(start, start + self.batch) for start in parts)
            for answer in self.process(
                events[part], learn_only=learn_only, overdue=overdue[part], waited=waited[part], timed=timed
            )
        ]

    def distrust(self) -> None:
        """Say that a batch ended in the middle: the state is made anew from the store before it is used again."""
        self._broken = True

    def mend(self) -> None:
        """After a failed write: what was learned but not kept is forgotten, by making the state anew from the store.

        The next batch does so by itself; call it to do it earlier.

        Raises:
            StoreError: the store cannot be read, or there is none to make the state anew from.
        """
        if not self._broken:
            return
        if self._journal is None:
            raise StoreError(
                "A batch of this engine was interrupted: part of it may be learned, and nothing says which.",
                do="Make a new engine and give it its past again; with a store it would do so by itself.",
            )
        self._build()
        self.recovered = self._journal.recover(self)
        self._broken = False

    def _batch(
        self, events: Sequence[Event], learn_only: bool, overdue: Sequence[bool], waited: Sequence[float]
    ) -> list[Answer]:
        began = perf_counter()
        answers: list[Any] = [None] * len(events)
        new: Sequence[int] = range(len(events))
        twice: list[int] = []
        refusals: list[Refusal] = []
        times = self._intake.admit(events)
        if times is None:
            new, twice, refusals = self._intake.sort(events, answers, learn_only)
        entries: list[Entry] = []
        try:
            if times is None:
                self._run_some(events, new, learn_only, overdue, answers, entries)
            else:
                answers = self._run(events, learn_only, overdue, entries, times)
            decided = perf_counter()
            if entries:
                waits = waited if times is not None or not waited else [waited[place] for place in new]
                note(entries, (decided - began) * 1e6, waits)
            if new or refusals:
                self._past.keep(entries, refusals, ((events[place], answers[place]) for place in new))
            if twice:
                self._intake.repeat(events, twice, answers, learn_only)
        except BaseException:
            self.distrust()  # whatever ended it, an interrupt too: part of the batch may be learned and not kept
            raise
        if self.plan.worded or self.decider.packages:
            self.decider.words.age(self.clock)
        self.timing = {"decide": (decided - began) * 1e6, "keep": (perf_counter() - decided) * 1e6}
        self.kept = entries
        return answers

    def _run_some(
        self,
        events: Sequence[Event],
        new: Sequence[int],
        learn_only: bool,
        overdue: Sequence[bool],
        answers: list[Any],
        entries: list[Entry],
    ) -> None:
        """Take those at the places `new`, cut at instructions, such as changes of entity lists: what follows must see
        them."""
        runs: list[list[int]] = []
        for place in new:
            alone = isinstance(events[place], Instruction)
            if not runs or alone or isinstance(events[runs[-1][-1]], Instruction):
                runs.append([])
            runs[-1].append(place)
        for run in runs:
            late = [overdue[place] for place in run] if overdue else ()
            made = self._run([events[place] for place in run], learn_only, late, entries)
            for place, answer in zip(run, made, strict=True):
                answers[place] = answer

    def _run(
        self,
        events: Sequence[Event],
        learn_only: bool,
        overdue: Sequence[bool],
        entries: list[Entry],
        times: Sequence[int] | None = None,
    ) -> list[Answer]:
        """The answers to new events, or to one instruction."""
        first, journal = events[0], self._journal
        if isinstance(first, Instruction):
            self.decider.obey(first)
            if journal is not None:
                entries.append(journal.obeyed(first))
            return [Learned(first.id)]
        late = overdue if any(overdue) else ()
        self.rows.put(events, learn_only, late, times)
        self.decider.run(len(events))
        made: list[Answer] = []
        made += [Learned(event.id) for event in events] if learn_only else self.rows.answered(events, late)
        if journal is not None:
            entries += journal.entries(events, made, self.decider, late)
        return made

    def snapshot(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The state as arrays and a header of plain values; `restore` takes both."""
        arrays, header = self.decider.snapshot()
        return arrays, header | {"newest": self.clock, "newest_event": self._intake.newest}

    def restore(self, arrays: Mapping[str, Any], header: Mapping[str, Any]) -> None:
        """Take over a state that `snapshot` gave.

        Raises:
            SnapshotError: it is of another flow, or damaged.
        """
        try:
            self.decider.restore(arrays, header)
            # What earlier versions wrote says "clock", of which 0 means that there was none, or none after 1970.
            newest = header["newest"] if "newest" in header else header["clock"] or self.decider.windows.clock
            self._intake.restore(int(newest), str(header.get("newest_event", "")))
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotError(
                "The snapshot lacks what a state is made of.", seen=repr(error), do="Replay the events instead."
            ) from None

    @property
    def passed_over(self) -> Sequence[SnapshotError]:
        """The snapshots that could not be used when the state was made from the store, and why."""
        return self._journal.passed_over if self._journal is not None else ()

    def require(self, event: Event) -> None:
        """Make sure that the flow has a use for an event, before it waits with others.

        Raises:
            ContractError: it has none, and why.
        """
        self._intake.require(event)

    def knows(self, kind: type[Event]) -> bool:
        """Whether events of this very class are taken."""
        return kind in self.definition.kinds or kind in INSTRUCTIONS

    def catch_up(self) -> int:
        """Learn what another engine wrote to the store since this one was made; only before this one decides.

        Returns:
            How many events that were.

        Raises:
            StoreError: the store cannot be read.
        """
        return self._journal.catch_up(self) if self._journal is not None else 0

    def save(self) -> None:
        """Write a snapshot beside the store, so that the next start need not learn everything again."""
        self.hold()()

    def hold(self) -> Callable[[], None]:
        """Copy the state; what is given back writes the copy beside the store, in any thread, while decisions go on.

        Raises:
            StoreError: the last write failed, and the state cannot be made anew from the store.
        """
        self.mend()  # a state that holds what was never kept must not be written down
        return self._journal.hold(self) if self._journal is not None else lambda: None


__all__ = ["Answer", "ContractError", "Engine", "Learned", "Refused", "to_json"]

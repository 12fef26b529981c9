"""An engine's memory on disk: what it decided goes to the store, what the store holds comes back after a restart."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from tidegate.connectors.sqlite_seen import look_with
from tidegate.connectors.sqlite_seen_kernels import KERNELS
from tidegate.connectors.store import Store
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import Decision, to_json
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.plan import AT, Plan
from tidegate.decisions.state import state_digest
from tidegate.errors import ContractError, SnapshotError, StoreError
from tidegate.events.contract import Reader, bodies, body, digest
from tidegate.events.event import Event
from tidegate.events.times import microseconds_of
from tidegate.evidence.erasure import is_blank
from tidegate.evidence.proof import require_sealed
from tidegate.evidence.record import LEARN, Entry, Found, Refusal
from tidegate.evidence.snapshot import Snapshots
from tidegate.models.scoring import ScoringModel
from tidegate.runtimes.program import model_content, program_content
from tidegate.runtimes.records import make_records
from tidegate.runtimes.relearning import Again, answered, relearn, reread

if TYPE_CHECKING:
    from tidegate.runtimes.engine import Engine


_LOG = logging.getLogger("tidegate.store")

look_with(KERNELS)


class Kept:
    """What the store holds under an id."""

    def __init__(self, id: str, found: Found, store: Store) -> None:
        self._id, self._digest, self._store = id, found.digest, store
        self.answer = None if found.answer is None else msgspec.json.decode(found.answer, type=Decision)

    def same(self, event: Event) -> bool:
        """Whether the event has the content that was kept; what an older contract wrote is compared as it is today.

        Of an erased event the digest is left, which tells content of the same contract. Of an older contract's it tells
        nothing: the id stands for it then, so that what was erased does not come back as a refused event.
        """
        if content(event, body(event)) == self._digest:
            return True
        stored = self._store.get(self._id)
        if stored is None or stored.kind == kind_of(type(event)):
            return False
        name, _, version = stored.kind.partition("@")
        if name != type(event).__name__:
            return False
        if is_blank(stored):
            return True
        try:
            return bool(Reader(type(event)).read(stored.body, int(version or 1), stored=True) == event)
        except ContractError:
            return False

    def touched(self) -> bool:
        """Whether the record is not what was sealed; one that is not committed yet is in nobody's reach."""
        stored = self._store.get(self._id)
        try:
            if stored is not None:
                require_sealed(self._store, stored)
        except StoreError as error:
            _LOG.error("%s", error)
            return True
        return False

    def erased(self) -> bool:
        """Whether its record says nothing any more; one that is not committed yet is whole."""
        stored = self._store.get(self._id)
        return stored is not None and is_blank(stored)


class Journal:
    """A store as an engine's past: where repeated events are recognised, answers kept, and state made again from.

    Args:
        store: the store.
        plan: of the flow that writes.
        models: the models it uses.
        challenges: the names of the flows that it challenges.
    """

    def __init__(
        self, store: Store, plan: Plan, models: Mapping[str, ScoringModel], challenges: tuple[str, ...] = ()
    ) -> None:
        self.store, self.plan = store, plan
        self.snapshots = Snapshots.beside(store.place)
        kept = {name: store.put_artefact("model", model_content(model)) for name, model in sorted(models.items())}
        self.flow: bytes = store.put_artefact("flow", program_content(plan, kept, challenges))
        self.passed_over: list[SnapshotError] = []
        self._taken = 0

    def find(self, ids: Sequence[str]) -> Mapping[str, "Kept"]:
        """What the store knows of the ids."""
        return {id: Kept(id, found, self.store) for id, found in self.store.find(ids).items()}

    def keep(
        self, entries: Sequence[Entry], refusals: Sequence[Refusal], answered: Iterable[tuple[Event, Any]]
    ) -> None:
        """Keep a batch in one transaction."""
        if entries or refusals:
            self.store.append(entries, refusals)

    def entries(
        self, events: Sequence[Event], answers: Sequence[Any], decider: Decider, overdue: Sequence[bool] = ()
    ) -> list[Entry]:
        """The entries of events that were just decided, or learned, in the decider's first rows.

        Args:
            events: in the order of the rows.
            answers: theirs; what is no `Decision` was only learned from.
            decider: as it is after them.
            overdue: which of them were past their deadline.
        """
        n, kinds = len(events), list(map(type, events))
        rows = zip(
            events,
            map(kind_of, kinds),
            map(_named, kinds),
            bodies(events),
            answers,
            decider.cells[AT, :n].tolist(),
            decider.flags[:n].tolist(),
            make_records(decider, n, overdue),
            strict=True,
        )
        return [
            # By place, and without calls that can be done without: this is done for every decision.
            Entry(
                event.id,
                kind,
                at,
                sha256(named + data).digest(),
                data,
                to_json(answer),
                record,
                answer.outcome,
                answer.level,
                answer.score,
                answer.alarm,
                self.flow,
                b"",
                flags,
            )
            if type(answer) is Decision
            else self._learned(event, data, at, flags)
            for event, kind, named, data, answer, at, flags, record in rows
        ]

    def _learned(self, event: Event, data: bytes, at: int, flags: int) -> Entry:
        return Entry(event.id, kind_of(type(event)), at, content(event, data), data, flow=self.flow, flags=flags)

    def obeyed(self, event: Instruction) -> Entry:
        """The entry of an instruction."""
        return self._learned(event, body(event), microseconds_of(event.at), LEARN)

    def hold(self, engine: "Engine") -> Callable[[], None]:
        """Copy the state as of the last record; what is given back writes it as a snapshot."""
        arrays, about = engine.snapshot()
        head, state = self.store.written(), state_digest(self.plan)

        def write() -> None:
            self.snapshots.write(seq=head.size, flow=state, arrays=arrays, about=about, root=head.root)
            self.store.keep_seen()

        return write

    def recover(self, engine: "Engine") -> int:
        """Bring an engine to the state after the last record: the newest whole snapshot, then every event since.

        Returns:
            How many events were learned again.
        """
        self.passed_over = []
        self.store.take_hold()
        self._set_aside_ahead()
        size = self.store.head().size
        own = (state_digest(self.plan), bytes.fromhex(self.plan.digest))  # the latter is what old versions wrote
        found = self.snapshots.latest(flow=own, up_to=size, root_at=self.store.root_at)
        self.passed_over += found.passed_over
        seq = 0
        if found.snapshot is not None:
            try:
                engine.restore(found.snapshot.arrays, found.snapshot.about)
                seq = found.snapshot.seq
            except SnapshotError as error:
                self.passed_over.append(error)
                engine.forget()
        self._taken = seq
        return self.catch_up(engine)

    def catch_up(self, engine: "Engine") -> int:
        """Learn what the store holds beyond what the engine has learned by recovery; gives how many events that were.

        For an engine that is made while another one goes on writing to the store.
        """
        again: list[Again] = []
        count = erased = 0
        for stored in self.store.replay(self._taken):
            self._taken = stored.seq
            name, _, version = stored.kind.partition("@")
            reader = engine.readers.get(name)
            if reader is None:
                continue
            if not stored.body:
                erased += 1
                continue
            again.append(Again(reread(reader, stored, int(version or 1)), stored.flags, answered(stored)))
            count += 1
            if len(again) == engine.batch:
                relearn(engine, again)
                again = []
        relearn(engine, again)
        if erased:
            self.passed_over.append(_without(erased))
        return count

    def _set_aside_ahead(self) -> None:
        """Snapshots of records that the store does not hold are never used: an older copy of it was put back."""
        self.snapshots.clear_unfinished()
        files = self.snapshots.files()
        size = self.store.head().size  # looked at after them, since another engine may write to both meanwhile
        for path in files:
            if path.stem.isdecimal() and int(path.stem) > size:
                self.passed_over.append(
                    SnapshotError(f"The snapshot {path} is ahead of its store.", seen=f"{size} records")
                )
                path.rename(path.with_suffix(".ahead"))


def _without(erased: int) -> SnapshotError:
    return SnapshotError(
        f"No snapshot of this flow holds {erased:,} records that were erased or pruned: windows are without them.",
        do="Where they were pruned and windows were changed since, this lasts until these have passed over them.",
    )


def content(event: Event, data: bytes) -> bytes:
    """What stands for an event's content: the digest of its type's name and its canonical body."""
    return digest(_named(type(event)) + data)


@lru_cache(maxsize=256)
def _named(event_type: type[Event]) -> bytes:
    return event_type.__name__.encode() + b"\0"


@lru_cache(maxsize=256)
def kind_of(event_type: type[Event]) -> str:
    """What a store calls events of this type: its name, and its version from the second on."""
    version = event_type.__version__
    return event_type.__name__ if version == 1 else f"{event_type.__name__}@{version}"

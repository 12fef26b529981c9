"""The intake: which events are new, which came before, and which are refused."""

from collections.abc import Sequence

import msgspec

from tidegate.decisions.decision import Decision
from tidegate.decisions.definition import Definition
from tidegate.decisions.encode import times_of
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.instructions import Instructions
from tidegate.errors import ContractError
from tidegate.events.contract import body, digest
from tidegate.events.durations import written
from tidegate.events.event import Event
from tidegate.events.times import EPOCH, microseconds_of, rfc3339
from tidegate.evidence.record import Refusal
from tidegate.features.kernels.words import NEVER
from tidegate.runtimes.horizon import FUTURE, Horizon
from tidegate.runtimes.memory import Known, Past

REUSED_ID = "This id was used before, with other content. Send what is new under an id of its own."
_ONLY_LEARNED = (
    "The event of this id was only learned from, so there is no decision on it, and none can be made. "
    "Send what is to be decided to be decided alone: to /decisions, not to /events; in Python to decide, not learn."
)
_ERASED = (
    "What was kept of the event of this id was erased, so no decision on it can be told, and it is not decided anew. "
    "It counts as sent before: there is nothing to do."
)
_TOUCHED = (
    "The first answer to it was changed since, by something else than Tidegate, so it is not told again. "
    "Whoever runs this should run `tidegate verify`."
)


def too_late(lateness: int) -> str:
    """Why an event is refused that came too late for a flow."""
    return f"It is more than {written(lateness)}, the flow's lateness, older than the newest event before it."


def too_late_for(lateness: int, clock: int, newest: str = "") -> str:
    """Why an event is refused that came too late, what it was too late for, and what to do.

    Args:
        lateness: of the flow, in microseconds.
        clock: the time of the newest event, microseconds since 1970 UTC.
        newest: which event that is; empty if it is not known, as after a snapshot of an earlier version.
    """
    return (
        f"{too_late(lateness)} That is {newest}{' ' * bool(newest)}of {rfc3339(clock)}, so the earliest time still "
        f"taken is {rfc3339(clock - lateness)}. If the newest event's time is wrong, begin again with another store, "
        "a stream with another --to or --order too, from events whose times are right; if it is right, a longer "
        "lateness of the flow takes what comes so late."
    )


class Refused(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An event that was not taken, and why; `pointer` is the JSON Pointer of the field at fault, if one is."""

    id: str
    reason: str
    code: str
    pointer: str = ""

    @property
    def erased(self) -> bool:
        """Whether it came before, and was erased since: it is dropped, like any event that comes again."""
        return self.code == "erased"


class Learned(msgspec.Struct, frozen=True, gc=False):
    """The answer to an event that is only learned from."""

    id: str
    repeated: bool = False


Answer = Decision | Refused | Learned


class Intake:
    """Looks at events before they are decided.

    Args:
        definition: of the flow that they are for.
        past: what was answered before.
        horizon: the latest time that an event may have, None for any.

    Attributes:
        clock: the time of the newest event taken, microseconds since 1970 UTC; -2**62 before the first.
    """

    def __init__(self, definition: Definition, past: Past, horizon: Horizon | None = None) -> None:
        self._name, self._lateness, self._past = definition.name, definition.lateness, past
        self._kinds, self._horizon = frozenset(definition.kinds), horizon
        self._order = definition.kinds
        self._instructions = Instructions(definition)
        self.clock = NEVER
        self._newest: Event | str = ""

    def forget(self) -> None:
        """Begin again: no event was taken yet."""
        self.clock, self._newest = NEVER, ""

    def restore(self, clock: int, newest: str) -> None:
        """Go on from a time, and from what `newest` said then."""
        self.clock, self._newest = clock, newest

    def reach(self, event: Event, at: int) -> None:
        """Note the time of an event that was taken: of all of one time the first is told of."""
        if at > self.clock:
            self.clock, self._newest = at, event

    @property
    def newest(self) -> str:
        """The event that set the clock, by its type and id; empty if that is not known."""
        newest = self._newest
        return newest if isinstance(newest, str) else f"the {type(newest).__name__} {newest.id!r}"

    def admit(self, events: Sequence[Event]) -> Sequence[int] | None:
        """Take all events at once, if they are, as a rule, the flow's, new and in time: none need be sorted then.

        Returns:
            Their times, in microseconds since 1970 UTC. None if that is not so: nothing has been done, and `sort` tells
            them apart.
        """
        if self._horizon is not None or not events or not self._kinds.issuperset(map(type, events)):
            return None
        ids = [event.id for event in events]
        if self._past.find(ids):
            return None
        if len(ids) > 1 and len(set(ids)) < len(ids):
            return None
        ats = times_of([event.at for event in events])
        clock, newest, lateness = self.clock, None, self._lateness
        for event, at in zip(events, ats, strict=True):
            if at > clock:
                clock, newest = at, event
            elif clock - at > lateness:
                return None
        if newest is not None:
            self.reach(newest, clock)
        return ats

    def admit_one(self, event: Event) -> int | None:
        """What `admit` does of one event that is the flow's, and whose id is known to be new.

        Returns:
            Its time, microseconds since 1970 UTC; None if it has to be sorted, or the clock to be read first.
        """
        if self._horizon is not None and not self._horizon.surely_within(event):
            return None
        past = event.at - EPOCH  # as `times_of`, which makes a list
        at = (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds
        if at > self.clock:
            self.clock, self._newest = at, event
        elif self.clock - at > self._lateness:
            return None
        return at

    def sort(
        self, events: Sequence[Event], answers: list[Answer | None], learn_only: bool = False
    ) -> tuple[list[int], list[int], list[Refusal]]:
        """Sort out what need not be decided: known ids are answered, what is too late is refused.

        Args:
            answers: get those answers, at the events' places.
            learn_only: that no decision is asked for.

        Returns:
            The places of new events, those of ids that stand twice in this batch, and the refusals to be kept.
        """
        for event in events:
            self.require(event)
        known = self._past.find([event.id for event in events])
        new: list[int] = []
        twice: list[int] = []
        refusals: list[Refusal] = []
        seen: set[str] = set()
        for place, event in enumerate(events):
            if event.id in known:
                answers[place] = self._repeated(event, known[event.id], refusals, learn_only)
                continue
            if event.id in seen:
                twice.append(place)
                continue
            at = microseconds_of(event.at)
            if self._horizon is not None and self._horizon.beyond(event):
                answers[place] = self._ahead(event, at, self._horizon, refusals)
                continue
            if at < self.clock - self._lateness:
                answers[place] = self._too_late(event, at, refusals)
                continue
            self.reach(event, at)
            seen.add(event.id)
            new.append(place)
        return new, twice, refusals

    def require(self, event: Event) -> None:
        """Refuse what the flow has no use for, before anything of its batch is learned.

        Raises:
            ContractError: an event of another type, or a change to a list that the flow does not read.
        """
        if type(event) in self._kinds:
            return
        if not isinstance(event, Instruction):
            names = ", ".join(kind.__name__ for kind in self._order)
            raise ContractError(f"{self._name} does not know {type(event).__name__} events.", do=f"It takes {names}.")
        self._instructions.require(event)

    def _too_late(self, event: Event, at: int, refusals: list[Refusal]) -> Refused:
        reason = too_late_for(self._lateness, self.clock, self.newest)
        refusals.append(Refusal(event.id, digest(body(event)), reason, at))
        return Refused(event.id, reason, "before-retention", "/at")

    def _ahead(self, event: Event, at: int, horizon: Horizon, refusals: list[Refusal]) -> Refused:
        reason = (
            f"It is more than {horizon.ahead.total_seconds():g} seconds ahead of the clock, which says "
            f"{horizon.clock}. Correct the one that is wrong, or give the engine a longer ahead=."
        )
        refusals.append(Refusal(event.id, digest(body(event)), reason, at))
        return Refused(event.id, reason, FUTURE, "/at")

    def repeat(
        self, events: Sequence[Event], twice: Sequence[int], answers: list[Answer | None], learn_only: bool = False
    ) -> None:
        """Answer ids that came twice within one batch, now that the first of them has its answer."""
        known = self._past.find([events[place].id for place in twice])
        refusals: list[Refusal] = []
        for place in twice:
            answers[place] = self._repeated(events[place], known[events[place].id], refusals, learn_only)
        self._past.keep([], refusals, [])

    def _repeated(self, event: Event, known: Known, refusals: list[Refusal], learn_only: bool) -> Answer:
        """Same id, same content: the first answer. Same id, other content: refused, and the refusal kept.

        Refused is also what would be decided now, and was learned from without a decision: there is no first one to
        give, and a new one would count the event among its own past. So is what was erased: nothing of it is kept anew.
        """
        reason, code = "", ""
        if not known.same(event):
            reason, code = REUSED_ID, "id-reused"
        elif isinstance(known.answer, Decision):
            if not learn_only:
                if not known.touched():
                    return msgspec.structs.replace(known.answer, repeated=True)
                reason, code = _TOUCHED, "touched"
        elif type(event) is self._order[0] and not learn_only:
            if known.erased():
                return Refused(event.id, _ERASED, "erased", "/id")
            reason, code = _ONLY_LEARNED, "only-learned"
        if not code:
            return Learned(event.id, repeated=True)
        refusals.append(Refusal(event.id, digest(body(event)), reason, microseconds_of(event.at)))
        return Refused(event.id, reason, code, "/id")

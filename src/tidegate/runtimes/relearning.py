"""Learning again what a store holds, as it was learned the first time, so that the state is what it was."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tidegate.decisions.instruction import Instruction
from tidegate.decisions.rule import outcome_of
from tidegate.errors import ContractError, UnfitError
from tidegate.events.contract import Reader
from tidegate.events.event import Event
from tidegate.events.times import microseconds_of
from tidegate.evidence.record import Event as StoredEvent

if TYPE_CHECKING:
    from tidegate.runtimes.engine import Engine


def reread(reader: Reader[Any], stored: StoredEvent, version: int) -> Event:
    """A stored event as its type is today; what was written to an older contract goes through its upgrades."""
    try:
        event: Event = reader.read(stored.body, version, stored=True)
    except ContractError as error:
        raise UnfitError(
            f"Record {stored.seq}, the {stored.kind} {stored.id!r}, does not fit the contract of today.",
            seen=str(error),
            do="Give the event class a new version, and register how older ones become it with @upgrades.",
        ) from error
    return event


def answered(stored: StoredEvent) -> int | None:
    """The outcome that a stored event was answered with, if it was decided on."""
    return None if stored.outcome is None else int(outcome_of(stored.outcome))


class Again(NamedTuple):
    """An event to be learned once more: with its flags, and the outcome that was answered, if one was."""

    event: Event
    flags: int
    outcome: int | None


def relearn(engine: "Engine", events: Sequence[Again]) -> None:
    """Take events in once more, as they were taken the first time, without answering them."""
    run: list[Again] = []
    for again in events:
        engine.reach(again.event, microseconds_of(again.event.at))
        if not isinstance(again.event, Instruction):
            run.append(again)
            continue
        _learn_run(engine, run)
        run = []
        engine.decider.obey(again.event)
    _learn_run(engine, run)


def _learn_run(engine: "Engine", run: Sequence[Again]) -> None:
    if run:
        engine.rows.put([again.event for again in run])
        engine.decider.flags[: len(run)] = [again.flags for again in run]
        engine.decider.relearn([again.outcome for again in run])

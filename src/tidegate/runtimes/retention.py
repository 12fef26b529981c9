"""How old records must be before nothing that a flow knows of its past is made from them any more."""

from typing import NamedTuple

from tidegate.connectors.store import Store
from tidegate.decisions.definition import Definition
from tidegate.errors import StoreError
from tidegate.events.durations import written
from tidegate.runtimes.own_store import flows_of, is_of

_DAY = 86_400 * 10**6


class Furthest(NamedTuple):
    """What of a flow looks back furthest, in words, and how far: microseconds, without the lateness of events."""

    words: str
    back: int


def require_passed(store: Store, flow: Definition, days: int) -> None:
    """Make sure that no window and no limit of a flow looks back at records that are older than so many days.

    Snapshots hold what windows know of them; but where the state is made anew from the records, as after a change of
    windows, what was pruned is missing.

    Args:
        store: whose records are to be pruned.
        flow: that decides on them.
        days: how long records are to be kept.

    Raises:
        StoreError: one looks back further, or the store is of another flow.
    """
    last = flows_of(store)
    if last and not is_of(flow, last):
        raise StoreError(
            f"The store {store.address} is of the flow {last[0]}: how far another one looks back says nothing of it.",
            seen=f"--flow names {flow.name}",
            do=f"Name the file that has {last[0]}, or the right store with --store.",
        )
    found = furthest(flow)
    if found is None or found.back + flow.lateness <= days * _DAY:
        return
    enough = -(-(found.back + flow.lateness) // _DAY)
    raise StoreError(
        f"{flow.name} looks back further than {days} days: if its state is made anew, as after a change of windows, "
        "what was pruned is missing from it.",
        seen=f"{found.words}, and events may be {written(flow.lateness)} late",
        do=f'Keep records for {enough} days: --older-than {enough}. To prune all the same, say --override --why "…", '
        "which is kept; then the snapshots are all that holds what windows know of that time.",
    )


def furthest(flow: Definition) -> Furthest | None:
    """The window or limit of a flow that looks back furthest; None if it has neither."""
    names = {line.key: name for name, line in reversed(tuple(flow.features.items()))}
    found = []
    for window in flow.windows:
        frame = window.frame
        delayed = f" and is delayed by {written(frame.delay)}" if frame.delay else ""
        words = f"the window {names.get(window.key) or window} lasts {written(frame.last)}{delayed}"
        found.append(Furthest(words, frame.last + frame.delay))
    for cap in flow.caps:
        found.append(Furthest(f"the limit on {cap.outcome.word} counts {written(cap.last)} back", cap.last))
    return max(found, key=lambda one: one.back, default=None)

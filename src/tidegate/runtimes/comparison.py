"""Two versions of a flow replayed over the same history, each learning from every event as it would have."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidegate.connectors.files_merge import Batch, merge_batches
from tidegate.connectors.quarantine import Quarantine
from tidegate.decisions.flow import Flow
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.errors import FlowError
from tidegate.events.event import Event
from tidegate.reports.compared import Compared
from tidegate.runtimes.meeting import Meeting
from tidegate.runtimes.models import Models, models_there
from tidegate.runtimes.replayed import Counts
from tidegate.runtimes.side import Side
from tidegate.runtimes.sources import Source, noting, sources_of
from tidegate.runtimes.tally import amount_of, label_of
from tidegate.runtimes.turned_away import TurnedAway

Ints = NDArray[np.int64]
Progress = Callable[[int], None]


def compare(
    old: type[Flow[Any]],
    new: type[Flow[Any]],
    sources: Mapping[str, Any],
    *,
    models: Models = None,
    new_models: Models = None,
    label: str | None = None,
    amount: str | None = None,
    columns: Mapping[str, str] | None = None,
    defaults: Mapping[str, object] | None = None,
    quarantine: Quarantine | None = None,
    counts: Counts | None = None,
    progress: Progress | None = None,
    encoding: str = "utf-8",
    sort: bool = False,
) -> Compared:
    """Replay both versions over the same events and set their decisions side by side.

    Args:
        old, new: the flows' classes; they decide on events of the same name.
        sources: from the name of an event type to its files or frames, as for `replay`.
        models: of both, unless `new_models` are given. Of one that is not there `otherwise` is used.
        label, amount, columns, defaults, encoding, sort: as for `replay`.
        quarantine: gets the rows that are no events for the new version, and the events that it refused.
        counts: gets what became of the rows for the new version, beside what the comparison has of it.
        progress: told of the rows read by the new version.

    Raises:
        FlowError: the two decide on events of different names.
        TidegateError: a file or column that is not there, or cannot be read.
    """
    before, after = old.definition, new.definition
    if before.event.__name__ != after.event.__name__:
        raise FlowError(
            "Two versions that are compared decide on the same event.",
            seen=f"{before.event.__name__} and {after.event.__name__}",
        )
    sides = []
    for flow, given in ((old, models), (new, new_models if new_models is not None else models)):
        event = flow.definition.event
        found = models_there(flow.definition, given)
        sides.append(Side(flow, found, label or label_of(event), amount or amount_of(event)))
    left, right = sides
    if counts is not None:
        right.tally.counts = counts
    before_files, after_files = (
        _sources(side, sources, columns or {}, defaults or {}, encoding=encoding, sort=sort) for side in sides
    )
    right.away = TurnedAway(after_files, right.definition.lateness, right.tally.counts)
    pairs = zip_longest(
        _pieces(left, before_files, None, None),
        _pieces(right, after_files, quarantine, progress),
    )
    meeting = Meeting(left, right)
    for one, other in pairs:
        meeting.take(
            left.decide(one) if one is not None else left.nothing(),
            right.decide(other) if other is not None else right.nothing(),
        )
    if quarantine is not None:
        right.away.write(quarantine)
    return meeting.result(old, new)


def _sources(
    side: Side, sources: Mapping[str, Any], columns: Mapping[str, str], defaults: Mapping[str, object], **how: Any
) -> list[Source]:
    """What a version reads: one may learn from more types of events than the other."""
    known = {kind.__name__ for kind in side.definition.kinds} | {kind.__name__ for kind in INSTRUCTIONS}
    mine = {name: given for name, given in sources.items() if name in known}
    return sources_of(side.definition, mine, columns, defaults, **how)


def _pieces(
    side: Side, found: Sequence[Source], quarantine: Quarantine | None, progress: Progress | None
) -> Iterator[Batch]:
    event: type[Event] = side.definition.event
    note, label = noting(side.tally.counts, quarantine, progress), side.tally.label
    return merge_batches([(one.event, one.frames(label if one.event is event else None, note)) for one in found])

"""The events of a replay that were not taken: where they stand, and which event made others too late."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tidegate.connectors.files_merge import Batch
from tidegate.connectors.files_originals import originals
from tidegate.connectors.files_refused import Refused
from tidegate.connectors.quarantine import Quarantine
from tidegate.runtimes.columns import times
from tidegate.runtimes.hash_table import LATE, NEW, REUSED
from tidegate.runtimes.intake import REUSED_ID, too_late
from tidegate.runtimes.replayed import MOST_NAMED, Counts, Newest, Placed
from tidegate.runtimes.sources import LINE, Source

Ints = NDArray[np.int64]


class TurnedAway:
    """Looks at what became of each batch of a replay.

    Args:
        sources: of the replay, in the order of each batch's parts.
        lateness: of the flow, in microseconds.
        counts: gets the first ids that were refused, the first late event, the event that it was too late for, and the
            newest of all.
    """

    def __init__(self, sources: Sequence[Source], lateness: int, counts: Counts) -> None:
        self._sources, self._counts = sources, counts
        self.too_late = too_late(lateness)
        self._rows: dict[int, dict[int, int]] = {}
        self._clock = 0
        self._newest: Newest | None = None

    def look(self, batch: Batch, verdict: Ints) -> None:
        """Note the events of a batch that were not taken; `verdict` says for each what became of it."""
        away = np.flatnonzero((verdict == LATE) | (verdict == REUSED))
        place = _places(batch)
        for row in away.tolist():
            part = int(batch.source[row])
            frame = batch.parts[part][1]
            line = int(frame[LINE][int(place[row])])
            self._rows.setdefault(part, {})[line] = int(verdict[row])
            if verdict[row] == REUSED and len(self._counts.reused_ids) < MOST_NAMED:
                self._counts.reused_ids.append(str(frame["id"][int(place[row])]))
        if self._counts.behind is None:
            late = np.flatnonzero(verdict == LATE)
            if len(late):
                self._advance(batch, place, verdict, int(late[0]))
                self._counts.behind = self._newest
                self._counts.first_late = Placed(*self._placed(batch, place, int(late[0])))
        self._advance(batch, place, verdict, len(verdict))
        self._counts.newest = self._newest

    def _advance(self, batch: Batch, place: Ints, verdict: Ints, end: int) -> None:
        """Know the newest event of those before place `end`, and how far it went ahead of the one before it."""
        rows = np.flatnonzero(verdict[:end] == NEW)
        if not len(rows):
            return
        at = np.empty(len(batch.source), np.int64)
        for part, (_, frame) in enumerate(batch.parts):
            mine = batch.source == part
            at[mine] = times(frame)[place[mine]]
        best = int(rows[np.argmax(at[rows])])
        if self._newest is not None and at[best] <= self._clock:
            return
        before = [*at[rows[rows < best]].tolist(), *([self._clock] if self._newest is not None else [])]
        ahead = int(at[best]) - max(before) if before else None
        self._newest = Newest(*self._placed(batch, place, best), ahead)
        self._clock = int(at[best])

    def _placed(self, batch: Batch, place: Ints, row: int) -> tuple[str, str, int, int]:
        """The id, source, line and time of one event of a batch."""
        part, mine = int(batch.source[row]), int(place[row])
        frame = batch.parts[part][1]
        return str(frame["id"][mine]), self._sources[part].name, int(frame[LINE][mine]), int(times(frame)[mine])

    def write(self, quarantine: Quarantine) -> None:
        """Write the events that were not taken, each as it stood in its file.

        Raises:
            TidegateError: a file can no longer be read, or the quarantine not be written.
        """
        reasons = {LATE: ("/at", self.too_late), REUSED: ("/id", REUSED_ID)}
        for part, verdicts in sorted(self._rows.items()):
            source = self._sources[part]
            given = source.given if isinstance(source.given, pl.DataFrame) else Path(source.given)
            found = originals(given, list(verdicts), source.encoding)
            quarantine.add((Refused(n, *reasons[verdicts[n]], text) for n, text in found), source=source.name)


def _places(batch: Batch) -> Ints:
    """For each event of a batch its row in its part."""
    place = np.empty(len(batch.source), np.int64)
    for part, (_, frame) in enumerate(batch.parts):
        place[batch.source == part] = np.arange(frame.height)
    return place

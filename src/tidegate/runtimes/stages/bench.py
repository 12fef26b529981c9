"""The bench of a stage: cells in which its rows are laid out, and what can be computed from the event alone."""

from collections.abc import Sequence

import numpy as np

from tidegate.decisions.plan import AT as AT_COLUMN
from tidegate.decisions.plan import READ
from tidegate.expressions.kernel import step_of
from tidegate.features.plan import MISSING
from tidegate.kernels.chain import Chain
from tidegate.runtimes.stages.rows import AT, FLAGS, HISTORY, KIND, OFFSET, ON, SHARD, STAGE, Rows, Words, joined
from tidegate.runtimes.stages.staging import Staging, shards_of
from tidegate.runtimes.stages.window_stage import WindowStage


class Bench:
    """Cells for as many rows as a batch has, shared by all shards of a stage.

    Args:
        staging: of the flow.
    """

    def __init__(self, staging: Staging) -> None:
        self.staging, self.plan = staging, staging.plan
        self._make(256)

    def _make(self, capacity: int) -> None:
        self.capacity = capacity
        self.cells = np.full((self.plan.columns, capacity), MISSING, np.int64)
        self.floats = self.cells.view(np.float64)
        self.kinds = np.zeros(capacity, np.int64)
        before = self.plan.before
        self._before = Chain([step_of(before, self.cells)] if len(before.code) else [], capacity)
        for column, value in self.plan.constants:
            (self.floats if isinstance(value, float) else self.cells)[column] = value
        for kind in self.plan.kinds:
            for field in kind.fields:
                if field.type.is_float:
                    self.floats[field.column] = np.nan

    def room(self, n: int) -> None:
        """Make room for so many rows."""
        if n > self.capacity:
            self._make(1 << (n - 1).bit_length())

    def lay(self, words: Words) -> None:
        """Lay rows out, and compute what needs no past."""
        n = len(words)
        self.room(n)
        self.cells[AT_COLUMN, :n] = words[:, AT]
        known = words[:, self.staging.first :]
        self.cells[self.staging.carried[: known.shape[1]], :n] = known.T
        self.compute(n)

    def compute(self, n: int) -> None:
        """Run the program that comes before all windows."""
        self._before.run(n)

    def fan_out(self, rows: Rows) -> list[Rows]:
        """Rows that are laid out, sent to the windows: those decided on go on, and copies go where they are learned."""
        staging, sent = self.staging, list[Rows]()
        words = rows.words
        reads = (words[:, KIND] == 0) & (words[:, FLAGS] & READ != 0)
        again = words[:, FLAGS] & HISTORY != 0
        for stage in staging.windows:
            copies = list[Rows]()
            if stage.number in staging.rebuilt and again.any():
                for kind in range(len(self.plan.kinds)):
                    chosen = np.flatnonzero((words[:, KIND] == kind) & again)
                    copies += self._copies(stage, rows, chosen, stage.visited(kind, reads=kind == 0), reading=False)
            for kind in range(len(self.plan.kinds)):
                for reading in (True, False):
                    chosen = np.flatnonzero((words[:, KIND] == kind) & (reads == reading) & ~again)
                    if len(chosen):
                        copies += self._copies(stage, rows, chosen, stage.visited(kind, reading), reading)
            sent.append(joined(copies, staging.width(stage.number)))
        going = rows.take(np.flatnonzero(reads & ~again))
        going.words[:, FLAGS] |= ON
        going = forwarded(staging, going, staging.windows[0].number if staging.windows else staging.decision)
        if not staging.windows:
            return [going]
        sent[0] = joined([going, sent[0]], going.words.shape[1])
        return sent

    def _copies(self, stage: WindowStage, rows: Rows, chosen: Words, keys: Sequence[int], reading: bool) -> list[Rows]:
        """Copies for every shard but the one that a row which goes on comes to; that one is noted in the row."""
        shards = [shards_of(self.cells[key][chosen], self.staging.shards) for key in keys]
        if reading:
            route, home = self.staging.route(stage.number), shards[0]
            # A row without a key reads nothing of anyone: any shard can say so.
            home = np.where(home < 0, rows.words[chosen, OFFSET] % self.staging.shards, home)
            rows.words[chosen, route] = shards[0] = home
        found = []
        for place in range(int(reading), len(keys)):
            new = shards[place] >= 0
            for earlier in shards[:place]:
                new &= shards[place] != earlier
            copies = chosen[new]
            if len(copies):
                words = np.full((len(copies), self.staging.width(stage.number)), MISSING, np.int64)
                words[:, : rows.words.shape[1]] = rows.words[copies]
                made = Rows(words, self._learnable(stage, rows, copies))
                made.words[:, STAGE], made.words[:, SHARD] = stage.number, shards[place][new]
                found.append(made)
        return found

    def _learnable(self, stage: WindowStage, rows: Rows, copies: Words) -> list[bytes]:
        """What a copy carries along: nothing, unless the stage has to know texts by their wording."""
        return [rows.payloads[i] for i in copies.tolist()] if stage.texts else [b""] * len(copies)


def forwarded(staging: Staging, rows: Rows, stage: int) -> Rows:
    """The rows, sent on to a stage."""
    rows.words[:, STAGE] = stage
    rows.words[:, SHARD] = rows.words[:, staging.route(stage)]
    return rows


def by_stage(staging: Staging, parts: Sequence[Rows]) -> list[Rows]:
    """Rows sent to several stages, those to one together; none where there are none."""
    found: dict[int, list[Rows]] = {}
    for part in parts:
        if len(part):
            found.setdefault(int(part.words[0, STAGE]), []).append(part)
    return [joined(of, staging.width(stage)) for stage, of in found.items()]

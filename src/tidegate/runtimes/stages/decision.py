"""The last stage: from what is known to the decision."""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import msgspec
import numpy as np

from tidegate.decisions.answer import Answers
from tidegate.decisions.decider import Decider
from tidegate.decisions.decision import to_json
from tidegate.decisions.definition import Definition
from tidegate.decisions.instructions import INSTRUCTIONS
from tidegate.decisions.plan import AT as AT_COLUMN
from tidegate.decisions.plan import OVERDUE
from tidegate.decisions.snooze import Snooze, SnoozeBook
from tidegate.events.contract import Reader, reader
from tidegate.events.event import Event
from tidegate.models.scoring import ScoringModel
from tidegate.runtimes.stages.rows import AT, FLAGS, KIND, Rows
from tidegate.runtimes.stages.stage import Answered, Output, packed, unpacked
from tidegate.runtimes.stages.staging import Staging
from tidegate.runtimes.stages.worded import worded

_OF = "decision"


class _Named(msgspec.Struct, gc=False):
    """What a decision without words needs of its event."""

    id: str


_named = msgspec.json.Decoder(_Named).decode
_SNOOZE = -1 - INSTRUCTIONS.index(Snooze)


class _Entry(msgspec.Struct, array_like=True):
    """What a batch leaves behind: snoozes, and outcomes with their times that count towards limits."""

    snoozes: list[bytes]
    counted: list[tuple[int, int]]


class DecisionsAt:
    """Decides rows in which everything that is known has been filled in.

    Args:
        definition: of the flow.
        staging: of its plan.
        models: loaded models by reference.
        explain: put every feature's value into every decision.
    """

    def __init__(
        self,
        definition: Definition,
        staging: Staging,
        models: Mapping[str, ScoringModel] | None = None,
        *,
        explain: bool = False,
        batch: int = 1024,
    ) -> None:
        self._staging, self._batch = staging, batch
        self._reader: Reader[Event] = reader(definition.event)
        self._decider = Decider(staging.plan, models, batch)
        self._answers = Answers(self._decider, explain=explain)
        self._snoozes: dict[int, SnoozeBook] = {}

    def _shard(self, shard: int) -> Decider:
        """The decider, with the shard's snoozes; limits there are only where there is one shard."""
        if shard not in self._snoozes:
            self._snoozes[shard] = SnoozeBook(self._staging.plan.lateness)
        self._decider.snoozes = self._snoozes[shard]
        return self._decider

    def take(self, shard: int, rows: Rows) -> Output:
        """Decide."""
        out, entry = Output(), _Entry([], [])
        edges = [-1, *np.flatnonzero(rows.words[:, KIND] < 0).tolist(), len(rows)]
        for before, edge in pairwise(edges):
            for start in range(before + 1, edge, self._batch):
                self._decide(shard, rows, start, min(start + self._batch, edge), out, entry)
            if edge < len(rows):
                entry.snoozes.append(rows.payloads[edge])
                self._shard(shard).obey(reader(Snooze).read(rows.payloads[edge]))
        if entry.snoozes or entry.counted:
            out.entry = msgspec.msgpack.encode(entry)
        return out

    def _decide(self, shard: int, rows: Rows, start: int, end: int, out: Output, entry: _Entry) -> None:
        decider, answers = self._shard(shard), self._answers
        words, n = rows.words[start:end], end - start
        decider.cells[AT_COLUMN, :n] = words[:, AT]
        decider.cells[self._staging.carried, :n] = words[:, self._staging.first :].T
        decider.kinds[:n], decider.flags[:n] = 0, words[:, FLAGS] & 7
        decider.infer(n)
        late = (words[:, FLAGS] & OVERDUE != 0).tolist()
        plain = answers.plain and not (any(late) or decider.limited or decider.silenced)
        bodies = rows.payloads[start:end]
        if plain and not self._staging.plan.worded:
            quiet = answers.quiet([_named(body).id for body in bodies])
        else:
            quiet = answers.quiet([self._known(body)[0].id for body in bodies]) if plain else [None] * n
        for row, (body, decision) in enumerate(zip(bodies, quiet, strict=True)):
            if decision is None:
                event, written = self._known(body)
                if self._staging.plan.worded:
                    decider.words.clear()
                    decider.words.update(written)
                decision = answers.decision(row, event.id, partial(getattr, event), late[row])
            out.answers.append(Answered(decision.id, to_json(decision)))
        if self._staging.plan.caps:
            entry.counted += decider.counted(n)

    def _known(self, body: bytes) -> tuple[Event, Mapping[int, str]]:
        """An event, and the texts of its past by their cells where the flow shows any."""
        if not self._staging.plan.worded:
            return self._reader.read(body), {}
        known = worded(body)
        return self._reader.read(known.body), known.texts

    def learn(self, shard: int, entry: bytes) -> None:
        """Snooze and count once more."""
        decider, kept = self._shard(shard), msgspec.msgpack.decode(entry, type=_Entry)
        for payload in kept.snoozes:
            decider.obey(reader(Snooze).read(payload))
        for outcome, at in kept.counted:
            decider.limits.count(outcome, at)

    def snapshot(self, shard: int) -> bytes:
        """Snoozes, and what counts towards limits."""
        decider = self._shard(shard)
        kept = zip(self._staging.plan.caps, decider.limits.dump(), strict=True)
        caps = [(cap.outcome, cap.last, at) for cap, at in kept]
        return packed(_OF, {"caps": caps, "snoozes": decider.snoozes.dump()}, {})

    def restore(self, shard: int, snapshot: bytes) -> None:
        """Know what a snapshot knew."""
        self._snoozes.pop(shard, None)
        decider = self._shard(shard)
        decider.limits.load([[] for _ in self._staging.plan.caps])
        if snapshot:
            header, _ = unpacked(_OF, snapshot)
            counted = {(outcome, last): at for outcome, last, at in header["caps"]}
            decider.limits.load([counted.get((cap.outcome, cap.last), []) for cap in self._staging.plan.caps])
            decider.snoozes.load(header["snoozes"])

"""The first stage: from what came to rows. It reads events, knows those that came before, and sends each on its way."""

from collections.abc import Sequence

import msgspec
import numpy as np
import xxhash

from tidegate.decisions.definition import Definition
from tidegate.decisions.encode import Encoder, microseconds_of
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.instructions import INSTRUCTIONS, Instructions
from tidegate.decisions.lists import ListChange
from tidegate.errors import ContractError
from tidegate.events.contract import Reader, body
from tidegate.events.event import Event
from tidegate.expressions.words import word
from tidegate.runtimes.hash_table import NEW, REPEATED
from tidegate.runtimes.stages.bench import Bench, forwarded
from tidegate.runtimes.stages.rows import AT, FLAGS, HEAD, KIND, LATE, OFFSET, SHARD, SOURCE, STAGE, Rows, Words, joined
from tidegate.runtimes.stages.seen import Seen
from tidegate.runtimes.stages.stage import Output, Refusal, packed, unpacked
from tidegate.runtimes.stages.staging import Staging, shards_of
from tidegate.runtimes.stages.worded import Worded

_OF = "intake"
_REUSED = ("This id was used before, with other content.", "id-reused", "/id")
_LATE = ("It came when the watermark had passed its time.", "behind-watermark", "/at")
_NO_TIME = ("Its time is not written as 2026-01-31T12:00:00Z, or it is no JSON object.", "time-unread", "/at")


class IntakeAt:
    """Takes events in, by their id.

    Rows come with a head alone, and the event as JSON; `KIND` is the number of its type, or -1, -2 for instructions.

    Args:
        definition: of the flow.
        staging: of its plan.
        remember: how long an id is known, in microseconds of event time.
    """

    def __init__(self, definition: Definition, staging: Staging, remember: int) -> None:
        self._staging, self._remember, self._bench = staging, remember, Bench(staging)
        self._readers: dict[int, Reader[Event]] = {k: Reader(kind) for k, kind in enumerate(definition.kinds)}
        self._readers |= {-1 - k: Reader(kind) for k, kind in enumerate(INSTRUCTIONS)}
        self._names = {k: kind.__name__.encode() for k, kind in enumerate(definition.kinds)}
        self._names |= {-1 - k: kind.__name__.encode() for k, kind in enumerate(INSTRUCTIONS)}
        self._instructions = Instructions(definition)
        self._whole = {check.name: check.whole for check in staging.plan.lists}
        self._seen: dict[int, Seen] = {}

    def _ids(self, shard: int) -> Seen:
        if shard not in self._seen:
            self._seen[shard] = Seen(self._remember)
        return self._seen[shard]

    def take(self, shard: int, rows: Rows) -> Output:
        """Read, recognise, refuse; what is new goes on as rows of cells."""
        events, refused = self._read(rows)
        places = [place for place, event in enumerate(events) if event is not None]
        known = [event for event in events if event is not None]
        ids = np.array([word(event.id) for event in known], np.int64)
        contents = np.array(
            [self._content(int(rows.words[p, KIND]), e) for p, e in zip(places, known, strict=True)], np.int64
        )
        chosen = np.array(places, np.int64)
        late = rows.words[chosen, FLAGS] & LATE != 0
        verdict = np.full(len(places), NEW, np.int64)
        verdict[late] = self._ids(shard).known(ids[late], contents[late])
        on_time = ~late
        fresh = (ids[on_time], contents[on_time], rows.words[chosen, AT][on_time])
        verdict[on_time] = self._ids(shard).admit(*fresh)
        wrong = np.flatnonzero((verdict != NEW) & (verdict != REPEATED) | (verdict == NEW) & late)
        for i in wrong.tolist():
            refused.append(self._refusal(rows, places[i], *(_LATE if verdict[i] == NEW else _REUSED)))
        new = np.flatnonzero((verdict == NEW) & on_time)
        out = self._sent(rows, [places[i] for i in new], [known[i] for i in new], ids[new])
        entry = np.stack([array[verdict[on_time] == NEW] for array in fresh]).tobytes() if len(new) else b""
        return Output(out, refused=refused, repeated=int((verdict == REPEATED).sum()), entry=entry)

    def _read(self, rows: Rows) -> tuple[list[Event | None], list[Refusal]]:
        events: list[Event | None] = []
        refused: list[Refusal] = []
        heads = rows.words[:, [KIND, AT]].tolist()
        for place, ((kind, at), payload) in enumerate(zip(heads, rows.payloads, strict=True)):
            event = None
            try:
                event = self._readers[kind].read(payload)
                if isinstance(event, Instruction):
                    self._instructions.require(event)
                if microseconds_of(event.at) != at:
                    event = None
                    refused.append(self._refusal(rows, place, *_NO_TIME))
            except ContractError as error:
                event = None
                refused.append(self._refusal(rows, place, str(error), "contract", error.pointer))
            events.append(event)
        return events, refused

    def _refusal(self, rows: Rows, place: int, reason: str, code: str, pointer: str) -> Refusal:
        source, offset = rows.words[place, [SOURCE, OFFSET]].tolist()
        return Refusal(source, offset, reason, code, pointer, rows.payloads[place])

    def _content(self, kind: int, event: Event) -> int:
        mark = xxhash.xxh3_64_intdigest(self._names[kind] + b"\0" + body(event))
        return mark - 2**64 if mark >= 2**63 else mark

    def _sent(self, rows: Rows, places: Sequence[int], events: Sequence[Event], ids: Words) -> Rows:
        """The events as rows, sent to the stage that comes next for them."""
        staging, parts = self._staging, list[Rows]()
        told = [i for i, event in enumerate(events) if isinstance(event, Instruction)]
        for i in told:
            parts.append(self._instruct(rows, places[i], events[i]))
        own = [i for i, event in enumerate(events) if not isinstance(event, Instruction)]
        if own:
            made = self._made(rows, [places[i] for i in own], [events[i] for i in own])
            made.words[:, staging.route(staging.decision)] = shards_of(ids[own], staging.decision_shards)
            if staging.lists:
                self._route_lists(made)
                parts.append(forwarded(staging, made, 1))
            else:
                parts.append(self._bench.fan_out(made))
        return joined(parts, staging.width)

    def _made(self, rows: Rows, places: list[int], events: Sequence[Event]) -> Rows:
        staging, bench, n = self._staging, self._bench, len(places)
        words = np.zeros((n, staging.width), np.int64)
        words[:, :HEAD] = rows.words[places, :HEAD]
        texts: dict[int, str] = {}
        encoder = Encoder(staging.plan, texts, n)
        bench.room(n)
        bench.kinds[:n] = words[:, KIND]
        for row, event in enumerate(events):
            encoder.put(row, int(words[row, KIND]), event)
        encoder.scatter(bench.cells, bench.kinds, n)
        bench.compute(n)
        words[:, staging.first :] = bench.cells[staging.carried, :n].T
        payloads = [rows.payloads[place] for place in places]
        if staging.plan.worded:
            payloads = [
                self._worded(payload, row, int(words[row, KIND]), texts) for row, payload in enumerate(payloads)
            ]
        return Rows(words, payloads)

    def _worded(self, payload: bytes, row: int, kind: int, texts: dict[int, str]) -> bytes:
        """The event, and the wording of those of its texts that windows can give back."""
        cells = (int(self._bench.cells[column, row]) for column in self._staging.worded[kind])
        return msgspec.msgpack.encode(Worded(payload, {cell: texts[cell] for cell in cells if cell in texts}))

    def _route_lists(self, made: Rows) -> None:
        home = made.words[:, OFFSET] % self._staging.shards
        for stage in self._staging.lists:
            shards = np.full(len(made), -1, np.int64)
            for kind, key in stage.keys.items():
                chosen = np.flatnonzero(made.words[:, KIND] == kind)
                shards[chosen] = shards_of(self._bench.cells[key][chosen], self._staging.shards)
            made.words[:, self._staging.route(stage.number)] = np.where(shards < 0, home, shards)

    def _instruct(self, rows: Rows, place: int, event: Event) -> Rows:
        """A change of a list goes to the shards of its key; a snooze to every shard of the decision."""
        staging = self._staging
        if isinstance(event, ListChange):
            key = int(event.key) if self._whole[event.list] else word(event.key)
            shard = int(shards_of(np.array([key], np.int64), staging.shards)[0])
            targets = [(stage.number, shard) for stage in staging.lists]
        else:
            targets = [(staging.decision, shard) for shard in range(staging.decision_shards)]
        words = np.zeros((len(targets), staging.width), np.int64)
        words[:, :HEAD] = rows.words[place, :HEAD]
        words[:, STAGE], words[:, SHARD] = [t[0] for t in targets], [t[1] for t in targets]
        return Rows(words, [rows.payloads[place]] * len(targets))

    def learn(self, shard: int, entry: bytes) -> None:
        """Know ids once more."""
        ids, contents, at = np.frombuffer(entry, np.int64).reshape(3, -1)
        self._ids(shard).admit(ids.copy(), contents.copy(), at)

    def snapshot(self, shard: int) -> bytes:
        """The ids that are known."""
        turn, arrays = self._ids(shard).dump()
        return packed(_OF, {"turn": turn, "remember": self._remember}, arrays)

    def restore(self, shard: int, snapshot: bytes) -> None:
        """Know what a snapshot knew."""
        self._seen.pop(shard, None)
        if snapshot:
            header, arrays = unpacked(_OF, snapshot)
            # generations of another length are counted otherwise: what is known is then known as of now
            turn = header["turn"] if header["remember"] == self._remember else -(2**63)
            self._ids(shard).load(turn, arrays)

"""The first stage: from what came to rows. It reads events, knows those that came before, and sends each on its way."""

from collections import defaultdict
from collections.abc import Sequence
from operator import attrgetter
from typing import cast

import msgspec
import numpy as np
import xxhash

from tidegate.connectors.schemas.framing import schema_named
from tidegate.decisions.definition import Definition
from tidegate.decisions.encode import Encoder, times_of
from tidegate.decisions.instruction import Instruction
from tidegate.decisions.instructions import INSTRUCTIONS, Instructions
from tidegate.decisions.lists import ListChange
from tidegate.errors import ContractError, SnapshotError
from tidegate.events.contract import Reader, body
from tidegate.events.event import Event
from tidegate.expressions.words import word
from tidegate.runtimes.hash_table import NEW, REPEATED
from tidegate.runtimes.horizon import FUTURE, in_future
from tidegate.runtimes.intake import REUSED_ID
from tidegate.runtimes.letter_headers import EMPTY, NOTHING
from tidegate.runtimes.stages.bench import Bench, by_stage, forwarded
from tidegate.runtimes.stages.rows import (
    AHEAD,
    AT,
    FLAGS,
    HEAD,
    HISTORY,
    KIND,
    LATE,
    OFFSET,
    SHARD,
    SOURCE,
    STAGE,
    TOMBSTONE,
    Rows,
    Words,
)
from tidegate.runtimes.stages.seen import Seen
from tidegate.runtimes.stages.stage import Output, Refusal, packed, unpacked
from tidegate.runtimes.stages.staging import Staging, shards_of
from tidegate.runtimes.stages.untaken import Untaken
from tidegate.runtimes.stages.worded import Worded

_OF, _ID, _CONTRACT = "intake", attrgetter("id"), "contract"
_REUSED = (REUSED_ID, "id-reused")
_LATE = ("It came when the watermark had passed its time.", "behind-watermark")
_HISTORY_LATE = (
    "An event that was taken before comes behind the watermark, now that the topics are read again.",
    "Start from the same savepoint with a longer --out-of-order.",
)
_NO_TIME = ("Its time is not written as 2026-01-31T12:00:00Z, or it is no JSON object.", "time-unread")
_FRAMED = (
    "It was written with schema %d of a registry, as Avro and Protobuf are, and a job on Flink reads JSON: decide its "
    "topic with `tidegate run --value-format`, or have it written as JSON."
)


class _Entry(msgspec.Struct, array_like=True):
    """What a batch leaves behind: ids, contents and times of what was taken, and where that and the rest stood.

    `span` is for how long an id was known then. Earlier versions did not write it: it was that of the snapshot before;
    and they wrote the places of what was not taken, `untaken`, alone.
    """

    taken: bytes
    untaken: dict[int, list[int]] = {}
    span: int = 0
    places: dict[int, list[int]] | None = None


class IntakeAt:
    """Takes events in, by their id.

    Rows come with a head alone, and the event as JSON; `KIND` is the number of its type, or -1, -2 for instructions.
    Those of history, which an earlier flow took from the same place of a topic, are for the stages that are rebuilt.

    Args:
        definition: of the flow.
        staging: of its plan.
        remember: how long an id is known, in microseconds of event time.
        kinds: the number of the event type by the number of the topic, where `KIND` may be that of an earlier flow.
    """

    def __init__(
        self, definition: Definition, staging: Staging, remember: int, kinds: Sequence[int] | None = None
    ) -> None:
        self._kinds = None if kinds is None else np.array(kinds, np.int64)
        self._untaken: defaultdict[int, Untaken] = defaultdict(Untaken)
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
        if self._kinds is not None:
            rows = Rows(rows.words.copy(), rows.payloads)
            rows.words[:, KIND] = self._kinds[rows.words[:, SOURCE] >> 32]
        again = rows.words[:, FLAGS] & HISTORY != 0
        if not again.any():
            return self._take(shard, rows)
        out = self._take(shard, rows.take(np.flatnonzero(~again)))
        out.rows = by_stage(self._staging, [*out.rows, *self._history(shard, rows.take(np.flatnonzero(again)))])
        return out

    def _take(self, shard: int, rows: Rows) -> Output:
        seen = self._ids(shard)
        seen.respan(self._remember)
        events, refused = self._read(rows)
        places = [place for place, event in enumerate(events) if event is not None]
        known = [event for event in events if event is not None]
        chosen = np.array(places, np.int64)
        ids = np.fromiter(map(word, map(_ID, known)), np.int64, len(known))
        contents = self._contents(rows.words[chosen, KIND].tolist(), known)
        late = rows.words[chosen, FLAGS] & LATE != 0
        verdict = np.full(len(places), NEW, np.int64)
        verdict[late] = seen.known(ids[late], contents[late])
        on_time = ~late
        fresh = (ids[on_time], contents[on_time], rows.words[chosen, AT][on_time])
        verdict[on_time] = seen.admit(*fresh)
        wrong = np.flatnonzero((verdict != NEW) & (verdict != REPEATED) | (verdict == NEW) & late)
        for i in wrong.tolist():
            refused.append(self._refusal(rows, places[i], *(_LATE if verdict[i] == NEW else _REUSED)))
        new = np.flatnonzero((verdict == NEW) & on_time)
        out = self._sent(rows, [places[i] for i in new], [known[i] for i in new], ids[new])
        repeated = chosen[verdict == REPEATED]
        untaken = np.ones(len(rows), np.bool_)
        untaken[chosen[new]] = False
        untaken[self._unread(rows, refused)] = False
        told = self._untaken[shard].note(rows.words[:, SOURCE], rows.words[:, OFFSET], untaken)
        taken = np.stack([array[verdict[on_time] == NEW] for array in fresh]).tobytes()
        kept = msgspec.msgpack.encode(_Entry(taken, span=seen.span, places=told)) if len(rows) else b""
        return Output(out, refused=refused, repeated=len(repeated), entry=kept)

    def _unread(self, rows: Rows, refused: Sequence[Refusal]) -> list[int]:
        """Changes of lists that are not read: they are history all the same, for another flow that does."""
        contract = {(one.source, one.offset) for one in refused if one.code == _CONTRACT}
        told: list[int] = np.flatnonzero(rows.words[:, KIND] < 0).tolist() if contract else []
        return [place for place in told if tuple(rows.words[place, [SOURCE, OFFSET]].tolist()) in contract]

    def _history(self, shard: int, rows: Rows) -> list[Rows]:
        """What was taken before, once more, for the stages that are rebuilt.

        Raises:
            SnapshotError: it comes behind the watermark, so that its place in the order is past.
        """
        untaken, heads = self._untaken[shard], rows.words[:, [SOURCE, OFFSET]].tolist()
        taken = [place for place, (source, offset) in enumerate(heads) if not untaken.has(source, offset)]
        rows = rows.take(np.array(taken, np.int64))
        late = np.flatnonzero(rows.words[:, FLAGS] & LATE)
        if len(late):
            what, do = _HISTORY_LATE
            raise SnapshotError(what, seen=rows.payloads[int(late[0])][:200].decode(errors="replace"), do=do)
        events, _ = self._read(rows)  # what the contract allows no more is no part of this flow's history
        places = [place for place, event in enumerate(events) if event is not None]
        known = [event for event in events if event is not None]
        return self._sent(rows, places, known, np.fromiter(map(word, map(_ID, known)), np.int64, len(known)))

    def _read(self, rows: Rows) -> tuple[list[Event | None], list[Refusal]]:
        events: list[Event | None] = []
        refused: list[Refusal] = []
        read = {kind: reader.read for kind, reader in self._readers.items()}
        for kind, flags, payload in zip(*rows.words[:, [KIND, FLAGS]].T.tolist(), rows.payloads, strict=True):
            if flags & TOMBSTONE:
                refused.append(self._refusal(rows, len(events), NOTHING, EMPTY))
                events.append(None)
                continue
            try:
                event = read[kind](payload)
                if kind < 0:
                    self._instructions.require(cast(Instruction, event))
                if flags & AHEAD:
                    refused.append(self._refusal(rows, len(events), in_future(event.at), FUTURE))
                events.append(None if flags & AHEAD else event)
            except ContractError as error:
                schema = schema_named(payload)
                why = (str(error), _CONTRACT) if schema is None else (_FRAMED % schema, "schema")
                refused.append(self._refusal(rows, len(events), *why))
                events.append(None)
        known = np.array([place for place, event in enumerate(events) if event is not None], np.int64)
        times = np.array(times_of(event.at for event in events if event is not None), np.int64)
        for place in known[times != rows.words[known, AT]].tolist():
            events[place] = None
            refused.append(self._refusal(rows, place, *_NO_TIME))
        return events, refused

    def _refusal(self, rows: Rows, place: int, reason: str, code: str) -> Refusal:
        source, offset, flags = rows.words[place, [SOURCE, OFFSET, FLAGS]].tolist()
        return Refusal(source, offset, reason, code, None if flags & TOMBSTONE else rows.payloads[place])

    def _contents(self, kinds: Sequence[int], events: Sequence[Event]) -> Words:
        """A hash of what each event says, however it was spelled."""
        mark, names = xxhash.xxh3_64_intdigest, self._names
        marks = (mark(names[kind] + b"\0" + body(event)) for kind, event in zip(kinds, events, strict=True))
        return np.fromiter(marks, np.uint64, len(events)).view(np.int64)

    def _sent(self, rows: Rows, places: Sequence[int], events: Sequence[Event], ids: Words) -> list[Rows]:
        """The events as rows, sent to the stage that comes next for them."""
        staging, parts = self._staging, list[Rows]()
        told = [i for i, event in enumerate(events) if isinstance(event, Instruction)]
        for i in told:
            parts += self._instruct(rows, places[i], events[i])
        own = [i for i, event in enumerate(events) if not isinstance(event, Instruction)]
        if own:
            made = self._made(rows, [places[i] for i in own], [events[i] for i in own])
            made.words[:, staging.route(staging.decision)] = shards_of(ids[own], staging.decision_shards)
            if staging.lists:
                self._route_lists(made)
                parts.append(forwarded(staging, made, 1))
            else:
                parts += self._bench.fan_out(made)
        return by_stage(staging, parts)

    def _made(self, rows: Rows, places: list[int], events: Sequence[Event]) -> Rows:
        staging, bench, n = self._staging, self._bench, len(places)
        width = staging.width(1)
        words = np.zeros((n, width), np.int64)
        words[:, :HEAD] = rows.words[places, :HEAD]
        texts: dict[int, str] = {}
        encoder = Encoder(staging.plan, texts, n)
        bench.room(n)
        bench.kinds[:n] = words[:, KIND]
        if len(staging.plan.kinds) == 1:
            encoder.put_all(0, events, bench.cells)
        else:
            for row, (kind, event) in enumerate(zip(words[:, KIND].tolist(), events, strict=True)):
                encoder.put(row, kind, event)
            encoder.scatter(bench.cells, bench.kinds, n)
        bench.compute(n)
        words[:, staging.first :] = bench.cells[staging.carried[: width - staging.first], :n].T
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

    def _instruct(self, rows: Rows, place: int, event: Event) -> list[Rows]:
        """A change of a list goes to the shards of its key; a snooze to every shard of the decision."""
        staging = self._staging
        if isinstance(event, ListChange):
            key = int(event.key) if self._whole[event.list] else word(event.key)
            shard = int(shards_of(np.array([key], np.int64), staging.shards)[0])
            targets = [(stage.number, shard) for stage in staging.lists]
        else:
            targets = [(staging.decision, shard) for shard in range(staging.decision_shards)]
        if rows.words[place, FLAGS] & HISTORY:
            targets = [one for one in targets if one[0] in staging.rebuilt]
        return [self._told(rows, place, stage, shard) for stage, shard in targets]

    def _told(self, rows: Rows, place: int, stage: int, shard: int) -> Rows:
        words = np.zeros((1, self._staging.width(stage)), np.int64)
        words[:, :HEAD] = rows.words[place, :HEAD]
        words[:, STAGE], words[:, SHARD] = stage, shard
        return Rows(words, [rows.payloads[place]])

    def learn(self, shard: int, entry: bytes) -> None:
        """Know ids once more."""
        kept = msgspec.msgpack.decode(entry, type=_Entry)
        if kept.places is None:
            self._untaken[shard].learn_places(kept.untaken)
        else:
            self._untaken[shard].learn(kept.places)
        ids, contents, at = np.frombuffer(kept.taken, np.int64).reshape(3, -1)
        seen = self._ids(shard)
        seen.respan(kept.span or seen.span)
        seen.learn(ids.copy(), contents.copy(), at)

    def snapshot(self, shard: int) -> bytes:
        """The ids that are known, and the places of what was not taken."""
        seen = self._ids(shard)
        turn, arrays = seen.dump()
        return packed(_OF, {"turn": turn, "remember": seen.span}, arrays | self._untaken[shard].dump())

    def restore(self, shard: int, snapshot: bytes) -> None:
        """Know what a snapshot knew."""
        self._seen.pop(shard, None)
        self._untaken.pop(shard, None)
        if snapshot:
            header, arrays = unpacked(_OF, snapshot)
            seen = self._seen[shard] = Seen(header["remember"])
            seen.load(header["turn"], arrays)
            self._untaken[shard].load(arrays)

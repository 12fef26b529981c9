"""A stage of entity lists: who is on which list as of the event's time."""

import msgspec
import numpy as np

from tidegate.decisions.lists import ListBook, ListChange
from tidegate.decisions.plan import ListPlan
from tidegate.events.contract import reader
from tidegate.events.times import microseconds_of
from tidegate.expressions.words import word
from tidegate.features.plan import MISSING
from tidegate.runtimes.stages.bench import Bench, by_stage, forwarded
from tidegate.runtimes.stages.rows import KIND, Rows
from tidegate.runtimes.stages.stage import Output, packed, unpacked
from tidegate.runtimes.stages.staging import ListStage, Staging

_OF = "lists"


class ListsAt:
    """The lists that are asked about one key of each event.

    Args:
        staging: of the flow.
        stage: which.
    """

    def __init__(self, staging: Staging, stage: ListStage) -> None:
        self._staging, self._stage, self._bench = staging, stage, Bench(staging)
        self._whole = {check.name: check.whole for check in staging.plan.lists}
        self._books: dict[int, ListBook] = {}
        self._last = stage.number == len(staging.lists)

    def _book(self, shard: int) -> ListBook:
        if shard not in self._books:
            self._books[shard] = ListBook(0)  # rows come in the order of their times
        return self._books[shard]

    def take(self, shard: int, rows: Rows) -> Output:
        """Answer what is asked, and put changes into effect, each for what comes after it."""
        changes = np.flatnonzero(rows.words[:, KIND] < 0)
        going = rows.take(np.flatnonzero(rows.words[:, KIND] >= 0))
        more = np.full((len(going), len(self._stage.checks)), MISSING, np.int64)
        going = Rows(np.concatenate([going.words, more], axis=1), going.payloads)
        first = self._staging.places[self._stage.number].start
        place = {check.out: first + i for i, check in enumerate(self._stage.checks)}
        column = {int(c): self._staging.first + i for i, c in enumerate(self._staging.carried)}
        behind = 0
        edges = [*(changes - np.arange(len(changes))).tolist(), len(going)]
        for number, edge in enumerate(edges):
            for check in self._stage.checks:
                self._ask(shard, going.words[behind:edge], check, column[check.key], place[check.out])
            behind = edge
            if number < len(changes):
                self._obey(shard, rows.payloads[int(changes[number])])
        kept = [rows.payloads[i] for i in changes.tolist()]
        return Output(self._on(going), entry=msgspec.msgpack.encode(kept) if kept else b"")

    def _ask(self, shard: int, words: np.ndarray, check: ListPlan, key: int, out: int) -> None:
        keys, book, name = words[:, key], self._book(shard), check.name
        words[:, out] = np.where(keys == MISSING, MISSING, 0)
        ever = book.keys(name)
        for i in np.flatnonzero(np.isin(keys, ever)).tolist() if len(ever) else ():
            words[i, out] = int(book.listed(name, int(keys[i]), int(words[i, 0])))

    def _on(self, going: Rows) -> list[Rows]:
        if not self._last:
            return [forwarded(self._staging, going, self._stage.number + 1)]
        self._bench.lay(going.words)
        return by_stage(self._staging, self._bench.fan_out(going))

    def _obey(self, shard: int, payload: bytes) -> None:
        change = reader(ListChange).read(payload)
        until = None if change.until is None else microseconds_of(change.until)
        key = int(change.key) if self._whole[change.list] else word(change.key)
        self._book(shard).change(change.list, key, microseconds_of(change.at), change.listed, until)

    def learn(self, shard: int, entry: bytes) -> None:
        """Put changes into effect once more."""
        for payload in msgspec.msgpack.decode(entry, type=list[bytes]):
            self._obey(shard, payload)

    def snapshot(self, shard: int) -> bytes:
        """Every entry that can still be asked about."""
        return packed(_OF, {"lists": self._book(shard).dump()}, {})

    def restore(self, shard: int, snapshot: bytes) -> None:
        """Know what a snapshot knew."""
        self._books.pop(shard, None)
        if snapshot:
            self._book(shard).load(unpacked(_OF, snapshot)[0]["lists"])

"""A stage of windows: the past of one entity per key, read and learned."""

import msgspec
import numpy as np

from tidegate.decisions.plan import AT as AT_COLUMN
from tidegate.decisions.plan import LEARN, READ
from tidegate.decisions.wording import Wording
from tidegate.features.plan import MISSING
from tidegate.features.windows import Windows
from tidegate.runtimes.stages.bench import Bench, forwarded
from tidegate.runtimes.stages.rows import AT, FLAGS, KIND, ON, Rows, Words
from tidegate.runtimes.stages.stage import Output, packed, unpacked
from tidegate.runtimes.stages.staging import Staging, shards_of
from tidegate.runtimes.stages.window_stage import WindowStage
from tidegate.runtimes.stages.worded import Worded, worded


class _Entry(msgspec.Struct, array_like=True):
    """What a batch leaves behind: kinds and flags, times, keys and values, a column each; the wording of texts."""

    cells: bytes
    texts: dict[int, str] = {}


class WindowsAt:
    """The streams read under one key.

    Args:
        staging: of the flow.
        stage: which.
    """

    def __init__(self, staging: Staging, stage: WindowStage) -> None:
        self._staging, self._stage, self._bench = staging, stage, Bench(staging)
        self._memory = max(w.last + w.delay for s in stage.streams for w in s.windows)
        self._shards: dict[int, tuple[Windows, Wording]] = {}
        self._numbers = np.array(stage.kinds, np.int64)
        self._known = 1 + len(stage.keys) + len(stage.values)
        self._looked = np.array([*stage.keys, *stage.values], np.int64)
        place = {int(column): staging.first + i for i, column in enumerate(staging.carried)}
        width = staging.width(stage.number)
        found = [place.get(column, width) for column in self._looked.tolist()]
        self._carried = np.array(found, np.int64) if max(found) < width else None
        """Where a row has what the windows look at, unless it has to be computed."""
        self._make(256)

    def _make(self, capacity: int) -> None:
        self._cells = np.full((self._stage.columns, capacity), MISSING, np.int64)
        self._kinds, self._flags = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)

    def _room(self, n: int) -> None:
        if n > len(self._kinds):
            self._make(1 << (n - 1).bit_length())

    def _shard(self, shard: int) -> tuple[Windows, Wording]:
        if shard not in self._shards:
            windows = Windows(self._stage.streams, lateness=0)  # rows come in the order of their times
            self._shards[shard] = windows, Wording(self._memory)
        return self._shards[shard]

    def take(self, shard: int, rows: Rows) -> Output:
        """Read and learn; rows that go on get what the windows say."""
        n, texts = len(rows), dict[int, str]()
        self._lay(shard, rows.words)
        entry = _Entry(np.concatenate([self._marks(n), self._cells[: self._known, :n]]).tobytes(), texts)
        for payload in rows.payloads if self._stage.texts else ():
            texts.update(worded(payload).texts)
        self._run(shard, n, texts)
        on = np.flatnonzero(rows.words[:, FLAGS] & ON)
        going = [self._going(shard, rows, on)] if len(on) else []
        self._age(shard)
        return Output(going, entry=msgspec.msgpack.encode(entry))

    def _going(self, shard: int, rows: Rows, on: Words) -> Rows:
        said = self._cells[np.array(self._stage.said)][:, on].T
        going = Rows(np.concatenate([rows.words[on], said], axis=1), [rows.payloads[i] for i in on.tolist()])
        if self._stage.texts:
            told = zip(going.payloads, said.tolist(), strict=True)
            going.payloads = [self._told(shard, payload, cells) for payload, cells in told]
        return forwarded(self._staging, going, self._stage.number + 1)

    def _lay(self, shard: int, words: Words) -> None:
        """Bring what the windows look at into their cells; keys of other shards are missing here."""
        n = len(words)
        self._room(n)
        cells = self._cells
        cells[AT_COLUMN, :n] = words[:, AT]
        if self._carried is not None:
            cells[1 : self._known, :n] = words[:, self._carried].T
        else:
            self._bench.lay(words)
            cells[1 : self._known, :n] = self._bench.cells[self._looked, :n]
        for copy in range(1, 1 + len(self._stage.keys)):
            cells[copy, :n][shards_of(cells[copy, :n], self._staging.shards) != shard] = MISSING
        self._kinds[:n] = self._numbers[words[:, KIND]]
        self._flags[:n] = words[:, FLAGS] & (READ | LEARN)

    def _marks(self, n: int) -> Words:
        return (self._kinds[:n] << 2 | self._flags[:n])[None, :]

    def _run(self, shard: int, n: int, texts: dict[int, str]) -> None:
        windows, wording = self._shard(shard)
        windows.run(self._cells, self._kinds, self._flags, n)
        if self._stage.texts:
            for cell, text in texts.items():
                wording[cell] = text

    def _age(self, shard: int) -> None:
        """Forget texts that no later batch can ask for; those of this one have been told."""
        if self._stage.texts:
            windows, wording = self._shard(shard)
            wording.age(windows.clock)

    def _told(self, shard: int, payload: bytes, said: list[int]) -> bytes:
        """The payload, and the wording of every text that the windows gave back."""
        known, wording = worded(payload), self._shards[shard][1]
        of = dict(zip(self._stage.outs, said, strict=True))
        more = {of[out]: wording[of[out]] for out in self._stage.texts if of[out] in wording}
        return msgspec.msgpack.encode(Worded(known.body, known.texts | more))

    def learn(self, shard: int, entry: bytes) -> None:
        """Read and learn once more: reading moves windows too."""
        kept = msgspec.msgpack.decode(entry, type=_Entry)
        words = np.frombuffer(kept.cells, np.int64).reshape(1 + self._known, -1)
        n = words.shape[1]
        self._room(n)
        self._kinds[:n], self._flags[:n] = words[0] >> 2, words[0] & (READ | LEARN)
        self._cells[: self._known, :n] = words[1:]
        self._run(shard, n, kept.texts)
        self._age(shard)

    def snapshot(self, shard: int) -> bytes:
        """The windows, and the wording of texts."""
        windows, wording = self._shard(shard)
        return packed(self._stage.meaning, {"words": list(wording.items())}, windows.snapshot())

    def restore(self, shard: int, snapshot: bytes) -> None:
        """Know what a snapshot knew."""
        self._shards.pop(shard, None)
        if snapshot:
            header, arrays = unpacked(self._stage.meaning, snapshot)
            windows, wording = self._shard(shard)
            windows.restore(arrays)
            wording.update((int(cell), text) for cell, text in header["words"])

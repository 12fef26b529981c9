"""A stage of windows: the past of one entity per key, read and learned."""

import hashlib
from dataclasses import astuple

import msgspec
import numpy as np

from tidegate.decisions.wording import Wording
from tidegate.features.plan import MISSING
from tidegate.features.windows import Windows
from tidegate.runtimes.stages.bench import Bench, forwarded
from tidegate.runtimes.stages.rows import FLAGS, ON, Rows
from tidegate.runtimes.stages.stage import Output, packed, unpacked
from tidegate.runtimes.stages.staging import Staging, WindowStage, shards_of
from tidegate.runtimes.stages.worded import Worded, worded


class WindowsAt:
    """The streams read under one key.

    Args:
        staging: of the flow.
        stage: which.
    """

    def __init__(self, staging: Staging, stage: WindowStage) -> None:
        self._staging, self._stage, self._bench = staging, stage, Bench(staging)
        self._memory = staging.plan.lateness + max(w.last + w.delay for s in stage.streams for w in s.windows)
        self._kept: dict[int, tuple[Windows, Wording]] = {}
        plans = repr([astuple(stream) for stream in stage.streams])
        self._of = hashlib.sha256(plans.encode()).hexdigest()

    def _shard(self, shard: int) -> tuple[Windows, Wording]:
        if shard not in self._kept:
            windows = Windows(self._stage.streams, lateness=self._staging.plan.lateness)
            self._kept[shard] = windows, Wording(self._memory)
        return self._kept[shard]

    def take(self, shard: int, rows: Rows) -> Output:
        """Read and learn; rows that go on get what the windows say."""
        on = np.flatnonzero(rows.words[:, FLAGS] & ON)
        said = self._run(shard, rows)
        going = rows.take(on)
        if len(on):
            going.words[:, self._staging.places[self._stage.number]] = said[:, on].T
            if self._stage.texts:
                going.payloads = [
                    self._told(shard, payload, said[:, i])
                    for payload, i in zip(going.payloads, on.tolist(), strict=True)
                ]
            forwarded(self._staging, going, self._stage.number + 1)
        return Output(going, entry=self._entry(rows))

    def _run(self, shard: int, rows: Rows) -> np.ndarray:
        bench, stage, n = self._bench, self._stage, len(rows)
        windows, wording = self._shard(shard)
        bench.lay(rows.words)
        for key, copy in zip(stage.keys, stage.copies, strict=True):
            cells = bench.cells[key, :n]
            bench.cells[copy, :n] = np.where(shards_of(cells, self._staging.shards) == shard, cells, MISSING)
        windows.run(bench.cells, bench.kinds, bench.flags, n)
        if stage.texts:
            for payload in rows.payloads:
                for cell, text in worded(payload).texts.items():
                    wording[cell] = text
            wording.age(windows.clock)
        return bench.cells[np.array(stage.outs), :n]

    def _told(self, shard: int, payload: bytes, said: np.ndarray) -> bytes:
        """The payload, and the wording of every text that the windows gave back."""
        known, wording = worded(payload), self._kept[shard][1]
        of = dict(zip(self._stage.outs, said.tolist(), strict=True))
        more = {of[out]: wording[of[out]] for out in self._stage.texts if of[out] in wording}
        return msgspec.msgpack.encode(Worded(known.body, known.texts | more))

    def _entry(self, rows: Rows) -> bytes:
        """What is needed to take the rows once more: all but what other stages said, and the event itself."""
        lean = (
            [msgspec.msgpack.encode(Worded(b"", worded(p).texts)) for p in rows.payloads] if self._stage.texts else []
        )
        return Rows(rows.words, lean or [b""] * len(rows)).pack()

    def learn(self, shard: int, entry: bytes) -> None:
        """Read and learn once more: reading moves windows too."""
        self._run(shard, Rows.unpack(entry))

    def snapshot(self, shard: int) -> bytes:
        """The windows, and the wording of texts."""
        windows, wording = self._shard(shard)
        return packed(self._of, {"words": list(wording.items())}, windows.snapshot())

    def restore(self, shard: int, snapshot: bytes) -> None:
        """Know what a snapshot knew."""
        self._kept.pop(shard, None)
        if snapshot:
            header, arrays = unpacked(self._of, snapshot)
            windows, wording = self._shard(shard)
            windows.restore(arrays)
            wording.update((int(cell), text) for cell, text in header["words"])

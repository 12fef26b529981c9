"""A stage as Flink's keyed function: one batch a call, its state a snapshot and a log in Flink's keyed state."""

from collections.abc import Iterator
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor

from tidegate.errors import FlowError
from tidegate.runtimes.flink import builtin_print  # noqa: F401  before all that imports Numba
from tidegate.runtimes.flink.job import Job, made, stage_of
from tidegate.runtimes.flink.orphans import end_with_parent
from tidegate.runtimes.flink.outgoing import answers, letters
from tidegate.runtimes.stages.rows import SHARD, Rows
from tidegate.runtimes.stages.stage import Stage

ROWS, RECORDS = 0, 1
"""What an output is: rows for other stages, or records for Kafka."""

_LEAST = 1 << 20
"""Bytes of log below which no snapshot is taken."""


class StageFunction(KeyedProcessFunction):  # type: ignore[misc]
    """Runs a stage on one shard's batches. What Python holds is made from the state when it is first asked for.

    Args:
        job: what is run.
        number: which stage.
    """

    def __init__(self, job: Job, number: int) -> None:
        self._job, self._number = job, number

    def open(self, runtime_context: RuntimeContext) -> None:
        """Load the flow; a worker without its Java process has nothing to live for."""
        end_with_parent()
        flow, staging = made(self._job)
        if flow.definition.digest != self._job.digest:
            raise FlowError(
                f"{self._job.flow} is another flow here than where the job was submitted.",
                seen=flow.definition.digest,
                do="Put the same file on every machine.",
            )
        self._stage: Stage = stage_of(self._job, flow, staging, self._number)
        plain = Types.PRIMITIVE_ARRAY(Types.BYTE())
        self._snapshot = runtime_context.get_state(ValueStateDescriptor("snapshot", plain))
        self._log = runtime_context.get_list_state(ListStateDescriptor("log", plain))
        self._sizes: dict[int, list[int]] = {}

    def process_element(self, value: Any, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Take one batch of one shard."""
        rows = Rows.unpack(value)
        shard = int(rows.words[0, SHARD])
        sizes = self._sizes.get(shard) or self._restored(shard)
        out = self._stage.take(shard, rows)
        if out.entry:
            self._log.add(out.entry)
            sizes[1] += len(out.entry)
            if sizes[1] > max(_LEAST, sizes[0]):
                self._compact(shard, sizes)
        for sent in out.rows:
            yield Row(ROWS, sent.pack())
        if out.answers:
            yield Row(RECORDS, answers(self._job, out.answers))
        if out.refused:
            yield Row(RECORDS, letters(self._job, out.refused))

    def _restored(self, shard: int) -> list[int]:
        """Know what Flink kept of a shard; gives the sizes of its snapshot and its log."""
        snapshot = self._snapshot.value() or b""
        self._stage.restore(shard, snapshot)
        sizes = self._sizes[shard] = [len(snapshot), 0]
        for entry in self._log.get() or ():
            self._stage.learn(shard, entry)
            sizes[1] += len(entry)
        return sizes

    def _compact(self, shard: int, sizes: list[int]) -> None:
        snapshot = self._stage.snapshot(shard)
        self._snapshot.update(snapshot)
        self._log.clear()
        sizes[:] = len(snapshot), 0

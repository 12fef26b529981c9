"""What traces are told of a transaction: what was read from where, what came of it, and how long each stage took."""

from collections import Counter
from collections.abc import Mapping, Sequence
from time import time_ns
from types import TracebackType
from typing import Any, Self

from tidegate.connectors.kafka.partition import Arrived, Spot, offset_of
from tidegate.connectors.traces import Attributes, Traces, Transaction
from tidegate.decisions.decision import Decision
from tidegate.errors import StreamError
from tidegate.events.event import Event
from tidegate.runtimes.engine import Refused

PARENT = "traceparent"
"""The header by which a message names the span that sent it (W3C Trace Context)."""
_STAGES = ("read", "decide", "produce", "commit", "keep")


class Tracing:
    """Tells of the transactions of a stream.

    Args:
        traces: are told; None if nobody wants to know.
        group: of the stream.
        topics: that are read.
    """

    def __init__(self, traces: Traces | None, group: str, topics: Sequence[str]) -> None:
        self._traces = traces
        self._name = f"process {','.join(topics)}"
        self._always: Attributes = {
            "messaging.system": "kafka", "messaging.operation.name": "process", "messaging.operation.type": "process",
            "messaging.consumer.group.name": group,
        }  # fmt: skip

    def begin(
        self, arrived: Sequence[Arrived], before: Mapping[Spot, int], after: Mapping[Spot, int], began: int
    ) -> "Trace":
        """Begin to tell of a transaction.

        Args:
            arrived: its messages.
            before, after: the positions from which and up to which they were read.
            began: when the first of them was there, in nanoseconds since 1970 UTC.
        """
        if self._traces is None:
            return Trace(None)
        read = {spot: (first, after[spot]) for spot, first in before.items() if after[spot] != first}
        about = {
            **self._always,
            "messaging.batch.message_count": len(arrived),
            "tidegate.partitions": [f"{topic}/{partition}" for topic, partition in read],
            "tidegate.offsets.first": [first for first, _ in read.values()],
            "tidegate.offsets.next": [end for _, end in read.values()],
        }
        topics = {topic for topic, _ in read}
        if len(topics) == 1:
            about["messaging.destination.name"] = topics.pop()
        if len(read) == 1:
            about["messaging.destination.partition.id"] = str(next(iter(read))[1])
        made = Trace(self._traces.transaction(self._name, began, map(_sent_by, arrived), about))
        made.stage("read")
        return made


class Trace:
    """What is told of one transaction; nothing, where it is not traced. A block that it is used for may fail."""

    def __init__(self, told: Transaction | None) -> None:
        self._told, self._past = told, 0

    def stage(self, name: str) -> None:
        """A stage has ended just now: the next one of `read`, `decide`, `produce`, `commit` and `keep`."""
        if self._told is not None:
            self._told.stage(name, time_ns())
            self._past += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._told is not None:
            # What others raise may tell of what is in an event.
            why, now = str(error) if isinstance(error, StreamError) else type(error).__name__, time_ns()
            self._told.stage(_STAGES[self._past], now, why)
            self._told.end(now, {"error.type": type(error).__name__}, why)

    def end(self, answers: Sequence[Any], letters: int, records: int) -> None:
        """It is committed and kept: this is the last that is told.

        Args:
            answers: of the engine.
            letters: how many dead letters there are.
            records: how many records it added.
        """
        if self._told is not None:
            counts = Counter(map(_counted, answers))
            self._told.end(
                time_ns(),
                {f"tidegate.{name}": many for name, many in counts.items()}
                | {"tidegate.dead_letters": letters, "tidegate.records": records},
            )

    def headers(self, given: Sequence[tuple[str, bytes | None]]) -> Sequence[tuple[str, bytes | None]]:
        """The headers of a decision, of those that its event came with.

        By whom the event was sent is given on, so that the decision belongs to the same trace; where nobody says it,
        this transaction is named.
        """
        if self._told is None or any(name == PARENT for name, _ in given):
            return given
        return [*given, (PARENT, self._told.header)]


def _counted(answer: Any) -> str:
    """What an answer counts as: `decisions.decline`, `repeated`, `refused` or `learned`."""
    if isinstance(answer, Refused):
        return "repeated" if answer.erased else "refused"
    if answer.repeated:
        return "repeated"
    return f"decisions.{answer.outcome}" if isinstance(answer, Decision) else "learned"


def _sent_by(one: Arrived) -> tuple[str, Attributes]:
    """By what a message was sent, as its last such header says, and what a link to it says of the message."""
    headers: Any = one.message.headers() or ()
    parent = next((value for name, value in reversed(headers) if name == PARENT and value), b"").decode("latin-1")
    if not parent:
        return "", {}
    about: dict[str, str | int] = {
        "messaging.destination.name": one.message.topic() or "",
        "messaging.destination.partition.id": str(one.message.partition()),
        "messaging.kafka.offset": offset_of(one.message),
    }
    return parent, about | {"tidegate.id": one.what.id} if isinstance(one.what, Event) else about

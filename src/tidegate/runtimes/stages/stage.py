"""What every stage is: rows in, rows on and answers out, and a state for each shard."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import numpy as np

from tidegate.errors import SnapshotError
from tidegate.runtimes.stages.rows import Rows


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """An event that was not taken: where it stood, why, and what came: None, of a message without a value."""

    source: int
    offset: int
    reason: str
    code: str
    body: bytes | None


class Answered(msgspec.Struct, frozen=True, gc=False):
    """An event's id, and the decision on it as JSON."""

    id: str
    decision: bytes


@dataclass
class Output:
    """What a stage gives: rows that go on, those to one stage together; answers, refusals; what its log has to keep."""

    rows: list[Rows] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    repeated: int = 0
    entry: bytes = b""


class Stage(Protocol):
    """One stage of a flow, in shards. Rows come in the total order; where they are cut into batches changes nothing."""

    def take(self, shard: int, rows: Rows) -> Output:
        """Take some rows."""

    def learn(self, shard: int, entry: bytes) -> None:
        """Take once more what an output's entry kept, without giving anything out."""

    def snapshot(self, shard: int) -> bytes:
        """All that a shard knows."""

    def restore(self, shard: int, snapshot: bytes) -> None:
        """Know what a snapshot knew; of an empty one, nothing.

        Raises:
            SnapshotError: it is of another stage, or damaged.
        """


class _Kept(msgspec.Struct, frozen=True):
    of: str
    header: dict[str, Any]
    arrays: dict[str, tuple[str, tuple[int, ...], bytes]]


def packed(of: str, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """A state as bytes; `of` says of what."""
    plain = {name: (a.dtype.str, a.shape, np.ascontiguousarray(a).tobytes()) for name, a in arrays.items()}
    return msgspec.msgpack.encode(_Kept(of, header, plain))


def unpacked(of: str, data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `packed` was given.

    Raises:
        SnapshotError: the state is of something else, or damaged.
    """
    try:
        kept = msgspec.msgpack.decode(data, type=_Kept)
        arrays = {n: np.frombuffer(raw, dtype).reshape(shape).copy() for n, (dtype, shape, raw) in kept.arrays.items()}
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise SnapshotError("The state of a stage cannot be read.", seen=str(error)) from None
    if kept.of != of:
        raise SnapshotError(
            "The state is of another flow: what this stage keeps is defined otherwise now.",
            seen=f"{kept.of}, where {of} is running",
            do="Start without the savepoint, from the beginning of the topics: the state is made again by replay.",
        )
    return kept.header, arrays

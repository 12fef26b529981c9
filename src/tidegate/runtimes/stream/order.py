"""The order: for each batch that was committed, in which sequence its messages were taken, and on what they rested."""

import zlib
from array import array
from collections.abc import Mapping, Sequence

import msgspec

from tidegate.connectors.kafka.partition import Spot
from tidegate.errors import StreamError

VERSION = 1
ERASING = 2
"""The version of an order of no batch, that holds a statement of erasure."""
_MOST_PARTITIONS = 2**15


class Stretch(msgspec.Struct, array_like=True, frozen=True):
    """What was read of one partition: offsets from `start` until before `end`; `end` is where to go on."""

    topic: str
    partition: int
    start: int
    end: int


class Order(msgspec.Struct, array_like=True, frozen=True):
    """One batch.

    Args:
        version: of this form.
        seq: records in the store's log before it.
        root: of that log.
        flow: digest of the flow that decided, models included.
        records: that it added.
        stretches: of every partition that is read; most are empty in most batches.
        turns: for each message, in order, twice the place of its partition in `stretches`, and one more if it was
            passed over without being given to the engine; 16 bits each, little-endian, compressed.
        erasure: the statement of erasure that is the order's one record; empty in that of a batch.
        group: the consumer group that decides; empty in what earlier versions wrote.
        refused: refusals in the store's log after it; -1 where that is not said, as in an erasure.
    """

    version: int
    seq: int
    root: bytes
    flow: bytes
    records: int
    stretches: list[Stretch]
    turns: bytes
    erasure: bytes = b""
    group: str = ""
    refused: int = -1

    @property
    def positions(self) -> dict[Spot, int]:
        """Where each partition is to be read on."""
        return {(one.topic, one.partition): one.end for one in self.stretches}

    @property
    def starts(self) -> dict[Spot, int]:
        """Where each partition was read from."""
        return {(one.topic, one.partition): one.start for one in self.stretches}

    def sequence(self) -> tuple[list[int], list[bool]]:
        """For each message the place of its partition, and whether it was passed over."""
        turns = array("H", zlib.decompress(self.turns))
        return [turn >> 1 for turn in turns], [bool(turn & 1) for turn in turns]


def stretches(before: Mapping[Spot, int], after: Mapping[Spot, int]) -> list[Stretch]:
    """What was read, from the positions before and after."""
    return [Stretch(*spot, before[spot], end) for spot, end in after.items()]


def turns(places: Sequence[int], passed: Sequence[bool]) -> bytes:
    """The sequence of a batch as `Order.turns` holds it.

    Raises:
        StreamError: there are more partitions than it can name.
    """
    if places and max(places) >= _MOST_PARTITIONS:
        raise StreamError(f"No more than {_MOST_PARTITIONS:,} partitions can be read.", seen=str(max(places) + 1))
    packed = array("H", [place << 1 | over for place, over in zip(places, passed, strict=True)])
    return zlib.compress(packed.tobytes(), 1)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Order).decode


def written(order: Order) -> bytes:
    """The order as it lies on its topic: a MessagePack array."""
    return _encode(order)


def read(data: bytes | None, where: str) -> Order:
    """The order in a message.

    Raises:
        StreamError: it is none, or of another version.
    """
    try:
        found = _decode(data or b"")
    except msgspec.DecodeError as error:
        raise StreamError(
            f"{where} holds no order of a stream.", seen=str(error), do="Name the order topic with --order."
        ) from None
    if found.version not in (VERSION, ERASING):
        raise StreamError(
            f"{where} was written by another version of Tidegate.", seen=f"form {found.version}, not {VERSION}"
        )
    return found

"""The record: what is kept of one event and its decision, and the bytes of it that the log seals."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

READ = 1
"""Flag of an entry: it was decided on (its windows were read)."""
LEARN = 2
"""Flag of an entry: it was learned into the windows of later events."""


class Entry(msgspec.Struct, gc=False):
    """One event, and the decision on it if there was one, as handed to a store. The store gives the sequence number.

    Args:
        id: the event's own id, unique in a store.
        kind: the name of the event type.
        at: event time, microseconds since 1970 UTC.
        digest: 32 bytes that stand for the event's content; the same id with another digest is another event.
        body: the event as it came.
        answer: what the caller was told (JSON), None when the event was only learned.
        record: what is needed, beside the event and its past, to make the decision again.
        outcome, level, score, alarm: of the decision, kept apart so that decisions can be searched. A score that is
            NaN is kept as None.
        flow: digest of the flow that decided.
        elapsed: how long each stage took (see `evidence.elapsed`). The one part the seal leaves out: it may differ when
            a decision is remade.
        flags: READ and LEARN.
    """

    id: str
    kind: str
    at: int
    digest: bytes
    body: bytes
    answer: bytes | None = None
    record: bytes = b""
    outcome: str | None = None
    level: str | None = None
    score: float | None = None
    alarm: bool = False
    flow: bytes = b""
    elapsed: bytes = b""
    flags: int = READ | LEARN


class Stored(msgspec.Struct, gc=False, frozen=True):
    """An entry as a store gives it back, under its sequence number (from 1)."""

    seq: int
    id: str
    kind: str
    at: int
    flags: int
    outcome: str | None
    level: str | None
    score: float | None
    alarm: bool
    digest: bytes
    flow: bytes
    body: bytes
    answer: bytes | None
    record: bytes
    elapsed: bytes


class Event(msgspec.Struct, gc=False, frozen=True):
    """What recovery needs of a stored event to learn it again, in order of `seq`."""

    seq: int
    id: str
    kind: str
    at: int
    flags: int
    outcome: str | None
    digest: bytes
    body: bytes


class Found(msgspec.Struct, gc=False, frozen=True):
    """What is known of an id seen before: its content's digest, the first answer (None: learned only), its place."""

    digest: bytes
    answer: bytes | None
    seq: int


class Listed(msgspec.Struct, gc=False, frozen=True):
    """One decision in a list; `at` in microseconds since 1970 UTC."""

    seq: int
    id: str
    kind: str
    at: int
    outcome: str | None
    level: str | None
    score: float | None
    alarm: bool


class Refusal(msgspec.Struct, gc=False, frozen=True):
    """An event that was not taken: its id, the digest of its content, why, and its time in microseconds since 1970."""

    id: str
    digest: bytes
    reason: str
    at: int


class TreeHead(msgspec.Struct, gc=False, frozen=True):
    """The state of the log in 32 bytes: `root` is the Merkle tree hash over its first `size` records."""

    size: int
    root: bytes


class HeadRow(msgspec.Struct, gc=False, frozen=True):
    """The tree head of one commit, and the leaf hashes (32 bytes each) of the records that it added."""

    size: int
    root: bytes
    leaves: bytes


Row = tuple[object, ...]
"""A record as it lies in the table `records`: the columns of `tables.RECORDS`, in that order."""

SEALED = 14
"""How many leading columns of a `Row` the seal covers: all but `elapsed`."""

_encoder = msgspec.msgpack.Encoder()


def sealed(row: Row) -> bytes:
    """The canonical bytes of a record: a MessagePack array of its columns up to `elapsed`, in the table's order.

    MessagePack tags every value with its type and its length, so no two different records have the same bytes, and
    anyone with a MessagePack library can write them again. Integers take the shortest form, the score 64 bits.
    """
    return _encoder.encode(row[:SEALED])


def leaf(row: Row) -> bytes:
    """The record's leaf hash in the log: SHA-256(0x00 || sealed(row))."""
    return sha256(b"\x00" + _encoder.encode(row[:SEALED])).digest()


def seal(batch: Sequence[Entry], size: int) -> tuple[list[Row], list[bytes]]:
    """The rows and the leaf hashes of entries that are appended to a log of `size` records."""
    rows: list[Row] = []
    leaves: list[bytes] = []
    encode, hashed = _encoder.encode_into, bytearray(b"\x00")  # what is hashed is written in one piece, see `leaf`
    for seq, entry in enumerate(batch, size + 1):
        score = entry.score
        if score is not None:
            # A database keeps neither NaN nor the sign of a zero; what is sealed must be what can be read again.
            score = float(score) + 0.0
            if score != score:
                score = None
        row = (
            seq,
            entry.id,
            entry.kind,
            entry.at,
            entry.flags,
            entry.outcome,
            entry.level,
            score,
            1 if entry.alarm else 0,
            entry.digest,
            entry.flow,
            entry.body,
            entry.answer,
            entry.record,
        )
        encode(row, hashed, 1)
        leaves.append(sha256(hashed).digest())
        rows.append((*row, entry.elapsed))
    return rows, leaves


def entry_of(row: Sequence[Any]) -> Entry:
    """The entry that a whole row was made of, `elapsed` included."""
    _, id, kind, at, flags, outcome, level, score, alarm, digest, flow, body, answer, record, elapsed = row
    return Entry(id, kind, at, digest, body, answer, record, outcome, level, score, bool(alarm), flow, elapsed, flags)

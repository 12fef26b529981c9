"""Erasing what a record says, and leaving the log verifiable.

A record's leaf hash covers all of it, so it stays where it is, and only what it is the hash of goes: the event, the
answer and what the decision rested on. The hashes above it do not change. What was erased and why is a record of its
own, a *statement of erasure*, sealed in the same log, which also seals what is left of each record that it names. So an
erased record can be told from one that somebody emptied.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol

import msgspec

from tidegate.events.times import microseconds_of
from tidegate.evidence.record import Entry, Row, Stored, leaf
from tidegate.evidence.tables import RECORDS

KIND = "Erasure"
"""What a store calls a statement of erasure; no event type of a flow may be named so in a store that is erased from."""
MOST = 10_000
"""Records that one statement names at most."""

_PLACE = {name: place for place, (name, _, _) in enumerate(RECORDS)}
_BODY, _ANSWER, _RECORD = _PLACE["body"], _PLACE["answer"], _PLACE["record"]


class Erasure(msgspec.Struct, frozen=True):
    """A statement of erasure.

    Args:
        what: which records were chosen, in words that do not name the person.
        why: the reason, as those who asked for it gave it.
        at: when, in UTC.
        seqs: the numbers of the records.
        left: the leaf hashes of what is left of them, in the same order (hexadecimal, 64 characters each).
    """

    what: str
    why: str
    at: datetime
    seqs: list[int]
    left: str


class Erasable(Protocol):
    """What is needed of a store to know what was erased."""

    def of_kind(self, kind: str) -> Iterable[Stored]:
        """The records of one kind."""
        ...


def blank(row: Row) -> Row:
    """What is left of a record: its number, id, type, time, outcome and digests, and nothing that it said."""
    values = list(row)
    values[_BODY], values[_ANSWER], values[_RECORD] = b"", None, b""
    return tuple(values)


def is_blank(record: Row | Stored) -> bool:
    """Whether a record says nothing any more; every event has a body when it is kept."""
    if isinstance(record, Stored):
        return not record.body and record.answer is None
    return record[_BODY] == b"" and record[_ANSWER] is None


def statement(rows: Sequence[Row], what: str, why: str, at: datetime) -> Entry:
    """The entry that says that these records, as they lie in the table, are erased."""
    left = "".join(leaf(blank(row)).hex() for row in rows)
    seqs = [int(str(row[0])) for row in rows]
    body = msgspec.json.encode(Erasure(what, why, at, seqs, left))
    digest = sha256(body).digest()
    name = f"erasure-{seqs[0]}-{digest.hex()[:12]}"
    return Entry(name, KIND, microseconds_of(at), digest, body, flags=0)


def erasures(store: Erasable) -> Iterable[tuple[Stored, Erasure]]:
    """The statements of erasure in a store; those that cannot be read are passed over, as their seal tells of them."""
    for record in store.of_kind(KIND):
        try:
            yield record, msgspec.json.decode(record.body, type=Erasure)
        except msgspec.DecodeError:
            continue


def seqs_of(body: bytes) -> list[int]:
    """The numbers of the records that a statement, as it is kept, says are erased; none where it cannot be read."""
    try:
        return msgspec.json.decode(body, type=Erasure).seqs
    except msgspec.DecodeError:
        return []


def left_of(store: Erasable) -> dict[int, bytes]:
    """The leaf hash of what is left, of every record that was erased."""
    found: dict[int, bytes] = {}
    for _, said in erasures(store):
        hashes = bytes.fromhex(said.left)
        found |= {seq: hashes[32 * place : 32 * place + 32] for place, seq in enumerate(said.seqs)}
    return found


def why_erased(store: Erasable, record: Stored) -> str:
    """When and why a record that says nothing any more was erased, in words; empty where no statement names it."""
    for kept, said in erasures(store):
        if record.seq in said.seqs:
            return f"{said.at:%Y-%m-%d %H:%M} UTC, {said.what}: {said.why} (record {kept.seq}, {kept.id})"
    return ""

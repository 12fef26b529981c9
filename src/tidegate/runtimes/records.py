"""What is kept of a decision beside its event and its answer: enough to make it again."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from tidegate.decisions.answer import EDITION
from tidegate.decisions.decider import Decider
from tidegate.decisions.drl.plan import DrlAnswer


class Record(msgspec.Struct, array_like=True):
    """What a decision rests on beside the event itself: enough to make it again.

    `past` holds the cells that came from windows and lists, in the order of `Plan.remembered`; `words` the texts that
    windows gave back; `cap` which of the flow's limits applied (-1: none); `overdue` that the deadline had passed;
    `silenced` the rules that were silent, and why; `packages` what packages of rules said;
    `edition` that of the answer's words (see `decisions.answer.EDITION`).
    """

    past: bytes
    words: dict[int, str]
    cap: int = -1
    overdue: bool = False
    edition: int = 1
    silenced: dict[str, str] = {}
    packages: tuple[DrlAnswer, ...] = ()


class SourcedRecord(Record, array_like=True):
    """A record of an event that came with a schema: `schema` is its id in the registry."""

    schema: int = 0


_ENCODER = msgspec.msgpack.Encoder()


def with_schema(record: bytes, id: int) -> bytes:
    """A record, and the id of the schema that its event was written with."""
    held = msgspec.msgpack.decode(record, type=Record)
    return _ENCODER.encode(SourcedRecord(**msgspec.structs.asdict(held), schema=id))


def schema_of(record: bytes) -> int:
    """The id of the schema that an event was written with, as its record has it; 0 if it came without."""
    try:
        return msgspec.msgpack.decode(record, type=SourcedRecord).schema
    except msgspec.DecodeError:
        return 0


_NOTHING = _ENCODER.encode(Record(b"", {}, edition=EDITION))[3:]
"""What follows the past in a record with nothing else to tell: all after the three bytes that an empty past takes."""


def make_records(decider: Decider, n: int, overdue: Sequence[bool] = ()) -> list[bytes]:
    """The records of decisions that were just made in the first `n` rows; `overdue` marks those past their deadline."""
    past, size = decider.past(n), 8 * len(decider.remembered)
    pasts = [past[start : start + size] for start in range(0, n * size, size)] if size else [b""] * n
    if decider.words or decider.limited or decider.silenced or decider.packages or overdue:
        return [_record(decider, row, past, bool(overdue) and overdue[row]) for row, past in enumerate(pasts)]
    head = _before_past(size)
    return [head + past + _NOTHING for past in pasts]


@lru_cache(maxsize=16)
def _before_past(size: int) -> bytes:
    """What stands before the past, of so many bytes, in a record."""
    return _ENCODER.encode(Record(bytes(size), {}, edition=EDITION))[: -len(_NOTHING) - size]


def _record(decider: Decider, row: int, past: bytes, overdue: bool) -> bytes:
    words = {cell: decider.words[cell] for cell in memoryview(past).cast("q") if cell in decider.words}
    limited, silenced = decider.limited.get(row, -1), decider.silenced.get(row, {})
    said = tuple(package.answers[row] for package in decider.packages)
    return _ENCODER.encode(Record(past, words, limited, overdue, EDITION, silenced, said))


def edition_of(record: bytes) -> int:
    """The edition of the words of the answer that a record is of; the first if it cannot be read."""
    try:
        return msgspec.msgpack.decode(record, type=Record).edition
    except msgspec.DecodeError:
        return 1

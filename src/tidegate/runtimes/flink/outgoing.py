"""Records for Kafka, packed for the Java side to cut: each its length, then parts of bytes after their lengths.

The length of a part that is not there is -1.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from struct import Struct

from tidegate.runtimes.flink.job import Job
from tidegate.runtimes.letter_headers import NAMES, PREFIX
from tidegate.runtimes.stages.stage import Answered, Refusal

_LENGTH = Struct(">i").pack
_LOW = 2**32 - 1


def record(parts: Sequence[bytes | None]) -> bytes:
    """One record: topic, key, value, and then the names and values of headers in turn."""
    pieces = ((_LENGTH(-1), b"") if part is None else (_LENGTH(len(part)), part) for part in parts)
    packed = b"".join(chain.from_iterable(pieces))
    return _LENGTH(len(packed)) + packed


def answers(job: Job, given: Iterable[Answered]) -> bytes:
    """Decisions, by the event's id."""
    topic = record((job.output.encode(),))[4:]
    pieces: list[bytes] = []
    for one in given:
        key, value = one.id.encode(), one.decision
        long = len(topic) + len(key) + len(value) + 8
        pieces += (_LENGTH(long), topic, _LENGTH(len(key)), key, _LENGTH(len(value)), value)
    return b"".join(pieces)


def letters(job: Job, refused: Iterable[Refusal]) -> bytes:
    """Dead letters: the bytes that came, without their key; reason and place in headers, as of a stream."""
    topic = job.dead_letters.encode()
    return b"".join(record((topic, b"", one.body, *_headers(job, one))) for one in refused)


def _headers(job: Job, one: Refusal) -> list[bytes]:
    topic, partition = job.inputs[one.source >> 32].topic, str(one.source & _LOW)
    said = zip(NAMES, (one.code, one.reason, topic, partition, str(one.offset), "-1"), strict=True)
    return [part.encode() for name, value in said for part in (PREFIX + name, value)]

"""Records for Kafka, packed for the Java side to cut: each its length, then parts of bytes after their lengths."""

from collections.abc import Iterable, Sequence
from struct import Struct

from tidegate.runtimes.flink.job import Job
from tidegate.runtimes.stages.stage import Answered, Refusal

_LENGTH = Struct(">i").pack
_LOW = 2**32 - 1


def record(parts: Sequence[bytes]) -> bytes:
    """One record: topic, key, value, and then the names and values of headers in turn."""
    packed = b"".join(piece for part in parts for piece in (_LENGTH(len(part)), part))
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
    """Dead letters: the bytes that came; reason and place in headers."""
    topic = job.dead_letters.encode()
    return b"".join(record((topic, b"", one.body, *_headers(job, one))) for one in refused)


def _headers(job: Job, one: Refusal) -> list[bytes]:
    said = {
        "tidegate.reason": one.reason,
        "tidegate.code": one.code,
        "tidegate.pointer": one.pointer,
        "tidegate.topic": job.inputs[one.source >> 32].topic,
        "tidegate.partition": str(one.source & _LOW),
        "tidegate.offset": str(one.offset),
    }
    return [part.encode() for name, value in said.items() for part in (name, value)]

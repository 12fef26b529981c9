"""Dead letters: messages that could not be taken, with the reason, where they lay, and their bytes as they came."""

from collections.abc import Sequence
from typing import Any

import msgspec

from tidegate.connectors.kafka.writer import Out
from tidegate.runtimes.stream.reading import Unreadable

_PREFIX = "tidegate-"
_OURS = ("code", "reason", "topic", "partition", "offset", "at")


class DeadLetter(msgspec.Struct, frozen=True):
    """One of them.

    Args:
        offset: its own, in the topic of dead letters.
        code, reason: why, in a word and in words.
        topic, partition, place: where the message lay; `place` is its offset there.
        at: its timestamp, milliseconds since 1970.
        key, value: as they came.
        headers: those that it came with.
    """

    offset: int
    code: str
    reason: str
    topic: str
    partition: int
    place: int
    at: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


def dead_letter(message: Any, why: Unreadable, topic: str) -> Out:
    """What is written for a message that was not taken."""
    about = {
        "code": why.code, "reason": why.why, "topic": message.topic(), "partition": message.partition(),
        "offset": message.offset(), "at": message.timestamp()[1],
    }  # fmt: skip
    ours = [(_PREFIX + name, str(value).encode()) for name, value in about.items()]
    return Out(
        topic, message.key(), message.value() or b"", [*ours, *(message.headers() or ())], message.timestamp()[1]
    )


def read_letter(message: Any) -> DeadLetter | None:
    """The dead letter of a message; None if it is none of ours."""
    held = {name: value or b"" for name, value in message.headers() or ()}
    try:
        said = {name: held[_PREFIX + name].decode() for name in _OURS}
        numbers = {name: int(said[name]) for name in ("partition", "offset", "at")}
    except (KeyError, ValueError):
        return None
    ours = {_PREFIX + name for name in _OURS}
    return DeadLetter(
        offset=message.offset(), code=said["code"], reason=said["reason"], topic=said["topic"],
        partition=numbers["partition"], place=numbers["offset"], at=numbers["at"], key=message.key(),
        value=message.value(), headers=[one for one in message.headers() or () if one[0] not in ours],
    )  # fmt: skip

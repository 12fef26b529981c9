"""Dead letters: messages that could not be taken, with the reason, where they lay, and their bytes as they came.

A letter that was sent again stays as it is. Behind it on the topic lies a mark that says so, and what was sent.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tidegate.connectors.kafka.writer import Out
from tidegate.runtimes.stream.reading import Unreadable

_PREFIX = "tidegate-"
_OURS = ("code", "reason", "topic", "partition", "offset", "at")
_SENT = "tidegate-sent"
"""The header of a mark: the offset of the letter that was sent again."""


class DeadLetter(msgspec.Struct, frozen=True):
    """One of them.

    Args:
        offset: its own, in the topic of dead letters.
        code, reason: why, in a word and in words.
        topic, partition, place: where the message lay; `place` is its offset there.
        at: its timestamp, milliseconds since 1970.
        key, value: as they came.
        headers: those that it came with.
        sent: when it was sent again, in UTC; None if it was not.
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
    sent: datetime | None = None


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
    """The dead letter of a message; None if it is none of ours.

    What is said of it stands before the headers that it came with, and those may have the same names: whoever writes
    messages shall not say where a letter lay, and so where it is sent again.
    """
    headers = list(message.headers() or ())
    ours, own = headers[: len(_OURS)], headers[len(_OURS) :]
    held = {name.removeprefix(_PREFIX): value or b"" for name, value in ours if name.startswith(_PREFIX)}
    try:
        said = {name: held[name].decode() for name in _OURS}
        numbers = {name: int(said[name]) for name in ("partition", "offset", "at")}
    except (KeyError, ValueError):
        return None
    return DeadLetter(
        offset=message.offset(), code=said["code"], reason=said["reason"], topic=said["topic"],
        partition=numbers["partition"], place=numbers["offset"], at=numbers["at"], key=message.key(),
        value=message.value(), headers=own,
    )  # fmt: skip


def mark(letter: DeadLetter, value: bytes, topic: str) -> Out:
    """What is written with a letter that is sent again: that it was, and as what."""
    return Out(topic, letter.key, value, [(_SENT, str(letter.offset).encode())])


def read_letters(messages: Iterable[Any]) -> list[DeadLetter]:
    """All letters of a topic, each with when it was sent again, if it was."""
    found: dict[int, DeadLetter] = {}
    for message in messages:
        letter = read_letter(message)
        if letter is not None:
            found[letter.offset] = letter
            continue
        marked = dict(message.headers() or ()).get(_SENT) or b""
        if marked.isdigit() and (letter := found.get(int(marked))) is not None:
            at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
            found[letter.offset] = msgspec.structs.replace(letter, sent=at)
    return list(found.values())

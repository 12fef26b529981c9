"""Dead letters: messages that could not be taken, with the reason, where they lay, and their bytes as they came.

A letter that was sent again stays as it is. Behind it on the topic lies a mark that says so, and what was sent. Of a
message that is larger than the topic takes, the letter says where it lies, and how large it is.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tidegate.connectors.kafka.writer import Out
from tidegate.errors import StreamError
from tidegate.runtimes.letter_headers import EMPTY, NAMES, PREFIX
from tidegate.runtimes.stream.reading import Unreadable

_SENT = "tidegate-sent"
"""The header of a mark: the offset of the letter that was sent again."""
_LEFT_OUT = "tidegate-left-out"
"""The header, before all others, of a letter or mark without its value: how many bytes that has."""
_REASON = 400
"""Bytes of the reason in a letter without a message: it may tell what the message holds, of any length."""


class DeadLetter(msgspec.Struct, frozen=True):
    """One of them.

    Args:
        offset: its own, in the topic of dead letters.
        code, reason: why, in a word and in words.
        topic, partition, place: where the message lay; `place` is its offset there.
        at: its timestamp, milliseconds since 1970; -1 if that is not known.
        key, value: as they came.
        headers: those that it came with.
        left_out: bytes of the value if the letter is without it, and perhaps without key and headers; else None.
        sent: when it was sent again, in UTC; None if it was not.
        sent_as: the value that was sent; unset if it was not, or if the mark is without it.
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
    left_out: int | None = None
    sent: datetime | None = None
    sent_as: bytes | msgspec.UnsetType | None = msgspec.UNSET


class GoneError(StreamError):
    """The bytes of a letter are neither in it nor where its message lay."""


def dead_letter(message: Any, why: Unreadable, topic: str, room: int) -> Out:
    """What is written for a message that was not taken: all that came, or of that what has room.

    Args:
        message: it.
        why: it was not taken.
        topic: of dead letters.
        room: bytes that a letter may have.
    """
    key, value, own, at = message.key(), message.value(), list(message.headers() or ()), message.timestamp()[1]
    about = {
        "code": why.code, "reason": why.why, "topic": message.topic(), "partition": message.partition(),
        "offset": message.offset(), "at": at,
    }  # fmt: skip
    ours = _headers(about)
    whole = Out(topic, key, value, [*ours, *own], at)
    if whole.size <= room:
        return whole
    left_out = (_LEFT_OUT, str(len(value or b"")).encode())
    placed = Out(topic, key, None, [left_out, *ours, *own], at)
    if placed.size <= room:
        return placed
    shortly = why.why.encode()[:_REASON].decode(errors="ignore")
    return Out(topic, None, None, [left_out, *_headers(about | {"reason": shortly})], at)


def _headers(about: Mapping[str, Any]) -> list[tuple[str, bytes | None]]:
    return [(PREFIX + name, str(value).encode()) for name, value in about.items()]


def read_letter(message: Any) -> DeadLetter | None:
    """The dead letter of a message; None if it is none of ours.

    What is said of it stands before the headers that it came with, and those may have the same names: whoever writes
    messages shall not say where a letter lay, and so where it is sent again.
    """
    headers, left_out = _left_out(message)
    ours, own = headers[: len(NAMES)], headers[len(NAMES) :]
    held = {name.removeprefix(PREFIX): value or b"" for name, value in ours if name.startswith(PREFIX)}
    try:
        said = {name: held[name].decode() for name in NAMES}
        numbers = {name: int(said[name]) for name in ("partition", "offset", "at")}
    except (KeyError, ValueError):
        return None
    value = message.value()
    return DeadLetter(
        offset=message.offset(), code=said["code"], reason=said["reason"], topic=said["topic"],
        partition=numbers["partition"], place=numbers["offset"], at=numbers["at"], key=message.key(),
        value=None if said["code"] == EMPTY else value,  # earlier versions wrote no bytes for none
        headers=own, left_out=left_out,
    )  # fmt: skip


def _left_out(message: Any) -> tuple[list[tuple[str, bytes | None]], int | None]:
    """The headers of a letter or a mark, and how many bytes it is without, if it says so before them."""
    headers = list(message.headers() or ())
    name, value = headers[0] if headers else ("", None)
    if name != _LEFT_OUT or value is None or not value.isdigit():
        return headers, None
    return headers[1:], int(value)


def filled(letter: DeadLetter, at: Callable[[str, int, int], Any]) -> DeadLetter:
    """A letter with the key, the headers and the bytes that it is without, from where its message lies.

    Args:
        letter: it; one that is whole stays as it is.
        at: gives the message at an offset of a topic's partition, None if it is no longer there.

    Raises:
        GoneError: they are no longer there.
    """
    if letter.left_out is None:
        return letter
    message = at(letter.topic, letter.partition, letter.place)
    if message is None or (len(message.value() or b""), message.timestamp()[1]) != (letter.left_out, letter.at):
        raise GoneError(
            f"Dead letter {letter.offset} is without its message, which is no longer where it lay.",
            seen=f"{letter.topic}/{letter.partition} does not hold it at offset {letter.place} any more",
            do="Have it sent anew from where it came from.",
        )
    return msgspec.structs.replace(
        letter, key=message.key(), value=message.value(), headers=list(message.headers() or ())
    )


def mark(letter: DeadLetter, value: bytes | None, topic: str, room: int) -> Out:
    """What is written with a letter that is sent again: that it was, and, if that has room, as what."""
    sent: list[tuple[str, bytes | None]] = [(_SENT, str(letter.offset).encode())]
    whole = Out(topic, letter.key, value, sent)
    if whole.size <= room:
        return whole
    return Out(topic, None, None, [(_LEFT_OUT, str(len(value or b"")).encode()), *sent])


def read_letters(messages: Iterable[Any]) -> list[DeadLetter]:
    """All letters of a topic, each with when it was sent again, if it was."""
    found: dict[int, DeadLetter] = {}
    for message in messages:
        letter = read_letter(message)
        if letter is not None:
            found[letter.offset] = letter
            continue
        headers, left_out = _left_out(message)
        marked = dict(headers).get(_SENT) or b""
        if marked.isdigit() and (letter := found.get(int(marked))) is not None:
            at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
            value = message.value() if left_out is None else msgspec.UNSET
            found[letter.offset] = msgspec.structs.replace(letter, sent=at, sent_as=value)
    return list(found.values())

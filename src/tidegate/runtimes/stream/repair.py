"""Dead letters repaired and sent again: each once, with what it was before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from tidegate.connectors.kafka.writer import Out
from tidegate.errors import ContractError, StreamError
from tidegate.events.depth import require_shallow
from tidegate.runtimes.stream.dead_letters import DeadLetter, GoneError, filled, mark
from tidegate.runtimes.stream.reading import Unreadable

REPAIRED, ORIGINAL = "tidegate-repaired", "tidegate-original"
"""Headers of a message that is sent again: which letter it was, and its bytes before it was first repaired,
where there is room for them."""


class Changes(msgspec.Struct, frozen=True):
    """What is changed in each letter. A name with dots leads into objects.

    Args:
        rename: fields by their old names.
        remove: fields that are left out.
        put: JSON by the names of fields that are to have this value.
    """

    rename: Mapping[str, str] = {}
    remove: Sequence[str] = ()
    put: Mapping[str, bytes] = {}

    def of(self, value: bytes | None) -> bytes | None:
        """The JSON object with the changes made; numbers that are not changed stay as they are written.

        Raises:
            ContractError: it is no JSON object, or a field would stand there twice.
        """
        if not (self.rename or self.remove or self.put):
            return value
        value = value or b""
        for old, new in self.rename.items():
            value = _along(value, old.split("."), partial(_rename, new))
        for path in self.remove:
            value = _along(value, path.split("."), _remove)
        for path, given in self.put.items():
            value = _along(value, path.split("."), partial(_put, msgspec.Raw(given)), make=True)
        return value


_WITH_SCHEMA = b"\0"
"""What Confluent's serializers begin a message with, before the schema's id."""
_Fields = dict[str, msgspec.Raw]
_OBJECT: msgspec.json.Decoder[_Fields] = msgspec.json.Decoder(_Fields)


def _along(value: bytes, path: list[str], change: Callable[[_Fields, str], None], *, make: bool = False) -> bytes:
    """A JSON object with a change made to the object that holds the last name of a path."""
    try:
        require_shallow(value)
        fields = _OBJECT.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        do = "It looks written with a schema: mend the schema, the contract or its writer, then send it again."
        raise ContractError(
            "It is no JSON object, so no field of it can be changed.",
            seen=str(error), do=do if value[:1] == _WITH_SCHEMA else "",
        ) from None  # fmt: skip
    name, *more = path
    if not more:
        change(fields, name)
    elif name in fields or make:
        fields[name] = msgspec.Raw(_along(bytes(fields.get(name, b"{}")), more, change, make=make))
    return msgspec.json.encode({one: msgspec.Raw(given) for one, given in fields.items()})


def _rename(new: str, fields: _Fields, old: str) -> None:
    if old not in fields:
        return
    if new in fields:
        raise ContractError(f"There is a field {new} already.", do=f"Leave one of them out with --remove {old}.")
    held = {new if name == old else name: value for name, value in fields.items()}
    fields.clear()
    fields.update(held)


def _remove(fields: _Fields, name: str) -> None:
    fields.pop(name, None)


def _put(given: msgspec.Raw, fields: _Fields, name: str) -> None:
    fields[name] = given


class Repaired(msgspec.Struct, frozen=True):
    """A letter with what is to be sent instead, and why it could still not be taken; empty if it could."""

    letter: DeadLetter
    value: bytes | None
    fault: str = ""


class Resent:
    """A letter as the message that it would be."""

    def __init__(self, letter: DeadLetter, value: bytes | None) -> None:
        self._letter, self._value = letter, value

    def topic(self) -> str:
        """Where it goes."""
        return self._letter.topic

    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Those that it came with."""
        return self._letter.headers

    def value(self) -> bytes | None:
        """What it holds now."""
        return self._value


def repaired(
    letters: Sequence[DeadLetter],
    changes: Changes,
    read: Callable[[Any], tuple[Any, int | None]] | None,
    at: Callable[[str, int, int], Any],
) -> list[Repaired]:
    """The letters with the changes made.

    Args:
        letters: which.
        changes: made to each.
        read: reads a message as the stream would; without it nothing is said of contracts.
        at: gives the message at a place, as of `filled`.
    """
    found = []
    for one in letters:
        letter = one
        try:
            letter = filled(one, at)
            value, fault = changes.of(letter.value), ""
            if read is not None and isinstance(what := read(Resent(letter, value))[0], Unreadable):
                fault = what.why
        except (ContractError, GoneError) as error:
            value, fault = letter.value, str(error)
        found.append(Repaired(letter, value, fault))
    return found


def outgoing(
    topic: str,
    chosen: Sequence[tuple[DeadLetter, bytes | None]],
    letters: Iterable[DeadLetter],
    room: Callable[[str], int],
) -> list[Out]:
    """What is written, in one transaction, to send letters again: the messages, and a mark for each letter.

    Args:
        topic: of dead letters.
        chosen: letters, none of them without its bytes, and what each is to hold now.
        letters: all of the topic.
        room: bytes that a message of a topic may have.

    Raises:
        StreamError: one of them was sent before.
    """
    sent = [one for one, _ in chosen if one.sent is not None]
    if sent:
        raise StreamError(
            "A dead letter is sent once." if len(sent) == 1 else f"{len(sent)} of these dead letters were sent before.",
            seen=", ".join(f"{one.offset} was sent at {one.sent:%Y-%m-%d %H:%M:%S} UTC" for one in sent[:5]),
            do="If it was not taken again it is a letter anew, with an offset of its own: see `show --unsent`.",
        )
    out, by_offset = [], {one.offset: one for one in letters}
    for letter, value in chosen:
        headers = [one for one in letter.headers if one[0] not in (REPAIRED, ORIGINAL)]
        headers.append((REPAIRED, f"{topic}@{letter.offset}".encode()))
        # Where it came from: what chose that for its key need not be what this client would choose.
        message = Out(letter.topic, letter.key, value, headers, partition=letter.partition)
        first = _first(letter, by_offset, topic)
        if value != first.value and (first is letter or first.left_out is None):
            telling = message._replace(headers=[*headers, (ORIGINAL, first.value)])
            if telling.size <= room(letter.topic):
                message = telling  # else the letter has it, which the other header names
        out += [message, mark(letter, value, topic, room(topic))]
    return out


def _first(letter: DeadLetter, letters: Mapping[int, DeadLetter], topic: str) -> DeadLetter:
    """The letter that became this one by being sent again, perhaps several times; itself, if none did.

    A message's headers say which, and whoever writes messages may say so of any. So a letter is only believed to be
    another one sent again if it holds what that one was sent as, which the topic of dead letters knows.
    """
    while True:
        said, number = (dict(letter.headers).get(REPAIRED) or b"").decode(errors="replace").rpartition("@")[::2]
        earlier = letters.get(int(number)) if said == topic and number.isdecimal() and len(number) < 20 else None
        if (
            earlier is None
            or earlier.offset >= letter.offset
            or (earlier.topic, earlier.sent_as) != (letter.topic, letter.value)
        ):
            return letter
        letter = earlier

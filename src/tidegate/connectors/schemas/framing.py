"""Confluent's wire format: a zero byte, the schema's id in 4 bytes, of Protobuf the way to the message, then data.

Source: Confluent, "Formats, Serializers, and Deserializers for Schema Registry", section "Wire format".
"""

from collections.abc import Sequence

from tidegate.errors import TidegateError

_MAGIC = 0
_HEAD = 5
_MOST_STEPS = 32


class UndecodableError(TidegateError):
    """A message is not what its topic is said to hold.

    `code` says which fault: `no-schema-id`, `unknown-schema`, `schema` (another kind, or it does not fit the contract),
    or `undecodable` (the bytes are not of the schema).
    """

    def __init__(self, code: str, wrong: str, *, seen: str = "", do: str = "") -> None:
        self.code = code
        super().__init__(wrong, seen=seen, do=do)


def unframed(data: bytes) -> int:
    """The id of the schema that a message was written with; what it holds begins behind five bytes.

    Raises:
        UndecodableError: it does not begin as it should.
    """
    if len(data) < _HEAD or data[0] != _MAGIC:
        plain = data[:1] in (b"{", b"[", b'"')
        raise UndecodableError(
            "no-schema-id",
            "The message does not begin with the id of a schema.",
            seen=f"{len(data)} bytes, {data[:_HEAD].hex(' ') or 'none'}",
            do="It looks like plain JSON: name the topic with --value-format TOPIC=json." if plain else
            "See whether its producer writes with a schema registry, in Confluent's format.",
        )  # fmt: skip
    return int.from_bytes(data[1:_HEAD], "big")


def schema_named(data: bytes) -> int | None:
    """The id of the schema that a message of unknown form was written with; None if it begins as JSON does."""
    return unframed(data) if len(data) >= _HEAD and data[0] == _MAGIC else None


def framed(id: int, data: bytes, way: bytes = b"") -> bytes:
    """A message of the schema with this id; `way` as of `way_to`."""
    return b"\x00" + id.to_bytes(4, "big") + way + data


def way_to(indexes: Sequence[int]) -> bytes:
    """The way to a message of a Protobuf schema: its place in the file, then in the message that it is defined in."""
    if list(indexes) == [0]:
        return b"\x00"
    return b"".join(_varint(number << 1) for number in (len(indexes), *indexes))


def way_of(data: bytes) -> tuple[tuple[int, ...], int]:
    """The way to its message in a framed message, and where the message itself begins.

    Raises:
        UndecodableError: there is none.
    """
    many, at = _number(data, _HEAD)
    if many == 0:
        return (0,), at
    if not 0 < many <= _MOST_STEPS:
        raise UndecodableError("undecodable", "The message does not say which one of its schema it is.", seen=str(many))
    found = []
    for _ in range(many):
        index, at = _number(data, at)
        found.append(index)
    return tuple(found), at


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag number, and where it ends."""
    value = shift = 0
    while shift < 64:
        if at >= len(data):
            break
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value >> 1 ^ -(value & 1), at
    raise UndecodableError("undecodable", "The message ends before it says which one of its schema it is.")

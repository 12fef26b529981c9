"""Protocol Buffers as they are on the wire, which is what an ONNX file is: fields by number, nothing believed.

The encoding: https://protobuf.dev/programming-guides/encoding/. A message is read where it lies, without copies, so
that a file takes no more room than it has.
"""

import struct
from collections.abc import Iterator

from tidegate.errors import ModelError

__all__ = ["Message", "text"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


class Message:
    """A message: its fields are asked for by number.

    Raises:
        ModelError: by `what`, if the bytes end early or are no message.
    """

    __slots__ = ("_fields", "what")

    def __init__(self, data: memoryview, what: str) -> None:
        self.what = what
        self._fields: dict[int, list[int | memoryview]] = {}
        for number, value in _fields(data, what):
            self._fields.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def messages(self, number: int) -> Iterator["Message"]:
        """The messages in a field, in order."""
        for value in self.blobs(number):
            yield Message(value, self.what)

    def message(self, number: int) -> "Message | None":
        """The message in a field; of several the last, as the encoding has it."""
        found = self.blobs(number)
        return Message(found[-1], self.what) if found else None

    def blobs(self, number: int) -> list[memoryview]:
        """The bytes, texts or messages in a field, as bytes."""
        found = self._fields.get(number, [])
        if any(isinstance(value, int) for value in found):
            raise _damaged(self.what, f"a number where field {number} holds bytes")
        return [value for value in found if not isinstance(value, int)]

    def number(self, number: int, default: int = 0) -> int:
        """The integer in a field, signed."""
        found = self.numbers(number)
        return found[-1] if found else default

    def numbers(self, number: int) -> list[int]:
        """The integers in a field, signed, packed or not."""
        out: list[int] = []
        for value in self._fields.get(number, []):
            if isinstance(value, int):
                out.append(_signed(value))
                continue
            at = 0
            while at < len(value):
                one, at = _varint(value, at, self.what)
                out.append(_signed(one))
        return out

    def text(self, number: int) -> str:
        """The text in a field; empty if it is not there."""
        found = self.blobs(number)
        return text(found[-1]) if found else ""


def text(data: memoryview) -> str:
    """Bytes as text; what is no UTF-8 is shown as such."""
    return bytes(data).decode("utf-8", "replace")


def _fields(data: memoryview, what: str) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at, what)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise _damaged(what, f"a field without a number at byte {at:,}")
        if kind == _VARINT:
            value, at = _varint(data, at, what)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at, what)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise _damaged(what, f"a field of the kind {kind}")
        if length > len(data) - at:
            raise _damaged(what, f"a field of {length:,} bytes, of which {len(data) - at:,} are there")
        piece = data[at : at + length]
        at += length
        yield number, struct.unpack("<q" if length == 8 else "<i", piece)[0] if kind != _BYTES else piece


def _varint(data: memoryview, at: int, what: str) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= len(data):
            raise _damaged(what, "a number that is cut short")
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise _damaged(what, "a number of more than ten bytes")


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >= 1 << 63 else value


def _damaged(what: str, seen: str) -> ModelError:
    return ModelError(f"{what} is no ONNX model, or is damaged.", seen=seen, do="Export the model again.")

"""Read Universal Binary JSON (draft 12), the form of XGBoost's `.ubj` files.

Numbers of one type in a row come as arrays, so that a large model is read at once and not value by value.
"""

import struct
from typing import Any

import numpy as np

from tidegate.errors import DocumentError

__all__ = ["read_ubjson"]

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_CONSTANTS = {"Z": None, "T": True, "F": False}
_DEEPEST = 32


def read_ubjson(data: bytes, name: str) -> Any:
    """The value in `data`; `name` is what errors call it. Raises DocumentError, with the place, if it is none."""
    reader = _Reader(data, name)
    value = reader.value(reader.mark(), 0)
    if reader.at != len(data):
        raise reader.fault("more bytes after the end")
    return value


class _Reader:
    """A place in the bytes."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name, self.at = data, name, 0

    def fault(self, seen: str) -> DocumentError:
        return DocumentError(
            f"{self.name} is no whole UBJSON file.", seen=f"{seen}, at byte {self.at:,} of {len(self.data):,}",
            do="Write it again with Booster.save_model.",
        )  # fmt: skip

    def take(self, length: int) -> bytes:
        if length < 0 or length > len(self.data) - self.at:
            raise self.fault("it ends early")
        self.at += length
        return self.data[self.at - length : self.at]

    def mark(self) -> str:
        """The next type's letter; a no-op, N, says nothing."""
        letter = "N"
        while letter == "N":
            letter = self.take(1).decode("latin-1")
        return letter

    def length(self) -> int:
        letter = self.mark()
        if letter not in "iUIlL":
            raise self.fault(f"{letter!r} for a length")
        length = int(self.value(letter, 0))
        if not 0 <= length <= len(self.data):
            raise self.fault(f"a length of {length:,}")
        return length

    def text(self) -> str:
        try:
            return self.take(self.length()).decode()
        except UnicodeDecodeError:
            raise self.fault("a text that is not UTF-8") from None

    def value(self, letter: str, deep: int) -> Any:
        if deep > _DEEPEST:
            raise self.fault(f"more than {_DEEPEST} values in one another")
        if letter in _NUMBERS:
            kind = np.dtype(_NUMBERS[letter])
            return np.frombuffer(self.take(kind.itemsize), kind)[0].item()
        if letter in _CONSTANTS:
            return _CONSTANTS[letter]
        if letter in "SH":
            return self.text()
        if letter == "C":
            return struct.unpack("c", self.take(1))[0].decode("latin-1")
        if letter == "[":
            return self.array(deep)
        if letter == "{":
            return self.mapping(deep)
        raise self.fault(f"{letter!r} for a type")

    def head(self) -> tuple[str, int]:
        """Of an array or a mapping: the type of all values if one is given, and their count or -1."""
        kind, count = "", -1
        if self.data[self.at : self.at + 1] == b"$":
            self.at += 1
            kind = self.mark()
            if self.data[self.at : self.at + 1] != b"#":
                raise self.fault("a type without a count")
        if self.data[self.at : self.at + 1] == b"#":
            self.at += 1
            count = self.length()
        return kind, count

    def array(self, deep: int) -> Any:
        kind, count = self.head()
        if kind in _NUMBERS:
            form = np.dtype(_NUMBERS[kind])
            return np.frombuffer(self.take(count * form.itemsize), form)
        found: list[Any] = []
        while len(found) != count:
            letter = kind or self.mark()
            if letter == "]" and count < 0:
                break
            found.append(self.value(letter, deep + 1))
        return found

    def mapping(self, deep: int) -> dict[str, Any]:
        kind, count = self.head()
        found: dict[str, Any] = {}
        read = 0
        while read != count:
            if count < 0 and self.data[self.at : self.at + 1] == b"}":
                self.at += 1
                break
            key = self.text()
            found[key] = self.value(kind or self.mark(), deep + 1)
            read += 1
        return found

"""Bodies as they come in: one event, whole; many events, a line at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

from tidegate.runtimes.serve.problem import Problem

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class GoneError(Exception):
    """The client went away before its request was whole."""


def said_length(headers: list[tuple[bytes, bytes]]) -> int:
    """What `Content-Length` says, 0 where it says nothing."""
    for name, value in headers:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def too_large(most: int) -> Problem:
    """The problem of a body of more than `most` bytes."""
    return Problem("too-large", f"At most {most} bytes are taken. Send many events as NDJSON, or in several requests.")


async def _next(receive: Receive, seconds: float) -> Mapping[str, Any]:
    try:
        async with asyncio.timeout(seconds):
            message = await receive()
    except TimeoutError:
        raise Problem("slow", f"Nothing more of the body came for {seconds:g} seconds.") from None
    if message["type"] == "http.disconnect":
        raise GoneError
    return message


async def rest_of(first: Mapping[str, Any], receive: Receive, most: int, seconds: float) -> bytes:
    """The whole of a body of which the first part is there.

    Raises:
        Problem: it is larger than `most`, or comes too slowly.
        GoneError: the client went away.
    """
    if first["type"] == "http.disconnect":
        raise GoneError
    parts = [first.get("body", b"")]
    size, message = len(parts[0]), first
    while message.get("more_body"):
        if size > most:
            break
        message = await _next(receive, seconds)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > most:
        raise too_large(most)
    return b"".join(parts)


class Lines:
    """Cuts a stream of bytes into lines; of a line that is too long, only that it was.

    Args:
        most: bytes of the longest line.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """The lines that end in these bytes, without their end; None for one that is too long."""
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            if self._skipping:
                self._skipping = False
            elif len(self._left) + end - start > self._most:
                self._left.clear()
                yield None
            else:
                yield bytes(self._left) + data[start:end] if self._left else data[start:end]
                self._left.clear()
            start = end + 1
        if self._skipping:
            return
        self._left += data[start:]
        if len(self._left) > self._most:
            self._left.clear()
            self._skipping = True
            yield None

    def end(self) -> Iterator[bytes | None]:
        """The last line, if it has no end."""
        if self._left:
            yield bytes(self._left)


async def lines_of(receive: Receive, most: int, longest: int, seconds: float) -> AsyncIterator[list[bytes | None]]:
    """The lines of a body, as many at a time as have come.

    Raises:
        Problem: the body is larger than `most`, or comes too slowly.
        GoneError: the client went away.
    """
    lines, size = Lines(longest), 0
    while True:
        message = await _next(receive, seconds)
        data = message.get("body", b"")
        size += len(data)
        if size > most:
            raise too_large(most)
        if found := list(lines.feed(data)):
            yield found
        if not message.get("more_body"):
            break
    if found := list(lines.end()):
        yield found

"""Hanging up on a client that still sends: what it sends is read and dropped for a while, so that it sees its answer.

A socket that is closed while something unread is in it resets the connection, and the other end then loses the answer
which was on its way to it (RFC 9112, section 9.6). So the way out is closed first, and the way in a little later.
"""

import asyncio
from typing import Protocol

from tidegate.runtimes.serve.limits import Limits


class Served(Protocol):
    """The protocol that served a connection so far."""

    transport: asyncio.Transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone."""

    def hang_up(self) -> None:
        """End the connection."""


class Lingering(asyncio.Protocol):
    """Takes over a connection: drops what comes, until the client ends, or has sent too much or for too long.

    Args:
        served: what served it; it is told of the end.
        limits: say how much, and how long.
    """

    def __init__(self, served: Served, limits: Limits) -> None:
        self._served, self._left = served, limits.linger_bytes
        self._transport = served.transport
        self._end = asyncio.get_running_loop().call_later(limits.linger_seconds, self._transport.close)
        self._transport.set_protocol(self)
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def data_received(self, data: bytes) -> None:
        """Drop what came."""
        self._left -= len(data)
        if self._left < 0:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._end.cancel()
        self._served.connection_lost(exc)


class Closing:
    """The transport of an answer after which the connection ends."""

    def __init__(self, served: Served) -> None:
        self._served, self.write, self.is_closing = served, served.transport.write, served.transport.is_closing

    def close(self) -> None:
        """End the connection."""
        self._served.hang_up()

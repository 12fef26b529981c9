"""How long a server of PostgreSQL may be silent before its connection is given up.

A server that stands still, or hangs on a disk that does not answer, keeps its connections: TCP finds nothing wrong, and
who waits for it would wait for ever. So what is waited for is watched from beside, and ended by closing the socket
under it: psycopg then says what it says of a server that went away.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

from psycopg import Connection

SILENCE = 10.0
"""Seconds that a batch, or what is found by its key, may take."""
LONG = 600.0
"""Seconds that anything else may take, such as a search through the whole store."""
_LOOK = 0.5
"""Seconds between two looks at what is waited for."""
_IDLE = 20
"""So many looks at nothing end the thread."""


class _Watch:
    """What is waited for, and the thread that looks at it."""

    def __init__(self) -> None:
        self._lock, self._numbers = threading.Lock(), count()
        self._waits: dict[int, tuple[float, int]] = {}
        self._watching = False

    def begin(self, until: float, socket_number: int) -> int:
        number = next(self._numbers)
        with self._lock:
            self._waits[number] = (until, socket_number)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="tidegate-patience", daemon=True).start()
        return number

    def end(self, number: int) -> None:
        with self._lock:
            self._waits.pop(number, None)

    def _watch(self) -> None:
        idle = 0
        while True:
            time.sleep(_LOOK)
            now = time.monotonic()
            with self._lock:
                for number in [number for number, (until, _) in self._waits.items() if until < now]:
                    _cut(self._waits.pop(number)[1])
                idle = 0 if self._waits else idle + 1
                if idle == _IDLE:
                    self._watching = False
                    return


_WATCH = _Watch()


@contextmanager
def at_most(seconds: float, connection: Connection[tuple[object, ...]]) -> Iterator[None]:
    """Within it, the connection is cut once so many seconds have passed.

    Raises:
        psycopg.OperationalError: from what was waited for, when it was cut.
    """
    # A number of our own for the socket: psycopg may close its own at any time, and another's would get that number.
    own = os.dup(connection.fileno())
    number = _WATCH.begin(time.monotonic() + seconds, own)
    try:
        yield
    finally:
        _WATCH.end(number)
        os.close(own)


def _cut(number: int) -> None:
    """Shut down the socket of that number, whose owner then finds it at its end."""
    with suppress(OSError), socket.socket(fileno=os.dup(number)) as found:
        found.shutdown(socket.SHUT_RDWR)

"""A stand-in before a server, through which everything goes as slowly as a test wants."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self

_PIECE = 65_536


class Proxy:
    """Passes bytes to a port of loopback and back, each piece of them after `delay` seconds.

    Args:
        target: the port behind it.
    """

    def __init__(self, target: int) -> None:
        self.target, self.delay = target, 0.0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                client, _ = self._listening.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    client.close()
                    continue
                self._open += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(_PIECE):
                time.sleep(self.delay)
                other.sendall(piece)
        for end in (one, other):
            end.close()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listening, *self._open):
            one.close()

"""A short way for the request that comes most: one event as JSON to `/decisions`, without a task or an ASGI cycle.

Uvicorn's own protocol makes a task, an event, a cycle and two writes for each request, which costs as much as the
decision. Here a plain `POST /decisions` whose body is small and of a length told beforehand is given to the application
as soon as it is whole, and its answer is one write. Everything else goes the usual way through ASGI, and the checks are
the same functions. Measured by `benchmarks/http.py`.

Clients write the same headers with every request, but for the length. So headers that were parsed and let in are
remembered by their bytes: the same bytes in the same place are the same headers, and let in by the same keys.
"""

import asyncio
from typing import Any, ClassVar

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tidegate.runtimes.serve.answering import Told
from tidegate.runtimes.serve.application import Application, Headers
from tidegate.runtimes.serve.keys import Keys
from tidegate.runtimes.serve.lingering import Closing, Lingering
from tidegate.runtimes.serve.pausing import Pausing
from tidegate.runtimes.serve.problem import Problem

_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nserver-timing: %b\r\n\r\n%b"
_MOST = 1 << 16
_MOST_HEAD = 1 << 16
_HEADS, _LONGEST = 256, 2048
"""How many heads are remembered, and the longest of them in bytes."""
_FORBIDDEN = (b"expect", b"transfer-encoding", b"content-encoding", b"upgrade", b"connection")


class _Unheard:
    """In the place of an event that nobody waits for."""

    def set(self) -> None:
        """It has come."""


class Reply(msgspec.Struct, eq=False):
    """The answer of one request, in the place of uvicorn's cycle and of a future."""

    protocol: "DirectProtocol"
    keep_alive: bool = True
    disconnected: bool = False
    response_complete: bool = False

    message_event: ClassVar[_Unheard] = _Unheard()
    more_body: ClassVar[bool] = True

    def done(self) -> bool:
        """Whether nobody waits for an answer any more."""
        return self.response_complete or self.disconnected

    def set_result(self, told: Told) -> None:
        """Answer."""
        self._write(_OK % (len(told[0]), told[1], told[0]))

    def set_exception(self, problem: BaseException) -> None:
        """Answer with a problem."""
        status, headers, body = self.protocol.application.problem(problem)
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self._write(STATUS_LINE[status] + lines + b"\r\n" + body)

    def _write(self, data: bytes) -> None:
        protocol = self.protocol
        self.response_complete = True
        if protocol.transport.is_closing():
            return
        protocol.transport.write(data)
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


Heads = dict[bytes, tuple[Headers, int, Keys | None]]
"""By the bytes that said so: headers of requests that were let in, the length of their bodies, and by which keys."""


class DirectProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with the short way.

    Args:
        application: answers.
        heads: those that are remembered, of all connections of a server.
        direct: whether requests may go the short way.
        given: what uvicorn gives to its protocols.
    """

    cycle: Any

    def __init__(self, application: Application, heads: Heads, *, direct: bool = True, **given: Any) -> None:
        super().__init__(**given)
        self.application, self._heads, self._direct = application, heads, direct
        self._between = direct  # whether a request begins with the next byte
        self._taken = -1
        self._answered = 0.0
        self._head: int | None = None
        self._begun = 0
        self._refusal: tuple[str, str, bool] | None = None
        self._head_slow: asyncio.TimerHandle | None = None
        self._reply: Reply | None = None
        self._body = b""  # of the reply's request, as far as it has come
        self._slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client is there."""
        super().connection_made(transport)
        self.flow = Pausing(transport, self.pipeline)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._refusal is not None:
            return
        between, self._taken = self._between, -1
        if between:
            end = data.find(b"\r\n\r\n") + 4
            known, cycle = self._heads.get(data[:end]), self.cycle
            if known is not None and len(data) - end == known[1] and (cycle is None or cycle.response_complete):
                # A whole request, which need not wait for another: what comes most, so it is done with few calls.
                self.headers, _, keys = known
                self.cycle = reply = Reply(self)
                admitted = keys is self.application.keys
                try:
                    self.application.ask(self.headers, data[end:], reply, admitted=admitted)
                except Exception as error:  # of whatever kind: a fault of ours must not end the connection
                    reply.set_exception(error)
                    return
                if not admitted:
                    self._taken = known[1]
                    self._remember(data)
                return
        self._parse(data, between)
        if between:
            self._remember(data)

    def _remember(self, data: bytes) -> None:
        """Remember the head of a request that was let in, if the bytes are that request and nothing else."""
        end = data.find(b"\r\n\r\n") + 4
        if 0 <= self._taken == len(data) - end and end <= _LONGEST:
            if len(self._heads) >= _HEADS:
                self._heads.clear()
            self._heads[data[:end]] = (self.headers, self._taken, self.application.keys)

    def _parse(self, data: bytes, between: bool) -> None:
        head, begun = self._head, self._begun
        super().data_received(data)
        if self._head is not None:  # the headers of a request are not complete
            if self._begun == begun:
                self._head = (head or 0) + len(data)
            else:  # Where they began the parser does not say. After other requests little of the bytes need be theirs.
                self._head = len(data) if between and self._begun == begun + 1 else 0
        if self._head is not None and self._head > _MOST_HEAD:
            self._turn_away("431 Request Header Fields Too Large", "The headers are too long.", more=True)
            return
        if self._head is not None and self._head_slow is None:
            # Nobody has shown a key before the headers are complete, so little is taken and not for long.
            self._head_slow = self.loop.call_later(
                self.application.limits.head_seconds,
                self._turn_away,
                "408 Request Timeout",
                "The headers did not come.",
            )
        if self._reply is not None and self._slow is None:
            self._slow = self.loop.call_later(self.application.limits.body_seconds, self._give_up)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._between, self._head = False, 0
        self._begun += 1
        super().on_message_begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other end is gone."""
        self._head_is_there()
        super().connection_lost(exc)

    def _head_is_there(self) -> None:
        self._head = None
        if self._head_slow is not None:
            self._head_slow.cancel()
            self._head_slow = None

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        cycle = self.cycle
        if self._reply is None and (cycle is None or not cycle.more_body or isinstance(cycle, Reply)):
            self._turn_away("400 Bad Request", msg)
        elif self.pipeline:  # it came within the body of the last request, which so gets this for its answer
            self.pipeline.popleft()
            cycle.response_complete = True
            self._refusal = ("400 Bad Request", msg, False)
        else:
            super().send_400_response(msg)

    def _turn_away(self, status: str, words: str, *, more: bool = False) -> None:
        """Say why nothing more is taken, and hang up; `more` if more is on its way.

        Requests before it get their answers first.
        """
        self._head_is_there()
        if self.pipeline or not self._is_free():
            self._refusal = (status, words, more)
            return
        body = words.encode()
        lines = (f"HTTP/1.1 {status}", "content-type: text/plain", f"content-length: {len(body)}", "connection: close")
        head = "\r\n".join((*lines, "", ""))
        self.transport.write(head.encode() + body)
        if more:
            Lingering(self, self.application.limits)
        else:
            self.transport.close()

    def hang_up(self) -> None:
        """End the connection, once the client has seen its answer."""
        self.pipeline.clear()
        if self.cycle.more_body and not self.transport.is_closing():
            Lingering(self, self.application.limits)
        else:
            self.transport.close()

    def _give_up(self) -> None:
        """The rest of a body did not come."""
        self._slow = None
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.keep_alive = False
            reply.set_exception(Problem("slow"))

    def on_headers_complete(self) -> None:
        """The headers are there: decide which way the request goes."""
        self._head_is_there()
        if self._direct and self.url == b"/decisions" and self._is_plain():
            self._reply = self.cycle = Reply(self)
            self._body = b""
            return
        self._reply = None
        super().on_headers_complete()
        if not self.cycle.keep_alive:
            self.cycle.transport = Closing(self)

    def _is_free(self) -> bool:
        """Whether no request waits for its answer: those sent together wait for each other in uvicorn's queue."""
        return self.cycle is None or self.cycle.response_complete

    def _is_plain(self) -> bool:
        if not self._is_free() or self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            return False
        length = media = False
        for name, value in self.headers:
            if name == b"content-length":
                length = value.isdigit() and len(value) < 6 and int(value) <= _MOST
            elif name == b"content-type":
                media = value == b"application/json"
            elif name in _FORBIDDEN and (name != b"connection" or value.lower() != b"keep-alive"):
                return False
        return length and media

    def on_body(self, body: bytes) -> None:
        """A part of the body is there."""
        if self._reply is None:
            super().on_body(body)
        else:
            self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        """The request is whole."""
        reply = self._reply
        if reply is None:
            super().on_message_complete()
            return
        self._reply, self._between = None, True
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None
        body, self._body = self._body, b""
        try:
            self.application.ask(self.headers, body, reply)
            self._taken = len(body)
        except Exception as error:  # a fault of ours must not take the connection's parser with it
            reply.set_exception(error)

    def on_response_complete(self) -> None:
        """An answer is written: wait for the next request, but not for ever."""
        if self._refusal is not None and not self.pipeline and not self.transport.is_closing():
            status, words, more = self._refusal
            self._turn_away(status, words, more=more)
            return
        if self.pipeline or self.flow.read_paused:
            super().on_response_complete()
            return
        # One timer for all requests of a connection: to make one for each costs as much as to read the event.
        self.server_state.total_requests += 1
        self._answered = self.loop.time()
        if self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self._wait_for_more(self.timeout_keep_alive)

    def _wait_for_more(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Hang up, if no request came for so long."""
        left = self._answered + self.timeout_keep_alive - self.loop.time()
        if not self._is_free():
            left = self.timeout_keep_alive
        if left > 0:
            self._wait_for_more(left)
        else:
            super().timeout_keep_alive_handler()

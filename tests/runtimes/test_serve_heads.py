"""A head that is remembered is taken as the parser would take it, wherever bytes are cut and whatever came before."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from tidegate.runtimes.serve.application import Headers
from tidegate.runtimes.serve.keys import Keys
from tidegate.runtimes.serve.limits import Limits
from tidegate.runtimes.serve.problem import Problem
from tidegate.runtimes.serve.protocol import _HEADS, DirectProtocol, Heads, Reply

PLAIN = b"POST /decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
HEADS = (
    PLAIN,
    PLAIN.replace(b"Host: localhost\r\n", b"Host: localhost\r\nAuthorization: Bearer other\r\n"),
    PLAIN.replace(b"Host: localhost\r\n", b"Host: localhost\r\nConnection: keep-alive\r\n"),
    PLAIN.replace(b"Content-Length", b"content-LENGTH"),
    b"\r\n" + PLAIN,
    PLAIN.replace(b"/decisions", b"/decisions?event=Payment"),
    PLAIN.replace(b"application/json", b"application/x-ndjson"),
    PLAIN.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked").replace(b"%b", b"%x\r\n%b\r\n0\r\n\r\n"),
)
Asked = tuple[str, Headers, bytes]


class Nothing(dict[bytes, Any]):
    """Remembers nothing, so that every head is parsed."""

    def __setitem__(self, head: bytes, known: Any) -> None:
        pass


class Line(asyncio.Transport):
    """A connection of which only the answers are looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Application:
    """Notes what it is asked by either way; a body with an exclamation mark is turned away."""

    limits = Limits()

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.waiting: list[Reply] = []
        self.keys: Keys | None = None
        self.unseen: list[bool] = []

    def ask(self, headers: Headers, body: bytes, reply: Reply, *, admitted: bool = False) -> None:
        self.asked.append(("short", list(headers), body))
        self.unseen.append(admitted)
        if b"!" in body:
            raise Problem("unauthorized", "No.")
        self.waiting.append(reply)

    def problem(self, error: BaseException) -> tuple[int, Headers, bytes]:
        return 401, [(b"content-length", b"0")], b""

    async def __call__(self, scope: Any, receive: Any, send: Callable[..., Any]) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.asked.append((scope["raw_path"].decode(), list(scope["headers"]), body))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def connected(heads: Heads) -> tuple[DirectProtocol, Application, Line]:
    application, line, loop = Application(), Line(), asyncio.get_running_loop()
    config = uvicorn.Config(application, loop="none", ws="none", lifespan="off", log_config=None)
    config.load()
    given: dict[str, Any] = {"config": config, "server_state": ServerState(), "app_state": {}, "_loop": loop}
    protocol = DirectProtocol(application, heads, **given)  # type: ignore[arg-type]
    protocol.connection_made(line)
    return protocol, application, line


async def fed(pieces: list[bytes], patience: list[bool], heads: Heads) -> tuple[list[Asked], bytes]:
    """What was asked, and what was answered, when these bytes came; where there is no patience, answers come late."""
    protocol, application, line = await connected(heads)
    for piece, patient in zip(pieces, patience, strict=True):
        protocol.data_received(piece)
        for _ in range(5 if patient else 0):
            await asyncio.sleep(0)
            while application.waiting:
                application.waiting.pop(0).set_result((b"{}", b"wait;dur=0"))
    for _ in range(20):
        await asyncio.sleep(0)
        while application.waiting:
            application.waiting.pop(0).set_result((b"{}", b"wait;dur=0"))
    protocol.connection_lost(None)
    return application.asked, line.written


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], list[bool]]:
    """Requests, mostly one in a piece, some cut or run together."""
    bodies = st.sampled_from([b"{}", b"[]", b"", b"a!", b"\r\n\r\n", b"POST"])
    made = [
        head % (len(body), body)
        for head, body in draw(st.lists(st.tuples(st.sampled_from(HEADS), bodies), min_size=1, max_size=8))
    ]
    pieces: list[bytes] = []
    for request in made:
        how = draw(st.sampled_from(["whole", "whole", "whole", "cut", "joined"]))
        at = draw(st.integers(0, len(request))) if how == "cut" else 0
        if how == "joined" and pieces:
            pieces[-1] += request
        else:
            pieces += [part for part in (request[:at], request[at:]) if part]
    return pieces, [draw(st.booleans()) for _ in pieces]


@given(streams())
def test_what_is_remembered_is_what_would_be_parsed(stream: tuple[list[bytes], list[bool]]) -> None:
    async def run() -> None:
        heads: Heads = {}
        right = await fed(*stream, Nothing())
        assert await fed(*stream, heads) == right
        assert await fed(*stream, heads) == right  # another connection, which knows them from the start

    asyncio.run(run())


def test_a_head_is_remembered_once_it_was_let_in() -> None:
    async def run() -> None:
        heads: Heads = {}
        await fed([PLAIN % (2, b"a!")], [True], heads)
        await fed([b"\r\n", b"PO", b"ST"], [True] * 3, heads)
        assert not heads
        await fed([PLAIN % (2, b"{}")], [True], heads)
        assert list(heads) == [PLAIN % (2, b"")]
        many = [PLAIN.replace(b"localhost", b"h%d" % number) % (2, b"{}") for number in range(_HEADS)]
        await fed(many, [True] * len(many), heads)
        assert len(heads) == 1  # it was full, and begins anew
        long = PLAIN.replace(b"localhost", b"h" * 4000) % (2, b"{}")
        await fed([long], [True], heads)
        assert len(heads) == 1

    asyncio.run(run())


def test_other_keys_look_at_a_head_again() -> None:
    async def run() -> None:
        protocol, application, _ = await connected({})

        def ask(body: bytes) -> bool:
            protocol.data_received(PLAIN % (len(body), body))
            if b"!" not in body:
                application.waiting.pop().set_result((b"{}", b""))
            return application.unseen[-1]

        assert [ask(b"{}") for _ in range(3)] == [False, True, True]
        application.keys = Keys({})
        assert [ask(b"a!"), ask(b"a!"), ask(b"{}"), ask(b"{}"), ask(b"a!")] == [False, False, False, True, True]
        application.keys = None
        assert [ask(b"{}"), ask(b"{}")] == [False, True]

    asyncio.run(run())


@pytest.mark.parametrize("asked", [False, True])
def test_a_connection_that_is_used_stays_and_one_that_is_not_is_closed(asked: bool) -> None:
    async def run() -> None:
        protocol, application, line = await connected({})
        protocol.data_received(PLAIN % (2, b"{}"))
        application.waiting.pop().set_result((b"{}", b""))
        protocol.timeout_keep_alive_handler()
        assert not line.closed and protocol.timeout_keep_alive_task is not None
        protocol._answered -= protocol.timeout_keep_alive
        if asked:
            protocol.data_received(PLAIN % (2, b"{}"))  # a request that waits for its answer is no idleness
        protocol.timeout_keep_alive_handler()
        assert line.closed is not asked
        protocol.connection_lost(None)

    asyncio.run(run())

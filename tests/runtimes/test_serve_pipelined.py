"""Requests that are sent together: all answered, in order, before anything is refused; and answers nobody reads."""

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .served import Running, payment, served

PLAIN = b"POST /decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEALTH.replace(b"GET /health", b"POST /decisions") + b"Transfer-Encoding: chunked\r\n"
UNREAD = 60_000_000
"""Bytes of requests that a client would send without reading an answer."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(tmp_path_factory.mktemp("pipelined") / "s.db") as running:
        yield running


def connected(server: Running) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def post(number: int, card: str) -> bytes:
    body = json.dumps(payment(number, card)).encode()
    return PLAIN % (len(body), body)


def until(raw: socket.socket, many: int) -> bytes:
    """What comes until there are so many answers, or no more."""
    found = b""
    while len(re.findall(rb"HTTP/1\.1 \d{3}", found)) < many or not found.endswith(b"}"):
        data = raw.recv(1 << 16)
        if not data:
            break
        found += data
    return found


def rest(raw: socket.socket) -> bytes:
    found = b""
    while data := raw.recv(1 << 16):
        found += data
    return found


@pytest.mark.parametrize("many", [2, 50, 3_000])
def test_all_are_answered_in_their_order(server: Running, many: int) -> None:
    card = f"together{many}"
    with connected(server) as raw:
        raw.sendall(b"".join(post(number, card) for number in range(many)))
        ids = re.findall(rb'"id":"([^"]+)"', until(raw, many))
        assert ids == [f"{card}-{number}".encode() for number in range(many)]


BAD = {
    "431": HEALTH + b"x: " + b"a" * 600_000,  # more than is read at once
    "408": HEALTH + b"x: a",
    "400": b"\x00\x01 this is no HTTP\r\n\r\n",
}


@pytest.mark.parametrize("status", list(BAD))
@pytest.mark.parametrize("before", [1, 3])
def test_what_came_before_a_refused_request_is_answered_before_it(tmp_path: Path, status: str, before: int) -> None:
    with served(tmp_path / "s.db", "head_seconds=1.0") as server, connected(server) as raw:
        raw.sendall(b"".join(post(number, f"c{status}") for number in range(before)) + BAD[status])
        said = rest(raw)
        wanted = ["200"] * before + [status]
        assert re.findall(r"HTTP/1\.1 (\d{3})", said.decode()) == wanted
        assert server.client.get(f"/decisions/c{status}-0").status_code == 200
        assert server.stop()[1].count("Traceback") == 0


def test_a_body_that_breaks_off_in_garbage_is_refused_after_the_answers_before_it(server: Running) -> None:
    with connected(server) as raw:
        raw.sendall(post(1, "broken") + CHUNKED + b"\r\nzz\r\n")
        assert re.findall(r"HTTP/1\.1 (\d{3})", rest(raw).decode()) == ["200", "400"]
    with connected(server) as raw:
        raw.sendall(CHUNKED + b"\r\nzz\r\n")
        assert re.findall(r"HTTP/1\.1 (\d{3})", rest(raw).decode()) == ["400"]


def test_nothing_more_is_read_from_who_does_not_read_the_answers(server: Running) -> None:
    """Or answers, which are larger than what asks for them, would pile up in memory."""
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    together = [post(1, "unread") * 100, ask * 200]
    for asks in together:
        with connected(server) as raw:
            sent = unread(raw, asks)
            assert sent < UNREAD / 2, "it was all read"
            raw.settimeout(60)
            assert raw.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
    assert server.decide(payment(2, "unread")).status_code == 200


def unread(raw: socket.socket, asks: bytes) -> int:
    """Send the same again and again, until no more is taken for a while; how many bytes were."""
    raw.setblocking(False)
    sent, still = 0, time.monotonic()
    while sent < UNREAD and time.monotonic() - still < 3:
        try:
            sent += raw.send(asks[sent % len(asks) :])
            still = time.monotonic()
        except BlockingIOError:
            time.sleep(0.01)
    return sent

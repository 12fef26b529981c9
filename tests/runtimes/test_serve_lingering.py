"""A client that is refused before its body was read, and ends its connection, sees why; and cannot stay for ever."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .served import Running, payment, served

LARGE = 50_000_000
BOUNDS = ("linger_bytes=60_000_000", "linger_seconds=60.0")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(
        tmp_path_factory.mktemp("linger") / "s.db", "linger_bytes=60_000_000", "linger_seconds=60.0"
    ) as running:
        yield running


def address(server: Running) -> tuple[str, int]:
    host, port = server.url.removeprefix("http://").split(":")
    return host, int(port)


def asked(server: Running, body: bytes | Iterator[bytes], **headers: str) -> tuple[int, dict[str, object]]:
    """As `urllib` asks: the whole body is sent before the answer is looked at."""
    connection = http.client.HTTPConnection(*address(server), timeout=60)
    named = {"Content-Type": "application/json", "Connection": "close"} | headers
    connection.request("POST", "/decisions", body=body, headers=named, encode_chunked=isinstance(body, Iterator))
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told


def test_a_body_that_is_too_large_gets_its_document_though_the_connection_is_to_end(server: Running) -> None:
    for _ in range(3):
        status, told = asked(server, bytes(LARGE))
        assert (status, told["code"]) == (413, "too-large")
    pieces = (bytes(100_000) for _ in range(100))
    status, told = asked(server, pieces, **{"Transfer-Encoding": "chunked"})
    assert (status, told["code"]) == (413, "too-large")
    status, told = asked(server, bytes(LARGE), **{"Content-Type": "text/plain"})
    assert (status, told["code"]) == (415, "media-type")


def test_a_body_that_is_taken_is_answered_as_ever_and_the_connection_ends_at_once(server: Running) -> None:
    status, told = asked(server, json.dumps(payment(1, "linger")).encode())
    assert (status, told["outcome"]) == (200, "approve")
    with socket.create_connection(address(server), timeout=60) as raw:
        body = json.dumps(payment(2, "linger")).encode()
        lines = "POST /decisions HTTP/1.1", "Host: localhost", "Content-Type: application/json", "Connection: close"
        raw.sendall("\r\n".join((*lines, f"Content-Length: {len(body)}", "", "")).encode() + body)
        assert b"200 OK" in ended(raw)


def test_headers_that_are_too_long_are_told_so_while_they_are_sent(server: Running) -> None:
    with socket.create_connection(address(server), timeout=60) as raw:
        raw.sendall(b"POST /decisions HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000_000)
        assert b"431 " in ended(raw)


def ended(raw: socket.socket) -> bytes:
    """Everything until the other end says that there is no more."""
    found = b""
    while data := raw.recv(1 << 16):
        found += data
    return found


def dropped(raw: socket.socket, piece: bytes, pause: float) -> int:
    """How much can be sent until the connection is gone."""
    sent, until = 0, time.monotonic() + 60
    try:
        while time.monotonic() < until:
            sent += raw.send(piece)
            time.sleep(pause)
    except (BrokenPipeError, ConnectionResetError):
        return sent
    raise AssertionError("it was still there after a minute")


HEAD = b"POST /decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"


def test_what_is_dropped_has_an_end_in_bytes(server: Running) -> None:
    with socket.create_connection(address(server), timeout=60) as raw:
        raw.sendall(HEAD + b"Content-Length: 99000000000\r\n\r\n")
        assert dropped(raw, bytes(1 << 20), 0) < 2 * 60_000_000


def test_what_is_dropped_has_an_end_in_time(tmp_path: Path) -> None:
    with served(tmp_path / "s.db", "linger_seconds=0.5") as server:
        with socket.create_connection(address(server), timeout=60) as raw:
            raw.sendall(HEAD + b"Content-Length: 99000000000\r\n\r\n")
            assert b"413 " in ended(raw)
            dropped(raw, b"x", 0.05)
        assert server.decide(payment(1)).status_code == 200
        assert server.stop()[0] == 0

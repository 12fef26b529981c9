"""A receiver of webhooks, real HTTP on the loopback, that answers as it is told to."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Callable[[str, int], int]
"""From an id, and how often it came before, to a status; 0 hangs up without an answer, negative answers late."""


class Receiver:
    """What came: each request's headers and body, in order; `accepted` are the ids that were answered with success."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/alarms"
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.accepted: list[str] = []

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.came]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.came]


@contextmanager
def receiving(answers: Answers = lambda id, before: 204) -> Iterator[Receiver]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                id = self.headers["webhook-id"]
                before = receiver.ids().count(id)
                receiver.came.append((dict(self.headers.items()), body))
                status = answers(id, before)
                if 200 <= status < 300:
                    receiver.accepted.append(id)
            if status < 0:
                time.sleep(3)
                status = -status
            if status == 0:
                self.close_connection = True
                return
            said = b"" if status == 204 else b"because"
            self.send_response(status)
            if status in (301, 307):
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()

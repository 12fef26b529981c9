"""What a stream tells of itself over HTTP: figures, whether it decides, and why not. Nothing of events or decisions."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tidegate.errors import StreamError
from tidegate.runtimes.serve.metrics import MEDIA, Metrics


@contextmanager
def serving(
    port: int,
    metrics: Metrics,
    decides: Callable[[], bool],
    host: str = "127.0.0.1",
    held_up: Callable[[], object] = lambda: None,
) -> Iterator[None]:
    """Tell it at this port of an address of this machine while the block runs; not at all if the port is 0.

    Args:
        port: where it is told.
        metrics: the figures.
        decides: whether this instance decides.
        host: the address.
        held_up: what keeps it from that, if it does not merely stand by; else None.

    Raises:
        StreamError: the port is in use, or the address is not this machine's.
    """
    if not port:
        yield
        return

    def standing() -> bytes:
        why = held_up()
        return b"stands by\n" if why is None else f"does not decide: {' '.join(str(why).split())}\n".encode()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, media, body = 404, b"text/plain", b"There are /metrics, /ready and /health.\n"
            if self.path == "/metrics":
                status, media, body = 200, MEDIA, metrics.text()
            elif self.path == "/health":
                status, body = 200, b"alive\n"
            elif self.path == "/ready":
                status, body = (200, b"decides\n") if decides() else (503, standing())
            self.send_response(status)
            self.send_header("content-type", media.decode())
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    try:
        server = ThreadingHTTPServer((host, port), Page)
    except OSError as error:
        raise StreamError(
            f"Port {port} of {host} cannot be used.",
            seen=str(error),
            do="Give another to --metrics, or an address of this machine to --metrics-host.",
        ) from None
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="tidegate-page")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()

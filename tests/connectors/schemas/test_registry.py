"""A registry behind TLS and a password, and answers that no registry should give: each has words that help."""

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.servers.certificates import Authority
from tests.servers.registry import Registry as Server
from tidegate.connectors.schemas.framing import UndecodableError
from tidegate.connectors.schemas.registry import Registry, RegistryAwayError
from tidegate.errors import StreamError

Answer = Callable[[str, str], tuple[int, bytes]]
LOGIN = "Basic " + base64.b64encode(b"tide:correct-horse").decode()


@contextmanager
def answering(answer: Answer, certificate: Path | None = None) -> Iterator[str]:
    """The address of a server that answers what it is told to: of a path and the credentials."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path, self.headers.get("authorization", ""))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def behind(registry: Server) -> Answer:
    """What stands before the real registry and asks for a password."""

    def answer(path: str, login: str) -> tuple[int, bytes]:
        if login not in (LOGIN, "Bearer token"):
            return 401, b'{"error_code": 401, "message": "Unauthorized"}'
        status, said = registry.ask("GET", path)
        return status, b"" if said is None else json.dumps(said).encode()

    return answer


def test_by_tls_and_with_credentials(registry: Server, behind: Answer, own: str, tmp_path: Path) -> None:
    id = registry.register(f"{own}-value", '{"type": "record", "name": "R", "fields": []}')
    authority = Authority(tmp_path)
    trusted = {"ssl.ca.location": str(authority.file)}
    with answering(behind, authority.sign("server")) as url:
        for more in ({"basic.auth.user.info": "tide:correct-horse"}, {"bearer.auth.token": "token"}):
            found = Registry(url, trusted | more).latest(f"{own}-value")
            assert found is not None and found.id == id
        named = url.replace("//", "//tide:correct-horse@")
        assert Registry(named, trusted).schema(id).id == id
        assert "correct-horse" not in Registry(named, trusted).name
        with pytest.raises(RegistryAwayError, match=r"401 Unauthorized\. .*basic\.auth\.user\.info"):
            Registry(url, trusted | {"basic.auth.user.info": "tide:hunter2"}).schema(id)
        with pytest.raises(RegistryAwayError, match=r"issuer.*ssl\.ca\.location names the authority"):
            Registry(url, {"bearer.auth.token": "token"}).schema(id)
        with pytest.raises(RegistryAwayError, match="cannot be reached"):
            Registry(url.replace("https", "http"), {}).schema(id)
    with (
        answering(behind, authority.sign("expired", days=-1)) as url,
        pytest.raises(RegistryAwayError, match=r"certificate has expired.*expired"),
    ):
        Registry(url, trusted).schema(id)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, b'{"message": "database is gone"}', "500 database is gone"),
        (503, b"<html>no server is available</html>", "503 <html>no server is available"),
        (200, b"<html>Welcome</html>", "502 <html>Welcome"),
        (302, b"", r"302 .*It sends elsewhere"),
        (404, b"<html>No such page</html>", "404 <html>No such page.*/apis/ccompat/v7"),
        (404, b'{"error_code": 404, "message": "HTTP 404 Not Found"}', "404 HTTP 404 Not Found"),
        (403, b'{"error_code": 40301, "message": "no"}', r"403 no\. Give this user the right"),
        (200, b'["a"]', "200"),
        (200, b"[" * 600 + b"]" * 600, r"502 \[\["),
    ],
)
def test_whatever_is_no_answer_is_waited_for(status: int, body: bytes, words: str) -> None:
    with answering(lambda path, login: (status, body)) as url, pytest.raises(RegistryAwayError, match=words):
        Registry(url).schema(1)


def test_of_several_the_first_that_answers_is_asked(registry: Server, own: str) -> None:
    id = registry.register(f"{own}-value", '{"type": "record", "name": "R", "fields": []}')
    with answering(lambda path, login: (503, b"{}")) as down:
        for urls in (f"http://127.0.0.1:9,{registry.url}", f"{down}, {registry.url}"):
            assert Registry(urls).schema(id).id == id
    for unknown in (2**31 - 2, 2**32 - 1):
        with pytest.raises(UndecodableError, match=f"The registry has no schema {unknown}"):
            Registry(registry.url).schema(unknown)


def test_references_that_go_in_circles_end() -> None:
    def answer(path: str, login: str) -> tuple[int, bytes]:
        number = int(path.rsplit("/", 1)[-1])
        refers = f'[{{"name": "n{number}", "subject": "s", "version": {number + 1}}}]'
        return 200, f'{{"id": 1, "schema": "{{}}", "references": {refers}}}'.encode()

    with answering(answer) as url, pytest.raises(UndecodableError, match="refers to itself, or too deep"):
        Registry(url).schema(1)


@pytest.mark.parametrize(
    ("url", "settings", "words"),
    [
        ("ftp://h", {}, "not the address of a schema registry"),
        ("http://h:port", {}, "not the address of a schema registry"),
        ("http://u:secret@", {}, "not the address of a schema registry"),
        ("http://h", {"sasl.password": "secret"}, "no property sasl.password"),
        ("https://h", {"ssl.ca.location": "/nowhere.pem"}, "cannot be read.*/nowhere.pem"),
    ],
)
def test_what_is_no_address_is_refused(url: str, settings: dict[str, str], words: str) -> None:
    with pytest.raises(StreamError, match=words) as told:
        Registry(url, settings)
    assert "secret" not in str(told.value)

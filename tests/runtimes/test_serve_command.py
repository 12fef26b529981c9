"""`tidegate serve` as it is started, and clients that do not behave."""

import json
import signal
import socket
from pathlib import Path

import httpx
import pytest

from .served import payment, served
from .started import FLOW, ready, started


def test_the_command_says_where_it_listens_and_what_to_send(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    process = started(tmp_path, "serve", "flow.py", "--port", "0", "--access-log")
    url, said = ready(process)
    assert f"Ready on {url}, docs at {url}/docs\n" in said and url.startswith("http://127.0.0.1:")
    sample = said[said.index("-d '") + 4 :].strip().rstrip("'")
    answer = httpx.post(url + "/decisions", content=sample, headers={"content-type": "application/json"})
    assert answer.status_code == 200 and answer.json()["outcome"] == "approve"
    other = started(tmp_path, "serve", "flow.py", "--port", url.rpartition(":")[2], "--store", "other.db")
    told = other.communicate(timeout=60)[1]
    assert other.returncode == 2 and "cannot listen" in told and "another with --port" in told
    other = started(tmp_path, "serve", "flow.py", "--port", "0")
    told = other.communicate(timeout=60)[1]
    assert other.returncode == 2 and "Another process has the store" in told and "Traceback" not in told
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 0 and "Stopped" in rest
    line = json.loads(next(part for part in (said + rest).splitlines() if '"method"' in part))
    assert (line["method"], line["path"], line["status"]) == ("POST", "/decisions", 200)


def test_beyond_loopback_the_command_wants_keys(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    process = started(tmp_path, "serve", "flow.py", "--host", "0.0.0.0", "--port", "0")
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 2 and "tidegate keys add" in told and not (tmp_path / "tidegate.db").exists()


def sent(url: httpx.URL, data: bytes, until: bytes) -> bytes:
    """What comes back for these bytes, up to some of it or to the end."""
    with socket.create_connection((url.host, url.port or 80), 10) as connection:
        connection.sendall(data)
        seen = b""
        while until not in seen:
            piece = connection.recv(65536)
            if not piece:
                break
            seen += piece
        return seen


HEAD = b"POST /decisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> httpx.URL:
    with served(tmp_path_factory.mktemp("slow") / "s.db", "body_seconds=0.3") as server:
        yield httpx.URL(server.url)


@pytest.mark.parametrize(
    "slow",
    [
        HEAD + b"Content-Length: 100\r\n\r\n{",
        HEAD + b"Content-Length: 100000\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
)
def test_a_body_that_does_not_come_is_given_up(impatient: httpx.URL, slow: bytes) -> None:
    seen = sent(impatient, slow, b'"slow"')
    assert seen.startswith(b"HTTP/1.1 408") and b'"code":"slow"' in seen


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(impatient: httpx.URL, garbage: bytes) -> None:
    assert sent(impatient, garbage, b"\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_both_ways_answer_the_same(impatient: httpx.URL) -> None:
    """A small body of a length told beforehand goes the short way, one in chunks the usual one."""
    good = payment(1, "ways")
    for event in (good, good | {"country": "DE"}, good | {"card": 1}, good | {"x": 1}):
        body, media = json.dumps(event).encode(), {"content-type": "application/json"}
        short = httpx.post(impatient.join("/decisions"), content=body, headers=media)
        usual = httpx.post(impatient.join("/decisions"), content=iter([body]), headers=media)
        assert short.status_code == usual.status_code and set(short.headers) == set(usual.headers)
        one, other = short.json(), usual.json()
        for answer in (one, other):
            answer.pop("timing", None)
            answer.pop("repeated", None)
        assert one == other


def test_a_model_that_is_not_there_is_refused_by_name_unless_that_was_asked_for(tmp_path: Path) -> None:
    asks = FLOW.replace("decline, entity", "decline, entity, model").replace(
        "    often =",
        '    n = count(per=Card, last="1h")\n    risk = model("risk@champion", of=[n], otherwise=0.0)\n    often =',
    )
    (tmp_path / "flow.py").write_text(asks)
    process = started(tmp_path, "serve", "flow.py", "--port", "0", "--models", "elsewhere")
    told = process.communicate(timeout=100)[1]
    assert process.returncode == 2 and "risk@champion is not in elsewhere" in told and "--without-models" in told
    process = started(tmp_path, "serve", "flow.py", "--port", "0", "--models", "elsewhere", "--without-models")
    ready(process)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0

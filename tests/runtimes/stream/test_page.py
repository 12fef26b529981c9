"""What a stream tells of itself over HTTP, and to whom."""

import re
import socket
from pathlib import Path

import httpx
import pytest

import tidegate
from tests.servers.server import free_port
from tidegate.errors import StreamError
from tidegate.runtimes.serve.metrics import Metrics
from tidegate.runtimes.stream.figures import Figures
from tidegate.runtimes.stream.page import serving


def test_it_is_told_on_loopback_or_where_it_is_said() -> None:
    port, decides = free_port(), [True]
    with serving(port, Metrics(), lambda: decides[0]):
        asked = httpx.get(f"http://127.0.0.1:{port}/ready")
        assert (asked.status_code, asked.text) == (200, "decides\n")
        decides.clear()
        decides.append(False)
        assert httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 503
        assert httpx.get(f"http://127.0.0.1:{port}/ready").text == "stands by\n"
        with socket.socket() as other, pytest.raises(OSError):
            other.connect(("127.0.0.2", port))  # another address of this machine
    with serving(port, Metrics(), lambda: True, "0.0.0.0"):
        assert "tidegate_decisions_total" in httpx.get(f"http://127.0.0.2:{port}/metrics").text


def test_what_keeps_it_from_deciding_is_told() -> None:
    port, away = free_port(), StreamError("The store is away.", seen="no\n  answer", do="See whether it runs.")
    why: list[StreamError | None] = [away]
    with serving(port, Metrics(), lambda: False, held_up=lambda: why[0]):
        asked = httpx.get(f"http://127.0.0.1:{port}/ready")
        told = "does not decide: The store is away. Seen: no answer. See whether it runs.\n"
        assert (asked.status_code, asked.text) == (503, told)
        why[0] = None
        assert httpx.get(f"http://127.0.0.1:{port}/ready").text == "stands by\n"


def test_an_address_that_is_not_of_this_machine_is_refused() -> None:
    with (
        pytest.raises(StreamError, match=r"of 192\.0\.2\.1 cannot be used.*--metrics-host"),
        serving(free_port(), Metrics(), lambda: True, "192.0.2.1"),
    ):
        pass


def test_each_reason_of_a_dead_letter_is_told_from_the_start() -> None:
    told = Figures().metrics.text().decode()
    source = "".join(path.read_text() for path in Path(tidegate.__file__).parent.rglob("*.py"))
    said = re.findall(r'(?:Unreadable|UndecodableError)\(\s*("[a-z-]+"|[A-Z]{2,})', source)
    named = dict(re.findall(r'^([A-Z]{2,})(?:, [A-Z]+)? = "([a-z-]+)"', source, re.MULTILINE))
    codes = {named[word] if word.isupper() else word.strip('"') for word in said}
    assert codes >= {"contract", "empty", "future", "schema", "undecodable", "unknown-type"}
    for code in codes | {"before-retention", "id-reused", "only-learned", "touched"}:
        assert f'tidegate_dead_letters_total{{code="{code}"}} 0\n' in told

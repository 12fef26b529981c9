"""`tidegate` as it is started, in a process of its own, and a server begun so."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx

from tests.conftest import ROOT

Process = subprocess.Popen[str]

FLOW = '''
from tidegate import Event, Flow, count, decline, entity

Card = entity("card")


class Payment(Event):
    """A card payment."""

    card: Card


class Fraud(Flow[Payment]):
    """Stop stolen cards."""

    often = decline(count(per=Card, last="10m") >= 2, because="Many payments")
'''


def started(folder: Path, *words: str, stderr: int | IO[bytes] = subprocess.PIPE) -> Process:
    """The command, begun in a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", "from tidegate.cli import app; app()", *words],
        cwd=folder,
        stderr=stderr,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"},
    )


def ready(process: Process) -> tuple[str, str]:
    """Where a server is ready, and what it said until then."""
    assert process.stderr is not None
    said = ""
    while "-d '" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    found = re.search(r"Ready on (http://\S+),", said)
    assert found, said
    return found[1], said


@contextmanager
def served(folder: Path, *words: str) -> Iterator[tuple[Process, httpx.Client]]:
    """`tidegate serve` that is ready, and a client of it; ended with the block, and what it started too."""
    process = started(folder, "serve", *words, "--port", "0")
    assert process.stderr is not None
    try:
        with httpx.Client(base_url=ready(process)[0], timeout=60) as client:
            yield process, client
    finally:
        process.kill()  # and its companions, which see that they are alone
        process.wait()
        process.stderr.close()


def companions(process: Process, word: str) -> list[int]:
    """The processes beside a server that were begun with this word."""
    listed = " ".join(path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/children")).split()
    return [int(child) for child in listed if word.encode() in Path(f"/proc/{child}/cmdline").read_bytes()]


def until(there: Callable[[], object], seconds: float = 120, what: str = "it took too long") -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def payment(number: int) -> dict[str, str]:
    """A payment of one of three cards, one each minute."""
    at = f"2026-01-01T{number // 60 % 24:02d}:{number % 60:02d}:00Z"
    return {"id": f"p{number}", "at": at, "card": f"c{number % 3}"}

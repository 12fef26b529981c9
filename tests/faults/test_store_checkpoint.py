"""A checkpoint that ends within a page, by a full disk or a kill: the log still holds the page, and nothing is lost."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.connectors.entries import entries
from tests.runtimes.served import payment, served
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import verify

FULL = """
import os, resource, signal, sys
from tests.connectors.entries import entries
from tidegate.connectors.store import Store
from tidegate.errors import StoreError

store = Store.open(sys.argv[1])
store._write_connection().execute("PRAGMA wal_autocheckpoint = 50")
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
kept = 0
try:
    while True:
        kept = store.append(entries(kept + 1, kept + 50)).size
except StoreError as error:
    print(kept)
if sys.argv[2] == "kill":
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
store.close()
"""

OFTEN = """
import os, sys
from tests.connectors.entries import entries
from tidegate.connectors.store import Store

store = Store.open(sys.argv[1])
store._write_connection().execute("PRAGMA wal_autocheckpoint = 8")
store.sync_apart()  # so that most of the time goes into writing, and a kill meets it
size = store.head().size
print(size, flush=True)
while True:
    size = store.append(entries(size + 1, size + 40)).size
    print(size, flush=True)
"""


@pytest.mark.parametrize("how", ["kill", "close"])
def test_a_disk_that_is_full_during_a_checkpoint(tmp_path: Path, how: str) -> None:
    path = tmp_path / "s.db"
    done = subprocess.run([sys.executable, "-c", FULL, path, how], capture_output=True, text=True, check=False)
    assert done.returncode == (-signal.SIGKILL if how == "kill" else 0), done.stderr
    kept = int(done.stdout)
    assert path.stat().st_size % 8192, "the last page is whole: this test would show nothing"
    with Store.open(path, read_only=True) as store:
        assert store.head().size == kept and verify(store).ok
    with Store.open(path) as store:
        assert store.append(entries(kept + 1, kept + 10)).size == kept + 10
        assert verify(store).ok
    assert path.stat().st_size % 8192 == 0


@pytest.mark.parametrize("how", ["kill", "SIGTERM"])
def test_a_server_whose_disk_is_full_starts_again(tmp_path: Path, how: str) -> None:
    """The file size limit stands for the end of the disk."""
    resource = pytest.importorskip("resource")
    path, told = tmp_path / "s.db", []
    with served(path) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (36_000_000, resource.RLIM_INFINITY))
        full = False
        while not full:
            events = [payment(len(told) + n, f"c{n % 7}", country="x" * 900) for n in range(500)]
            body = b"\n".join(json.dumps(event).encode() for event in events)
            answer = server.client.post("/decisions", content=body, headers={"content-type": "application/x-ndjson"})
            found = [json.loads(line) for line in answer.content.splitlines()]
            told += [one["id"] for one in found if "outcome" in one]
            full = answer.status_code == 503 or any(one.get("status") == 503 for one in found)
            assert full or len(told) % 500 == 0, found[-1]
        if how == "kill":
            server.process.kill()
            server.process.wait()
        else:
            assert server.stop()[0] == 0
    with served(path) as server:
        for id in (told[0], told[-1]):
            assert server.client.get(f"/decisions/{id}").status_code == 200
    with Store.open(path, read_only=True) as store:
        assert verify(store).ok and store.head().size >= len(told)


def test_killed_in_the_middle_of_checkpoints(tmp_path: Path) -> None:
    chance = random.Random(7)
    path, kept = tmp_path / "s.db", 0
    for _ in range(12):
        writer = subprocess.Popen([sys.executable, "-c", OFTEN, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None and int(writer.stdout.readline()) >= kept
        time.sleep(chance.uniform(0.0, 0.1))
        writer.kill()
        kept = max([kept, *map(int, writer.communicate()[0].split())])
    with Store.open(path) as store:
        assert store.head().size >= kept and verify(store).ok


def torn(tmp_path: Path) -> tuple[Path, Path]:
    """A store as a kill leaves it within the copying of a page, and its log."""
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 500))
        store._write_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.append(entries(501, 1000))
        there = tmp_path / "torn"
        there.mkdir()
        for name in ("s.db", "s.db-wal"):
            shutil.copy(tmp_path / name, there / name)
    os.truncate(there / "s.db", (there / "s.db").stat().st_size + 4096)
    return there / "s.db", there / "s.db-wal"


def test_half_a_page_is_mended_from_the_log(tmp_path: Path) -> None:
    path, _ = torn(tmp_path)
    with Store.open(path) as store:
        assert store.head().size == 1000 and verify(store).ok


@pytest.mark.parametrize("pages", [0.5, 3, 20])
def test_pages_that_the_log_lacks_too_are_never_filled_with_zeros(tmp_path: Path, pages: float) -> None:
    path, _ = torn(tmp_path)
    os.truncate(path, path.stat().st_size - 4096 - int(pages * 8192))
    for _ in range(2):  # the first try must not have changed what the second sees
        for read_only in (True, False):
            with pytest.raises(StoreError, match="damaged or was cut short"):
                Store.open(path, read_only=read_only)

"""No room, a file cut short, a file of another kind: each is told, nothing half is kept, and it goes on after."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import verify

from ..connectors.entries import entries, entry

# Fills a store to the brim of what the surroundings allow, then lets it go on. Run in a process of its own.
UNTIL_FULL = """
import sys
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import verify
from tidegate.evidence.record import Entry

def batch(first):
    return [Entry(id=f"e{n}", kind="P", at=n, digest=b"d" * 32, body=b"b" * 900, answer=b"a")
            for n in range(first, first + 50)]

store = Store.open(sys.argv[1])
head, failed = store.head(), 0
constrain()
while failed < 3:
    try:
        head = store.append(batch(head.size + 1))
        assert head.size < 100_000, "never full"
    except StoreError as error:
        failed += 1
        print("told:", error)
        assert store.head() == head, "something of a failed batch is visible"
        assert not store.find([f"e{head.size + 1}", f"e{head.size + 50}"])
relieve()
grown = store.append(batch(head.size + 1))
assert grown.size == head.size + 50
assert verify(store, head=head).ok and verify(store).records == grown.size
store.close()
with Store.open(sys.argv[1]) as store:
    assert store.head() == grown and verify(store).ok and len(list(store.replay())) == grown.size
print("went on")
"""

BY_FILE_SIZE = """
import resource
def constrain(): resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
def relieve(): resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""

BY_DISK = """
import os, sys
folder = os.path.dirname(sys.argv[1])
with open(folder + "/ballast", "wb") as file: file.write(bytes(2_000_000))
def constrain(): pass
def relieve(): os.unlink(folder + "/ballast")
"""


def run(code: str, path: Path, *before: str, other: str = "") -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-c", code, str(path), other]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def on_a_small_disk(folder: Path) -> tuple[str, ...]:
    """What to put before a command so that it finds a disk of 5 MB at `folder`, in a name space of its own."""
    mount = f'mount -t tmpfs -o size=5m small {folder} && exec "$@"'
    return ("unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh")


@cache
def may_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        tried = [*on_a_small_disk(Path(folder)), "true"]
        return bool(shutil.which("unshare")) and not subprocess.run(tried, capture_output=True, check=False).returncode


# Where a small disk cannot be mounted, the file size limit stands for it: the same code runs.
@pytest.mark.parametrize("limit", ["file size", "disk"] if may_mount() else ["file size"])
def test_no_room(tmp_path: Path, limit: str) -> None:
    if limit == "disk":
        done = run(BY_DISK + UNTIL_FULL, tmp_path / "s.db", *on_a_small_disk(tmp_path))
        wrong, do = "no room left", "Make room on its disk"
    else:
        done = run(BY_FILE_SIZE + UNTIL_FULL, tmp_path / "s.db")
        wrong, do = "could not be written", "send the batch again"
    assert done.returncode == 0 and done.stdout.endswith("went on\n"), done.stdout + done.stderr
    assert wrong in done.stdout and do in done.stdout


def test_a_limit_on_pages(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        head = store.append(entries(1, 100))
        connection = store._write_connection()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        for _ in range(2):
            with pytest.raises(StoreError, match="no room left"):
                store.append(entries(101, 1100))
            assert store.head() == head and store.get("e101") is None
        with pytest.raises(StoreError, match="no room left"):
            store.put_artefact("model", bytes(100_000))
        connection.execute("PRAGMA max_page_count = 1000000")
        assert store.append(entries(101, 1100)).size == 1100
        assert verify(store).ok


@pytest.mark.parametrize("left", [100, 8192, 40_000, 0.5, 0.9, -1])
def test_a_store_cut_short_is_not_opened(tmp_path: Path, left: float) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 2000))
    size = path.stat().st_size
    os.truncate(path, int(size * left) if isinstance(left, float) else left % size)
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"damaged or was cut short\. Seen: .*Put back a copy"):
            Store.open(path, read_only=read_only)


def test_a_page_of_garbage_is_told_and_the_record_named(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 3000))
    with open(path, "r+b") as file:
        file.seek(0)
        data = file.read()
        page = data.index(entry(1500).body) // 8192
        file.seek(page * 8192)
        file.write(b"\xff" * 8192)
    with Store.open(path, read_only=True) as store:
        found = verify(store)
        assert found.fault is not None and 1 < found.fault.seq <= 1500 and found.records == found.fault.seq - 1
        assert found.fault.how in ("unreadable", "removed"), found.fault


def test_what_is_no_store_is_told_apart(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("just some notes\n" * 100)
    with pytest.raises(StoreError, match="is no SQLite database"):
        Store.open(text)
    assert text.read_text() == "just some notes\n" * 100
    other = sqlite3.connect(tmp_path / "other.db", isolation_level=None)
    other.execute("CREATE TABLE accounts (id)")
    other.close()
    with pytest.raises(StoreError, match=r"another program's SQLite database\. Seen: application id 0x0, 1 tables"):
        Store.open(tmp_path / "other.db")
    with pytest.raises(StoreError, match="is a folder"):
        Store.open(tmp_path)
    with pytest.raises(StoreError, match="There is no store"):
        Store.open(tmp_path / "none.db", create=False)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(StoreError, match=r"cannot be opened for writing.*existing folder"):
        Store.open(tmp_path / "nowhere" / "s.db")


def test_a_store_of_a_newer_version_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    Store.open(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE store_revision SET version_num = '0099'")
    connection.close()
    with pytest.raises(StoreError, match=r"newer version of Tidegate\. Seen: tables of revision 0099, .* up to 0004\."):
        Store.open(path)


def test_a_store_that_was_never_finished_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "s.db.new").write_bytes(b"half a store")
    with Store.open(tmp_path / "s.db") as store:
        assert store.append(entries(1, 1)).size == 1


def test_another_program_that_holds_the_file_is_told(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db") as store:
        store.append(entries(1, 1))
        store._write_connection().execute("PRAGMA busy_timeout = 10")
        browser = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
        browser.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program holds the store"):
            store.append(entries(2, 2))
        browser.execute("ROLLBACK")
        assert store.append(entries(2, 2)).size == 2


def test_a_store_that_is_gone_or_empty_is_not_made_anew_over_its_remains(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    (tmp_path / "s.db-wal").write_bytes(b"x" * 5000)
    with pytest.raises(StoreError, match=r"is gone, but its write-ahead log is still there\. Seen: 5000 bytes"):
        Store.open(path)
    (tmp_path / "s.db-wal").unlink()
    path.touch()
    with pytest.raises(StoreError, match="is empty: a store that was cut to nothing"):
        Store.open(path)
    path.unlink()
    Store.open(path).close()


NO_ROOM_FOR_A_SNAPSHOT = """
import resource, sys
from pathlib import Path
import numpy as np
from tidegate.errors import SnapshotError
from tidegate.evidence.snapshot import Snapshots

kept = Snapshots(Path(sys.argv[1]))
state = {"cells": np.arange(100_000)}
kept.write(seq=1, flow=b"f", root=b"r", arrays=state)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    kept.write(seq=2, flow=b"f", root=b"r", arrays=state)
except SnapshotError as error:
    print("told:", error)
assert [path.name for path in Path(sys.argv[1]).iterdir()] == [kept.files()[0].name], "half a snapshot was left"
assert kept.latest().snapshot.seq == 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
kept.write(seq=2, flow=b"f", root=b"r", arrays=state)
assert kept.latest().snapshot.seq == 2
print("went on")
"""


def test_no_room_for_a_snapshot(tmp_path: Path) -> None:
    done = run(NO_ROOM_FOR_A_SNAPSHOT, tmp_path)
    assert done.returncode == 0 and done.stdout.endswith("went on\n"), done.stdout + done.stderr
    assert "could not be written" in done.stdout and "The store is not touched" in done.stdout


AS_NOBODY = """
import os, sys
import tidegate.connectors.sqlite  # now: nobody may not read the interpreter's folder
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
if os.getuid() == 0: os.setuid(65534)
try:
    Store.open(sys.argv[1])
except StoreError as error:
    print("told:", error)
with Store.open(sys.argv[2], read_only=True) as store:
    print("read", store.head().size)
"""


def test_a_folder_that_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store.open(folder / "s.db") as store:
            store.append(entries(1, 10))
        folder.chmod(0o555)
        try:
            done = run(AS_NOBODY, folder / "new.db", other=str(folder / "s.db"))
        finally:
            folder.chmod(0o755)
    assert "cannot be opened for writing" in done.stdout and "Give this user the right" in done.stdout, done.stderr
    assert done.stdout.endswith("read 10\n"), done.stdout + done.stderr

"""A store's locks hold whatever its own process looks at: no other process takes its index for an abandoned one."""

import subprocess
import sys
from pathlib import Path

from tests.connectors.entries import entries
from tidegate.connectors.store import Store

# SQLite holds this byte of the index as long as a process has it open, and cuts an index of which nobody does.
_FREE = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
    except OSError:
        sys.exit(0)
sys.exit("the index looks abandoned")
"""


def _held(path: Path) -> None:
    index = path.with_name(path.name + "-shm")
    done = subprocess.run([sys.executable, "-c", _FREE, str(index)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_looking_whether_a_store_is_whole_keeps_its_locks(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store.open(path) as store:
        store.append(entries(1, 200))  # so that the database lacks pages which the log has
        _held(path)
        for _ in range(2):
            with Store.open(path, read_only=True) as read:
                assert read.head() == store.head()
                _held(path)
            _held(path)
        store.append(entries(201, 300))
        with Store.open(path, read_only=True) as read:
            assert read.head() == store.head()

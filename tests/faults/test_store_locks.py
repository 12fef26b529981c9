"""A store's locks hold whatever its own process looks at: no other process takes its index for an abandoned one."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.connectors.entries import entries
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import verify

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


_APPEND = """
import sys
from tests.connectors.entries import entries
from tidegate.connectors.store import Store
with Store.open(sys.argv[1]) as store:
    store.append(entries(store.head().size + 1, store.head().size + 5))
"""


def test_a_link_to_a_store_lets_no_second_one_in(tmp_path: Path) -> None:
    """Its log and its lock lie beside the file, not beside the link."""
    path, link = tmp_path / "s.db", tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    with Store.open(path) as store:
        store.append(entries(1, 5))
        link.symlink_to(path)
        other = subprocess.run([sys.executable, "-c", _APPEND, str(link)], capture_output=True, text=True, check=False)
        assert other.returncode and "Another process has the store" in other.stderr
        with Store.open(link, read_only=True) as read:
            assert read.head().size == 5
    subprocess.run([sys.executable, "-c", _APPEND, str(link)], check=True)
    with Store.open(path) as store:
        assert store.head().size == 10 and verify(store).ok
    assert {file.name for file in link.parent.iterdir()} == {"link.db"}


def test_a_store_with_a_second_name_is_not_written(tmp_path: Path) -> None:
    """By a hard link neither the log nor the lock is found, and what was acknowledged would be lost."""
    path, other = tmp_path / "s.db", tmp_path / "other.db"
    with Store.open(path) as store:
        store.append(entries(1, 5))
        other.hardlink_to(path)
        with pytest.raises(StoreError, match="another name too"):
            Store.open(other)
        store.append(entries(6, 10))
    with pytest.raises(StoreError, match="another name too"):
        Store.open(path)
    other.unlink()
    with Store.open(path) as store:
        assert store.head().size == 10 and verify(store).ok

"""`kill -9` in the middle of appends: what was acknowledged is there, nothing is half there or different."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import KILLS, ROOT
from tidegate.connectors.store import Store
from tidegate.errors import StoreError
from tidegate.evidence.log import verify
from tidegate.evidence.merkle import Range
from tidegate.evidence.record import seal

from .filler import entry


def fill_and_kill(path: Path, seconds: float) -> list[int]:
    """Let a process append for so long, kill it, and return the sizes that it was acknowledged."""
    writer = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("filler.py")), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    assert first.startswith("open ")
    time.sleep(seconds)
    writer.kill()
    told = [first, *writer.communicate()[0].splitlines(keepends=True)]
    return [int(line.split()[1]) for line in told if line.endswith("\n")]


def test_nothing_acknowledged_is_lost_doubled_or_different(tmp_path: Path) -> None:
    path, chance = tmp_path / "s.db", random.Random()
    plain, sizes, used = Range(), [0], [False]
    for _ in range(KILLS):
        kept = fill_and_kill(path, chance.uniform(0.0, 0.4))
        assert kept[0] == sizes[-1]
        with Store.open(path, create=False) as store:
            head = store.head()
            # The batch in flight may be kept, whole; its acknowledgement died with the process.
            batches = [commit.size for commit in store.heads()]
            assert batches[-1:] in ([], [head.size]) and set(kept) <= {0, *batches}
            assert head.size == kept[-1] or batches[-2:-1] in ([], [kept[-1]])
            # An uninterrupted run would have sealed the same entries, and so have the same root.
            _, leaves = seal([entry(number) for number in range(plain.size + 1, head.size + 1)], plain.size)
            plain.extend(leaves)
            assert head.root == plain.root()
            assert [event.id for event in store.replay(sizes[-1])] == [
                entry(number).id for number in range(sizes[-1] + 1, head.size + 1)
            ]
            assert verify(store).ok
            ids = [entry(number).id for number in range(1, head.size + 2)]
            assert set(store.find(ids)) == set(ids[:-1])
            used.append(store._seen_kept > 0)  # not all ids were read anew
        sizes.append(head.size)
    assert sizes[-1] > 0 and any(used)


def killed_while_a_page_is_moved(path: Path) -> int:
    """A store whose process died as it moved the log's pages into the file: half of a new page is at its end."""
    writer = "import os, sys, tests.faults.filler as f; f.fill(sys.argv[1])"
    process = subprocess.Popen([sys.executable, "-c", writer, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    kept = [process.stdout.readline() for _ in range(4)][-1]
    process.kill()
    process.communicate()
    os.truncate(path, path.stat().st_size + 4096)
    return int(kept.split()[1])


def test_half_a_page_that_the_log_holds_whole_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    kept = killed_while_a_page_is_moved(path)
    with Store.open(path, read_only=True) as store:
        assert verify(store).ok and store.head().size >= kept
    with Store.open(path) as store:
        assert verify(store).ok and store.head().size >= kept
    assert path.stat().st_size % 8192 == 0


def test_half_a_page_that_the_log_has_not_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    killed_while_a_page_is_moved(path)
    Store.open(path).close()  # all of the log is moved
    killed_while_a_page_is_moved(path)
    os.truncate(path, path.stat().st_size // 8192 // 2 * 8192 + 4096)
    for read_only in (True, False):
        with pytest.raises(StoreError, match="damaged or was cut short"):
            Store.open(path, read_only=read_only)

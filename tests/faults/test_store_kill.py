"""`kill -9` in the middle of appends: what was acknowledged is there, nothing is half there or different."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from tidegate.connectors.sqlite import Store
from tidegate.evidence.log import verify
from tidegate.evidence.merkle import Range
from tidegate.evidence.record import seal

from .filler import entry

KILLS = 30 if int(os.environ.get("TIDEGATE_CASES", "500")) > 500 else 5


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
    plain, sizes = Range(), [0]
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
            assert {int(item.body) for item in store.outbox_pending(10**9)} == set(range(7, head.size + 1, 7))
            assert verify(store).ok
        sizes.append(head.size)
    assert sizes[-1] > 0

"""What durability costs: decisions appended a second, sealed and synced, in groups, against one commit for each.

    python -m benchmarks.store [--records 100000] [--folder FOLDER]

The peer keeps the same bytes in one plain SQLite table (WAL, synchronous=FULL, unique id), one commit for each row and
no seals. Both run side by side on the same disk; only the ratio says something about another machine.
"""

import argparse
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from tidegate.connectors.store import Store
from tidegate.evidence.log import verify
from tidegate.evidence.record import Entry

FLOW = msgspec.msgpack.encode({"models": {}})
"""The least that a record can name as what decided it."""


def entries(count: int, *, ordered: bool) -> list[Entry]:
    """Decisions of about 1 kB; ids in order of arrival, as from a sequence, or without order, as random UUIDs."""
    chance = random.Random(1)
    body, answer, record, digest = (chance.randbytes(size) for size in (200, 300, 400, 32))
    return [
        Entry(
            id=f"event-{number:012d}" if ordered else f"{chance.getrandbits(128):032x}",
            kind="Payment",
            at=number,
            digest=digest,
            body=body,
            answer=answer,
            record=record,
            outcome="approve",
            level="low",
            score=0.25,
            flow=sha256(FLOW).digest(),
            elapsed=b"[1,2,3]",
        )
        for number in range(count)
    ]


def ours(path: Path, batch: Sequence[Entry], group: int) -> tuple[float, float]:
    """Wall and processor seconds to ask for and append all, as the engine does."""
    with Store.open(path) as store:
        store.put_artefact("flow", FLOW)
        wall, cpu = time.perf_counter(), time.process_time()
        for first in range(0, len(batch), group):
            part = batch[first : first + group]
            store.find([entry.id for entry in part])
            store.append(part)
        return time.perf_counter() - wall, time.process_time() - cpu


def peer(path: Path, batch: Sequence[Entry]) -> float:
    """Wall seconds with a commit for each row."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE decisions (id TEXT PRIMARY KEY, kind, at, outcome, level, score, digest, body, answer, record)"
    )
    wall = time.perf_counter()
    for e in batch:
        connection.execute(
            "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (e.id, e.kind, e.at, e.outcome, e.level, e.score, e.digest, e.body, e.answer, e.record),
        )
    wall = time.perf_counter() - wall
    connection.close()
    return wall


def opened(path: Path) -> tuple[float, float]:
    """Seconds to open a store with what was kept of its ids, and without."""
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        store = Store.open(path)
        seconds.append(time.perf_counter() - began)
        store.close()
        path.with_name(path.name + ".seen").unlink(missing_ok=True)
    return seconds[0], seconds[1]


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--records", type=int, default=100_000)
    wanted.add_argument("--folder", help="where to write; a folder on the disk to measure")
    asked = wanted.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder or os.getcwd()) as name:
        folder = Path(name)
        ordered, random_ids = entries(asked.records, ordered=True), entries(asked.records, ordered=False)
        few = max(200, asked.records // 50)
        rate = few / peer(folder / "peer.db", ordered[:few])
        print(f"{'peer, a commit each':28}{rate:>12,.0f} entries/s")
        for words, batch, group in (
            ("a commit each", ordered[:few], 1),
            ("groups of 10", ordered[: few * 10], 10),
            ("groups of 100", ordered, 100),
            ("groups of 1000", ordered, 1000),
            ("groups of 100, random ids", random_ids, 100),
        ):
            wall, cpu = ours(folder / f"{words}.db", batch, group)
            each, found = cpu / len(batch) * 1e6, len(batch) / wall
            print(f"{words:28}{found:>12,.0f} entries/s  {found / rate:>6.1f}x peer  {each:5.1f} µs of processor each")
        with Store.open(folder / "groups of 100.db", read_only=True) as store:
            wall = time.perf_counter()
            found_whole = verify(store)
            wall = time.perf_counter() - wall
            print(f"{'verify':28}{found_whole.records / wall:>12,.0f} records/s  whole: {found_whole.ok}")
            assert found_whole.ok and found_whole.records == asked.records
        kept, anew = opened(folder / "groups of 100.db")
        print(f"{'open':28}{kept:>12.3f} s  {anew / kept:>6.1f}x reading every id anew")


if __name__ == "__main__":
    main()

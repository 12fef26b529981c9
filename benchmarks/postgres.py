"""What a store in PostgreSQL costs: decisions kept a second, sealed and committed, against bare psycopg and SQLite.

    python -m benchmarks.postgres [--records 20000] [--group 100] [--rounds 3]

The peers write the same prepared rows into one table with the same columns and the same unique index, a commit for each
group, and seal nothing: psycopg's binary COPY, and its executemany in a pipeline. SQLite is our own store on the
same disk. All take turns, in groups of the same size and synced; the middle of the rounds is told. The server's own
work is on other processes' clocks, so wall and this process's processor seconds are both told.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg

from benchmarks.store import FLOW, entries
from benchmarks.targets import Targets
from tests.servers.postgres import Postgres
from tidegate.connectors.store import Store
from tidegate.evidence.log import verify
from tidegate.evidence.record import Entry, seal
from tidegate.evidence.tables import RECORDS, definition

_TYPES = {"int": "int8", "key": "int8", "text": "text", "real": "float8", "blob": "bytea"}
Measured = tuple[float, float]


def timed(work: Callable[[], None]) -> Measured:
    """Wall and processor seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def ours(address: str, batch: Sequence[Entry], group: int) -> Measured:
    with Store.open(address) as store:
        store.put_artefact("flow", FLOW)

        def work() -> None:
            for first in range(0, len(batch), group):
                part = batch[first : first + group]
                store.find([entry.id for entry in part])
                store.append(part)

        took = timed(work)
        assert store.head().size == len(batch)
    return took


def bare(url: str, batch: Sequence[Entry], group: int, *, copy: bool) -> Measured:
    rows, _ = seal(batch, 0)
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(definition("records", "postgresql").encode())
        cursor.execute("CREATE UNIQUE INDEX records_id ON records (id)")

        def by_copy() -> None:
            for first in range(0, len(rows), group):
                with cursor.copy("COPY records FROM STDIN (FORMAT BINARY)") as put:
                    put.set_types([_TYPES[kind] for _, kind, _ in RECORDS])
                    for row in rows[first : first + group]:
                        put.write_row(row)

        def by_statements() -> None:
            insert = f"INSERT INTO records VALUES ({', '.join(['%b'] * len(RECORDS))})".encode()
            for first in range(0, len(rows), group):
                with connection.transaction():
                    cursor.executemany(insert, rows[first : first + group])

        return timed(by_copy if copy else by_statements)


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--records", type=int, default=20_000)
    wanted.add_argument("--group", type=int, default=100)
    wanted.add_argument("--rounds", type=int, default=3)
    asked = wanted.parse_args()
    batch, group = entries(asked.records, ordered=True), asked.group
    with tempfile.TemporaryDirectory(dir=os.getcwd()) as name, Postgres(Path(name) / "server", fsync="on") as server:
        folder = Path(name)

        def kept(number: int) -> Measured:
            address = f"{server.room()}&files={folder / f'beside{number}'}"
            took = ours(address, batch, group)
            with Store.open(address, read_only=True) as store:
                assert verify(store).ok
            return took

        ways: dict[str, Callable[[int], Measured]] = {
            "psycopg COPY, no seals": lambda number: bare(server.room(), batch, group, copy=True),
            "psycopg executemany": lambda number: bare(server.room(), batch, group, copy=False),
            "our store in PostgreSQL": kept,
            "our store in SQLite": lambda number: ours(str(folder / f"{number}.db"), batch, group),
        }
        took: dict[str, list[Measured]] = {name: [] for name in ways}
        for number in range(asked.rounds):
            for name, way in ways.items():
                took[name].append(way(number))
    print(f"{asked.records:,} decisions of about 1 kB in groups of {group}, the middle of {asked.rounds} rounds")
    walls = {name: statistics.median(wall for wall, _ in found) for name, found in took.items()}
    for name, found in took.items():
        cpu = statistics.median(cpu for _, cpu in found) / asked.records * 1e6
        rate, ratio = asked.records / walls[name], walls["psycopg COPY, no seals"] / walls[name]
        print(f"{name:26}{rate:>10,.0f} decisions/s {ratio:>6.2f}x COPY {cpu:>8.1f} µs of our processor each")
    targets = Targets(held=True)
    copied = walls["psycopg COPY, no seals"] / walls["our store in PostgreSQL"]
    targets.ratio("our store in PostgreSQL, of COPY", copied, least=0.5)
    targets.end()


if __name__ == "__main__":
    main()

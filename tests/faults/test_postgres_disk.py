"""PostgreSQL without room for its tables: the batch is refused by name, nothing half is kept, and it goes on after."""

import os
from pathlib import Path

import psycopg
import pytest

from tests.connectors.entries import entries
from tests.servers.maven import UnavailableError
from tests.servers.postgres import Postgres
from tidegate import Store, StoreError
from tidegate.evidence.log import verify


def on_a_small_disk(folder: Path) -> tuple[str, ...]:
    """What to put before a command so that it, and nobody else, finds a small disk at `folder`."""
    return ("unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o size=24m,mode=1777 small {folder} && exec "$@"', "sh")


def at_the_server(boss: psycopg.Connection, command: str) -> None:
    """Have the server run a command: it sees the small disk, and we do not.

    What it writes to the command is read first, since one that ends earlier is told as a failure.
    """
    boss.execute(f"COPY (SELECT) TO PROGRAM 'cat; {command}'".encode())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a server of PostgreSQL a small disk")
def test_no_room_on_the_disk_of_its_tables(tmp_path: Path) -> None:
    try:
        cluster = Postgres(tmp_path / "postgres")
    except UnavailableError as error:
        pytest.skip(str(error))
    small = cluster.folder / "small"
    small.mkdir()
    cluster.before = on_a_small_disk(small)
    with cluster, psycopg.connect(cluster.url("postgres"), autocommit=True) as boss:
        at_the_server(boss, f"mkdir -m 700 {small}/tables")
        boss.execute(f"CREATE TABLESPACE small LOCATION '{small}/tables'".encode())
        at_the_server(boss, f"head -c 2000000 /dev/zero > {small}/ballast")
        boss.execute("CREATE DATABASE fraud TABLESPACE small")
        with Store.open(f"{cluster.url('fraud')}?files={tmp_path / 'store'}") as store:
            head, failed = store.head(), 0
            while failed < 3:
                try:
                    head = store.append(entries(head.size + 1, head.size + 500))
                    assert head.size < 100_000, "never full"
                except StoreError as error:
                    failed += 1
                    assert "no room left" in str(error) and "Make room where PostgreSQL keeps its data" in str(error)
                    assert store.head() == head, "something of a failed batch is visible"
                    assert not store.find([f"e{head.size + 1}", f"e{head.size + 500}"])
            at_the_server(boss, f"rm {small}/ballast")
            assert store.append(entries(head.size + 1, head.size + 500)).size == head.size + 500
            assert verify(store).ok

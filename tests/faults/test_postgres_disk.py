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
        # The server sees the small disk, and we do not: what is done there, it does.
        boss.execute(f"COPY (SELECT) TO PROGRAM 'mkdir -m 700 {small}/tables'".encode())
        boss.execute(f"CREATE TABLESPACE small LOCATION '{small}/tables'".encode())
        boss.execute(f"COPY (SELECT 1) TO PROGRAM 'head -c 2000000 /dev/zero > {small}/ballast'".encode())
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
            boss.execute(f"COPY (SELECT) TO PROGRAM 'rm {small}/ballast'".encode())
            assert store.append(entries(head.size + 1, head.size + 500)).size == head.size + 500
            assert verify(store).ok

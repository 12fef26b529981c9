"""A store that a server writes, and the same one as a disk has it that lost its power."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.connectors import redo_log, sqlite_sync
from tidegate.connectors.store import Store
from tidegate.evidence.log import verify
from tidegate.evidence.record import Refusal


class Disk:
    """A store that a server writes, and what its disk is sure to have of it.

    Each time that the log is synced, database and log are copied; power is lost by putting the last copy elsewhere,
    with the redo log as it lies there.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        folder = folder.resolve()
        self.folder, self.safe = folder / "live", folder / "safe"
        self.folder.mkdir()
        self.store = Store.open(self.folder / "s.db")
        sync = sqlite_sync._data_sync
        self.syncs = self.losses = 0

        def copying(file: int) -> None:
            if Path(os.readlink(f"/proc/self/fd/{file}")).parent == self.folder:
                self.syncs += 1
                self.copy()
            sync(file)

        patch.setattr(sqlite_sync, "_data_sync", copying)
        self.copy()
        self.store.sync_apart(each=True)
        self.syncs = 0  # but for the one of the begin

    def copy(self) -> None:
        """Take down what the disk has by now."""
        shutil.rmtree(self.safe, ignore_errors=True)
        self.safe.mkdir()
        for name in ("s.db", "s.db-wal"):
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, self.safe / name)

    @property
    def redo(self) -> Path:
        """The redo log."""
        return redo_log.beside(self.folder / "s.db")

    def after_power_loss(self) -> Path:
        """The store that the disk has."""
        self.losses += 1
        lost = self.folder.with_name(f"lost-{self.losses}")
        shutil.copytree(self.safe, lost)
        shutil.copy(self.redo, lost)
        return lost / "s.db"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    found = Disk(tmp_path, monkeypatch)
    if not found.redo.exists():
        pytest.skip("this system writes to no disk directly and asynchronously")
    yield found
    found.store.close()


def held(path: Path) -> list[tuple[object, ...]]:
    """All rows of a store, opened to write and found whole."""
    with Store.open(path) as store:
        found = verify(store)
        assert found.ok, found
    return rows(path)


def rows(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT * FROM records ORDER BY seq").fetchall()
        found += connection.execute("SELECT seq, id, digest, reason, at FROM refusals ORDER BY seq").fetchall()
    connection.close()
    return found


def refusal(number: int) -> Refusal:
    return Refusal(f"r{number}", bytes([number % 256]) * 32, "it came too late", number)

"""After a failed sync a log is only called safe once all of it was moved, which a reader can keep from happening."""

import errno
import sqlite3
from pathlib import Path

import pytest

from tests.connectors.entries import entries
from tidegate.connectors import sqlite
from tidegate.connectors.store import Store
from tidegate.errors import StoreError


def test_a_log_that_a_reader_keeps_from_being_moved_is_not_called_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with Store.open(tmp_path / "s.db") as store:
        store.sync_apart()
        store.append(entries(1, 5))
        store._write_connection().execute("PRAGMA busy_timeout = 50")
        reader = sqlite3.connect(tmp_path / "s.db")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM records").fetchone()
        store.append(entries(6, 50))
        with monkeypatch.context() as patch:
            patch.setattr(sqlite, "_data_sync", failing)
            with pytest.raises(StoreError, match="could not be put on the disk"):
                store.sync()
        with pytest.raises(StoreError):
            store.sync()
        reader.close()
        store.sync()

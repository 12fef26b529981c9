"""A store that an older Tidegate made (`store-v1.db.gz`, by the code of version 1): brought up, moved, whole."""

import gzip
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.connectors.entries import entries
from tests.connectors.stores import Places
from tidegate import Store, StoreError
from tidegate.cli import app
from tidegate.evidence.log import verify
from tidegate.runtimes.copying import copy

ROOT = "c3a7419fb063f941c07dc52d58ccd2df9160053ad5097ebb6e94478df336da34"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store of version 1 with 12 records in 3 commits and 3 refusals."""
    path = tmp_path / "v1.db"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "store-v1.db.gz").read_bytes()))
    return path


def test_it_is_brought_up_and_its_seals_hold(old: Path) -> None:
    said = CliRunner().invoke(app, ["store", "migrate", "--store", str(old)])
    assert (
        said.exit_code == 0
        and "tables of revision 0001; 12 records" in said.output
        and "revision 0004 now" in said.output
    ), said.output
    with Store.open(old) as store:
        found = verify(store)
        assert found.ok and found.head.root.hex() == ROOT
        assert found.refusals is not None and found.refusals.size == 3
        assert store.find(["old7"])["old7"].seq == 7
        assert store.append(entries(1, 3)).size == 15 and verify(store).ok


def test_it_can_be_moved_once_it_is_brought_up(old: Path, places: Places) -> None:
    Store.open(old).close()
    with Store.open(old, read_only=True) as store, Store.open(places()) as other:
        assert copy(store, other).root.hex() == ROOT
        assert other.refusals() == store.refusals() and verify(other).ok


def test_it_is_not_moved_without_its_refusals(old: Path, tmp_path: Path) -> None:
    with Store.open(old, read_only=True) as store, Store.open(tmp_path / "new.db") as other:
        with pytest.raises(StoreError, match="tidegate store migrate"):
            copy(store, other)
        assert other.head().size == 0

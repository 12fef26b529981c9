"""A server of a test's own, which it may kill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.maven import UnavailableError
from tests.servers.postgres import Postgres


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Postgres]:
    """A cluster of this test alone, as it is to be killed."""
    try:
        made = Postgres(tmp_path / "postgres")
    except UnavailableError as error:
        pytest.skip(str(error))
    with made:
        yield made

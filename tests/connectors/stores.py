"""Stores of every kind that there is, so that one test is held against each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KINDS = ("sqlite", "postgres")
Places = Callable[[], str]


@pytest.fixture(params=KINDS)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    """Gives the address of a place with no store in it, a new one each time it is called."""
    if request.param == "sqlite":
        made: list[Any] = []

        def file() -> str:
            made.append(None)
            return str(tmp_path / f"s{len(made)}.db")

        return file
    cluster = request.getfixturevalue("postgres")

    def room() -> str:
        url = cluster.room()
        return f"{url}&files={tmp_path / url.rpartition('%3D')[2]}"

    return room


@pytest.fixture
def place(places: Places) -> str:
    """The address of one such place."""
    return places()

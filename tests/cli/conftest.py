"""A small demo, run once: its store, its model and its report are what the other commands are asked about."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tidegate.cli import app


def typed(*words: object) -> Result:
    """What a command gives when it is typed."""
    return CliRunner().invoke(app, [str(word) for word in words])


@dataclass(frozen=True)
class Demo:
    """A demo that was run: its folder, and what it said."""

    folder: Path
    stdout: str
    stderr: str

    @property
    def store(self) -> Path:
        return self.folder / "tidegate.db"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "runs"
    result = typed("demo", "--small", "--out", folder)
    assert result.exit_code == 0, result.output
    return Demo(folder, result.stdout, result.stderr)

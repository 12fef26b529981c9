"""Where the house's tests look: the tracked files, the public names, the documents."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src" / "tidegate"


def files(*suffixes: str) -> list[Path]:
    """The repository's own files of these suffixes: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return sorted(path for path in paths if path.suffix in suffixes and path.is_file())


def pages() -> list[Path]:
    """README, CHANGELOG and everything in docs/."""
    return [path for path in files(".md") if path.parent == ROOT or (ROOT / "docs") in path.parents]


def shown(path: Path) -> str:
    """A path as a message names it."""
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, the file it stands for (`file=NAME`), its text and its first line."""

    language: str
    file: str
    text: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in re.finditer(r"^```([a-z]*)(?: file=(\S+))?[^\n]*\n(.*?)^```$", text, re.M | re.S):
        yield Block(found[1], found[2] or "", found[3], text.count("\n", 0, found.start(3)) + 1)

"""What a kernel is made of: its own source, and that of every module of ours whose functions and constants it may hold.

Numba looks at the date of one file only. But a kernel contains what it calls and what it was told, so a change anywhere
among these outdates it.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_IMPORT = re.compile(rf"^(?:from|import) ({_ROOT.name}[\w.]*)(?: import (\([^)]*\)|.*))?", re.MULTILINE)


def _files(module: str) -> list[Path]:
    path = _ROOT.joinpath(*module.split(".")[1:])
    return [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]


@cache
def _read(path: Path) -> tuple[bytes, list[Path]]:
    """A file's digest, and the files of ours that it imports."""
    source = path.read_bytes()
    imports = []
    for module, names in _IMPORT.findall(source.decode("utf-8")):
        imports += _files(module)
        for name in re.findall(r"\w+", names):
            imports += _files(f"{module}.{name}")
    return hashlib.sha256(source).digest(), imports


def drawn_from(path: Path) -> list[Path]:
    """A file and all files of ours that it imports, and that these import.

    Raises:
        OSError: a source cannot be read.
    """
    found = {path: None}
    waiting = [path]
    while waiting:
        new = [other for other in _read(waiting.pop())[1] if other not in found]
        found.update(dict.fromkeys(new))
        waiting += dict.fromkeys(new)
    return sorted(found)


@cache
def made_of(path: Path) -> str:
    """A digest of the sources that a file is drawn from.

    Raises:
        OSError: a source cannot be read.
    """
    digest = hashlib.sha256()
    for file in drawn_from(path):
        digest.update(_read(file)[0])
    return digest.hexdigest()

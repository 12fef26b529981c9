"""Files that are looked at again and again: what tells that one was changed."""

from pathlib import Path

Mark = tuple[int, int, int] | None
"""What changes with a file: its time, its size, which file it is; None if there is none."""


def mark(path: Path | None) -> Mark:
    """What tells that a file was changed or replaced."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

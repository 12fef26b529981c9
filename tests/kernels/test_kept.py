"""Compiled kernels on disk: damaged, half written, written by many at once, or nowhere to be written."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

MILL = """
from tidegate.kernels.compiled import compiled

@compiled("int64(int64)")
def ground(grain):
    return grain * 3 + 1

@compiled("float64(float64[::1])", error_model="numpy")
def weighed(sacks):
    total = 0.0
    for i in range(len(sacks)):
        total += ground(i) * sacks[i]
    return total
"""
START = """
import numpy, mill
hits = sum(sum(each.stats.cache_hits.values()) for each in (mill.ground, mill.weighed))
print(mill.ground(5), mill.weighed(numpy.ones(4)), hits)
"""


class Mill:
    """A program with two kernels, and its folders."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache = folder, folder / "cache"
        (folder / "mill.py").write_text(MILL)

    def begin(self, prepare: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        """A process that starts, answers and ends."""
        places = {"NUMBA_CACHE_DIR": str(self.cache), "XDG_CACHE_HOME": str(self.folder / "home")}
        return subprocess.Popen(
            [sys.executable, "-c", START],
            cwd=self.folder,
            env=os.environ | places | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=prepare,
        )

    def start(self, prepare: Callable[[], None] | None = None) -> tuple[int, list[str]]:
        """How many kernels one such process took from disk, and the lines it told; its answers are right."""
        return self.end(self.begin(prepare))

    @staticmethod
    def end(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
        """Wait for a process that was begun."""
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        *answers, hits = out.split()
        assert answers == ["16", "22.0"]
        return int(hits), err.splitlines()

    def kept(self) -> list[Path]:
        """The files of the cache."""
        return sorted(path for path in self.cache.rglob("*") if path.is_file())


@pytest.fixture
def mill(tmp_path: Path) -> Mill:
    return Mill(tmp_path)


def _flipped(place: float) -> Callable[[bytes], bytes]:
    def flip(code: bytes) -> bytes:
        at = int(place * (len(code) - 1))
        return code[:at] + bytes([code[at] ^ 4]) + code[at + 1 :]

    return flip


def test_damaged_code_is_made_anew_and_told(mill: Mill) -> None:
    assert mill.start() == (0, [])
    assert mill.start() == (2, [])
    assert [path.suffix for path in mill.kept()] == [".kernel"] * 2
    whole = {path: path.read_bytes() for path in mill.kept()}
    ways = [_flipped(place) for place in (0.0, 0.02, 0.5, 1.0)]
    ways += [lambda code: code[: len(code) // 2], lambda code: b"", lambda code: code + b"\0", lambda code: code[:40]]
    for first, second in zip(ways[::2], ways[1::2], strict=True):
        for path, way in zip(whole, (first, second), strict=True):
            path.write_bytes(way(whole[path]))
        taken, told = mill.start()
        assert taken == 0
        assert [line.count("is damaged: deleted, and made anew") for line in told] == [1, 1]
        assert mill.start() == (2, [])


def test_nowhere_to_write_is_told_once_and_works(mill: Mill) -> None:
    for name in ("cache", "home", "__pycache__"):
        (mill.folder / name).write_text("a file where a folder should be")
    taken, told = mill.start()
    assert taken == 0
    assert len(told) == 1 and "Compiled kernels cannot be kept" in told[0] and "NUMBA_CACHE_DIR" in told[0]


def test_a_full_disk_leaves_nothing_half_written(mill: Mill) -> None:
    taken, told = mill.start(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
    assert taken == 0
    assert len(told) == 1 and "File too large" in told[0]
    assert not mill.kept()
    assert mill.start() == (0, [])


def test_code_is_found_where_it_could_not_be_written(mill: Mill) -> None:
    """As in an image that was built by one user and is run by another."""
    places = mill.cache, mill.folder / "elsewhere"
    mill.cache = mill.folder / "no" / "folder"
    mill.cache.parent.write_text("a file where a folder should be")
    assert mill.start() == (0, [])
    assert list((mill.folder / "__pycache__").glob("*.kernel"))
    for mill.cache in places:
        assert mill.start() == (2, [])


def test_many_start_at_once(mill: Mill) -> None:
    for process in [mill.begin() for _ in range(4)]:
        taken, told = mill.end(process)
        assert told == []
        assert 0 <= taken <= 2
    assert [path.suffix for path in mill.kept()] == [".kernel"] * 2
    assert mill.start() == (2, [])


def test_killed_while_compiling(mill: Mill) -> None:
    began = time.monotonic()
    mill.start()
    whole = time.monotonic() - began
    chance = random.Random(7)
    for _ in range(6):
        for path in mill.kept():
            path.unlink()
        process = mill.begin()
        time.sleep(whole * chance.uniform(0.5, 1.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert mill.start()[1] == []


def test_leftovers_and_outdated_code_are_tidied(mill: Mill) -> None:
    mill.start()
    kept = mill.kept()
    old = [path.with_name(path.name + ".123") for path in kept]
    new = old[0].with_name(kept[0].name + ".124")
    for path in (*old, new):
        path.write_bytes(b"half")
    for path in old:
        os.utime(path, (1, 1))
    (mill.folder / "mill.py").write_text(MILL.replace("grain * 3", "3 * grain"))
    assert mill.start() == (0, [])
    left = mill.kept()
    assert len(left) == 3 and new in left and not set(left) & set(kept)

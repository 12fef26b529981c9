"""Machine code on disk: one file a kernel, with a digest that is checked before anything looks into it.

LLVM ends the process when it is given damaged code, so Numba's own cache, which checks nothing, turns a flipped bit
into a start that dies. Here damaged code is deleted, told in one line and made anew; where nothing can be written, code
lives in memory only. Several processes may start at once: a file appears whole or not at all, and all write the same.
"""

import hashlib
import inspect
import logging
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from tidegate.kernels.sources import made_of

__all__ = ["KeptCode", "before_compiling"]

_log = logging.getLogger("tidegate.kernels")
_ABANDONED = 3600.0
"""Seconds after which a file that a process began to write, and did not finish, is in nobody's hands any more."""


def _folders(source: Path) -> Iterator[Path]:
    """Where code may lie, in order: where Numba is told to, beside the source, and in the user's cache."""
    place = f"{source.parent.name}_{hashlib.sha256(bytes(source.parent)).hexdigest()[:16]}"
    told: str = config.CACHE_DIR  # type: ignore[attr-defined]  # Numba sets it from NUMBA_CACHE_DIR
    if told:
        yield Path(told) / place
    yield source.parent / "__pycache__"
    with suppress(RuntimeError):  # a user without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidegate" / place


@cache
def _machine(target: Any) -> str:
    """A short digest of what makes code of use elsewhere, or none: processor, Python, Numba, LLVM."""
    about = (target, sys.version_info[:3], sys.abiflags, numba.__version__, llvmlite.__version__)
    return hashlib.sha256(repr(about).encode()).hexdigest()[:12]


_told: list[str] = []


_waiting: list[Callable[[], object]] = []


@contextmanager
def before_compiling(tell: Callable[[], object]) -> Iterator[None]:
    """Within it, `tell` is called whenever a kernel is about to be compiled, because no code for it is kept."""
    _waiting.append(tell)
    try:
        yield
    finally:
        _waiting.remove(tell)


def _cannot_keep(reasons: list[str]) -> None:
    """Say it once, not for every kernel."""
    if _told:
        return
    _told.extend(reasons)
    _log.warning(
        "Compiled kernels cannot be kept (%s): they live in memory, and the next start compiles them again. "
        "Set NUMBA_CACHE_DIR to a folder that can be written and has room.",
        "; ".join(reasons) or "no folder for them",
    )


class KeptCode(_Cache):
    """What Numba asks for the code of one function, and gives it to: the cache of a dispatcher."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._source = Path(inspect.getfile(function))
        self._name = f"{self._source.stem}.{function.__qualname__.replace('<locals>.', '')}"
        self._enabled = True

    @property
    def cache_path(self) -> str:
        """The folder that code is put into first."""
        return str(next(_folders(self._source)))

    def enable(self) -> None:
        """Look for code, and keep it, from now on."""
        self._enabled = True

    def disable(self) -> None:
        """Only compile from now on."""
        self._enabled = False

    def flush(self) -> None:
        """Forget what is kept. Nothing asks for it: code that is outdated is not found."""

    def _named(self, signature: Any, codegen: Any) -> tuple[str, str]:
        """A file name's start, the same for every version of this kernel on this machine, and the whole name."""
        types = hashlib.sha256(repr(signature).encode()).hexdigest()[:8]
        start = f"{self._name}-{types}-{_machine(codegen.magic_tuple())}-"
        return start, f"{start}{made_of(self._source)[:24]}.kernel"

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for these types, None where there is none that can be used."""
        code = self._kept(sig, target_context) if self._enabled else None
        for tell in () if code is not None else tuple(_waiting):
            tell()
        return code

    def _kept(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        try:
            _, name = self._named(sig, target_context.codegen())
        except OSError:  # no source to tell the version by
            return None
        for folder in _folders(self._source):
            code = _checked(folder / name)
            if code is not None:
                return CompileResult._rebuild(target_context, *pickle.loads(code))  # type: ignore[no-untyped-call]
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep code for these types in the first folder that takes it."""
        if not self._enabled:
            return
        if data.library.has_dynamic_globals or any(not each.can_cache for each in data.lifted):
            raise TypeError(f"The kernel {self._name} holds an address, which another process cannot use.")
        reasons = []
        code: bytes = dumps(data._reduce())  # type: ignore[no-untyped-call]
        for folder in _folders(self._source):
            try:
                start, name = self._named(sig, data.codegen)
                _write(folder, name, hashlib.sha256(code).digest() + code)
            except OSError as error:
                reasons.append(f"{error.strerror}: {folder}")
            else:
                _tidy(folder, start, name)
                return
        _cannot_keep(reasons)


def _checked(path: Path) -> bytes | None:
    """The code in a file; None where there is no file, or a damaged one, which is deleted."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:32], content[32:]
    if hashlib.sha256(code).digest() == digest:
        return code
    try:
        path.unlink(missing_ok=True)
        done = "deleted"
    except OSError as error:
        done = f"not to be deleted ({error.strerror})"
    _log.warning("The compiled kernel in %s is damaged: %s, and made anew.", path, done)
    return None


def _write(folder: Path, name: str, content: bytes) -> None:
    """Put a file into a folder, whole or not at all; after a loss of power the digest tells what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{name}.{os.getpid()}"
    try:
        unfinished.write_bytes(content)
        unfinished.replace(folder / name)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def _tidy(folder: Path, start: str, name: str) -> None:
    """Delete this kernel's code of other sources, and what killed processes left."""
    with suppress(OSError):
        for path in folder.glob(f"{start}*"):
            if path.suffix == ".kernel":
                outdated = path.name != name
            else:
                outdated = time.time() - path.stat().st_mtime > _ABANDONED
            if outdated:
                path.unlink()

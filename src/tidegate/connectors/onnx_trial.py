"""A model in ONNX is tried in a process of its own before it is believed.

What reads and runs it is not ours, and what is in it may be made to break that: take forever, take all memory, or end
the process. A process of its own has so much time and memory and no more, and may end. What it came through stays as
it is, by its digest, so this is done once: when a model is stored, or a flow that names its file is made.
"""

import contextlib
import subprocess
import sys
from functools import lru_cache

import msgspec
import numpy as np

from tidegate.errors import ModelError

__all__ = ["SECONDS", "tried"]

SECONDS = 20
"""The most processor time that reading a model and asking it a few rows may take."""
_MEMORY = 6 * 1024**3  # of addresses, of which what ONNX Runtime may really take is a part
_ROWS = 64


class _Asked(msgspec.Struct):
    content: bytes
    what: str
    features: tuple[str, ...]
    output: str
    missing: str


class _Told(msgspec.Struct):
    wrong: str = ""
    seen: str = ""
    do: str = ""


@lru_cache(maxsize=64)
def tried(content: bytes, what: str, *, features: tuple[str, ...] = (), output: str = "", missing: str = "") -> None:
    """Try a model out.

    Raises:
        ModelError: it is not supported or damaged, or took too much time or memory, or ended the process.
    """
    asked = msgspec.msgpack.encode(_Asked(content, what, features, output, missing))
    words = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(words, input=asked, capture_output=True, timeout=4 * SECONDS, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode:
        code = "no end" if done is None else f"exit code {done.returncode}"
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] if done is not None else []
        raise ModelError(
            f"{what} did not come through a trial of {SECONDS} s of processor time and {_MEMORY // 1024**3} GiB.",
            seen=": ".join([code, *last])[:300], do="Export a smaller model, from a source that you trust.",
        )  # fmt: skip
    told = msgspec.msgpack.decode(done.stdout, type=_Told)
    if told.wrong:
        raise ModelError(told.wrong, seen=told.seen, do=told.do)


def _bounded() -> None:
    """Bound what this process may take, where the system can do that."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _try_out(asked: _Asked) -> _Told:
    from tidegate.models.onnx.asking import Asking
    from tidegate.models.onnx.document import read_onnx

    try:
        file = read_onnx(asked.content, asked.what)
        model = Asking(file, asked.content, asked.features, asked.output, passes=asked.missing == "pass")
    except ModelError as error:
        return _Told(error.wrong, error.seen, error.do)
    many = len(model.columns)
    rows = np.vstack([np.zeros((1, many)), np.ones((1, many)), np.full((1, many), np.nan), np.full((1, many), -1.0)])
    for row in rows:
        model.answers(row[None, :])
    model.answers(np.tile(rows, (_ROWS // len(rows), 1)))
    return _Told()


if __name__ == "__main__":
    _bounded()
    sys.stdout.buffer.write(
        msgspec.msgpack.encode(_try_out(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Asked)))
    )

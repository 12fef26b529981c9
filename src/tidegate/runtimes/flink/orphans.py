"""Workers whose Java process was killed would live on for ever: they look after themselves."""

import os
import threading
import time
from pathlib import Path

_EVERY = 1.0
_watching = threading.Event()


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def end_with_parent() -> None:
    """End this process, hard, when the process that started its starting script is gone.

    Flink starts a worker by a shell script; if Flink's own process is killed, the script is left, and so is the worker.
    """
    script = os.getppid()
    java = _parent_of(script)
    if java <= 1 or _watching.is_set():
        return
    _watching.set()

    def watch() -> None:
        while os.getppid() == script and _parent_of(script) == java:
            time.sleep(_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="tidegate-orphans").start()

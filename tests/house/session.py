"""A shell that a page's console blocks are typed into, one after the other."""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

END = re.compile(rb"<<ended (\d+)>>\n")
KERNELS = re.compile(r"^kernels: .*; compiled once, then kept\n", re.MULTILINE)
"""What is told only where a machine runs a kernel for the first time; pages do not show it."""


class ShellSession:
    """One bash for one page: what a command changes (folder, variables, jobs) holds for the next, as for a reader.

    Everything it started is ended with it.
    """

    def __init__(self, folder: Path, timeout: float = 240.0) -> None:
        self.timeout = timeout
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=os.environ | {"PATH": path, "HOME": str(folder), "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # The group is this session's own; a job left in the background holds it open.
        os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.communicate()

    def run(self, command: str) -> tuple[int, str]:
        """The exit status of a command and what it showed, errors included."""
        assert self.shell.stdin and self.shell.stdout
        self.shell.stdin.write(f"{command}\nprintf '<<ended %d>>\\n' $?\n".encode())
        self.shell.stdin.flush()
        until, seen = time.monotonic() + self.timeout, b""
        with selectors.DefaultSelector() as ready:
            ready.register(self.shell.stdout, selectors.EVENT_READ)
            while not (end := END.search(seen)):
                if not ready.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError(f"after {self.timeout:.0f} s: $ {command}\n{seen.decode(errors='replace')}")
                piece = os.read(self.shell.stdout.fileno(), 65536)
                if not piece:
                    raise ChildProcessError(f"the shell ended at: $ {command}\n{seen.decode(errors='replace')}")
                seen += piece
        return int(end[1]), KERNELS.sub("", seen[: end.start()].decode(errors="replace"))

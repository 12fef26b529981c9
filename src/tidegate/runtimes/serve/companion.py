"""A process beside the server, such as a challenger in its shadow: it starts and ends with the server."""

import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tidegate.runtimes.serve.marks import Mark, mark

_LOG = logging.getLogger("tidegate.serve")
_LONGEST_PAUSE = 60.0
_LOOK = 1.0
"""Seconds between looks at files whose change is waited for."""
UNFIT = 65
"""The status of a command that ends in the same way each time until its files are changed (`EX_DATAERR`)."""


class Companion:
    """Keeps one command of ours running. What it says goes to our own error stream.

    Args:
        words: the command as it would be typed after `tidegate`.
        what: what it is called in messages.
        files: those that are to change before it is started again when it ends with `UNFIT`.
    """

    def __init__(self, words: Sequence[str], what: str, files: Sequence[Path] = ()) -> None:
        self._words, self._files = words, tuple(files)
        self._marks: list[Mark] = []
        self._unfit = False
        self._command = [sys.executable, "-c", "from tidegate.cli import app; app()", *words]
        self._what = what
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="tidegate-companion", daemon=True)

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.poll() is None

    @property
    def unfit(self) -> bool:
        """Whether it ended with what only a change of its files mends, which is waited for."""
        return self._unfit

    def again(self) -> "Companion":
        """Another one of the same command, which was not started yet: one that was stopped is not started again."""
        return Companion(self._words, self._what, self._files)

    def start(self) -> None:
        """Start it, in the background."""
        self._thread.start()

    def stop(self, patience: float = 30.0) -> None:
        """Ask it to end, and wait so many seconds before it is made to."""
        self._ending.set()
        process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(patience)

    def _keep(self) -> None:
        pause = 1.0
        while not self._ending.is_set():
            self._marks = self._marked()  # before it reads them: a change while it runs counts
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            if self._ending.is_set():  # asked to stop just before there was something to ask
                self._process.terminate()
            status = self._process.wait()
            if self._ending.is_set():
                return
            if status == UNFIT and self._files:
                self._await_change()
                pause = 1.0
                continue
            _LOG.error("%s ended (status %d); it is started again in %.0f s.", self._what, status, pause)
            self._ending.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _await_change(self) -> None:
        """Say once that it stays down, and wait until one of its files is another, or the end."""
        names = ", ".join(str(path) for path in self._files)
        _LOG.error(
            "%s ended, as it would each time: it is started again when its flow is changed (%s).", self._what, names
        )
        self._unfit = True
        while self._marked() == self._marks and not self._ending.wait(_LOOK):
            pass
        self._unfit = False
        if not self._ending.is_set():
            _LOG.warning("%s was changed; it is started again.", self._what)

    def _marked(self) -> list[Mark]:
        return [mark(path) for path in self._files]

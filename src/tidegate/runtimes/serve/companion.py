"""A process beside the server, such as a challenger in its shadow: it starts and ends with the server."""

import logging
import subprocess
import sys
import threading
from collections.abc import Sequence

_LOG = logging.getLogger("tidegate.serve")
_LONGEST_PAUSE = 60.0


class Companion:
    """Keeps one command of ours running. What it says goes to our own error stream.

    Args:
        words: the command as it would be typed after `tidegate`.
        what: what it is called in messages.
    """

    def __init__(self, words: Sequence[str], what: str) -> None:
        self._words = words
        self._command = [sys.executable, "-c", "from tidegate.cli import app; app()", *words]
        self._what = what
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="tidegate-companion", daemon=True)

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.poll() is None

    def again(self) -> "Companion":
        """Another one of the same command, which was not started yet: one that was stopped is not started again."""
        return Companion(self._words, self._what)

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
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            if self._ending.is_set():  # asked to stop just before there was something to ask
                self._process.terminate()
            status = self._process.wait()
            if self._ending.is_set():
                return
            _LOG.error("%s ended (status %d); it is started again in %.0f s.", self._what, status, pause)
            self._ending.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

"""A server is a folder, a command and a readiness probe: started on loopback, ended by its own process id."""

import ctypes
import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_DEATH = 1
"""PR_SET_PDEATHSIG: a server does not outlive the run that started it, however that ends."""


_HELD: list[int] = []
"""Descriptors of the locks on this process's ports; they go with it."""


class Server:
    """One server. A kind of server says what its `command` is and when it is `ready`; the rest is the same for all.

    Args:
        folder: everything it writes lies here, and stays when it is stopped, so it can be started again.
        port: where it listens; a free one unless told.
    """

    name = "server"
    patience = 60.0
    """Seconds it may take until it is ready."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"127.0.0.1:{self.port}"

    @property
    def where(self) -> str:
        """What its users are told."""
        return self.address

    @property
    def log(self) -> Path:
        """What it said, over all its starts."""
        return self.folder / "server.log"

    def prepare(self) -> None:
        """What is done once before the first start, such as formatting its disk."""

    def command(self) -> Sequence[str | Path]:
        """What starts it."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Variables that it gets beside our own."""
        return {}

    def ready(self) -> bool:
        """Whether it answers as it will from now on; asked again and again until it does."""
        return answers(self.port)

    def start(self) -> Self:
        """Start it and wait until it is ready.

        Raises:
            RuntimeError: it ended, or was not ready in time; with the end of its log.
        """
        if not (self.folder / "prepared").exists():
            self.prepare()
            (self.folder / "prepared").touch()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in self.command()],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | self.environment(), preexec_fn=_end_with_us, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
            if self.ready():
                return self
            time.sleep(0.1)
        self.kill()
        raise RuntimeError(f"{self.name} was not ready within {self.patience:g} s:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines that it said."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])

    def stop(self) -> None:
        """End it as it wants to be ended; after half a minute, as it does not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()

    def kill(self) -> None:
        """End it as a loss of power would (`kill -9`)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        """Start it again on what it kept, where it was."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it stand still, connections open, until `thaw`: a server that answers slowly."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)
            # The signal is on its way to each of its threads, and one may still answer: it stands still when all do.
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let it go on."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.thaw()
        self.stop()


def _end_with_us() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)


def free_port() -> int:
    """A free port of loopback below those that the system gives to clients, so that it is still free at a restart.

    It is this process's until that ends: another one that looks for a port is not given it before the server listens.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            if _reserve(port):
                return port


def _reserve(port: int) -> bool:
    folder = Path(tempfile.gettempdir()) / "tidegate-test-ports"
    folder.mkdir(exist_ok=True)
    held = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return False
    _HELD.append(held)
    return True


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0

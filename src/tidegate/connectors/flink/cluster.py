"""A Flink cluster of our own on loopback: processes that we start, and end by their ids."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tidegate.connectors.flink.environment import Environment
from tidegate.connectors.flink.rest import Rest
from tidegate.errors import TidegateError

_PATIENCE = 180.0


def _free_ports(many: int) -> list[int]:
    sockets = [socket.socket() for _ in range(many)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _end_with_us() -> None:
    """A cluster does not outlive the command that started it, however that ends (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Cluster:
    """Processes of Flink on this machine.

    Args:
        environment: where PyFlink is.
        folder: of configuration and logs.
        managers: TaskManagers.
        slots: of each of them: parallel instances of a job that it can run.
        settings: of Flink, beyond ours.
    """

    def __init__(
        self,
        environment: Environment,
        folder: Path,
        managers: int = 1,
        slots: int = 1,
        settings: dict[str, str] | None = None,
    ) -> None:
        self._environment, self._folder, self._slots = environment, folder, slots
        self._rpc, self._rest, self._blob = _free_ports(3)
        self.rest = Rest(f"127.0.0.1:{self._rest}")
        self._settings = settings or {}
        self.job_manager: subprocess.Popen[bytes] | None = None
        self.task_managers: list[subprocess.Popen[bytes]] = []
        self._many = managers

    @property
    def address(self) -> str:
        """Where jobs are submitted: HOST:PORT."""
        return self.rest.address

    def start(self) -> None:
        """Start everything, and wait until all slots are there.

        Raises:
            TidegateError: they are not, within a minute.
        """
        self._configure()
        self.start_job_manager()
        while len(self.task_managers) < self._many:
            self.task_managers.append(self._process("taskmanager"))
        self.wait(self._many * self._slots)

    def _configure(self) -> None:
        conf = self._folder / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        for name in ("log4j-console.properties", "log4j.properties"):
            (conf / name).write_bytes((self._environment.home / "conf" / name).read_bytes())
        lines = {
            "jobmanager.rpc.address": "127.0.0.1",
            "jobmanager.rpc.port": self._rpc,
            "jobmanager.bind-host": "127.0.0.1",
            "jobmanager.memory.process.size": "1024m",
            "rest.address": "127.0.0.1",
            "rest.bind-address": "127.0.0.1",
            "rest.port": self._rest,
            "blob.server.port": self._blob,
            "taskmanager.host": "127.0.0.1",
            "taskmanager.bind-host": "127.0.0.1",
            "taskmanager.numberOfTaskSlots": self._slots,
            "taskmanager.memory.process.size": f"{1456 + 500 * self._slots}m",
            # Each job that is started again loads its classes anew, and those of the last one go late.
            "taskmanager.memory.jvm-metaspace.size": "512m",
            "env.java.opts.all": self._opened(),
            "heartbeat.interval": "1000",
            "heartbeat.timeout": "20000",
            "io.tmp.dirs": self._folder / "tmp",
            **self._settings,
        }
        (self._folder / "tmp").mkdir(exist_ok=True)
        text = "".join(f"{name}: {value}\n" for name, value in lines.items())
        (conf / "config.yaml").write_text(text, encoding="utf-8")

    def _opened(self) -> str:
        """What of Java's own modules Flink says that it must reach; without, it cannot even end when memory does."""
        shipped = (self._environment.home / "conf" / "config.yaml").read_text(encoding="utf-8")
        found = re.search(r"^\s+all: (--add-.*)$", shipped, re.MULTILINE)
        return found[1] if found else ""

    def _process(self, what: str) -> subprocess.Popen[bytes]:
        folder = self._folder
        variables = self._environment.variables() | {
            "FLINK_CONF_DIR": str(folder / "conf"),
            "FLINK_LOG_DIR": str(folder / "log"),
            "FLINK_PID_DIR": str(folder),
        }
        (folder / "log").mkdir(exist_ok=True)
        command = ["bash", str(self._environment.home / "bin" / f"{what}.sh"), "start-foreground"]
        with open(folder / "log" / f"{what}.out", "ab") as log:
            # in a session of its own: Ctrl-C is for us, who ask for a savepoint first
            return subprocess.Popen(
                command, cwd=folder, env=os.environ | variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_end_with_us,
            )  # fmt: skip

    def start_job_manager(self) -> None:
        """Start the JobManager, again if it ended."""
        self.job_manager = self._process("jobmanager")

    def wait(self, slots: int) -> None:
        """Wait until the cluster has so many slots.

        Raises:
            TidegateError: it has not, within three minutes, or a process ended.
        """
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if self.job_manager is not None and self.job_manager.poll() is not None:
                break
            if self.rest.slots() >= slots:
                return
            time.sleep(0.2)
        raise TidegateError(
            "Flink did not start.",
            seen=f"{self.rest.slots()} of {slots} slots",
            do=f"See the logs in {self._folder / 'log'}.",
        )

    def mend(self) -> bool:
        """Start again what has ended; whether the JobManager had, and with it its jobs."""
        self.task_managers = [one if one.poll() is None else self._process("taskmanager") for one in self.task_managers]
        gone = self.job_manager is not None and self.job_manager.poll() is not None
        if gone:
            self.start_job_manager()
            self.wait(self._many * self._slots)
        return gone

    def stop(self) -> None:
        """End every process that was started here."""
        every = [one for one in (*self.task_managers, self.job_manager) if one is not None]
        for one in every:
            one.terminate()
        for one in every:
            try:
                one.wait(15)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()

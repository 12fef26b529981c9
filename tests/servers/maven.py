"""Jars from Maven: pinned, fetched once, kept outside the tree, never taken for whole when a fetch was cut off."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
COPY = PLUGIN.replace("copy-dependencies", "copy")
LONGEST = 900
"""Seconds that Maven may take."""


class UnavailableError(Exception):
    """What a server needs is not on this machine: tests that want it are skipped, which fails a run in CI."""


def cache() -> Path:
    """Where servers are kept between runs: `tidegate/servers` in the user's cache folder."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidegate" / "servers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One process at a time: test workers that want the same server at once fetch it once."""
    with open(cache() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def program(name: str, do: str) -> str:
    """Where a program of this machine is.

    Raises:
        UnavailableError: it is not here.
    """
    found = shutil.which(name)
    if found is None:
        raise UnavailableError(f"no {name} in PATH: {do}")
    return found


def jars(name: str, *wanted: str) -> Path:
    """The folder of these artefacts (`group:artefact:version`) and of all that they need at work.

    Raises:
        UnavailableError: there is no Maven, or it fails.
    """
    lines = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(
            *one.split(":")
        )
        for one in wanted
    )
    pom = (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>tidegate</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{lines}</dependencies></project>"
    )
    folder = cache() / f"{name}-{hashlib.sha256(pom.encode()).hexdigest()[:12]}"
    with alone(name):
        if not (folder / "complete").exists():
            _fetch(folder, pom)
    return folder / "lib"


def archive(name: str, artefact: str, classifier: str = "") -> Path:
    """One file from Maven, `group:artefact:version:type`, or that of a classifier.

    Raises:
        UnavailableError: there is no Maven, or it fails.
    """
    _, what, version, kind = artefact.split(":")
    artefact += f":{classifier}" if classifier else ""
    folder = cache() / f"{name}-{hashlib.sha256(artefact.encode()).hexdigest()[:12]}"
    with alone(name):
        if not (folder / "complete").exists():
            folder.mkdir(parents=True, exist_ok=True)
            _maven(folder, [COPY, f"-Dartifact={artefact}", f"-DoutputDirectory={folder}"])
    return folder / f"{what}-{version}{'-' if classifier else ''}{classifier}.{kind}"


def _fetch(folder: Path, pom: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pom.xml").write_text(pom, encoding="utf-8")
    _maven(folder, [PLUGIN, "-DincludeScope=runtime", f"-DoutputDirectory={folder / 'lib'}"])


def _maven(folder: Path, goal: list[str]) -> None:
    maven = program("mvn", "install Maven 3.6 or newer, and Java 17")
    command = [maven, "-q", "-B", "--strict-checksums", *goal]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise UnavailableError(f"Maven could not fetch {folder.name}: {(said or [done.stderr.strip()])[0][:300]}")
    (folder / "complete").touch()

"""Drools' jars: pinned, fetched once by Maven, which checks their checksums, into the user's cache."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tidegate.errors import TidegateError

VERSION = "10.2.0"
_WANTED = (
    ("org.drools", "drools-engine", VERSION),
    ("org.kie", "kie-dmn-core", VERSION),
    ("org.slf4j", "slf4j-nop", "2.0.17"),
)
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>tidegate</groupId><artifactId>drools</artifactId><version>1</version>
<packaging>pom</packaging>
<dependencies>{}</dependencies></project>
""".format(
    "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        for group, name, version in _WANTED
    )
)
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_LONGEST = 600
"""Seconds that Maven may take."""


def folder() -> Path:
    """Where the jars are kept; its name tells the version and what was asked for."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "tidegate" / f"drools-{VERSION}-{hashlib.sha256(_POM.encode()).hexdigest()[:8]}"


def there() -> bool:
    """Whether they were fetched, all of them."""
    return (folder() / "complete").exists()


def jars() -> Path:
    """The folder of the jars.

    Raises:
        TidegateError: they were not fetched yet.
    """
    if not there():
        raise TidegateError(
            f"The jars of Drools {VERSION} are not there.",
            seen=f"nothing in {folder()}",
            do="Fetch them once: tidegate drools fetch.",
        )
    return folder() / "lib"


def fetch() -> Path:
    """Fetch the jars by Maven, unless they are there; gives their folder.

    They come into a folder of their own that is named last, so that one which was cut off is never taken for whole.

    Raises:
        TidegateError: there is no Maven, or it fails.
    """
    if there():
        return jars()
    maven = shutil.which("mvn")
    if maven is None:
        raise TidegateError("Maven is not there.", seen="no mvn in PATH", do="Install Maven 3.6 or newer, and Java 17.")
    kept = folder()
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "pom.xml").write_text(_POM, encoding="utf-8")
    command = [maven, "-q", "-B", "--strict-checksums", _PLUGIN, f"-DoutputDirectory={kept / 'lib'}"]
    try:
        done = subprocess.run(command, cwd=kept, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise TidegateError("Maven did not finish.", seen=f"{_LONGEST} seconds", do="Try again.") from None
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise TidegateError(
            "Maven could not fetch Drools.",
            seen=(said[0] if said else done.stderr.strip())[:300],
            do="See whether Maven reaches its repository, or a mirror named in its settings.xml.",
        )
    (kept / "complete").touch()
    return kept / "lib"


__all__ = ["VERSION", "fetch", "folder", "jars", "there"]

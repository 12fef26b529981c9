"""OpenSearch and Elasticsearch from Maven: one node of each, with the modules that its core tests run with."""

import contextlib
import http.client
import os
import signal
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers.maven import archive, program
from tests.servers.server import Server, answers, free_port

NOBODY = 65_534
"""Neither product runs as root; where we do, it is run as this user."""


class Node(Server):
    """A node of either product. `settings` are lines of its YAML file beside ours."""

    patience = 180.0
    artefact: ClassVar[str]
    product: ClassVar[str]
    ours: ClassVar[dict[str, object]] = {}

    def __init__(self, folder: Path, port: int | None = None, **settings: object) -> None:
        self._own = None
        if os.geteuid() == 0:
            # Folders of a test are for its user only, and the node's is another.
            self._own = tempfile.TemporaryDirectory(prefix=f"tidegate-{self.product}-")
            folder = Path(self._own.name)
            folder.chmod(0o755)
        super().__init__(folder, port)
        self.settings, self.transport, self.zip = settings, free_port(), self.fetch()

    @classmethod
    def fetch(cls) -> Path:
        """The product's archive, fetched unless it is there."""
        return archive(cls.product, cls.artefact)

    @property
    def home(self) -> Path:
        """Where it is unpacked."""
        return self.folder / "home"

    def prepare(self) -> None:
        """Unpack it and write its settings."""
        with zipfile.ZipFile(self.zip) as packed:
            for one in packed.infolist():
                place = Path(packed.extract(one, self.folder))
                if one.external_attr >> 16 & 0o111:
                    place.chmod(0o755)
        next(self.folder.glob(f"{self.product}-*")).rename(self.home)
        (self.home / "plugins").mkdir(exist_ok=True)
        lines = {
            "discovery.type": "single-node",
            "network.host": "127.0.0.1",
            "http.port": self.port,
            "transport.port": self.transport,
            "path.data": self.folder / "data",
            "path.logs": self.folder / "logs",
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            **self.ours,
            **self.settings,
        }
        text = "".join(f"{name}: {value}\n" for name, value in lines.items())
        (self.home / "config" / f"{self.product}.yml").write_text(text, encoding="utf-8")
        if os.geteuid() == 0:
            for folder, folders, files in os.walk(self.folder):
                for name in (".", *folders, *files):
                    os.chown(Path(folder) / name, NOBODY, NOBODY)

    def environment(self) -> dict[str, str]:
        """Where Java is, and a small heap."""
        java = str(Path(program("java", "install Java 17")).resolve().parent.parent)
        heap = "-Xms400m -Xmx400m"
        return {
            "OPENSEARCH_JAVA_HOME": java, "ES_JAVA_HOME": java, "OPENSEARCH_JAVA_OPTS": heap, "ES_JAVA_OPTS": heap,
            "HOME": str(self.folder),
        }  # fmt: skip

    def command(self) -> Sequence[str | Path]:
        start: list[str | Path] = [self.home / "bin" / self.product]
        if os.geteuid() != 0:
            return start
        as_nobody = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=KILL"]
        return [program("setpriv", "install util-linux"), *as_nobody, *start]

    def ready(self) -> bool:
        """Whether it can be written to."""
        if not answers(self.port):
            return False
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            asked.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")
            return asked.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()

    def kill(self) -> None:
        """End it, and what it started: Elasticsearch's first process only starts the node."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __exit__(self, *given: object) -> None:
        super().__exit__(None, None, None)
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)  # what outlived the first process
        if self._own is not None:
            self._own.cleanup()


class OpenSearch(Node):
    """A node of OpenSearch; its start is the node."""

    name, product = "OpenSearch", "opensearch"
    artefact = "org.opensearch.distribution.integ-test-zip:opensearch:2.19.1:zip"

    @property
    def address(self) -> str:
        """As alerts are sent to it."""
        return f"opensearch://127.0.0.1:{self.port}"


class Elasticsearch(Node):
    """A node of Elasticsearch."""

    name, product = "Elasticsearch", "elasticsearch"
    artefact = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:8.15.3:zip"
    ours: ClassVar[dict[str, object]] = {"xpack.security.enabled": "false", "xpack.ml.enabled": "false"}

    @property
    def address(self) -> str:
        """As alerts are sent to it."""
        return f"elasticsearch://127.0.0.1:{self.port}"

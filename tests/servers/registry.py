"""Apicurio Registry from Maven, on loopback: a schema registry that speaks Confluent's API, and keeps all in memory."""

import base64
import http.client
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.servers.maven import alone, archive, program
from tests.servers.server import Server

VERSION = "2.6.13.Final"
"""The last one that runs on Java 17. Karapace is not on PyPI, and Confluent's own registry is not on Maven Central."""
ARTEFACT = f"io.apicurio:apicurio-registry-app:{VERSION}:tar.gz"
_PATH = "/apis/ccompat/v7"
_MEDIA = "application/vnd.schemaregistry.v1+json"


def fetch() -> Path:
    """The folder of the registry's program, fetched and unpacked unless it is there."""
    packed = archive("registry", ARTEFACT, "all")
    folder = packed.parent / "unpacked"
    with alone("registry-unpacked"):
        if not (folder / "complete").exists():
            with tarfile.open(packed) as tar:
                tar.extractall(folder, filter="data")
            (folder / "complete").touch()
    return folder


class Registry(Server):
    """A registry. `settings` are properties of it beside ours."""

    name = "Apicurio Registry"
    patience = 120.0

    def __init__(self, folder: Path, port: int | None = None, **settings: object) -> None:
        super().__init__(folder, port)
        self.settings, self._home = settings, fetch()

    @property
    def where(self) -> str:
        return self.url

    @property
    def url(self) -> str:
        """What `--schema-registry` is given."""
        return f"http://{self.address}{_PATH}"

    def command(self) -> Sequence[str | Path]:
        ours = {"quarkus.http.host": "127.0.0.1", "quarkus.http.port": self.port, **self.settings}
        quick = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
        java = program("java", "install Java 17")
        said = [f"-D{name}={value}" for name, value in ours.items()]
        return [java, *quick, *said, "-jar", self._home / f"apicurio-registry-app-{VERSION}-runner.jar"]

    def ready(self) -> bool:
        """Whether it answers what it is asked."""
        try:
            return self.ask("GET", "/subjects")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None, user: str = "") -> tuple[int, Any]:
        """Status and JSON of an answer of its API, `path` being below the API's own."""
        headers = {"content-type": _MEDIA}
        if user:
            headers["authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, _PATH + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            said = answer.read()
            return answer.status, json.loads(said) if said else None
        finally:
            connection.close()

    def register(
        self, subject: str, schema: str, kind: str = "AVRO", references: Sequence[Mapping[str, Any]] = ()
    ) -> int:
        """Register a schema, whatever came before it; gives its id."""
        asked = {"schema": schema, "schemaType": kind, "references": list(references)}
        status, said = self.ask("POST", f"/subjects/{subject}/versions", asked)
        assert status == 200, said
        return int(said["id"])

"""A schema registry of Confluent's API (Confluent, Apicurio, Karapace and others), asked with the standard library.

Confluent's own client would bring seven packages for the four questions that are asked here, each once for a schema.
"""

import base64
import http.client
import json
import logging
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from tidegate.connectors.kafka.cluster import PassingError
from tidegate.connectors.schemas.framing import UndecodableError
from tidegate.connectors.trust import trusting
from tidegate.errors import StreamError
from tidegate.events.depth import require_shallow

_LOG = logging.getLogger("tidegate.registry")
_TIMEOUT = 10.0
_MEDIA = "application/vnd.schemaregistry.v1+json"
_DEEPEST = 32
_MOST = 16 << 20
_LARGEST = 2**31 - 1
"""Ids are whole numbers of 32 bits with a sign; a larger one is no id, and registries answer it as they like."""
_NONE = {40401, 40402, 40403}
"""Codes of a registry that knows no such subject, version or schema."""
PROPERTIES = {
    "basic.auth.user.info": "USER:PASSWORD",
    "bearer.auth.token": "a token",
    "ssl.ca.location": "the file of the authority that is trusted",
    "ssl.certificate.location": "the file of our certificate",
    "ssl.key.location": "the file of its key",
    "ssl.key.password": "that key's password",
}
"""What can be said in the file that `--registry-config` names, by the names that Confluent's clients have for it."""


class RegistryAwayError(PassingError):
    """The registry cannot be asked now. Messages whose schema is not known yet wait; none is given up."""


class Schema(msgspec.Struct, frozen=True):
    """A schema, and what it refers to.

    Args:
        id: the registry's.
        kind: AVRO, PROTOBUF or JSON.
        text: as it was registered.
        imports: name and text of every schema that it refers to, also through others; none comes before its own.
    """

    id: int
    kind: str
    text: str
    imports: tuple[tuple[str, str], ...] = ()


class Registry:
    """Asks a registry.

    Args:
        url: `http(s)://[USER@]HOST[:PORT][/PATH]`; of several with commas between, the first that answers is asked.
        settings: as in `PROPERTIES`. They may hold secrets, and are never told.
        timeout: seconds that an answer may take.

    Raises:
        StreamError: the address is none, or a file of a certificate cannot be read.
    """

    def __init__(self, url: str, settings: Mapping[str, str] | None = None, timeout: float = _TIMEOUT) -> None:
        settings = dict(settings or {})
        unknown = sorted(set(settings) - set(PROPERTIES))
        if unknown:
            raise StreamError(
                f"A registry has no property {unknown[0]}.", do=f"There are: {', '.join(PROPERTIES)}."
            )  # fmt: skip
        self._urls = [_address(one.strip()) for one in url.split(",")]
        user = next((one.username for one in self._urls if one.username), "")
        password = next((one.password for one in self._urls if one.password), "")
        info = settings.get("basic.auth.user.info") or (f"{unquote(user)}:{unquote(password or '')}" if user else "")
        self._headers = {"accept": _MEDIA + ", application/json", "content-type": _MEDIA}
        if settings.get("bearer.auth.token"):
            self._headers["authorization"] = f"Bearer {settings['bearer.auth.token']}"
        elif info:
            self._headers["authorization"] = "Basic " + base64.b64encode(info.encode()).decode()
        self._tls = _tls(settings) if any(one.scheme == "https" for one in self._urls) else None
        self._timeout = timeout
        self.name = ",".join(
            f"{one.scheme}://{one.netloc.rpartition('@')[2]}{one.path.rstrip('/')}" for one in self._urls
        )

    def schema(self, id: int) -> Schema:
        """The schema of an id, with all that it refers to.

        Raises:
            RegistryAwayError: nobody answers, or not as a registry does.
            UndecodableError: the registry has none of this id.
        """
        status, said = self._ask("GET", f"/schemas/ids/{id}") if id <= _LARGEST else (404, {"error_code": 40403})
        if _has_none(status, said):
            raise UndecodableError(
                "unknown-schema",
                f"The registry has no schema {id}.",
                seen=self.name,
                do="See which registry the producer writes with, and give that one to --schema-registry.",
            )
        return self._schema(id, self._good(status, said, f"asked for schema {id}"))

    def latest(self, subject: str) -> Schema | None:
        """The newest schema of a subject; None if it has none.

        Raises:
            RegistryAwayError: nobody answers, or not as a registry does.
        """
        status, said = self._ask("GET", f"/subjects/{quote(subject, safe='')}/versions/latest")
        if _has_none(status, said):
            return None
        found = self._good(status, said, f"asked for {subject}")
        return self._schema(int(found["id"]), found)

    def register(self, subject: str, text: str, kind: str) -> int:
        """The id of a schema under a subject, where it is put unless it is there.

        Raises:
            RegistryAwayError: nobody answers, or not as a registry does.
            StreamError: it may not be put there.
        """
        path, asked = f"/subjects/{quote(subject, safe='')}", {"schema": text, "schemaType": kind}
        status, said = self._ask("POST", path, asked)
        if status != 200:
            status, said = self._ask("POST", f"{path}/versions", asked)
        if status in (409, 422, 403):
            raise StreamError(
                f"The registry does not take the schema of decisions under {subject}.",
                seen=f"{status} {_words(said)}",
                do="Another schema is there that this one is not compatible with: choose another topic, or set the "
                "subject's compatibility to NONE." if status != 403 else
                "Let this user register there, or register it yourself: `tidegate schemas decisions` prints it.",
            )  # fmt: skip
        return int(self._good(status, said, f"given the schema of {subject}")["id"])

    def _schema(self, id: int, found: Mapping[str, Any]) -> Schema:
        imports: dict[str, str] = {}
        self._imports(found, imports, 0)
        return Schema(id, found.get("schemaType") or "AVRO", str(found["schema"]), tuple(imports.items()))

    def _imports(self, schema: Mapping[str, Any], found: dict[str, str], depth: int) -> None:
        for one in schema.get("references") or ():
            name = str(one["name"])
            if name in found:
                continue
            if depth > _DEEPEST:
                raise UndecodableError("schema", "A schema refers to itself, or too deep.", seen=name)
            path = f"/subjects/{quote(str(one['subject']), safe='')}/versions/{int(one['version'])}"
            status, said = self._ask("GET", path)
            there = self._good(status, said, f"asked for {one['subject']} version {one['version']}")
            self._imports(there, found, depth + 1)
            found[name] = str(there["schema"])

    def _good(self, status: int, said: Any, asked: str) -> Mapping[str, Any]:
        if status == 200 and isinstance(said, dict):
            return said
        do = {
            401: "See whether basic.auth.user.info or bearer.auth.token in the file of --registry-config are right.",
            302: "It sends elsewhere: give that address to --schema-registry.",
            403: "Give this user the right to read subjects and schemas.",
            404: "See whether the path belongs to --schema-registry: Apicurio's ends with /apis/ccompat/v7.",
        }.get(status, "See whether the registry is well.")
        raise RegistryAwayError(
            f"The schema registry {self.name}, {asked}, does not give it.", seen=f"{status} {_words(said)}", do=do
        )

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and content of the first answer that some registry gives."""
        for place, url in enumerate(self._urls):
            try:
                status, said = self._ask_one(url, method, path, body)
            except (OSError, http.client.HTTPException) as error:
                if place + 1 == len(self._urls):
                    raise RegistryAwayError(
                        f"The schema registry {self.name} cannot be reached.", seen=_told(error), do=_do(error)
                    ) from None
                continue
            if status < 500 and status != 429:
                return status, said
        return status, said

    def _ask_one(self, url: Any, method: str, path: str, body: Any) -> tuple[int, Any]:
        connection: http.client.HTTPConnection
        if url.scheme == "https":
            connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=self._timeout, context=self._tls)
        else:
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=self._timeout)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, url.path.rstrip("/") + path, data, self._headers)
            answer = connection.getresponse()
            said = answer.read(_MOST)
            try:
                require_shallow(said)
                return answer.status, json.loads(said)
            except (ValueError, RecursionError):
                # whatever answers in other words than JSON, such as a proxy's page, is no registry
                return answer.status if answer.status >= 300 else 502, said.decode("utf-8", "replace")
        finally:
            connection.close()


def _address(url: str) -> Any:
    parts = urlsplit(url)
    try:
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        port_is_one = False
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or not port_is_one:
        raise StreamError(
            "This is not the address of a schema registry.",
            seen=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            do="Write http(s)://HOST:8081, with a path where it has one.",
        )
    return parts


def _tls(settings: Mapping[str, str]) -> ssl.SSLContext:
    try:
        context = trusting(settings.get("ssl.ca.location"))
        if settings.get("ssl.certificate.location"):
            context.load_cert_chain(
                settings["ssl.certificate.location"],
                settings.get("ssl.key.location") or None,
                settings.get("ssl.key.password") or None,
            )
    except (OSError, ssl.SSLError) as error:
        names = [settings[name] for name in ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location")
                 if name in settings]  # fmt: skip
        raise StreamError(
            "A certificate or key for the schema registry cannot be read.",
            seen=f"{', '.join(names)}: {error}",
            do="See whether each is a PEM file that can be read, and whether the key is the certificate's.",
        ) from None
    return context


def _told(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return str(error) or type(error).__name__


def _do(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "See whether its certificate is expired, and whether ssl.ca.location names the authority that signed it."
    if isinstance(error, ssl.SSLError):
        return "See whether it speaks TLS at this port."
    return "See whether it runs there and can be reached."


def _has_none(status: int, said: Any) -> bool:
    """Whether a registry said that it has no such thing; a 404 of whatever else stands at this address says nothing."""
    return status == 404 and isinstance(said, dict) and said.get("error_code") in _NONE


def _words(said: Any) -> str:
    if isinstance(said, dict):
        said = said.get("message") or said
    return " ".join(str(said).split())[:300]

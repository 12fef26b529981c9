"""Where decisions go, by address: the sink that an address means."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from tidegate.actions.sink import Sink
from tidegate.connectors.alerts_file import AlertsFile
from tidegate.connectors.search_client import connect, read_address
from tidegate.connectors.search_server import SearchServer
from tidegate.connectors.search_sqlite import SqliteIndex
from tidegate.connectors.webhook import Webhook, secret_of
from tidegate.errors import TidegateError

LOCAL = "local"
"""The address of the index without a server."""

ADDRESSES = (
    "elasticsearch://HOST:9200/NAME, opensearch://HOST:9200/NAME, https://HOST/PATH (a webhook), "
    "kafka://HOST:9092/TOPIC, or local"
)


def name_at(address: str, kafka_config: Path | None = None) -> str:
    """The name of the sink at an address, which is refused if alerts cannot be sent there; nothing is asked of it.

    Args:
        address: as in `ADDRESSES`.
        kafka_config: file of properties for topics.

    Raises:
        TidegateError: it is none that we know, what it takes is not installed, or a secret is missing.
    """
    scheme = urlsplit(address).scheme.partition("+")[0]
    if scheme in ("elasticsearch", "opensearch"):
        sink: Sink = search_server(address)
    elif scheme in ("http", "https"):
        sink = Webhook(address, _secret())
    elif scheme == "kafka":
        sink = _topic(address, kafka_config)
    elif address == LOCAL:
        return SqliteIndex.NAME
    else:
        raise TidegateError(
            "That is no address that alerts can be sent to.", seen=scheme or address, do=f"Write {ADDRESSES}."
        )
    sink.close()
    return sink.name


def receivers(addresses: Sequence[str], kafka_config: Path | None = None) -> list[str]:
    """The names of the sinks at these addresses, each of which can be sent to; nothing is asked of them.

    Raises:
        TidegateError: as `name_at`, or two addresses lead to one sink, of which only one can be told.
    """
    names = [name_at(address, kafka_config) for address in addresses]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise TidegateError("One receiver is named twice.", seen=twice, do="Name each once.")
    return names


def sink_at(address: str, file: AlertsFile, kafka_config: Path | None = None) -> tuple[Sink, bool]:
    """The sink at an address, and whether it is told of alarms only.

    The secret of webhooks is read from `TIDEGATE_WEBHOOK_SECRET`.

    Args:
        address: as in `ADDRESSES`.
        file: where the index without a server is.
        kafka_config: file of properties for topics.

    Raises:
        TidegateError: the address is none that we know, what it takes is not installed, or the secret is missing.
    """
    name_at(address, kafka_config)
    if address == LOCAL:
        return SqliteIndex(file), False
    scheme = urlsplit(address).scheme.partition("+")[0]
    if scheme in ("elasticsearch", "opensearch"):
        return search_server(address), False
    if scheme == "kafka":
        return _topic(address, kafka_config), True
    return Webhook(address, _secret()), True


def _topic(address: str, config: Path | None) -> Sink:
    if find_spec("confluent_kafka") is None:
        raise TidegateError.not_installed("A Kafka topic", "Kafka's client", "kafka")
    from tidegate.connectors.kafka.alarms import KafkaAlarms
    from tidegate.connectors.kafka.place import place, properties

    return KafkaAlarms(place(address, properties(config) if config is not None else {}, single=True))


def _secret() -> bytes:
    secret = os.environ.get("TIDEGATE_WEBHOOK_SECRET", "")
    if not secret:
        raise TidegateError(
            "A webhook is signed with a secret that the receiver knows too.",
            seen="TIDEGATE_WEBHOOK_SECRET is not set",
            do="Set it to whsec_ and the Base64 of 24 to 64 random bytes.",
        )
    return secret_of(secret)


def search_server(address: str) -> SearchServer:
    """The index on a server.

    Raises:
        TidegateError: the address is none, or the server's client is not installed.
    """
    read = read_address(address)
    return SearchServer(connect(read), read.indices, stream=read.stream)

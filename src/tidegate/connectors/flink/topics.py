"""Where topics are: `kafka://HOST:PORT[,HOST:PORT]/TOPIC`."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from tidegate.errors import TidegateError

_FORM = "kafka://HOST:PORT/TOPIC"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")


class Topic(NamedTuple):
    """A topic of a cluster of Kafka."""

    servers: str
    name: str


def topic(url: str) -> Topic:
    """What a URL says.

    Raises:
        TidegateError: it is no URL of a topic.
    """
    parts = urlsplit(url)
    name = parts.path.strip("/")
    if parts.scheme != "kafka" or not parts.netloc or "@" in parts.netloc or parts.query:
        raise TidegateError("This is not the URL of a topic.", seen=url.partition("?")[0], do=f"Write {_FORM}.")
    if not _NAME.fullmatch(name):
        raise TidegateError(
            "This cannot be the name of a topic.", seen=name[:80], do="It has letters, digits, and . _ - alone."
        )
    servers = ",".join(host if re.search(r":\d+$", host) else f"{host}:9092" for host in parts.netloc.split(","))
    return Topic(servers, name)

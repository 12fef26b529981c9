"""Where topics are: `kafka://HOST:PORT[,HOST:PORT]/TOPIC[,TOPIC]?property=value`, and files of properties."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from tidegate.errors import StreamError

OURS = {
    "bootstrap.servers": "the address in the URL says it",
    "group.id": "--group says it",
    "transactional.id": "it is called like the order topic",
    "enable.auto.commit": "offsets are committed with the decisions",
    "enable.auto.offset.store": "offsets are committed with the decisions",
    "auto.offset.reset": "--begin says where a first start begins, and nothing is ever skipped",
    "isolation.level": "only what was committed is read",
    "enable.idempotence": "a transaction is always so",
    "acks": "a transaction waits for all",
    "partition.assignment.strategy": "one instance decides, and is not relieved while it runs",
    "enable.partition.eof": "partitions are taken in order by it",
}
"""Properties that are what they are, and why."""

SECRET = ("password", "secret", "sasl.jaas", "key.pem", "oauthbearer.config")
"""What is in the names of properties that hold secrets."""

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_FORM = "kafka://HOST:PORT/TOPIC"


class Place(msgspec.Struct, frozen=True):
    """One or several topics of a cluster.

    Args:
        servers: `host:port`, several with commas between.
        topics: their names.
        settings: properties of librdkafka. They may hold secrets, and are never told.
    """

    servers: str
    topics: tuple[str, ...]
    settings: dict[str, str]

    @property
    def topic(self) -> str:
        """The first of the topics."""
        return self.topics[0]

    def beside(self, other: "Place") -> bool:
        """Whether another place names a server of this one's cluster."""
        return not set(self.servers.split(",")).isdisjoint(other.servers.split(","))

    def __str__(self) -> str:
        return f"kafka://{self.servers}/{','.join(self.topics)}"

    def __repr__(self) -> str:
        return f"Place({str(self)!r})"  # without the settings: they may hold secrets


def place(url: str, settings: Mapping[str, str] | None = None, *, single: bool = False) -> Place:
    """What a URL says; `settings` come first and the URL's own over them.

    Args:
        url: as in the head of this module.
        settings: of a file (see `properties`).
        single: one topic is wanted.

    Raises:
        StreamError: it is no such URL, or sets what is ours to set.
    """
    parts = urlsplit(url)
    shown = url.partition("?")[0]
    if parts.scheme != "kafka" or not parts.netloc:
        raise StreamError("This is not the URL of a topic.", seen=shown, do=f"Write {_FORM}.")
    if "@" in parts.netloc:
        raise StreamError(
            "A URL of a topic holds no name and password.",
            seen=f"kafka://…@{parts.netloc.rpartition('@')[2]}",
            do="Put sasl.username and sasl.password into a file, and give it with --kafka-config.",
        )
    topics = tuple(unquote(name) for name in parts.path.strip("/").split(",") if name)
    for name in topics:
        if not _TOPIC.fullmatch(name):
            raise StreamError(
                "This cannot be the name of a topic.", seen=name[:80], do="It has letters, digits, and . _ - alone."
            )
    if not topics or (single and len(topics) > 1) or len(set(topics)) < len(topics):
        wanted = "one topic" if single else "each topic once"
        raise StreamError(f"The URL names {wanted}.", seen=shown, do=f"Write {_FORM}.")
    servers = ",".join(host if re.search(r":\d+$", host) else f"{host}:9092" for host in parts.netloc.split(","))
    own = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in own:
        if any(word in name for word in SECRET):
            raise StreamError(
                "A URL of a topic holds no password and no key: others on this machine can read the command line.",
                seen=f"?{name}=…",
                do="Put it into a file, and give that with --kafka-config.",
            )
    return Place(servers, topics, _allowed({**(settings or {}), **own}))


def require_apart(named: Sequence[tuple[str, str]]) -> None:
    """Make sure that nothing which is written is read as an event again, or lies among other things.

    Args:
        named: topics of one cluster, each with the option that names it.

    Raises:
        StreamError: one topic is named for two things.
    """
    for name, many in Counter(name for name, _ in named).items():
        if many > 1:
            raise StreamError(
                f"{name} is one topic, and cannot be two of a stream.",
                seen=" and ".join(option for one, option in named if one == name),
                do="Give each a topic of its own: what is written for one would be read as what is of the other.",
            )


def properties(path: Path) -> dict[str, str]:
    """The properties in a file, `name=value` a line, as Kafka's own tools read them; `#` begins a comment.

    Raises:
        StreamError: it cannot be read, or a line is none; the line's number is told, and never what it holds.
    """
    return _allowed(lines_of(path))


def lines_of(path: Path) -> dict[str, str]:
    """Names and values in a file of such lines, whatever they are.

    Raises:
        StreamError: it cannot be read, or a line is none; the line's number is told, and never what it holds.
    """
    found = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        seen = getattr(error, "strerror", None) or "it is not UTF-8"
        raise StreamError(
            f"The file of properties {path} cannot be read.", seen=seen, do="Name a file of lines name=value."
        ) from None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text[0] in "#!":
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise StreamError(f"Line {number} of {path} is no property.", do="Write name=value.")
        found[name.strip()] = value.strip()
    return found


def _allowed(settings: Mapping[str, str]) -> dict[str, str]:
    for name in settings:
        if name in OURS:
            raise StreamError(f"The property {name} is not for you to set.", do=f"Leave it out: {OURS[name]}.")
    return dict(settings)

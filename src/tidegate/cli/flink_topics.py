"""The topics of `tidegate flink`: which are named, and whether they are there."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer

from tidegate.cli.kafka import TRY_AGAIN
from tidegate.cli.terminal import tell
from tidegate.errors import StreamError, TidegateError

if TYPE_CHECKING:
    from tidegate.connectors.kafka.place import Place


def inputs(definition: Any, sources: Sequence[str]) -> tuple[list[tuple[str, int]], str]:
    """The topics with the number of their event type, and their servers."""
    from tidegate.decisions.instructions import INSTRUCTIONS
    from tidegate.runtimes.sources import event_named

    found: list[tuple[str, int]] = []
    servers = set()
    for text in sources:
        event, equals, url = text.partition("=")
        kind = event_named(definition, event) if equals and "://" not in event else definition.event
        place = topic(url if equals and "://" not in event else text)
        number = definition.kinds.index(kind) if kind in definition.kinds else -1 - INSTRUCTIONS.index(kind)
        found.append((place.topic, number))
        servers.add(place.servers)
    if len(servers) > 1 or len({one for one, _ in found}) < len(found):
        raise TidegateError("Each topic is named once, and all are in one cluster of Kafka.", seen=", ".join(sources))
    return found, servers.pop()


def topic(url: str) -> "Place":
    """The topic of a URL."""
    from tidegate.connectors.kafka.place import place

    found = place(url, single=True)
    if found.settings:
        raise TidegateError(
            "A URL of a topic holds no properties here: Flink's clients are Java's.",
            seen=", ".join(found.settings),
            do="Put them into a file as Java's clients name them, and give it with --kafka-config.",
        )
    return found


def require_there(
    servers: str, topics: Sequence[str], properties: Mapping[str, str], say: Callable[[str], None], *, elsewhere: bool
) -> None:
    """See whether brokers answer, and these topics are there, before anything is started.

    Where Kafka's client in Python is not installed, the job finds out. What the properties of Java's clients say of
    security is for those: of brokers that ask for it, it is only seen whether something listens.

    Args:
        servers: of Kafka.
        topics: all that are read and written.
        properties: of Java's clients.
        say: is told what is no reason to end.
        elsewhere: whether the job runs on a cluster that may reach what this machine does not.

    Raises:
        StreamError: a topic is not there, or brokers cannot be asked like this.
        Exit: no broker answers, which was told.
    """
    if find_spec("confluent_kafka") is None:
        return
    from rich.markup import escape

    from tidegate.connectors.kafka.cluster import Cluster, PassingError
    from tidegate.connectors.kafka.connection import listens

    if properties.get("security.protocol", "PLAINTEXT").upper() != "PLAINTEXT" and listens(servers):
        return
    cluster = Cluster(servers)
    try:
        cluster.topics()
    except StreamError as error:
        if elsewhere:
            say(escape(f"{error} The job is handed in all the same: its cluster may reach what this machine does not."))
            return
        if not isinstance(error, PassingError):
            raise
        tell(error)
        raise typer.Exit(TRY_AGAIN) from None
    cluster.partitions(topics)

"""What commands that use Kafka share."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.errors import StreamError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidegate.runtimes.stream.schemas import Schemas

TRY_AGAIN = 75
"""The status of a process that ends in the hope that the next one fares better (`EX_TEMPFAIL` of sysexits)."""


def require_client(what: str = "A Kafka topic") -> None:
    """Make sure that the client of Kafka is installed; `what` needs it.

    Raises:
        StreamError: it is not.
    """
    if find_spec("confluent_kafka") is None:
        raise StreamError.not_installed(what, "Kafka's client", "kafka")


def pairs_of(given: "Sequence[str]", option: str, example: str) -> dict[str, str]:
    """What an option says of topics, as `TOPIC=WORD`.

    Raises:
        StreamError: one of them is written otherwise.
    """
    found: dict[str, str] = {}
    for one in given:
        topic, equals, word = one.partition("=")
        if not equals or not topic or not word:
            raise StreamError(f"{option} says something of a topic.", seen=one, do=f"Write {option} {example}.")
        if found.setdefault(topic, word) != word:
            raise StreamError(
                f"{option} says two things of {topic}.", seen=f"{found[topic]} and {word}", do="Leave one of them out."
            )
    return found


def stream_schemas(
    given: list[str], url: str, config: Path | None, topics: list[str], subjects: "Mapping[str, str]"
) -> "Schemas | None":
    """The schemas of a stream's topics; None if all of them hold JSON.

    Args:
        given: formats, as `--value-format` has them.
        url: the registry's address.
        config: file of its properties.
        topics: all there are, that of decisions too.
        subjects: by topic, where they are not called `TOPIC-value`.

    Raises:
        StreamError: a format or a topic is none that there is, no registry is named, or one for nothing.
    """
    from tidegate.connectors.kafka.place import lines_of
    from tidegate.connectors.schemas.messages import formats, require_format
    from tidegate.connectors.schemas.registry import Registry
    from tidegate.runtimes.stream.schemas import Schemas

    found = formats(given, topics)
    unknown = sorted(set(subjects) - set(topics))
    if unknown:
        raise StreamError(f"There is no topic {unknown[0]} here.", seen=f"--subject {unknown[0]}=…")
    if all(form == "json" for form in found.values()):
        typed = url not in ("", os.environ.get("TIDEGATE_SCHEMA_REGISTRY"))  # that one may be set for other streams
        options = {"--schema-registry": typed, "--registry-config": config is not None, "--subject": bool(subjects)}
        for option in (option for option, told in options.items() if told):
            raise StreamError(
                f"{option} has no effect where all topics hold JSON.",
                seen="no --value-format, or json alone",
                do="Say with --value-format which topics are in Avro or Protobuf, or leave it out.",
            )
        return None
    for form in found.values():
        require_format(form)
    if not url:
        raise StreamError(
            "Messages in Avro or Protobuf name their schema, which a registry knows.",
            seen="no registry",
            do="Give its address with --schema-registry http://HOST:8081.",
        )
    return Schemas(Registry(url, lines_of(config) if config is not None else {}), found, subjects)

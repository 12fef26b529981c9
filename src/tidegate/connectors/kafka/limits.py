"""How large messages may be, by what their topics take at most.

A broker refuses what is larger, and with it the transaction that it lies in; so it is asked before anything is written.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from time import monotonic, sleep
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.writer import BATCH, LARGEST
from tidegate.errors import StreamError

_LOG = logging.getLogger("tidegate.kafka")
_PATIENCE = 15.0
"""Seconds that the question may take."""
_DEFAULT = 1_048_588
"""What a broker takes unless told otherwise."""
_LEAST = 2_048
"""What a letter takes that says only why a message was not taken and where it lies, with the longest of names."""
_NOT_TOLD = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}


class Limits(NamedTuple):
    """Bytes that a dead letter may have, and those that messages may have together which are sent as one batch."""

    letter: int
    batch: int


ANY = Limits(LARGEST, BATCH)
"""Those of topics that take all that is written."""


def limits(cluster: Cluster, dead: str, others: Sequence[str] = (), *, made: bool = False) -> Limits:
    """What may be written to a topic of dead letters, and to others beside it.

    Args:
        cluster: where they are.
        dead: the topic of dead letters.
        others: further topics.
        made: the topic of dead letters was just made, to take the largest.

    Raises:
        StreamError: no broker answers, or the topic takes not even the shortest letter.
    """
    known = takes(cluster, [dead, *others])
    if dead not in known:
        known[dead] = LARGEST if made else _DEFAULT
        _LOG.warning(
            "This user may not see what %s takes (the right to describe its settings): letters of up to %d bytes are "
            "written whole, larger ones without their message.", dead, known[dead],
        )  # fmt: skip
    if known[dead] < _LEAST:
        raise StreamError(
            f"The topic of dead letters {dead} does not even take a letter that says where a message lies.",
            seen=f"max.message.bytes={known[dead]}",
            do=f"Give it at least {_LEAST}; with {LARGEST} it takes each letter whole.",
        )
    return Limits(min(known[dead], LARGEST), min(BATCH, *known.values()))


def takes(cluster: Cluster, topics: Sequence[str]) -> dict[str, int]:
    """The bytes of a batch that each of these topics takes at most, of those that this user may see the settings of.

    Raises:
        StreamError: no broker answers.
    """
    until = monotonic() + _PATIENCE
    while True:
        try:
            return _takes(cluster, cluster.admin(), topics)
        except PassingError:  # a topic that was just made is not known to all brokers yet
            if monotonic() > until:
                raise
            sleep(0.2)


def _takes(cluster: Cluster, client: AdminClient, topics: Sequence[str]) -> dict[str, int]:
    wanted = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    asked: dict[ConfigResource, Future[Any]] = client.describe_configs(wanted, request_timeout=_PATIENCE)
    found = {}
    for resource, told in asked.items():
        wrong = f"What {resource.name} takes could not be learned."
        try:
            entry = told.result(2 * _PATIENCE).get("max.message.bytes")
        except KafkaException as error:
            if error.args[0].code() in _NOT_TOLD:
                continue
            told_of = cluster.told(error, wrong)
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise PassingError(told_of.wrong, seen=told_of.seen, do=told_of.do) from None
            raise told_of from None
        except TimeoutError:
            raise PassingError(wrong, seen="no answer in time") from None
        if entry is not None and entry.value is not None:
            found[resource.name] = int(entry.value)
    return found

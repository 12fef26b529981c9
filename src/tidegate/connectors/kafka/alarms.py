"""Alarms to a topic: one message for each decision, whose key is the decision's id, so that a repeat is known as one.

The producer is idempotent: what it sends again by itself is there once. After a fall between sending and noting it
down, alarms come twice, alike and under the same key; who remembers keys, and a compacted topic, has each once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Producer

from tidegate.actions.document import Document
from tidegate.actions.sink import Gone, Rejected, UnavailableError
from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.place import Place

_ENCODE = msgspec.json.Encoder().encode
_PATIENCE = 10.0
"""Seconds in which the brokers have to take what they are sent."""
_NEVER = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD}
_HEADERS: Sequence[tuple[str, str | bytes | None]] = (("content-type", b"application/json"),)


class KafkaAlarms:
    """Sends documents to a topic.

    Args:
        place: the topic, and the properties of its cluster.
        patience: seconds in which the brokers have to take what they are sent.

    Raises:
        StreamError: a property of the client is wrong.
    """

    most = 500

    def __init__(self, place: Place, patience: float = _PATIENCE) -> None:
        self.name, self._place, self._patience = str(place), place, patience
        self._cluster, self._producer = self._connected()

    def _connected(self) -> tuple[Cluster, Producer]:
        cluster = Cluster(self._place.servers, self._place.settings)
        limit = int(self._patience * 1000)
        more: Mapping[str, Any] = {"message_timeout_ms": limit, "topic_metadata_propagation_max_ms": limit // 2}
        return cluster, cluster.producer(linger_ms=5, **more)

    def send(self, documents: Sequence[Document]) -> list[Rejected]:
        """As of `Sink`."""
        return self._put([(one.id, _ENCODE(one)) for one in documents])

    def forget(self, gone: Sequence[Gone]) -> None:
        """As of `Sink`: a message without a value, by which a compacted topic lets go of what is under its key."""
        self._put([(one.id, None) for one in gone])

    def _put(self, messages: Sequence[tuple[str, bytes | None]]) -> list[Rejected]:
        rejected = self._put_together(messages)
        if len(messages) > 1 and rejected:
            # Brokers refuse what was packed together as one: alone, each is judged by itself.
            again = {one.id for one in rejected}
            return [bad for one in messages if one[0] in again for bad in self._put_together([one])]
        return rejected

    def _put_together(self, messages: Sequence[tuple[str, bytes | None]]) -> list[Rejected]:
        rejected: list[Rejected] = []
        failed: list[KafkaError] = []

        def told(id: str, error: KafkaError | None) -> None:
            if error is not None and error.code() in _NEVER:
                rejected.append(Rejected(id, error.str()))
            elif error is not None:
                failed.append(error)

        for id, value in messages:
            on_delivery = partial(_delivered, told, id)
            try:
                self._producer.produce(
                    self._place.topic, value, id.encode(), headers=list(_HEADERS), on_delivery=on_delivery
                )
            except KafkaException as error:  # what is larger than a message may be is told at once
                told(id, error.args[0])
        left = self._producer.flush(self._patience + 1)
        if failed or left:
            raise self._away(failed)
        return rejected

    def _away(self, failed: Sequence[KafkaError]) -> UnavailableError:
        """Why the topic takes nothing now; what waits in the producer is let go, since all of it is sent again."""
        wrong = f"The topic {self.name} does not take alarms."
        if failed:
            told = self._cluster.told(failed[0], wrong)
            error = UnavailableError(told.wrong, seen=told.seen, do=told.do)
        else:
            error = UnavailableError(wrong, seen="no answer in time", do="See whether the brokers are well.")
        self._producer.purge()
        self._producer.flush(0)
        self._cluster, self._producer = self._connected()  # one that failed for good, or holds numbers, is not used on
        return error

    def close(self) -> None:
        """Let go of the connections."""
        self._producer.flush(0)


def _delivered(told: Callable[[str, KafkaError | None], None], id: str, error: KafkaError | None, _: Any) -> None:
    told(id, error)

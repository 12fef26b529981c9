"""What the instances of a stream tell each other of alerts: how far each sink was told, by the one that decides.

It is kept where a group's offsets are, as the metadata of one offset of the order topic, in a group of its own that has
no members. So it needs no topic, and is there for an instance that never met the other one. Brokers drop it
`offsets.retention.minutes` after it was written last, changed or not.
"""

from collections.abc import Mapping

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from tidegate.connectors.kafka.cluster import Cluster
from tidegate.errors import StreamError

_PATIENCE = 10.0
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(dict[str, int]).decode


class SharedProgress:
    """How far sinks were told, by their names, in numbers of records.

    Args:
        cluster: where the stream is.
        topic: its order topic.
        group: of the stream; its name with `-told` is that of the group that it is kept under.
    """

    def __init__(self, cluster: Cluster, topic: str, group: str) -> None:
        self._cluster, self._topic, self._group = cluster, topic, group
        self._consumer = self._made()

    def _made(self) -> Consumer:
        return self._cluster.consumer(f"{self._group}-told", socket_timeout_ms=int(_PATIENCE * 1000))

    def _told(self, error: KafkaException, wrong: str) -> StreamError:
        """What went wrong; it is asked for anew by a client that never failed: see `Cluster.lost`."""
        before, self._consumer = self._consumer, self._made()
        before.close()
        return self._cluster.told(error, wrong)

    def read(self) -> dict[str, int]:
        """What was written last; nothing where nothing was, or was for longer than brokers keep it.

        Raises:
            StreamError: it cannot be read now.
        """
        try:
            (found,) = self._consumer.committed([TopicPartition(self._topic, 0)], timeout=_PATIENCE)
            if found.error is not None:  # of the one partition: it does not mean that nothing was written
                raise KafkaException(found.error)
        except KafkaException as error:
            raise self._told(error, "How far others were told of alerts cannot be read.") from None
        try:
            return _decode(found.metadata or "{}")
        except msgspec.DecodeError:
            return {}  # written by something else: all are told again, and know repeats by their ids

    def write(self, told: Mapping[str, int]) -> None:
        """Keep it.

        Raises:
            StreamError: it cannot be written now, or there are too many names for 4 kB.
        """
        place = TopicPartition(self._topic, 0, max(told.values(), default=0), metadata=_encode(told).decode())
        try:
            self._consumer.commit(offsets=[place], asynchronous=False)
        except KafkaException as error:
            raise self._told(error, "How far others were told of alerts cannot be kept.") from None

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

"""The order topic, read: one partition whose messages are orders of batches, in the order of their commits."""

import logging
from time import monotonic

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tidegate.connectors.kafka.cluster import Cluster
from tidegate.connectors.kafka.faults import EARLY, MOVED, VAGUE
from tidegate.errors import StreamError

_LOG = logging.getLogger("tidegate.kafka")
_PASSING = VAGUE | MOVED | EARLY | {KafkaError._RESOLVE}
"""Errors that a consumer gets over by itself."""

Found = tuple[int, bytes]
"""The offset of a message, and what it holds."""


class OrderTopic:
    """Reads the order topic from any place on.

    Args:
        cluster: where it is.
        topic: its name.
        group: of the stream; nothing is committed in its name.
    """

    def __init__(self, cluster: Cluster, topic: str, group: str) -> None:
        self._cluster, self.topic, self._group = cluster, topic, group
        self._consumer = self._made()
        self.read_to = 0
        """Every message before this offset was given, or lies before where reading began."""

    def _made(self) -> Consumer:
        return self._cluster.consumer(f"{self._group}-order", fetch_wait_max_ms=50, auto_offset_reset="earliest")

    def renew(self) -> None:
        """Read on from where it was read to with a client made anew: one that no longer fetches, for whatever reason,
        does not begin to when it is told to go to where it is."""
        before, self._consumer = self._consumer, self._made()
        self.go_to(self.read_to)
        with self._cluster.asking("letting go of the order topic"):
            before.close()

    @property
    def client(self) -> Consumer:
        """What reads it now."""
        return self._consumer

    def ends(self) -> tuple[int, int]:
        """The first offset there is, and the one after the last that is committed."""
        return self._cluster.ends(self._consumer, self.topic, 0)

    def go_to(self, offset: int) -> None:
        """Read on from this offset."""
        self.read_to = offset
        with self._cluster.asking("going to a place in the order topic"):
            self._consumer.assign([TopicPartition(self.topic, 0, offset)])

    def next(self, timeout: float) -> Found | None:
        """The next message; None if none came in time. That says nothing of whether there is one: `read_to` does.

        Raises:
            StreamError: the topic cannot be read.
        """
        until = monotonic() + timeout
        while True:
            try:
                with self._cluster.asking("reading the order topic"):
                    message = self._consumer.poll(max(0.0, until - monotonic()))
            except KafkaException as error:
                raise self._cluster.told(error, f"{self.topic} cannot be read.") from None
            if message is None:
                return None
            fault = message.error()
            if fault is None:
                offset = message.offset() or 0
                self.read_to = offset + 1
                return offset, message.value() or b""
            if fault.code() == KafkaError._PARTITION_EOF:  # behind the marks of transactions, which nobody is given
                self.read_to = max(self.read_to, message.offset() or 0)
                return None
            if fault.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
                raise StreamError(f"The topic {self.topic} is gone.", seen=fault.str())
            if fault.code() not in _PASSING:
                raise self._cluster.told(fault, f"{self.topic} cannot be read.")
            _LOG.warning("%s: %s", self.topic, fault.str())
            if monotonic() >= until:
                return None

    def close(self) -> None:
        """Let go of the connections."""
        with self._cluster.asking("letting go of the order topic"):
            self._consumer.close()

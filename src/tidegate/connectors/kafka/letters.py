"""The topic of dead letters, read and sent on by people."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tidegate.connectors.kafka.cluster import Cluster, PassingError
from tidegate.connectors.kafka.content import messages
from tidegate.connectors.kafka.limits import limits
from tidegate.connectors.kafka.writer import Out, Writer
from tidegate.errors import StreamError

GROUP = "tidegate-dead-letters"
"""As whom people read them."""
_PATIENCE = 30.0
_BATCH = 16_384
"""Bytes that are sent together: no topic that letters came from is likely to take less."""


class _Originals:
    """Messages at their places, read by one client that is made when the first is asked for."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @cached_property
    def _there(self) -> dict[str, int]:
        return self._cluster.topics()

    @cached_property
    def _client(self) -> Consumer:
        return self._cluster.consumer(GROUP)

    def at(self, topic: str, partition: int, offset: int) -> Any:
        """The message at an offset; None if it is no longer there.

        Raises:
            StreamError: it cannot be read.
        """
        if partition >= self._there.get(topic, 0):
            return None
        try:
            self._client.assign([TopicPartition(topic, partition, offset)])
            try:
                return self._next(topic, partition, offset)
            finally:
                self._client.unassign()  # it would read on what nobody asked for
        except KafkaException as error:
            raise self._cluster.told(error, f"{topic}/{partition} cannot be read.") from None

    def _next(self, topic: str, partition: int, offset: int) -> Any:
        message = self._client.poll(_PATIENCE)
        if message is None:
            raise PassingError(f"{topic}/{partition} cannot be read.", seen="no message in time")
        fault = message.error()
        if fault is None:
            return message if message.offset() == offset else None
        if fault.code() in (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            return None
        raise self._cluster.told(fault, f"{topic}/{partition} cannot be read.")

    def close(self) -> None:
        """Let go of the client, if there is one."""
        if "_client" in self.__dict__:
            self._client.close()


@contextmanager
def originals(cluster: Cluster) -> Iterator[Callable[[str, int, int], Any]]:
    """What reads the messages that letters are of where they lay, each by topic, partition and offset.

    All are read by one client: letters without their messages can be many.
    """
    made = _Originals(cluster)
    try:
        yield made.at
    finally:
        made.close()


def send_once(cluster: Cluster, topic: str, choose: Callable[[Iterator[Any]], Sequence[Out]]) -> int:
    """Write what is chosen from a topic of dead letters, all or nothing; gives how many messages.

    Whoever sends from the same topic at the same time is shut out first, and only then it is read: what they sent is
    seen, and what they have not committed is not sent by them any more.

    Args:
        cluster: where the topic is.
        topic: of dead letters.
        choose: gives what is to be written, from all that is on the topic.

    Raises:
        StreamError: it was not written, or it is not known whether it was; the topic says.
    """
    cluster.partitions([topic], only_read=True)
    writer = Writer(cluster, f"{topic}.sending", min(_BATCH, limits(cluster, topic).batch))
    chosen = choose(messages(cluster, topic, GROUP))
    there = cluster.topics()
    gone = sorted({one.topic for one in chosen} - there.keys())
    if gone:
        raise StreamError(f"There is no topic {gone[0]} any more, so nothing was sent.", do="Make it again, then send.")
    if chosen:
        writer.write(chosen, {}, None)
    return len(chosen)
